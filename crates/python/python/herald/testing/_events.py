"""Events as the cluster has them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from herald._herald import MemoryCluster


@dataclass(frozen=True, slots=True)
class PublishedEvent:
    """One event, as a consumer would get it."""

    event_type: str
    """What happened."""

    topic: str
    """Where it went."""

    partition: int
    """Where its key led."""

    key: bytes | None
    """Kafka's key."""

    headers: dict[str, bytes]
    """Kafka's headers."""

    payload: Any
    """The payload, parsed."""

    metadata: Any
    """The metadata, parsed."""

    correlation_id: UUID | None
    """What events of one request have in common."""

    envelope: dict[str, Any]
    """The whole envelope, parsed."""


def events(cluster: MemoryCluster, skip: int) -> list[PublishedEvent]:
    """Events in the order of writing, without what is no event: dead letters, and raw
    messages.
    """
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
