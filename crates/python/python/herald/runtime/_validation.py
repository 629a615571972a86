"""Validation of payloads before they are published."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from herald.runtime._errors import PayloadError
from herald.runtime._generics import M
from herald.runtime._models import EventDataclass, Unchecked, from_json
from herald.runtime._privacy import model_fields, models_in
from herald.runtime._secrets import error_text

MAX_SHOWN: Final = 5  # errors of one payload


def validated(model: type[M], payload: object, event_type: str) -> M:
    """Returns a payload as an instance of the event's model. An instance that is
    validated already is returned as it is.

    Raises:
        PayloadError: The payload does not match the contract. The message names the
            paths and the rules, never a value.
    """
    if type(payload) is model and _is_validated(payload):
        return payload
    if isinstance(payload, Mapping):
        payload = _by_name(model, payload, event_type)
    elif not isinstance(payload, model):
        found = type(payload).__name__
        raise PayloadError(
            f"payload: {event_type} needs {model.__name__} or a mapping, not {found}"
        )
    reason = "it could not be read"
    try:
        return from_json(model, payload)  # type: ignore[arg-type]
    except Exception as error:
        reason = _reason(model, error)
    # Outside of the handler: the error of pydantic has the values.
    raise PayloadError(f"{reason} (payload of {event_type})")


def _is_validated(payload: object) -> bool:
    fields = getattr(payload, "__pydantic_fields_set__", None)
    if fields is None:
        return isinstance(payload, EventDataclass)
    return type(fields) is not Unchecked


def _by_name(model: Any, payload: Mapping[Any, Any], event_type: str) -> dict[str, Any]:
    """Returns the fields by their JSON names; they may be given by attribute, too."""
    fields = model_fields(model) or ()
    names = {field.attribute: field.name for field in fields}
    names |= {field.name: field.name for field in fields}
    for name in payload:
        if name not in names:
            raise PayloadError(
                f"{_path((name,))}: {event_type} has no such field in its contract"
            )
    return {names[name]: value for name, value in payload.items()}


def _reason(model: Any, error: Exception) -> str:
    """Returns the paths and rules of an error of a model. Texts of pydantic for types
    of contracts have no values in them.
    """
    details: Any = error
    try:
        found = list(details.errors())
    except Exception:
        return f"payload: {error_text(error)}"
    shown = [
        f"{_path(_without_private(model, each['loc']))}: "
        f"{str(each['msg']).removeprefix('Value error, ')}"
        for each in found[:MAX_SHOWN]
    ]
    if len(found) > MAX_SHOWN:
        shown.append(f"and {len(found) - MAX_SHOWN} more")
    return "; ".join(shown)


def _without_private(model: Any, loc: Iterable[Any]) -> tuple[Any, ...]:
    """Returns a path up to the first private field: keys of a mapping are values."""
    path: list[Any] = []
    models = [model]
    for part in loc:
        path.append(part)
        fields = [f for each in models for f in model_fields(each) or ()]
        named = [field for field in fields if part in (field.name, field.attribute)]
        if any(field.is_private for field in named):
            break
        if named:
            models = [each for field in named for each in models_in(field.hint)]
    return tuple(path)


def _path(loc: Iterable[Any]) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return "payload" + "".join(parts)
