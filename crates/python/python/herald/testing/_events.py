"""Published events in a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from herald.runtime._profiles import Message, read_event

if TYPE_CHECKING:
    from uuid import UUID

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
    """Parsed value: the envelope, or the payload if the profile uses headers."""


def events(cluster: MemoryCluster, skip: int) -> list[PublishedEvent]:
    """Returns events in write order, without dead letters and raw messages."""
    found: list[PublishedEvent] = []
    for topic, partition, _, key, value, pairs in cluster.written(skip):
        headers = dict(pairs)
        if "dlq_reason" in headers:
            continue
        try:
            message = Message(value, headers)
            event = read_event(message)
            envelope = cast("dict[str, Any]", message.parsed())
        except ValueError:
            continue
        found.append(
            PublishedEvent(
                event_type=event.event_type,
                topic=topic,
                partition=partition,
                key=key,
                headers=headers,
                payload=event.payload,
                metadata=event.metadata,
                correlation_id=event.correlation_id,
                envelope=envelope,
            )
        )
    return found
