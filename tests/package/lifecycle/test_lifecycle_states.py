"""A contract's own states follow those of the service."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
from herald.lifecycle import Lifecycle, State
from herald.runtime import EventPublisher, EventSource, StateEvent, StateMachine, States
from herald.testing import RecordingClient


class OrdersState(StrEnum):
    IDLE = "idle"
    STOPPING = "stopping"
    DRAINED = "drained"


EVENT = StateEvent(
    "effect.state.changed",
    EventSource("orders", node_type="effect"),
    topic="{namespace}.orders.effect.state.changed.v1",
)
STATES = States(
    EVENT,
    OrdersState,
    initial=OrdersState.IDLE,
    transitions={
        OrdersState.IDLE: frozenset({OrdersState.STOPPING}),
        OrdersState.STOPPING: frozenset({OrdersState.DRAINED}),
    },
)


class Orders(EventPublisher):
    def __init__(self, client: RecordingClient) -> None:
        self.node_id = "orders-1"
        self.kafka_client = client
        self.default_namespace = "dev"

    @property
    def state_machine(self) -> StateMachine[OrdersState]:
        return STATES.of(self)

    async def _publish_state_changed_event(
        self,
        correlation_id: UUID,
        old_state: str,
        new_state: str,
        transition_reason: str,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        raise AssertionError("the machine has not been asked")


def lived(names: dict[State, str] | None) -> tuple[Orders, list[object]]:
    client = RecordingClient()
    orders = Orders(client)

    async def main() -> None:
        async with Lifecycle(orders, states=names):
            pass

    asyncio.run(main())
    changes = client.of_type("effect.state.changed")
    return orders, [change.payload["new_state"] for change in changes]


def test_states_of_the_contract_are_published() -> None:
    orders, announced = lived(None)
    assert announced == ["stopping"]
    assert orders.state_machine.state == "stopping"


def test_given_state_names_are_used() -> None:
    names = {State.STOPPING: "stopping", State.STOPPED: "drained"}
    orders, announced = lived(names)
    assert announced == ["stopping", "drained"]
    assert orders.state_machine.is_over is False


def test_forbidden_state_changes_are_skipped_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    orders, announced = lived({State.STOPPED: "drained"})
    assert announced == []
    assert orders.state_machine.state is OrdersState.IDLE
    assert "state drained was not published: TransitionError" in caplog.text
