"""Classes of a service's own code, to which the contract `own.yaml` refers."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, computed_field


class Color(StrEnum):
    """Color of an order."""

    RED = "red"
    BLUE = "blue"


class Money(BaseModel):
    """Amount of money."""

    amount: Decimal
    currency: Literal["EUR", "USD"] = "EUR"


class Card(BaseModel):
    """Payment by card."""

    kind: Literal["card"] = "card"
    number: str


class Cash(BaseModel):
    """Payment in cash."""

    kind: Literal["cash"] = "cash"


class Line(BaseModel):
    """Line of an order."""

    sku: str = Field(min_length=1)
    count: int = Field(gt=0)
    gift: "Line | None" = None


class OrderPlaced(BaseModel):
    """An order was accepted."""

    order_id: UUID
    placed_at: datetime
    total: Money
    payment: Annotated[Card | Cash, Field(discriminator="kind")]
    color: Color | None = None
    tags: list[str] = []
    position: tuple[float, str] = (1.0, "km")
    wait: timedelta = timedelta()
    lines: list[Line] = Field(default_factory=list, max_length=99)
    customer_name: str = Field(serialization_alias="customerName")

    @computed_field  # type: ignore[prop-decorator]
    @property
    def count(self) -> int:
        """Number of lines."""
        return len(self.lines)


class Outer:
    """Holder of a class."""

    @dataclass
    class Returned:
        """An order was returned."""

        order_id: UUID
        on: date
        reason: str = "none"


class Draft(BaseModel):
    """Input of an operation, with values that must not be published."""

    sku: str
    card_number: str
