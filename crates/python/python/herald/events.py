"""Events to publish."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

__all__ = ["Event"]


@dataclass(frozen=True, slots=True)
class Event:
    """Event to publish. Herald chooses the fields that are `None`."""

    event_type: str
    """Event type, such as `orchestrator.routing.started`."""

    source_node_id: str | UUID
    """Node that publishes the event."""

    payload: object
    """Payload: a mapping, a dataclass or a pydantic model."""

    topic: str | None = None
    """Topic; by default the client's topic pattern filled with the event type."""

    correlation_id: UUID | str | None = None
    """Id of the request, shared by all its events."""

    metadata: object | None = None
    """Metadata for observation and routing: a mapping, a dataclass or a pydantic model.
    """

    partition_key: str | None = None
    """Kafka key; by default the correlation id, else the node."""

    causation_id: UUID | str | None = None
    """Event that caused this one."""

    event_version: str | None = None
    """Version of the payload; by default `1.0`."""

    event_id: UUID | str | None = None
    """Event id; by default a new one."""

    source_service: str | None = None
    """Service of the node; by default that of the client."""

    traceparent: str | None = None
    """W3C trace context; by default that of OpenTelemetry's current span."""

    envelope: str | None = None
    """Envelope profile, such as `cloudevents`; by default that of the client."""

    headers: Sequence[str] | None = None
    """Names of the headers to write, among those that repeat the envelope, such as
    `["event_type"]`; by default those of the client.
    """
