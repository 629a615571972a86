"""Published events in a cluster."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from herald._herald import MemoryCluster


@dataclass(frozen=True, slots=True)
class PublishedEvent:
    """Published event, as received by a consumer."""

    event_type: str
    """Event type."""

    topic: str
    """Topic."""

    partition: int
    """Partition."""

    key: bytes | None
    """Kafka key."""

    headers: dict[str, bytes]
    """Kafka headers."""

    payload: Any
    """Parsed payload."""

    metadata: Any
    """Parsed metadata."""

    correlation_id: UUID | None
    """Id of the request, shared by all its events."""

    envelope: dict[str, Any]
    """Parsed envelope."""


def events(cluster: MemoryCluster, skip: int) -> list[PublishedEvent]:
    """Returns events in write order, without dead letters and raw messages."""
    found: list[PublishedEvent] = []
    for topic, partition, _, key, value, pairs in cluster.written(skip):
        headers = dict(pairs)
        envelope = None if "dlq_reason" in headers else _envelope(value)
        if envelope is not None:
            correlation_id = envelope["correlation_id"]
            event = PublishedEvent(
                event_type=envelope["event_type"],
                topic=topic,
                partition=partition,
                key=key,
                headers=headers,
                payload=envelope["payload"],
                metadata=envelope["metadata"],
                correlation_id=UUID(correlation_id) if correlation_id else None,
                envelope=envelope,
            )
            found.append(event)
    return found


def _envelope(value: bytes) -> dict[str, Any] | None:
    try:
        envelope = json.loads(value)
    except ValueError:
        return None
    is_one = isinstance(envelope, dict) and "envelope_version" in envelope
    return envelope if is_one else None
