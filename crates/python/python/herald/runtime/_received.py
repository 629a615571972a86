"""Received events."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

PayloadT_co = TypeVar("PayloadT_co", covariant=True)


@dataclass(frozen=True, slots=True)
class ReceivedEvent(Generic[PayloadT_co]):
    """Received event: the fields of its envelope. `payload` is typed if the event type
    is known, else it is the mapping received.
    """

    envelope_version: str
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
