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
    Integer,
    MetricEvent,
    Operation,
    Private,
    PublishMethod,
    StateEvent,
    StateMachine,
    States,
)
from herald.runtime.models import EventModel
from herald.testing import PublishedEvent

REQUEST = UUID("6f2c1c1e-0000-4000-8000-000000000002")
STAGES = ("started", "completed", "failed")


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
        node_type="effect",
        service_name="orders",
        topics=(
            f"{{namespace}}.orders.{started}.v1",
            f"{{namespace}}.orders.{completed}.v1",
            f"{{namespace}}.orders.{failed}.v1",
        ),
        events=(started, completed, failed),
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
    "{namespace}.orders.effect.state.changed.v1",
    node_type="effect",
    service_name="orders",
)
_METRIC: Final = MetricEvent(
    "effect.metric.recorded",
    "{namespace}.orders.effect.metric.recorded.v1",
    node_type="effect",
    service_name="orders",
)
_PLACED: Final = DeclaredEvent(
    "order.placed",
    "shop.order.placed.v1",
    node_type="effect",
    service_name="orders",
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

    def __init__(self, client: Any) -> None:
        self.node_id = "orders-1"
        self.kafka_client = client
        self.default_namespace = "dev"

    async def _publish_place_started_event(
        self,
        correlation_id: UUID,
        input_data: Mapping[str, Any],
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        await instrument_place.started(self, correlation_id, input_data, metadata)

    async def _publish_place_completed_event(
        self,
        correlation_id: UUID,
        result_data: Mapping[str, Any],
        execution_time_ms: float,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        await instrument_place.completed(
            self, correlation_id, result_data, execution_time_ms, metadata
        )

    async def _publish_place_failed_event(
        self,
        correlation_id: UUID,
        error: Exception,
        execution_time_ms: float,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        await instrument_place.failed(
            self, correlation_id, error, execution_time_ms, metadata
        )

    async def _publish_state_changed_event(
        self,
        correlation_id: UUID,
        old_state: str,
        new_state: str,
        transition_reason: str,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        await _STATE_CHANGED.publish(
            self, correlation_id, old_state, new_state, transition_reason, metadata
        )

    async def _publish_metric_recorded_event(
        self,
        metric_name: str,
        metric_value: float,
        metric_unit: str,
        correlation_id: UUID | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        await _METRIC.publish(
            self, metric_name, metric_value, metric_unit, correlation_id, metadata
        )

    async def _publish_order_placed_event(
        self,
        correlation_id: UUID,
        payload: Any,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        await _PLACED.publish(self, correlation_id, payload, metadata)

    @property
    def state_machine(self) -> StateMachine[State]:
        return _STATES.of(self)


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
