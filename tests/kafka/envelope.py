"""Content of a record: an envelope as JSON, its key and its headers."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

SOURCE_SERVICE = "herald-tests"
SOURCE_VERSION = "1.2.3"
ENVIRONMENT = "test"


@dataclass(frozen=True)
class Message:
    key: bytes
    headers: list[tuple[str, bytes]]
    value: bytes


def seal(
    *,
    event_type: str,
    source_node_id: str,
    payload: dict[str, Any],
    correlation_id: UUID | None,
    metadata: dict[str, Any],
) -> Message:
    event_id = str(uuid4())
    correlation = None if correlation_id is None else str(correlation_id)
    envelope = {
        "envelope_version": "1.0",
        "event_id": event_id,
        "event_type": event_type,
        "event_version": "1.0",
        "event_timestamp": datetime.now(UTC).isoformat(timespec="microseconds"),
        "source_node_id": source_node_id,
        "source_service": SOURCE_SERVICE,
        "source_version": SOURCE_VERSION,
        "correlation_id": correlation,
        "environment": ENVIRONMENT,
        "payload": payload,
        "metadata": metadata,
    }
    headers = {
        "content-type": "application/json",
        "event_id": event_id,
        "event_type": event_type,
    }
    if correlation is not None:
        headers["correlation_id"] = correlation
    return Message(
        key=(correlation or source_node_id).encode(),
        headers=[(name, text.encode()) for name, text in headers.items()],
        value=json.dumps(envelope).encode(),
    )
