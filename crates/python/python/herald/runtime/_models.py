"""Parsing of JSON objects to pydantic models and dataclasses."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import MISSING, fields, is_dataclass
from functools import lru_cache
from importlib import import_module
from math import isfinite
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from herald.runtime._enums import NumberEnum, TextEnum
from herald.runtime._fields import fields_of, has_aliases, is_model
from herald.runtime._generics import M
from herald.runtime._limits import Limits, UniqueItems
from herald.runtime._privacy import private_attributes, public_fields, published
from herald.runtime._wire import Wire


class ModelError(ValueError):
    """JSON that does not match a model. It names the place, never a value.

    Attributes:
        loc: Path to the invalid value: names and indices.
    """

    def __init__(self, loc: tuple[str | int, ...], message: str) -> None:
        place = ".".join(str(part) for part in loc)
        super().__init__(f"{place}: {message}" if place else message)
        self.loc = loc
        self.reason = message

    def errors(self) -> list[dict[str, Any]]:
        """Return the error in pydantic's format."""
        return [{"loc": self.loc, "type": self.reason, "msg": self.reason}]

    def below(self, part: str | int) -> "ModelError":
        """Return the error with a path that begins with `part`."""
        return ModelError((part, *self.loc), self.reason)


class Unchecked(set[str]):
    """Names of the given fields of a pydantic model that was not validated. Pydantic
    compares and copies them as it does with any set, so that the model stays equal to
    a validated one.
    """


class EventDataclass:
    """Base of generated dataclasses: they are validated when they are made, and `repr`
    does not show private values.
    """

    __slots__ = ()

    def __post_init__(self) -> None:
        """Validates the values; text in the form of the JSON becomes a value."""
        of_type: Any = type(self)
        for attribute, name, hint, _ in _model_fields(of_type):
            given = getattr(self, attribute)
            value = _at(name, hint, given)
            if value is not given:
                object.__setattr__(self, attribute, value)

    def __repr__(self) -> str:
        of_type: Any = type(self)
        private = private_attributes(of_type)
        shown = ", ".join(
            f"{attribute}={getattr(self, attribute)!r}"
            for attribute, *_ in _model_fields(of_type)
            if attribute not in private
        )
        return f"{of_type.__qualname__}({shown})"

    def __herald_payload__(self) -> dict[str, Any]:
        """Returns the fields as JSON without private values, for Herald's clients."""
        of_type: Any = type(self)
        return published(fields_of(self) or {}, public_fields(of_type))


def from_json(model: type[M], value: Mapping[str, Any]) -> M:
    """Parse a JSON object to a model, as strictly as its contract.

    Raises:
        ValueError: The object does not match the model. Pydantic's errors are
            subclasses.
    """
    validate: Callable[..., M] | None = getattr(model, "model_validate", None)
    if validate is not None:
        return validate(value)
    try:
        read: M = _read(model, value)
    except RecursionError:
        raise ModelError((), "nested too deeply") from None
    return read


@lru_cache(maxsize=1_024)
def is_own(model: Any) -> bool:
    """Whether a class is of the service's own code, and not generated."""
    if not isinstance(model, type) or hasattr(model, "__herald_model__"):
        return False
    return not issubclass(model, EventDataclass)


def own_from_json(model: Any, value: Mapping[str, Any]) -> Any:
    """Parse a JSON object to an instance of a class of the service's own code.

    Raises:
        ValueError: The object does not match the class.
    """
    if is_model(model):
        # Of JSON, also strict models take text as a time.
        names = {} if has_aliases(model) else {"by_alias": False, "by_name": True}
        return model.model_validate_json(json.dumps(value), **names)
    if is_typeddict(model):
        return dict(value)
    if is_dataclass(model) and not hasattr(model, "__struct_fields__"):
        with suppress(ImportError):
            return (
                library("pydantic").TypeAdapter(model).validate_json(json.dumps(value))
            )
    return library("msgspec").convert(value, model)


def library(name: str) -> Any:
    """Return a library that classes of the service use."""
    return import_module(name)


def _read(hint: Any, value: Any) -> Any:
    if is_dataclass(hint):
        return _read_dataclass(hint, value)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _read_annotated(arguments[0], hint.__metadata__, value)
    if origin is Union or origin is UnionType:
        return _read_union(arguments, value)
    if origin is Literal:
        if isinstance(value, str) and value in arguments:
            return value
        raise ModelError((), "expected one of the values in the contract")
    if origin is list:
        if not isinstance(value, list):
            raise ModelError((), "expected a list")
        return [_at(index, arguments[0], item) for index, item in enumerate(value)]
    if origin is not None:  # a mapping
        if not isinstance(value, Mapping):
            raise ModelError((), "expected an object")
        return {
            _at("[key]", arguments[0], name): _at(name, arguments[1], item)
            for name, item in value.items()
        }
    return _read_plain(hint, value)


def _at(part: str | int, hint: Any, value: Any) -> Any:
    try:
        return _read(hint, value)
    except ModelError as error:
        raise error.below(part) from None


def _read_annotated(hint: Any, marks: tuple[Any, ...], value: Any) -> Any:
    try:
        wire = next((mark for mark in marks if isinstance(mark, Wire)), None)
        value = _read(hint, value) if wire is None else wire.read(value)
        for mark in marks:
            if isinstance(mark, Limits | UniqueItems):
                mark.check(value)
    except ModelError:
        raise
    except (ValueError, OverflowError) as error:
        raise ModelError((), str(error)) from None
    return value


def _read_union(members: tuple[Any, ...], value: Any) -> Any:
    last = ModelError((), "expected something else")
    for member in members:
        try:
            return _read(member, value)
        except ModelError as error:
            last = error
    raise last


def _read_plain(hint: Any, value: Any) -> Any:
    if hint is object:
        return value
    if hint is NoneType:
        if value is None:
            return None
        raise ModelError((), "expected null")
    if hint is float:
        if isinstance(value, int | float) and not isinstance(value, bool):
            try:
                number = float(value)
            except OverflowError:
                number = float("inf")
            if isfinite(number):
                return number
        raise ModelError((), "expected a number")
    if isinstance(hint, type) and issubclass(hint, TextEnum | NumberEnum):
        try:
            return hint.read(value)
        except ValueError as error:
            raise ModelError((), str(error)) from None
    if hint is bool and isinstance(value, bool):
        return value
    if hint is str and isinstance(value, str):
        if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
            raise ModelError((), "expected text without lone surrogates")
        return value
    expected = {bool: "true or false", str: "text"}.get(hint, "nothing")
    raise ModelError((), f"expected {expected}")


def _read_dataclass(model: Any, value: Any) -> Any:
    is_checked = issubclass(model, EventDataclass)
    if is_checked and isinstance(value, model):
        return value
    if not isinstance(value, Mapping):
        raise ModelError((), "expected an object")
    given = {}
    for attribute, name, hint, is_required in _model_fields(model):
        if name in value:
            part = value[name]
            given[attribute] = part if is_checked else _at(name, hint, part)
        elif is_required:
            raise ModelError((name,), "missing")
    return model(**given)


@lru_cache(maxsize=1_024)
def _model_fields(model: Any) -> tuple[tuple[str, str, Any, bool], ...]:
    """Return attribute, JSON name, type, and whether it is required, for each field."""
    hints = get_type_hints(model, include_extras=True)
    return tuple(
        (
            field.name,
            field.metadata.get("alias", field.name),
            hints[field.name],
            field.default is MISSING and field.default_factory is MISSING,
        )
        for field in fields(model)
    )
