import logging
import re
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, Protocol
from uuid import UUID

try:
    from omnibase_core.enums.enum_log_level import (  # type: ignore[import-not-found, unused-ignore]
        EnumLogLevel as LogLevel,
    )

    try:
        from omnibase_core.logging.logging_structured import (  # type: ignore[import-not-found, unused-ignore]
            emit_log_event_sync,
        )
    except ImportError:  # the module's name in earlier versions
        from omnibase_core.logging.structured import (  # type: ignore[import-not-found, no-redef, unused-ignore]
            emit_log_event_sync,
        )
except ImportError:

    class LogLevel(StrEnum):  # type: ignore[no-redef, unused-ignore]
        """Stands in for the log levels of omnibase_core."""

        DEBUG = "DEBUG"
        INFO = "INFO"
        WARNING = "WARNING"
        ERROR = "ERROR"

    def emit_log_event_sync(  # type: ignore[misc, unused-ignore]
        level: LogLevel,
        message: str,
        context: Any = None,
    ) -> None:
        """Stand in for the log of omnibase_core: the logger `herald.events`."""
        logging.getLogger("herald.events").log(
            logging.getLevelNamesMapping()[level.name],
            "%s %s",
            message,
            context,
            extra={"event_context": context},
        )


# Longer texts of errors are cut, which also bounds the time that masking takes.
MAX_ERROR_TEXT: Final = 2_000

# What the first group of a pattern matches stays, the secret after it goes.
_SECRETS: Final = (
    # Keys in PEM, whole or cut.
    re.compile(
        r"()-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*-----|\Z)",
        re.DOTALL,
    ),
    # Authorization: <scheme> <credentials>
    re.compile(
        r"""
        ( authorization \\{0,2} ["'\])]{0,2} [ \t]{0,4} [=:]{1,2} [ \t]{0,4} )
        (?: \\{1,2}" [^"]* (?: " | \Z )
          | " (?: [^"\\] | \\. )* (?: " | \\?\Z )
          | ' (?: [^'\\] | \\. )* (?: ' | \\?\Z )
          | [^\r\n]+
        )
        """,
        re.IGNORECASE | re.VERBOSE,
    ),
    # password=x, api_key: x, "client_secret": "x", sasl.password = 'x'
    re.compile(
        r"""
        (
            (?: pass(?:word|wd|phrase) | pwd | secret | token | credential
              | (?: api | access | account | private | signing ) [_.-]? key
            )
            [\w.-]{0,32} \\{0,2} ["'\])]{0,2} [ \t]{0,4} [=:]{1,2} >? [ \t]{0,4}
        )
        (?: \\{1,2}" [^"]* (?: " | \Z )
          | b?" (?: [^"\\] | \\. )* (?: " | \\?\Z )
          | b?' (?: [^'\\] | \\. )* (?: ' | \\?\Z )
          | (?: (?: bearer | basic ) [ \t]{1,4} )?
            (?: (?! [,;&] \s{0,4} [\w.-]{1,40} \s{0,4} [=:] ) \S )+
        )
        """,
        re.IGNORECASE | re.VERBOSE,
    ),
    # Bearer <token>, Basic <credentials>; not the words "basic authentication".
    re.compile(r"""(\b(?i:bearer)\s{1,4})[^\s"'<>,;]+"""),
    re.compile(r"""(\b(?i:basic)\s{1,4})(?=[a-z]*[A-Z0-9+/=])[^\s"'<>,;]+"""),
    # scheme://user:password@host
    re.compile(
        r"(://)(?:[^\s/@:]{0,128}:(?!\d{1,5}/)\S{1,256}|[^\s/]{1,256})(?=@)",
    ),
)


def emit_log_event(level: LogLevel, message: str, context: dict[str, Any]) -> None:
    """Log one line; what the log raises must not reach the node."""
    with suppress(Exception):
        emit_log_event_sync(level, message, context)


def text_of(value: object) -> str:
    """Return `str(value)`, or a stand-in where that raises."""
    try:
        return str(value)
    except Exception:
        return f"<unprintable {type(value).__name__}>"


def redact_secrets(value: object) -> str:
    """Return the text of an error with `***` for secrets; never raises.

    A text longer than MAX_ERROR_TEXT characters ends after its last whole word.
    """
    try:
        text = text_of(value)
        if len(text) > MAX_ERROR_TEXT:
            text = text[:MAX_ERROR_TEXT].rpartition(" ")[0] + " [...]"
        for pattern in _SECRETS:
            text = pattern.sub(r"\1***", text)
        return text
    except Exception:
        return "<unprintable error>"


