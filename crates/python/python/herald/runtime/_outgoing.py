"""An event on its way, and what is said about it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from herald.runtime._context import CURRENT
from herald.runtime._json import json_value, text_of
from herald.runtime._log import LogLevel, emit_log_event, is_logged
from herald.runtime._secrets import reason_of

if TYPE_CHECKING:
    from herald.runtime._publisher import EventPublisher


class EventKind:
    """What all events of one type have in common."""

    __slots__ = ("event_type", "label", "level", "metadata", "topic")

    def __init__(
        self,
        event_type: str,
        topic: str,
        label: str,
        level: LogLevel,
        metadata: Mapping[str, Any],
    ) -> None:
        self.event_type = event_type
        self.topic = topic
        """`{namespace}` stands for the publisher's."""
        self.label = label
        """What the log calls it."""
        self.level = level
        """At which the log says that it was published."""
        self.metadata = metadata


class Outgoing:
    """One event, with the attributes of a `herald.Event`."""

    __slots__ = (
        "about",
        "causation_id",
        "correlation_id",
        "event_id",
        "event_type",
        "event_version",
        "is_taken",
        "kind",
        "metadata",
        "partition_key",
        "payload",
        "publisher",
        "said",
        "source_node_id",
        "summary",
        "topic",
        "traceparent",
    )

    def __init__(
        self,
        publisher: "EventPublisher",
        kind: EventKind,
        correlation_id: UUID | None,
        payload: dict[str, Any],
        metadata: dict[str, Any],
        more: Mapping[str, Any] | None = None,
    ) -> None:
        if more:
            payload["metadata"] = json_value(more)
        topic = kind.topic
        if "{" in topic:
            topic = topic.replace("{namespace}", str(publisher.default_namespace))
        self.publisher = publisher
        self.kind = kind
        self.event_type = kind.event_type
        self.source_node_id = str(publisher.node_id)
        self.payload = payload
        self.topic = topic
        self.correlation_id = correlation_id
        self.metadata = metadata
        self.partition_key: str | None = None
        self.causation_id = CURRENT.get().causation_id
        self.event_version: str | None = None
        self.event_id: str | None = None
        self.traceparent: str | None = None
        self.summary = ""
        """The end of the line in the log that says that it was published."""
        self.said: dict[str, Any] = {}
        """What stands beside that line."""
        self.about: dict[str, Any] | None = None
        """What it is about, where that is not a request."""
        self.is_taken = False
        """Whether a client took it."""

    def keywords(self) -> dict[str, Any]:
        """For `publish_with_envelope`. The metadata say what led to what."""
        metadata = self.metadata
        if self.event_id is not None:
            metadata = {**metadata, "event_id": self.event_id}
        if self.causation_id is not None:
            metadata = {**metadata, "causation_id": str(self.causation_id)}
        return {
            "event_type": self.event_type,
            "source_node_id": self.source_node_id,
            "payload": self.payload,
            "topic": self.topic,
            "correlation_id": self.correlation_id,
            "metadata": metadata,
        }

    def was_taken(self) -> None:
        """The client has it."""
        self.is_taken = True
        kind = self.kind
        if is_logged(kind.level):
            emit_log_event(
                kind.level,
                f"Published {kind.label} event{self.summary}",
                {**self._context(), **self.said},
            )

    def was_refused(self) -> None:
        """The client gave it back."""
        emit_log_event(
            LogLevel.WARNING,
            f"Kafka client did not accept {self.kind.label} event",
            self._context(),
        )

    def is_only_logged(self) -> None:
        """There is no client, or no connection."""
        if is_logged(LogLevel.DEBUG):
            about = self.about or {"correlation_id": str(self.correlation_id)}
            emit_log_event(
                LogLevel.DEBUG,
                f"Kafka unavailable, logging {self.kind.label} event",
                {**about, "payload": self.payload},
            )

    def has_failed(self, error: Exception) -> None:
        """It could not be published, or got lost on its way."""
        about = self.about or about_request(self.correlation_id)
        log_failure(self.publisher, self.kind, about, error)

    def _context(self) -> dict[str, Any]:
        correlation_id = self.correlation_id
        return {
            "correlation_id": None if correlation_id is None else str(correlation_id),
            "event_type": self.event_type,
            "topic": self.topic,
        }


def log_failure(
    publisher: "EventPublisher",
    kind: EventKind,
    about: Mapping[str, Any],
    error: Exception,
) -> None:
    """Says that an event could not be published."""
    # A function that is decorated as a method has no publisher.
    reason = reason_of(error, getattr(publisher, "redactions", ()))
    emit_log_event(
        LogLevel.WARNING,
        f"Failed to publish {kind.label} event: {reason}",
        {**about, "event_type": kind.event_type, "error": reason},
    )


def about_request(correlation_id: object) -> dict[str, Any]:
    """What the log says of an event of a request that could not be published."""
    return {"correlation_id": text_of(correlation_id)}
