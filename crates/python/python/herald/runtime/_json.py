"""Conversion of values to JSON types."""

from base64 import b64encode
from datetime import date, timedelta
from datetime import time as time_of_day
from decimal import Decimal
from enum import Enum
from typing import Any, Final
from uuid import UUID

from herald.runtime._fields import fields_of, has_aliases, is_model
from herald.runtime._private import publication_arguments
from herald.runtime._wire import write_duration

PLAIN: Final = frozenset({str, int, float, bool, type(None)})


def json_value(value: Any) -> Any:
    """Return a value as JSON types; values of other classes are unchanged."""
    if type(value) in PLAIN:
        return value
    match value:
        case Enum():
            return json_value(value.value)
        case UUID() | Decimal():
            return str(value)
        case timedelta():
            return write_duration(value)
        case date() | time_of_day():
            return value.isoformat()
        case bytes():
            return b64encode(value).decode()
        case dict():
            return {json_value(k): json_value(v) for k, v in value.items()}
        case tuple():
            return tuple(json_value(v) for v in value)
        case list() | set() | frozenset():
            return [json_value(v) for v in value]
    if is_model(type(value)):
        model: Any = type(value)
        by_alias = has_aliases(model)
        context = publication_arguments(model)
        return value.model_dump(mode="json", by_alias=by_alias, **context)
    if (publish := getattr(value, "__herald_payload__", None)) is not None:
        return publish()
    fields = fields_of(value)
    if fields is None:
        return value
    return {json_value(k): json_value(v) for k, v in fields.items()}


def text_of(value: object) -> str:
    """Return `str(value)`, or a placeholder if that raises."""
    try:
        return str(value)
    except Exception:
        return f"<unprintable {type(value).__name__}>"
