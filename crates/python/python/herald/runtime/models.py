"""Base class of generated pydantic models. Needs pydantic, unlike the rest."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict

from herald.runtime._models import Unchecked
from herald.runtime._privacy import private_attributes

ModelT = TypeVar("ModelT", bound=BaseModel)


class EventModel(BaseModel):
    """Base of generated models: they accept the values that the contract allows, and
    show private values neither in errors nor in `repr`.
    """

    model_config = ConfigDict(
        strict=True,
        frozen=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        populate_by_name=True,
        protected_namespaces=(),
        regex_engine="python-re",
        revalidate_instances="always",
        serialize_by_alias=True,
        # Only with a limit, pydantic looks for lone surrogates, which UTF-8 can't have.
        str_max_length=2**31,
        use_attribute_docstrings=True,
    )

    __herald_model__: ClassVar[bool] = True

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        private = private_attributes(type(self))
        for name, value in super().__repr_args__():
            if name not in private:
                yield name, value

    @classmethod
    def model_construct(
        cls, _fields_set: set[str] | None = None, **values: Any
    ) -> Self:
        """Creates a model without validation; it is validated when it is published."""
        return _unchecked(super().model_construct(_fields_set, **values))

    def model_copy(
        self, *, update: Mapping[str, Any] | None = None, deep: bool = False
    ) -> Self:
        """Returns a copy; one with an update is validated when it is published."""
        made = super().model_copy(update=update, deep=deep)
        return _unchecked(made) if update else made


def _unchecked(made: ModelT) -> ModelT:
    fields = made.model_fields_set
    object.__setattr__(made, "__pydantic_fields_set__", Unchecked(fields))
    return made
