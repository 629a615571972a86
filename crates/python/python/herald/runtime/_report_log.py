"""Log of the methods that log failures instead of raising them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from herald.runtime._event_log import EventLog
from herald.runtime._log import LogLevel, emit_log_event, is_debug_logged, is_logged
from herald.runtime._secrets import reason_of

if TYPE_CHECKING:
    from herald.runtime._outgoing import EventKind, Outgoing


class ReportLog(EventLog):
    """Log with the levels and messages of the methods that pattern generators print."""

    def accepted(self, event: "Outgoing", answer: object) -> None:
        """Logs that a client accepted an event."""
        if is_logged(event.level):
            emit_log_event(
                event.level,
                f"Published {event.kind.label} event{event.summary}",
                {**event.log_identity(), **event.log_fields},
            )

    def rejected(self, event: "Outgoing") -> None:
        """Logs that a client did not accept an event."""
        emit_log_event(
            LogLevel.WARNING,
            f"Kafka client did not accept {event.kind.label} event",
            event.log_identity(),
        )

    def not_connected(self, event: "Outgoing") -> None:
        """Logs an event without a client or a connection."""
        if is_debug_logged():
            log_context = event.log_context or {
                "correlation_id": str(event.correlation_id)
            }
            emit_log_event(
                LogLevel.DEBUG,
                f"Kafka unavailable, logging {event.kind.label} event",
                {**log_context, "payload": event.payload},
            )

    def failed(
        self,
        publisher: object,
        kind: "EventKind",
        log_context: Mapping[str, Any],
        error: Exception,
    ) -> None:
        """Logs that an event could not be published."""
        reason = reason_of(error, getattr(publisher, "redactions", ()))
        emit_log_event(
            LogLevel.WARNING,
            f"Failed to publish {kind.label} event: {reason}",
            {**log_context, "event_type": kind.event_type, "error": reason},
        )


REPORT_LOG: Final = ReportLog()
