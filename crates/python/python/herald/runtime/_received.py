"""Received events."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

PayloadT_co = TypeVar("PayloadT_co", covariant=True)


@dataclass(frozen=True, slots=True)
class ReceivedEvent(Generic[PayloadT_co]):
    """Received event: the fields of its envelope. Each event type has a class of its
    own, with the type of its payload.
    """

    envelope_version: str
    """Version of the envelope format; empty without an envelope."""
    event_id: UUID
    event_type: str
    event_version: str
    event_timestamp: datetime
    source_node_id: str
    source_service: str
    source_version: str
    environment: str
    payload: PayloadT_co
    metadata: Mapping[str, Any]
    correlation_id: UUID | None = None
    causation_id: str | None = None
    source_instance: str | None = None
    region: str | None = None
    partition_key: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Unknown fields of the envelope."""


class UnknownEvent(ReceivedEvent[Mapping[str, Any]]):
    """Received event of an unknown event type or version. Its payload is the mapping
    received.
    """

    __slots__ = ()
