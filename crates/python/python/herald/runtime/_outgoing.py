"""Outgoing events."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from uuid import UUID

from herald.runtime._context import CURRENT
from herald.runtime._event_log import EVENT_LOG, EventLog
from herald.runtime._json import json_value, text_of
from herald.runtime._log import LogLevel
from herald.runtime._source import EventSource, namespace_of

if TYPE_CHECKING:
    from herald.runtime._publisher import EventPublisher


class EventKind:
    """Properties shared by all events of one type."""

    __slots__ = (
        "_is_namespaced",
        "_last_topic",
        "event_type",
        "label",
        "level",
        "metadata",
        "source",
        "topic",
        "version",
    )

    def __init__(
        self,
        source: EventSource,
        event_type: str,
        topic: str,
        label: str,
        level: LogLevel,
        metadata: Mapping[str, Any],
        version: int = 1,
    ) -> None:
        self.source = source
        self.event_type = event_type
        self.topic = topic
        """Topic; `{namespace}` stands for the publisher's."""
        self.label = label
        """Name in the report's log lines."""
        self.level = level
        """Log level of the report's line about publication."""
        self.metadata = metadata
        self.version = None if version == 1 else f"{version}.0"
        """Version on the wire, if it is not the default of the client."""
        self._is_namespaced = "{" in topic
        self._last_topic = ("", topic)

    def topic_of(self, publisher: "EventPublisher") -> str:
        """Returns the topic in the namespace of a publisher."""
        if not self._is_namespaced:
            return self.topic
        namespace = namespace_of(publisher, self.source.namespace)
        known, topic = self._last_topic
        if known != namespace:
            topic = self.topic.replace("{namespace}", namespace)
            self._last_topic = (namespace, topic)
        return topic


class Outgoing:
    """Event to publish, with the attributes of a `herald.Event`."""

    # Defaults are attributes of the class, which cost nothing for each event.
    partition_key: str | None = None
    event_id: str | None = None
    traceparent: str | None = None
    summary: str = ""
    """End of the report's log line about publication."""
    log_fields: Mapping[str, Any] = MappingProxyType({})
    """Additional fields of that line."""
    log_context: dict[str, Any] | None = None
    """Log fields for an event that is not about a request."""
    log: EventLog = EVENT_LOG
    is_accepted: bool = False
    """Whether a client accepted the event."""

    def __init__(
        self,
        publisher: "EventPublisher",
        kind: EventKind,
        correlation_id: UUID | None,
        payload: dict[str, Any],
        metadata: Mapping[str, Any],
        more: Mapping[str, Any] | None = None,
    ) -> None:
        if more:
            payload["metadata"] = json_value(more)
        self.publisher = publisher
        self.kind = kind
        self.level = kind.level
        """Log level of the report's line about publication."""
        self.event_type = kind.event_type
        self.source_node_id = str(publisher.node_id)
        self.source_service = kind.source.service_name
        self.envelope = kind.source.envelope
        self.headers = kind.source.headers
        self.payload = payload
        self.topic = kind.topic_of(publisher)
        self.correlation_id = correlation_id
        self.metadata = metadata
        self.causation_id = CURRENT.get().causation_id
        self.event_version = kind.version

    def keywords(self) -> dict[str, Any]:
        """Returns the arguments for `publish_with_envelope`. Values that it has no
        argument for are in the metadata.
        """
        metadata = dict(self.metadata)
        if self.event_id is not None:
            metadata["event_id"] = self.event_id
        if self.causation_id is not None:
            metadata["causation_id"] = str(self.causation_id)
        if self.event_version is not None:
            metadata["event_version"] = self.event_version
        return {
            "event_type": self.event_type,
            "source_node_id": self.source_node_id,
            "payload": self.payload,
            "topic": self.topic,
            "correlation_id": self.correlation_id,
            "metadata": metadata,
        }

    def accepted(self, answer: object = None) -> None:
        """Logs that the client accepted the event: with a receipt, or another answer,
        or none yet.
        """
        self.is_accepted = True
        self.log.accepted(self, answer)

    def rejected(self) -> None:
        """Logs that the client did not accept the event."""
        self.log.rejected(self)

    def log_only(self) -> None:
        """Logs the event itself, without a client or a connection."""
        self.log.not_connected(self)

    def failed(self, error: Exception) -> None:
        """Logs that the event could not be published."""
        log_context = self.log_context or request_context(self.correlation_id)
        self.log.failed(self.publisher, self.kind, log_context, error)

    def log_identity(self) -> dict[str, Any]:
        """Returns the log fields that identify the event."""
        correlation_id = self.correlation_id
        return {
            "correlation_id": None if correlation_id is None else str(correlation_id),
            "event_type": self.event_type,
            "topic": self.topic,
        }


def request_context(correlation_id: object) -> dict[str, Any]:
    """Returns the log fields for an event of a request."""
    return {"correlation_id": text_of(correlation_id)}
