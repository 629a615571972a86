"""What of a value may leave the process."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from herald.runtime._fields import fields_of
from herald.runtime._json import json_value

PublicFields: TypeAlias = Mapping[str, "PublicFields | None"]
"""Fields whose values may leave: None stands for all of a field, a mapping for the
public part of it. In a list it holds for each item; `*` stands for all other names.
"""


def published(fields: Mapping[Any, Any], public: PublicFields | None) -> dict[Any, Any]:
    """The fields as they leave: of what is not public, the name of its type."""
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
