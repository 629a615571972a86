"""Fields of mappings, models and dataclasses."""

from collections.abc import Mapping
from dataclasses import fields as dataclass_fields
from functools import lru_cache
from typing import Any

Names = tuple[tuple[str, str], ...]


def fields_of(value: object) -> Mapping[str, Any] | None:
    """Returns the fields by their JSON names; None for other values.

    The JSON name is the alias of a pydantic field, or `alias` in the metadata of a
    dataclass field.
    """
    if isinstance(value, dict):
        return value
    of_type: Any = type(value)
    names = _names(of_type)
    if names is not None:
        fields = {name: getattr(value, attribute) for attribute, name in names}
        extra = getattr(value, "__pydantic_extra__", None)
        return {**fields, **extra} if extra else fields
    return value if isinstance(value, Mapping) else None


def input_of(value: object) -> object:
    """Returns the fields of an input, or the input itself if its class is generated,
    which has no attributes that raise; None for other values.
    """
    if hasattr(type(value), "__herald_model__"):
        return value
    try:
        return fields_of(value)
    except Exception:
        return None


def kept_input(value: object) -> object:
    """Returns `input_of` a value, of a mapping a copy: the operation may remove what
    it has read.
    """
    fields = input_of(value)
    if fields is value and isinstance(fields, Mapping):
        try:
            return dict(fields)
        except Exception:  # a mapping of somebody else may raise
            return fields
    return fields


@lru_cache(maxsize=1_024)
def _names(of_type: type) -> Names | None:
    """Returns the attributes of a class with their JSON names."""
    model: Any = of_type
    if is_model(of_type):
        if not has_aliases(of_type):
            return tuple((name, name) for name in model.model_fields)
        return tuple(
            (name, field.serialization_alias or field.alias or name)
            for name, field in model.model_fields.items()
        )
    if hasattr(of_type, "__dataclass_fields__"):
        return tuple(
            (field.name, field.metadata.get("alias", field.name))
            for field in dataclass_fields(model)
        )
    if hasattr(of_type, "__struct_fields__"):
        return tuple(
            zip(model.__struct_fields__, model.__struct_encode_fields__, strict=True)
        )
    if hasattr(of_type, "__attrs_attrs__"):
        return tuple((field.name, field.name) for field in model.__attrs_attrs__)
    return None


def is_model(of_type: type) -> bool:
    """Whether a class is a pydantic model."""
    return hasattr(of_type, "model_fields") and hasattr(of_type, "model_dump")


def has_aliases(model: Any) -> bool:
    """Whether a model is serialized by alias, which is the default."""
    return model.model_config.get("serialize_by_alias") is not False
