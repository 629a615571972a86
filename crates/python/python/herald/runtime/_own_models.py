"""Classes of the service's own code as payloads: models of pydantic and msgspec,
dataclasses, attrs classes and TypedDicts.
"""

from collections.abc import Mapping
from typing import Any, is_typeddict

from herald.runtime._errors import PayloadError
from herald.runtime._fields import is_model
from herald.runtime._json import json_value
from herald.runtime._models import library
from herald.runtime._secrets import error_text


def own_instance(model: Any, payload: object, event_type: str) -> object:
    """Returns a payload as an instance of the event's class.

    Raises:
        PayloadError: It is of another class, or its fields are not valid.
    """
    if not is_typeddict(model) and isinstance(payload, model):
        return payload
    if not isinstance(payload, Mapping):
        found = type(payload).__name__
        raise PayloadError(
            f"payload: {event_type} needs {model.__name__} or a mapping, not {found}"
        )
    if is_typeddict(model):
        return payload
    try:
        if is_model(model):
            return model.model_validate(dict(payload))
        if hasattr(model, "__struct_fields__"):
            return library("msgspec").convert(dict(payload), model)
        return model(**payload)
    except Exception as error:
        reason = error_text(error)
    # Outside of the handler: the error of pydantic has the values.
    raise PayloadError(f"payload: {reason} (payload of {event_type})")


def own_json(value: object) -> dict[str, Any] | None:
    """Returns an instance as JSON, by the serializer of its library; None if that is
    not an object.
    """
    of_type: Any = type(value)
    serializer = getattr(of_type, "__pydantic_serializer__", None)
    if serializer is not None and not is_model(of_type):
        shown = serializer.to_python(value, mode="json", by_alias=True)
    elif hasattr(of_type, "__struct_fields__"):
        shown = library("msgspec").to_builtins(value)
    else:
        shown = json_value(value)
    return shown if isinstance(shown, dict) else None
