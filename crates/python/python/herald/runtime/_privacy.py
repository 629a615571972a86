"""Removal of private values from payloads."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from herald.runtime._fields import fields_of
from herald.runtime._json import json_value

PublicFields: TypeAlias = Mapping[str, "PublicFields | None"]
"""Public fields: None stands for all of a field, a mapping for its public part. For a
list it applies to each item; `*` stands for all other names.
"""


def published(fields: Mapping[Any, Any], public: PublicFields | None) -> dict[Any, Any]:
    """Returns the fields with private values replaced by the names of their types."""
    if public is None:
        return {name: json_value(value) for name, value in fields.items()}
    others = "*" if "*" in public else None
    shown: dict[Any, Any] = {}
    for name, value in fields.items():
        key = name if name in public else others
        if key is None:
            shown[name] = type(value).__name__
        elif (part := public[key]) is None:
            shown[name] = json_value(value)
        else:
            shown[name] = _part(value, part)
    return shown


def _part(value: object, public: PublicFields) -> object:
    if value is None:
        return None
    if isinstance(value, list | tuple | set | frozenset):
        return [_part(item, public) for item in value]
    fields = fields_of(value)
    return type(value).__name__ if fields is None else published(fields, public)
