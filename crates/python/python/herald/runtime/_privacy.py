"""Public and private fields of models, and the removal of private values."""

from collections.abc import Iterable, Mapping
from dataclasses import fields as dataclass_fields
from functools import lru_cache
from types import UnionType
from typing import (
    Annotated,
    Any,
    NamedTuple,
    TypeAlias,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from herald.runtime._fields import fields_of, is_model
from herald.runtime._json import PLAIN, json_value
from herald.runtime._private import Privacy, publication_arguments

PublicFields: TypeAlias = Mapping[str, "PublicFields | None"]
"""Public fields: None stands for all of a field, a mapping for its public part. For a
list it applies to each item; `*` stands for all other names.
"""


class ModelField(NamedTuple):
    """Field of a generated model, or of another pydantic model or dataclass."""

    attribute: str
    name: str
    """Name in JSON."""
    hint: Any
    is_private: bool


@lru_cache(maxsize=1_024)
def model_fields(model: Any) -> tuple[ModelField, ...] | None:
    """Returns the fields of a model; None for other types."""
    if is_model(model):
        return tuple(
            ModelField(
                attribute,
                field.serialization_alias or field.alias or attribute,
                field.annotation,
                any(isinstance(mark, Privacy) for mark in field.metadata),
            )
            for attribute, field in model.model_fields.items()
        )
    if not isinstance(model, type) or not hasattr(model, "__dataclass_fields__"):
        return None
    hints = get_type_hints(model, include_extras=True)
    return tuple(
        ModelField(
            field.name,
            field.metadata.get("alias", field.name),
            hints[field.name],
            any(
                isinstance(mark, Privacy)
                for mark in getattr(hints[field.name], "__metadata__", ())
            ),
        )
        for field in dataclass_fields(model)
    )


@lru_cache(maxsize=1_024)
def private_attributes(model: Any) -> frozenset[str]:
    """Returns the attributes of a model whose values are private."""
    fields = model_fields(model) or ()
    return frozenset(field.attribute for field in fields if field.is_private)


@lru_cache(maxsize=1_024)
def public_fields(model: Any) -> PublicFields:
    """Returns the public fields of a model."""
    return _tree(model, {})


def _tree(model: Any, trees: dict[Any, dict[str, PublicFields | None]]) -> PublicFields:
    if model in trees:
        return trees[model]
    tree = trees[model] = {}
    for of_model in model_fields(model) or ():
        if not of_model.is_private:
            tree[of_model.name] = _part_of_hint(of_model.hint, trees)
    return tree


def _part_of_hint(
    hint: Any, trees: dict[Any, dict[str, PublicFields | None]]
) -> PublicFields | None:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _part_of_hint(arguments[0], trees)
    if origin is Union or origin is UnionType:
        parts = [_part_of_hint(member, trees) for member in arguments]
        return _common([part for part in parts if part is not None])
    if origin is not None and arguments:
        part = _part_of_hint(arguments[-1], trees)
        is_mapping = isinstance(origin, type) and issubclass(origin, Mapping)
        return {"*": part} if part is not None and is_mapping else part
    return _tree(hint, trees) if has_private(hint) else None


def _common(parts: list[PublicFields]) -> PublicFields | None:
    """Returns the fields that are public in each member of a union: a mapping does not
    tell which member it is.
    """
    if not parts or all(part is parts[0] for part in parts):
        return parts[0] if parts else None
    return {
        name: None for name in parts[0] if all(p.get(name, 0) is None for p in parts)
    }


@lru_cache(maxsize=1_024)
def has_private(model: Any) -> bool:
    """Whether a model has private fields, at any depth."""
    seen: set[Any] = set()
    open_models = [model]
    while open_models:
        of_type = open_models.pop()
        if of_type in seen:
            continue
        seen.add(of_type)
        for of_model in model_fields(of_type) or ():
            if of_model.is_private:
                return True
            open_models += models_in(of_model.hint)
    return False


def models_in(hint: Any) -> list[Any]:
    """Returns the classes in a type."""
    if get_origin(hint) is None:
        return [hint] if isinstance(hint, type) else []
    return [model for inner in get_args(hint) for model in models_in(inner)]


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
            shown[name] = value if type(value) in PLAIN else json_value(value)
        else:
            shown[name] = _part(value, part)
    return shown


def published_model(
    value: object, model: Any, public: PublicFields | None
) -> dict[Any, Any] | None:
    """Returns the fields of a value, which may be an instance of `model`, with private
    values replaced by the names of their types; None if it has no fields.
    """
    of_type: Any = type(value)
    if of_type is model and (arguments := _dump_arguments(of_type)) is not None:
        try:
            # By pydantic in one call, not in one for each nested model.
            dump = of_type.__pydantic_serializer__.to_python
            dumped: dict[Any, Any] = dump(value, **arguments)
        except ValueError:
            pass  # It was made by `model_construct`, or changed later.
        else:
            return dumped
    fields = fields_of(value)
    return None if fields is None else published(fields, public)


@lru_cache(maxsize=1_024)
def _dump_arguments(model: Any) -> Mapping[str, Any] | None:
    """Returns the arguments by which pydantic's serializer replaces private values of a
    generated model, and refuses values of other types; None for other models.
    """
    context = publication_arguments(model) if is_model(model) else {}
    if not context or not hasattr(model, "__herald_model__"):
        return None
    return {"mode": "json", "by_alias": True, "warnings": "error", **context}


def _part(value: object, public: PublicFields) -> object:
    if value is None:
        return None
    if isinstance(value, list | tuple | set | frozenset):
        return [_part(item, public) for item in value]
    fields = fields_of(value)
    return type(value).__name__ if fields is None else published(fields, public)


def private_values(
    fields: Mapping[Any, Any], public: PublicFields | None
) -> Iterable[object]:
    """Returns the values of private fields."""
    if public is None:
        return
    others = "*" if "*" in public else None
    for name, value in fields.items():
        key = name if name in public else others
        if key is None:
            yield value
        elif (part := public[key]) is not None:
            yield from _private_parts(value, part)


def _private_parts(value: object, public: PublicFields) -> Iterable[object]:
    if isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _private_parts(item, public)
    elif (fields := fields_of(value)) is not None:
        yield from private_values(fields, public)
