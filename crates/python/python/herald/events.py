"""An event before it is published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

__all__ = ["Event"]


@dataclass(frozen=True, slots=True)
class Event:
    """One event, with all that can be said about it. What is `None` is Herald's to
    choose.
    """

    event_type: str
    """What happened, such as `orchestrator.routing.started`."""

    source_node_id: str | UUID
    """The node that announces it."""

    payload: object
    """What its type says about it: a mapping, a dataclass or a pydantic model."""

    topic: str | None = None
    """Where it goes; unless set, what its type gives by the client's topic pattern."""

    correlation_id: UUID | str | None = None
    """What events of one request have in common."""

    metadata: object | None = None
    """What helps to observe and route it: a mapping, a dataclass or a pydantic
    model.
    """

    partition_key: str | None = None
    """Kafka's key; unless set, the correlation id, else the node."""

    causation_id: UUID | str | None = None
    """The event that led to this one."""

    event_version: str | None = None
    """Version of the payload; `1.0` unless set."""

    event_id: UUID | str | None = None
    """Identity of the event; a new one unless set."""

    traceparent: str | None = None
    """W3C trace context; unless set, that of OpenTelemetry's current span."""
