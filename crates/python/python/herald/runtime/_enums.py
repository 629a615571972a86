"""Enumerations of contracts."""

from enum import IntEnum, StrEnum
from typing import Any

from herald.runtime._wire import Wire, read_integer


class TextEnum(StrEnum):
    """Base of generated enumerations of texts: models accept the text of a member."""

    @classmethod
    def read(cls, value: object) -> "TextEnum":
        """Returns the member with a text."""
        if isinstance(value, str):
            member = cls._value2member_map_.get(str(value))
            if member is not None:
                return member  # type: ignore[return-value]
        raise ValueError("expected one of the values in the contract")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Returns the schema for pydantic, which calls this."""
        return Wire(cls.read).__get_pydantic_core_schema__(source, handler)


class NumberEnum(IntEnum):
    """Base of generated enumerations of integers: models accept the number of a
    member.
    """

    @classmethod
    def read(cls, value: object) -> "NumberEnum":
        """Returns the member with a number."""
        member = cls._value2member_map_.get(read_integer(value))
        if member is not None:
            return member  # type: ignore[return-value]
        raise ValueError("expected one of the values in the contract")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Returns the schema for pydantic, which calls this."""
        return Wire(cls.read).__get_pydantic_core_schema__(source, handler)


class OneOf(Wire):
    """List of numbers in an `Annotated` type, for pydantic and `from_json`."""

    def __init__(self, *values: float) -> None:
        super().__init__(self._member)
        self.values = values

    def _member(self, value: object) -> float:
        if isinstance(value, int | float) and not isinstance(value, bool):
            for known in self.values:
                if known == value:
                    return known
        raise ValueError("expected one of the values in the contract")
