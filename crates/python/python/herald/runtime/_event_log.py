"""Log of events: constant messages with fields, so that error trackers group them."""

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from herald.runtime._log import LogLevel, emit_log_event, is_debug_logged, is_logged
from herald.runtime._secrets import reason_of

if TYPE_CHECKING:
    from herald.runtime._outgoing import EventKind, Outgoing


class EventLog:
    """Log of events. Successes are logged at DEBUG; the first event of a publisher that
    is spooled at INFO, until one is delivered; failures at WARNING.
    """

    def accepted(self, event: "Outgoing", answer: object) -> None:
        """Logs that a client accepted an event."""
        level, message = _outcome(event.publisher, answer)
        if is_logged(level):
            fields = {**event.log_identity(), **event.log_fields}
            emit_log_event(level, message, fields)

    def rejected(self, event: "Outgoing") -> None:
        """Logs that a client did not accept an event."""
        emit_log_event(
            LogLevel.WARNING,
            "Event not accepted by the Kafka client",
            event.log_identity(),
        )

    def not_connected(self, event: "Outgoing") -> None:
        """Logs an event without a client or a connection."""
        publisher = event.publisher
        has_client = getattr(publisher, "kafka_client", None) is not None
        if has_client and _is_first(publisher, "_herald_not_connected"):
            emit_log_event(
                LogLevel.WARNING,
                "Kafka client is not connected: events are not published",
                event.log_identity(),
            )
        if is_debug_logged():
            fields = {**event.log_identity(), "payload": event.payload}
            emit_log_event(LogLevel.DEBUG, "Event without a Kafka client", fields)

    def failed(
        self,
        publisher: object,
        kind: "EventKind",
        log_context: Mapping[str, Any],
        error: Exception,
    ) -> None:
        """Logs that an event could not be published."""
        # The publisher of a function decorated like a method may be any object.
        reason = reason_of(error, getattr(publisher, "redactions", ()))
        fields = {**log_context, "event_type": kind.event_type, "error": reason}
        emit_log_event(LogLevel.WARNING, "Event not published", fields)


EVENT_LOG: Final = EventLog()


def log_failed_run(event: "Outgoing", error: BaseException) -> None:
    """Logs that a run of an operation failed; `event` is its failed event."""
    level, message = LogLevel.WARNING, "Operation failed"
    if not isinstance(error, Exception):
        level, message = LogLevel.INFO, "Operation cancelled"
    if is_logged(level):
        fields = {
            "operation": event.payload["operation"],
            "correlation_id": event.payload["correlation_id"],
            "error_type": event.payload["error_type"],
            "error": event.payload["error_message"],
            "execution_time_ms": event.payload["execution_time_ms"],
        }
        emit_log_event(level, message, fields)


def _outcome(publisher: object, answer: object) -> tuple[LogLevel, str]:
    is_spooled = getattr(answer, "is_spooled", None)
    if is_spooled:
        if _is_first(publisher, "_herald_spooling"):
            return LogLevel.INFO, "Event spooled: Kafka is not available"
        return LogLevel.DEBUG, "Event spooled"
    if is_spooled is not None:
        with suppress(Exception):
            vars(publisher).pop("_herald_spooling", None)
        return LogLevel.DEBUG, "Event published"
    if answer is None:
        return LogLevel.DEBUG, "Event enqueued"
    return LogLevel.DEBUG, "Event accepted by the Kafka client"


def _is_first(publisher: object, name: str) -> bool:
    """Whether this was not yet asked about a publisher."""
    with suppress(Exception):
        attributes = vars(publisher)
        if name not in attributes:
            attributes[name] = True
            return True
    return False
