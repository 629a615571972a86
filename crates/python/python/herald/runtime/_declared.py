"""Events declared by a contract."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from herald.runtime._fields import fields_of
from herald.runtime._json import json_value
from herald.runtime._log import LogLevel
from herald.runtime._outgoing import EventKind, Outgoing, request_context
from herald.runtime._privacy import PublicFields, published
from herald.runtime._sending import publish_event

if TYPE_CHECKING:
    from herald.runtime._publisher import EventPublisher


class DeclaredEvent:
    """Event declared by a contract.

    Args:
        event_type: Event type.
        topic: Topic; `{namespace}` stands for the publisher's.
        node_type: Kind of the node, if any.
        service_name: The node's service.
        public: Fields of the payload whose values are published; for all others the
            name of the type is. None if all are public.
        partition_key: Field whose value is the key, if it is public.
        fields: Added to the metadata of the payload.
    """

    def __init__(
        self,
        event_type: str,
        topic: str,
        *,
        node_type: str | None,
        service_name: str,
        public: PublicFields | None,
        partition_key: str | None = None,
        fields: Mapping[str, Any] | None = None,
    ) -> None:
        metadata = {"service_name": service_name, "event_category": "declared"}
        if node_type is not None:
            metadata = {"node_type": node_type, **metadata}
        self._kind = EventKind(event_type, topic, event_type, LogLevel.INFO, metadata)
        self._public = public
        self._fields = dict(fields or {})
        is_published = public is None or partition_key in public
        self._partition_key = partition_key if is_published else None

    async def publish(
        self,
        publisher: "EventPublisher",
        correlation_id: UUID,
        payload: object,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Publishes an event, and waits for the receipt. Never raises."""
        await publish_event(
            publisher,
            self._kind,
            request_context(correlation_id),
            lambda: self._event(publisher, correlation_id, payload, metadata),
        )

    def _event(
        self,
        publisher: "EventPublisher",
        correlation_id: UUID,
        payload: object,
        more: Mapping[str, Any] | None,
    ) -> Outgoing:
        fields = fields_of(payload)
        if fields is None:
            found = type(payload).__name__
            raise TypeError(f"expected a mapping, a model or a dataclass, not {found}")
        if self._fields:
            more = {**self._fields, **(more or {})}
        metadata = dict(self._kind.metadata)
        key = self._partition_key and fields.get(self._partition_key)
        if key is not None:
            metadata["partition_key"] = str(json_value(key))
        event = Outgoing(
            publisher,
            self._kind,
            correlation_id,
            published(fields, self._public),
            metadata,
            more,
        )
        event.partition_key = metadata.get("partition_key")
        return event
