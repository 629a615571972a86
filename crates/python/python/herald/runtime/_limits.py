"""Limits of values, from the contract."""

import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits in an `Annotated` type, checked by `from_json`."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    multiple_of: int | None = None

    def check(self, value: Any) -> None:
        """Raise ValueError if the value violates a limit."""
        if self.ge is not None and not value >= self.ge:
            raise ValueError(f"expected {self.ge} or more")
        if self.gt is not None and not value > self.gt:
            raise ValueError(f"expected more than {self.gt}")
        if self.le is not None and not value <= self.le:
            raise ValueError(f"expected {self.le} or less")
        if self.lt is not None and not value < self.lt:
            raise ValueError(f"expected less than {self.lt}")
        if self.multiple_of is not None and value % self.multiple_of:
            raise ValueError(f"expected a multiple of {self.multiple_of}")
        if self.min_length is not None and len(value) < self.min_length:
            raise ValueError(f"expected a length of {self.min_length} or more")
        if self.max_length is not None and len(value) > self.max_length:
            raise ValueError(f"expected a length of {self.max_length} or less")
        if self.pattern is not None and not re.search(self.pattern, value):
            raise ValueError("expected text that matches the contract's pattern")


class UniqueItems:
    """Limit of a list in an `Annotated` type: no two items are equal. For pydantic and
    `from_json`.
    """

    def check(self, value: Any) -> Any:
        """Raise ValueError if an item is repeated."""
        if len(set(value)) < len(value):
            raise ValueError("expected no item twice")
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Returns the schema for pydantic, which calls this."""
        from pydantic_core import core_schema

        return core_schema.no_info_after_validator_function(self.check, handler(source))
