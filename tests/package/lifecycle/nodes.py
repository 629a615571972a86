"""A publisher for tests, and what they wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from uuid import UUID

GENEROUS = 20.0
"""Timeout in seconds for things that take no time; not a measurement."""


class Client(Protocol):
    """Any client of Herald's."""

    @property
    def is_connected(self) -> bool: ...

    async def publish_with_envelope(
        self, event_type: str, source_node_id: str, payload: object
    ) -> object: ...


class Node:
    """Publishes as generated code does, and remembers what it was told."""

    def __init__(self, client: Client | None = None) -> None:
        self.kafka_client = client
        self.states: list[str] = []
        self.reasons: list[str] = []
        self.metrics: list[str] = []

    async def _publish_state_changed_event(
        self,
        correlation_id: UUID,
        old_state: str,
        new_state: str,
        transition_reason: str,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self.states.append(new_state)
        self.reasons.append(transition_reason)
        payload = {"old_state": old_state, "new_state": new_state}
        await self._publish("effect.state.changed", payload)

    async def _publish_metric_recorded_event(
        self,
        metric_name: str,
        metric_value: float,
        metric_unit: str,
        correlation_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self.metrics.append(metric_name)
        payload = {"metric_name": metric_name, "metric_value": metric_value}
        await self._publish("effect.metric.recorded", payload)

    async def _publish(self, event_type: str, payload: Mapping[str, object]) -> None:
        if self.kafka_client is not None and self.kafka_client.is_connected:
            await self.kafka_client.publish_with_envelope(event_type, "n", payload)


async def until(what: Callable[[], object]) -> None:
    """Waits until it is so."""
    async with asyncio.timeout(GENEROUS):
        while not what():
            await asyncio.sleep(0.001)


async def soon(seconds: float) -> None:
    """A pause that takes no time."""
    await asyncio.sleep(0)