class KafkaClient(Protocol):
    """What a publisher needs of a client for Kafka."""

    @property
    def is_connected(self) -> bool:
        """Whether publishing has a chance."""

    async def publish_with_envelope(
        self,
        *,
        event_type: str,
        source_node_id: str,
        payload: dict[str, Any],
        topic: str,
        correlation_id: UUID | None,
        metadata: dict[str, Any],
    ) -> object:
        """Wrap a payload in an envelope and publish it; false if it was not taken."""


class EffectEventPublisher:
    """Publishes the events of the node `effect`.

    Inherit from it beside the node's own base class. Publishing never raises: what goes
    wrong is logged. Cancellation passes.

    Attributes:
        node_id: The node, as source of its events.
        kafka_client: Events are only logged while it is None or not connected.
        default_namespace: First part of the topics, such as `dev`.
    """

    node_id: UUID | str
    kafka_client: KafkaClient | None
    default_namespace: str

    async def _publish_process_started_event(
        self,
        correlation_id: UUID,
        input_data: dict[str, Any],
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Publish process started event.

        Args:
            correlation_id: Ties together the events of one request.
            input_data: Input of the operation; only the types of its values are
                published.
            metadata: More facts, published as they are.
        """
        try:
            payload: dict[str, Any] = {
                "operation": "process",
                "correlation_id": str(correlation_id),
                "node_id": str(self.node_id),
                "started_at": datetime.now(UTC).isoformat(),
                "input_summary": {k: type(v).__name__ for k, v in input_data.items()},
            }
            if metadata:
                payload["metadata"] = metadata

            if self.kafka_client and self.kafka_client.is_connected:
                topic_name = (
                    f"{self.default_namespace}.effect.effect.process.started.v1"
                )
                event_metadata = {
                    "node_type": "effect",
                    "service_name": "effect",
                    "operation": "process",
                    "lifecycle_stage": "started",
                }
                success = await self.kafka_client.publish_with_envelope(
                    event_type="effect.process.started",
                    source_node_id=str(self.node_id),
                    payload=payload,
                    topic=topic_name,
                    correlation_id=correlation_id,
                    metadata=event_metadata,
                )
                if success:
                    emit_log_event(
                        LogLevel.DEBUG,
                        "Published process started event",
                        {
                            "correlation_id": str(correlation_id),
                            "event_type": "effect.process.started",
                            "topic": topic_name,
                        },
                    )
                else:
                    emit_log_event(
                        LogLevel.WARNING,
                        "Kafka client did not accept process started event",
                        {
                            "correlation_id": str(correlation_id),
                            "event_type": "effect.process.started",
                            "topic": topic_name,
                        },
                    )
            else:
                emit_log_event(
                    LogLevel.DEBUG,
                    "Kafka unavailable, logging process started event",
                    {"correlation_id": str(correlation_id), "payload": payload},
                )
        except Exception as e:
            reason = redact_secrets(e)
            emit_log_event(
                LogLevel.WARNING,
                f"Failed to publish process started event: {reason}",
                {"correlation_id": text_of(correlation_id), "error": reason},
            )

    async def _publish_process_completed_event(
        self,
        correlation_id: UUID,
        result_data: dict[str, Any],
        execution_time_ms: float,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Publish process completed event.

        Args:
            correlation_id: Ties together the events of one request.
            result_data: Result of the operation; only the types of its values are
                published.
            execution_time_ms: How long the operation took, in milliseconds.
            metadata: More facts, published as they are.
        """
        try:
            payload: dict[str, Any] = {
                "operation": "process",
                "correlation_id": str(correlation_id),
                "node_id": str(self.node_id),
                "completed_at": datetime.now(UTC).isoformat(),
                "execution_time_ms": execution_time_ms,
                "result_summary": {k: type(v).__name__ for k, v in result_data.items()},
                "success": True,
            }
            if metadata:
                payload["metadata"] = metadata

            if self.kafka_client and self.kafka_client.is_connected:
                topic_name = (
                    f"{self.default_namespace}.effect.effect.process.completed.v1"
                )
                event_metadata = {
                    "node_type": "effect",
                    "service_name": "effect",
                    "operation": "process",
                    "lifecycle_stage": "completed",
                    "execution_time_ms": execution_time_ms,
                }
                success = await self.kafka_client.publish_with_envelope(
                    event_type="effect.process.completed",
                    source_node_id=str(self.node_id),
                    payload=payload,
                    topic=topic_name,
                    correlation_id=correlation_id,
                    metadata=event_metadata,
                )
                if success:
                    emit_log_event(
                        LogLevel.INFO,
                        "Published process completed event",
                        {
                            "correlation_id": str(correlation_id),
                            "event_type": "effect.process.completed",
                            "topic": topic_name,
                            "execution_time_ms": execution_time_ms,
                        },
                    )
                else:
                    emit_log_event(
                        LogLevel.WARNING,
                        "Kafka client did not accept process completed event",
                        {
                            "correlation_id": str(correlation_id),
                            "event_type": "effect.process.completed",
                            "topic": topic_name,
                        },
                    )
            else:
                emit_log_event(
                    LogLevel.DEBUG,
                    "Kafka unavailable, logging process completed event",
                    {"correlation_id": str(correlation_id), "payload": payload},
                )
        except Exception as e:
            reason = redact_secrets(e)
            emit_log_event(
                LogLevel.WARNING,
                f"Failed to publish process completed event: {reason}",
                {"correlation_id": text_of(correlation_id), "error": reason},
            )

    async def _publish_process_failed_event(
        self,
        correlation_id: UUID,
        error: Exception,
        execution_time_ms: float,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Publish process failed event.

        Args:
            correlation_id: Ties together the events of one request.
            error: What went wrong; secrets in its text are masked.
            execution_time_ms: How long the operation took, in milliseconds.
            metadata: More facts, published as they are.
        """
        try:
            error_type = type(error).__name__
            error_message = redact_secrets(error)
            payload: dict[str, Any] = {
                "operation": "process",
                "correlation_id": str(correlation_id),
                "node_id": str(self.node_id),
                "failed_at": datetime.now(UTC).isoformat(),
                "execution_time_ms": execution_time_ms,
                "error_type": error_type,
                "error_message": error_message,
                "success": False,
            }
            if metadata:
                payload["metadata"] = metadata

            if self.kafka_client and self.kafka_client.is_connected:
                topic_name = f"{self.default_namespace}.effect.effect.process.failed.v1"
                event_metadata = {
                    "node_type": "effect",
                    "service_name": "effect",
                    "operation": "process",
                    "lifecycle_stage": "failed",
                    "error_type": error_type,
                    "execution_time_ms": execution_time_ms,
                }
                success = await self.kafka_client.publish_with_envelope(
                    event_type="effect.process.failed",
                    source_node_id=str(self.node_id),
                    payload=payload,
                    topic=topic_name,
                    correlation_id=correlation_id,
                    metadata=event_metadata,
                )
                if success:
                    emit_log_event(
                        LogLevel.ERROR,
                        "Published process failed event",
                        {
                            "correlation_id": str(correlation_id),
                            "event_type": "effect.process.failed",
                            "topic": topic_name,
                            "error": error_message,
                        },
                    )
                else:
                    emit_log_event(
                        LogLevel.WARNING,
                        "Kafka client did not accept process failed event",
                        {
                            "correlation_id": str(correlation_id),
                            "event_type": "effect.process.failed",
                            "topic": topic_name,
                        },
                    )
            else:
                emit_log_event(
                    LogLevel.DEBUG,
                    "Kafka unavailable, logging process failed event",
                    {"correlation_id": str(correlation_id), "payload": payload},
                )
        except Exception as e:
            reason = redact_secrets(e)
            emit_log_event(
                LogLevel.WARNING,
                f"Failed to publish process failed event: {reason}",
                {"correlation_id": text_of(correlation_id), "error": reason},
            )

    async def _publish_state_changed_event(
        self,
        correlation_id: UUID,
        old_state: str,
        new_state: str,
        transition_reason: str,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Publish state changed event.

        Args:
            correlation_id: Ties together the events of one request.
            old_state: The state before.
            new_state: The state after.
            transition_reason: Why the state changed.
            metadata: More facts, published as they are.
        """
        try:
            payload: dict[str, Any] = {
                "node_id": str(self.node_id),
                "node_type": "effect",
                "correlation_id": str(correlation_id),
                "changed_at": datetime.now(UTC).isoformat(),
                "old_state": old_state,
                "new_state": new_state,
                "transition_reason": transition_reason,
            }
            if metadata:
                payload["metadata"] = metadata

            if self.kafka_client and self.kafka_client.is_connected:
                topic_name = f"{self.default_namespace}.effect.effect.state.changed.v1"
                event_metadata = {
                    "node_type": "effect",
                    "service_name": "effect",
                    "event_category": "state_transition",
                    "old_state": old_state,
                    "new_state": new_state,
                }
                success = await self.kafka_client.publish_with_envelope(
                    event_type="effect.state.changed",
                    source_node_id=str(self.node_id),
                    payload=payload,
                    topic=topic_name,
                    correlation_id=correlation_id,
                    metadata=event_metadata,
                )
                if success:
                    transition = f"{old_state} → {new_state}"
                    emit_log_event(
                        LogLevel.INFO,
                        f"Published state changed event: {transition}",
                        {
                            "correlation_id": str(correlation_id),
                            "event_type": "effect.state.changed",
                            "topic": topic_name,
                            "transition": transition,
                        },
                    )
                else:
                    emit_log_event(
                        LogLevel.WARNING,
                        "Kafka client did not accept state changed event",
                        {
                            "correlation_id": str(correlation_id),
                            "event_type": "effect.state.changed",
                            "topic": topic_name,
                        },
                    )
            else:
                emit_log_event(
                    LogLevel.DEBUG,
                    "Kafka unavailable, logging state changed event",
                    {"correlation_id": str(correlation_id), "payload": payload},
                )
        except Exception as e:
            reason = redact_secrets(e)
            emit_log_event(
                LogLevel.WARNING,
                f"Failed to publish state changed event: {reason}",
                {"correlation_id": text_of(correlation_id), "error": reason},
            )

    async def _publish_metric_recorded_event(
        self,
        metric_name: str,
        metric_value: float,
        metric_unit: str,
        correlation_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Publish metric recorded event.

        Args:
            metric_name: What was measured.
            metric_value: The measured value.
            metric_unit: Unit of the value, such as `ms`.
            correlation_id: The request that was measured, if it was one.
            metadata: More facts, published as they are.
        """
        try:
            payload: dict[str, Any] = {
                "node_id": str(self.node_id),
                "node_type": "effect",
                "recorded_at": datetime.now(UTC).isoformat(),
                "metric_name": metric_name,
                "metric_value": metric_value,
                "metric_unit": metric_unit,
            }
            if correlation_id is not None:
                payload["correlation_id"] = str(correlation_id)
            if metadata:
                payload["metadata"] = metadata

            if self.kafka_client and self.kafka_client.is_connected:
                topic_name = (
                    f"{self.default_namespace}.effect.effect.metric.recorded.v1"
                )
                event_metadata = {
                    "node_type": "effect",
                    "service_name": "effect",
                    "event_category": "metric",
                    "metric_name": metric_name,
                    "metric_unit": metric_unit,
                }
                success = await self.kafka_client.publish_with_envelope(
                    event_type="effect.metric.recorded",
                    source_node_id=str(self.node_id),
                    payload=payload,
                    topic=topic_name,
                    correlation_id=correlation_id,
                    metadata=event_metadata,
                )
                if success:
                    metric = f"{metric_name}={metric_value}{metric_unit}"
                    emit_log_event(
                        LogLevel.DEBUG,
                        f"Published metric recorded event: {metric}",
                        {
                            "correlation_id": payload.get("correlation_id"),
                            "event_type": "effect.metric.recorded",
                            "topic": topic_name,
                            "metric": metric,
                        },
                    )
                else:
                    emit_log_event(
                        LogLevel.WARNING,
                        "Kafka client did not accept metric recorded event",
                        {
                            "correlation_id": payload.get("correlation_id"),
                            "event_type": "effect.metric.recorded",
                            "topic": topic_name,
                        },
                    )
            else:
                emit_log_event(
                    LogLevel.DEBUG,
                    "Kafka unavailable, logging metric recorded event",
                    {"metric_name": metric_name, "payload": payload},
                )
        except Exception as e:
            reason = redact_secrets(e)
            emit_log_event(
                LogLevel.WARNING,
                f"Failed to publish metric recorded event: {reason}",
                {"metric_name": metric_name, "error": reason},
            )
