"""Event bus of the ONEX platform over a Herald client.

A node of the platform that publishes through its event bus gets receipts and the spool
by another bus:

    bus = herald.onex.EventBus(KafkaClient(service="orders"))
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

if TYPE_CHECKING:
    from herald.client import KafkaClient

__all__ = ["EventBus"]

_DEFAULTS: Final = {
    "content_type": "application/json",
    "schema_version": "1.0.0",
    "priority": "normal",
    "retry_count": 0,
    "max_retries": 3,
}
"""Headers that each message has."""

_NAMES: Final = (
    "content_type",
    "correlation_id",
    "message_id",
    "timestamp",
    "source",
    "event_type",
    "schema_version",
    "priority",
    "retry_count",
    "max_retries",
    "destination",
    "trace_id",
    "span_id",
    "parent_span_id",
    "parent_message_id",
    "operation_name",
    "routing_key",
    "partition_key",
    "idempotency_key",
    "ttl_seconds",
)
"""Headers of the platform, in its order."""


class EventBus:
    """Publishing methods of the platform's event bus.

    Args:
        client: Connected client. Its envelope profile does not matter here: the bus
            publishes envelopes of the platform as they are.
        environment: Value of the header `source`; by default `HERALD_ENVIRONMENT`,
            else `development`.
    """

    def __init__(self, client: KafkaClient, *, environment: str | None = None) -> None:
        self._client = client
        self._environment = (
            environment or os.environ.get("HERALD_ENVIRONMENT") or "development"
        )

    async def publish(
        self,
        topic: str,
        key: bytes | None,
        value: bytes,
        headers: object | None = None,
    ) -> None:
        """Publishes a message, and waits until it is safe.

        Args:
            topic: Topic.
            key: Key of the record.
            value: Value of the record.
            headers: A `ModelEventHeaders`, or a mapping with its fields. Left out, ids
                are those of the envelope in the value.

        Raises:
            PublishError: The message is not safe.
        """
        if headers is None:
            headers = _identity(_body(value))
        fields = self._fields(topic, headers)
        await self._client.publish_raw(topic, value, key=key, headers=_encoded(fields))

    async def publish_envelope(
        self, envelope: object, topic: str, *, key: bytes | None = None
    ) -> None:
        """Publishes an envelope of the platform, and waits until it is safe.

        Args:
            envelope: A `ModelEventEnvelope`, or a mapping with its members.
            topic: Topic.
            key: Key of the record; by default the header `partition_key` is left out
                and the cluster chooses the partition.

        Raises:
            PublishError: The envelope is not safe.
            TypeError: The envelope can't be written as JSON.
        """
        dump: Any = getattr(envelope, "model_dump", None)
        body = envelope if dump is None else dump(mode="json")
        value = json.dumps(body).encode()
        await self.publish(topic, key, value, _identity(body))

    def _fields(self, topic: str, headers: object) -> dict[str, object]:
        """Returns the headers by name, with defaults for those that are missing."""
        fields: dict[str, object] = {
            **_DEFAULTS,
            "correlation_id": uuid4(),
            "message_id": uuid4(),
            "timestamp": datetime.now(UTC),
            "source": self._environment,
            "event_type": topic,
        }
        for name in _NAMES:
            if isinstance(headers, Mapping):
                given = headers.get(name)
            else:
                given = getattr(headers, name, None)
            if given is not None and given != "":
                fields[name] = given
        return fields


def _encoded(fields: Mapping[str, object]) -> list[tuple[str, bytes]]:
    """Returns headers of a record, in the order of the platform."""
    encoded = []
    for name in _NAMES:
        value = fields.get(name)
        if isinstance(value, datetime):
            value = value.isoformat()
        if value is not None:
            encoded.append((name, str(value).encode()))
    return encoded


def _body(value: bytes) -> object:
    try:
        return json.loads(value)
    except ValueError:
        return None


def _identity(body: object) -> dict[str, UUID]:
    """Returns the ids of an envelope, which are headers too."""
    found: dict[str, UUID] = {}
    if isinstance(body, Mapping):
        for header, member in (
            ("message_id", "envelope_id"),
            ("correlation_id", "correlation_id"),
            ("parent_message_id", "parent_envelope_id"),
        ):
            try:
                found[header] = UUID(body[member])
            except (KeyError, ValueError, TypeError, AttributeError):
                continue
    return found
