"""A node as generated modules have it, and clients that are not Herald's."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Final, Literal
from uuid import UUID

from herald.runtime import (
    DecimalText,
    DeclaredEvent,
    EventPublisher,
    EventSource,
    Integer,
    MetricEvent,
    Operation,
    Private,
    PublishMethod,
    StateEvent,
    States,
    logged_method,
)
from herald.runtime.models import EventModel
from herald.testing import PublishedEvent

REQUEST = UUID("6f2c1c1e-0000-4000-8000-000000000002")
STAGES = ("started", "completed", "failed")
SOURCE = EventSource("orders", node_type="effect")


@dataclass(frozen=True)
class InputLine:
    """Part of an input."""

    sku: str
    price: Private[float]


@dataclass(frozen=True)
class Input:
    """Input of the operations: fields that it does not have are private, too."""

    order_id: int
    lines: list[InputLine]
    card: Private[str]


@dataclass(frozen=True)
class Result:
    """Result of the operations."""

    reserved: bool


class OrderPlaced(EventModel):
    """Payload of `order.placed`."""

    order_id: Integer
    total: DecimalText | None = None
    email: Private[str | None] = None


def operation(
    name: str,
    publish: Literal["all", "outcomes", "failures"] = "all",
    sample_started: float = 1.0,
    fields: Mapping[str, Any] | None = None,
) -> Operation:
    started, completed, failed = (f"effect.{name}.{stage}" for stage in STAGES)
    return Operation(
        name,
        SOURCE,
        started,
        completed,
        failed,
        topics=(
            f"{{namespace}}.orders.{started}.v1",
            f"{{namespace}}.orders.{completed}.v1",
            f"{{namespace}}.orders.{failed}.v1",
        ),
        input=Input,
        result=Result,
        publish=publish,
        sample_started=sample_started,
        fields=fields,
    )


instrument_place: Final = operation("place")
instrument_reserve: Final = operation("reserve")


class State(StrEnum):
    IDLE = "idle"
    BUSY = "busy"
    DRAINING = "draining"


_STATE_CHANGED: Final = StateEvent(
    "effect.state.changed",
    SOURCE,
    topic="{namespace}.orders.effect.state.changed.v1",
)
_METRIC: Final = MetricEvent(
    "effect.metric.recorded",
    SOURCE,
    topic="{namespace}.orders.effect.metric.recorded.v1",
)
_PLACED: Final = DeclaredEvent(
    "order.placed",
    SOURCE,
    topic="shop.order.placed.v1",
    model=OrderPlaced,
    partition_key="order_id",
)
_STATES: Final = States(
    _STATE_CHANGED,
    State,
    initial=State.IDLE,
    transitions={
        State.IDLE: frozenset({State.BUSY, State.DRAINING}),
        State.BUSY: frozenset({State.IDLE, State.DRAINING}),
    },
    terminal=frozenset({State.DRAINING}),
)


class Orders(EventPublisher):
    redactions: ClassVar[tuple[re.Pattern[str], ...]] = (
        re.compile(r"cust-\d+", re.IGNORECASE),
    )
    publish_order_placed = PublishMethod(_PLACED)
    state_machine = _STATES

    def __init__(self, client: Any) -> None:
        self.node_id = "orders-1"
        self.kafka_client = client
        self.default_namespace = "dev"

    _publish_place_started_event = logged_method(instrument_place.started)
    _publish_place_completed_event = logged_method(instrument_place.completed)
    _publish_place_failed_event = logged_method(instrument_place.failed)
    _publish_state_changed_event = logged_method(_STATE_CHANGED.publish)
    _publish_metric_recorded_event = logged_method(_METRIC.publish)
    _publish_order_placed_event = logged_method(_PLACED.publish)


@dataclass
class AsyncClient:
    """A client for asyncio of somebody else, which takes its time."""

    answer: Any = True
    is_connected: bool = True
    seconds: float = 0.0
    published: list[dict[str, Any]] = field(default_factory=list)

    async def publish_with_envelope(self, **event: Any) -> Any:
        await asyncio.sleep(self.seconds)
        self.published.append(event)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    @property
    def types(self) -> list[str]:
        return [event["event_type"] for event in self.published]


@dataclass
class SyncClient:
    """A client of somebody else that needs no event loop."""

    answer: Any = True
    is_connected: bool = True
    published: list[dict[str, Any]] = field(default_factory=list)

    def publish_with_envelope(self, **event: Any) -> Any:
        self.published.append(event)
        return self.answer

    @property
    def types(self) -> list[str]:
        return [event["event_type"] for event in self.published]


def stages(events: list[PublishedEvent]) -> list[str]:
    """Such as `place.started`, in the order of publishing."""
    return [event.event_type.removeprefix("effect.") for event in events]


def tree(events: list[PublishedEvent]) -> dict[str, str | None]:
    """Cause of each event, by the operation in its payload."""
    names = {
        event.envelope["event_id"]: event.payload.get("operation")
        for event in events
        if event.event_type.endswith(".started")
    }
    led: dict[str, str | None] = {}
    for event in events:
        name = event.payload.get("operation", event.event_type)
        stage = event.event_type.rpartition(".")[2]
        cause = event.envelope.get("causation_id")
        led[f"{name}.{stage}"] = None if cause is None else names[cause]
    return led
