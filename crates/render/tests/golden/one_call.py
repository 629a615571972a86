import logging
import re
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from datetime import date as calendar_date
from datetime import time as time_of_day
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any, Optional, Protocol
from uuid import UUID, uuid4  # noqa: F401

try:
    from omnibase_core.enums.enum_log_level import EnumLogLevel as LogLevel  # type: ignore[import-not-found, unused-ignore]
    from omnibase_core.logging.structured import emit_log_event_sync as emit_log_event  # type: ignore[import-not-found, unused-ignore]
except ImportError:
    try:
        from omnibase_core.enums.enum_log_level import (  # type: ignore[import-not-found, no-redef, unused-ignore]
            EnumLogLevel as LogLevel,
        )
        from omnibase_core.logging.logging_structured import (  # type: ignore[import-not-found, no-redef, unused-ignore]
            emit_log_event_sync as emit_log_event,
        )
    except ImportError:

        class LogLevel(StrEnum):  # type: ignore[no-redef, unused-ignore]
            """Stands in for the log levels of omnibase_core."""

            DEBUG = "DEBUG"
            INFO = "INFO"
            WARNING = "WARNING"
            ERROR = "ERROR"

        def emit_log_event(  # type: ignore[misc, unused-ignore]
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


def quiet_log(log: Callable[..., object]) -> Callable[..., None]:
    """Return a log that never raises: its errors must not reach the node."""

    def quiet(level: LogLevel, message: str, context: dict[str, Any]) -> None:
        with suppress(Exception):
            log(level, message, context)

    return quiet


emit_log_event = quiet_log(emit_log_event)


ERROR_WINDOW = 4_000  # so much of an error is read and masked,
HALF_A_SECRET = 400  # without its end, where a secret may be cut,
MAX_ERROR_TEXT = 2_000  # and so much of that is kept

# Names of secrets, and what follows: name=x, or name: x, "name": "x", ('name', 'x').
_NAME = r"""
    (?: pass(?:word|wd|phrase)[a-z]{0,16}   # db_password, passwordHash
      | (?<![a-z]) (?:pg)?pass              # PGPASS, db_pass; not bypass
      | pwd (?! ["'=:\ ]{1,5} [/~] )        # not PWD=/home/app
      | secrets? | credentials?             # not secretary
      | (?<! unexpected\ ) token            # not max_tokens, tokenizer
      | (?:api|access|account|private|secret|signing)[_.-]?key | session[_.-]?id
    ) (?: [\d_.-] [\w.-]{0,32} )?           # secret_access_key, password2
"""
_EQUALS = r"""[\\"'\])]{0,4} [ \t]* [=:]?=>? [ \t]*"""
_COLON = r"""[\\"'\])]{0,4} [ \t]* (?::(?!:)|(?<=["']),(?=\s?b?["'])) [ \t]*"""
# A value in quotes, maybe cut. Without quotes it ends before `", `, `, x` or `&x=`.
_QUOTED = r"""
    \\{1,2}" [^"]* (?: "|\Z ) | b?" (?: [^"\\] | \\. )* (?: "|\\?\Z )
    | b?' (?: [^'\\] | \\. )* (?: '|\\?\Z )
"""
_GOES_ON = r"""(?! ["'][,}\])] | [,;&](?:[\s"']|[\w.-]{1,40}=) )"""

# Of a match the first part stays, the second is a secret. Each takes linear time: what
# it repeats can match in one way only, or is bounded.
_SECRETS = tuple(
    re.compile(f"({kept}) (?: {secret} )", re.IGNORECASE | re.VERBOSE | re.DOTALL)
    for kept, secret in (
        # -----BEGIN RSA PRIVATE KEY----- ..., whole or cut
        (r"", r"-----BEGIN\ [A-Z ]*PRIVATE\ KEY-----.*?(?:-----END\ [A-Z ]*-----|\Z)"),
        # Authorization: AWS4 a=b, c=d    Set-Cookie: a=b; c=d    passphrase: two words
        (
            rf"(?: authorization | cookie | passphrase ) (?: {_EQUALS} | {_COLON} )",
            rf"{_QUOTED} | [^\r\n]+",
        ),
        # Bearer x, Basic eDp5; not "Basic authentication"
        (r"\b(?:bearer|basic(?=\s+(?-i:[a-z]*[A-Z0-9+/=])))\s+", r"""[^\s"'<>,;]+"""),
        # password=x, Password = "x y", password=a"b c"
        (
            rf"{_NAME} {_EQUALS}",
            rf"""{_QUOTED} | (?: "(?=\w)[^"]*" | '(?=\w)[^']*' | {_GOES_ON}\S )+""",
        ),
        # password: two words, "password": "x", ('password', 'x')
        (rf"{_NAME} {_COLON}", rf"{_QUOTED} | (?=\S)(?: {_GOES_ON}[^\r\n] )+"),
        # --password x, --db-password "x y"
        (r"--(?:\w{1,20}-){0,3}" + _NAME + r"[ ]+", _QUOTED + r"| (?!-)\S+"),
        # scheme://user:password@host, up to the last @
        (r"://", r"""(?:[^\s"'<>:]|:(?!//))*(?=@)"""),
        # JWT, GitHub, AWS, Slack
        (
            r"(?<![a-z0-9])",
            r"eyJ[\w.-]{10,} | (?:gh[opsur]|github_pat)_\w{16,}"
            r" | A[KS]IA[0-9A-Z]{16} | xox[a-z]-[\w-]{8,}",
        ),
    )
)


try:
    from herald import redact as mask_secrets  # type: ignore[import-not-found, unused-ignore]
except ImportError:  # Without Herald, the most common secrets.

    def mask_secrets(text: str) -> str:  # type: ignore[misc, unused-ignore]
        """Return a text with `***` for secrets."""
        for pattern in _SECRETS:
            text = pattern.sub(r"\1***", text)
        return text


def json_value(value: Any) -> Any:
    """Return a value as JSON can have it; one of another class stays as it is."""
    match value:
        case Enum():
            return json_value(value.value)
        case UUID() | Decimal():
            return str(value)
        case calendar_date() | time_of_day():
            return value.isoformat()
        case bytes():
            return b64encode(value).decode()
        case dict():
            return {json_value(k): json_value(v) for k, v in value.items()}
        case tuple():
            return tuple(json_value(v) for v in value)
        case list() | set() | frozenset():
            return [json_value(v) for v in value]
    return value


def text_of(value: object) -> str:
    """Return `str(value)`, or a stand-in where that raises."""
    try:
        return str(value)
    except Exception:
        return f"<unprintable {type(value).__name__}>"


def redact_secrets(value: object) -> str:
    """Return the text of an error with `***` for secrets, cut; never raises."""
    try:
        full = text_of(value)
        text = mask_secrets(full[:ERROR_WINDOW])
        if len(full) > ERROR_WINDOW:
            masked, mask, rest = text.rpartition("***")
            text = masked + mask + rest[:-HALF_A_SECRET] + " [...]"
        return text if len(text) <= MAX_ERROR_TEXT else text[:MAX_ERROR_TEXT] + " [...]"
    except Exception:
        return "<unprintable error>"


def reason_of(error: Exception) -> str:
    """Return the type of an error and its text, without secrets."""
    name, text = type(error).__name__, redact_secrets(error)
    return f"{name}: {text}" if text else name


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
        metadata: Optional[dict[str, Any]] = None,
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
                "node_id": self.node_id,
                "started_at": datetime.now(UTC).isoformat(),
                "input_summary": {k: type(v).__name__ for k, v in input_data.items()},
            }
            if metadata:
                payload["metadata"] = metadata
            payload = json_value(payload)

            if self.kafka_client and self.kafka_client.is_connected:
                topic_name = f"{self.default_namespace}.effect.effect.process.started.v1"  # fmt: skip  # noqa: E501
                event_metadata = {
                    "node_type": "effect",
                    "service_name": "effect",
                    "operation": "process",
                    "lifecycle_stage": "started",
                }
                # The client wraps the payload in a ModelOnexEnvelopeV1.
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
            reason = reason_of(e)
            emit_log_event(
                LogLevel.WARNING,
                f"Failed to publish process started event: {reason}",
                {
                    "correlation_id": text_of(correlation_id),
                    "event_type": "effect.process.started",
                    "error": reason,
                },
            )

    async def _publish_process_completed_event(
        self,
        correlation_id: UUID,
        result_data: dict[str, Any],
        execution_time_ms: float,
        metadata: Optional[dict[str, Any]] = None,
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
                "node_id": self.node_id,
                "completed_at": datetime.now(UTC).isoformat(),
                "execution_time_ms": execution_time_ms,
                "result_summary": {k: type(v).__name__ for k, v in result_data.items()},
                "success": True,
            }
            if metadata:
                payload["metadata"] = metadata
            payload = json_value(payload)

            if self.kafka_client and self.kafka_client.is_connected:
                topic_name = f"{self.default_namespace}.effect.effect.process.completed.v1"  # fmt: skip  # noqa: E501
                event_metadata = {
                    "node_type": "effect",
                    "service_name": "effect",
                    "operation": "process",
                    "lifecycle_stage": "completed",
                    "execution_time_ms": execution_time_ms,
                }
                # The client wraps the payload in a ModelOnexEnvelopeV1.
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
            reason = reason_of(e)
            emit_log_event(
                LogLevel.WARNING,
                f"Failed to publish process completed event: {reason}",
                {
                    "correlation_id": text_of(correlation_id),
                    "event_type": "effect.process.completed",
                    "error": reason,
                },
            )

    async def _publish_process_failed_event(
        self,
        correlation_id: UUID,
        error: Exception,
        execution_time_ms: float,
        metadata: Optional[dict[str, Any]] = None,
    ) -> None:
        """Publish process failed event.

        Args:
            correlation_id: Ties together the events of one request.
            error: What went wrong; secrets in its text are masked.
            execution_time_ms: How long the operation took, in milliseconds.
            metadata: More facts, published as they are.
        """
        try:
            error_message = redact_secrets(error)
            payload: dict[str, Any] = {
                "operation": "process",
                "correlation_id": str(correlation_id),
                "node_id": self.node_id,
                "failed_at": datetime.now(UTC).isoformat(),
                "execution_time_ms": execution_time_ms,
                "error_type": type(error).__name__,
                "error_message": error_message,
                "success": False,
            }
            if metadata:
                payload["metadata"] = metadata
            payload = json_value(payload)

            if self.kafka_client and self.kafka_client.is_connected:
                topic_name = f"{self.default_namespace}.effect.effect.process.failed.v1"
                event_metadata = {
                    "node_type": "effect",
                    "service_name": "effect",
                    "operation": "process",
                    "lifecycle_stage": "failed",
                    "error_type": type(error).__name__,
                    "execution_time_ms": execution_time_ms,
                }
                # The client wraps the payload in a ModelOnexEnvelopeV1.
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
            reason = reason_of(e)
            emit_log_event(
                LogLevel.WARNING,
                f"Failed to publish process failed event: {reason}",
                {
                    "correlation_id": text_of(correlation_id),
                    "event_type": "effect.process.failed",
                    "error": reason,
                },
            )

    async def _publish_state_changed_event(
        self,
        correlation_id: UUID,
        old_state: str,
        new_state: str,
        transition_reason: str,
        metadata: Optional[dict[str, Any]] = None,
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
                "node_id": self.node_id,
                "node_type": "effect",
                "correlation_id": str(correlation_id),
                "changed_at": datetime.now(UTC).isoformat(),
                "old_state": old_state,
                "new_state": new_state,
                "transition_reason": transition_reason,
            }
            if metadata:
                payload["metadata"] = metadata
            payload = json_value(payload)

            if self.kafka_client and self.kafka_client.is_connected:
                topic_name = f"{self.default_namespace}.effect.effect.state.changed.v1"
                event_metadata = {
                    "node_type": "effect",
                    "service_name": "effect",
                    "event_category": "state_transition",
                    "old_state": old_state,
                    "new_state": new_state,
                }
                # The client wraps the payload in a ModelOnexEnvelopeV1.
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
            reason = reason_of(e)
            emit_log_event(
                LogLevel.WARNING,
                f"Failed to publish state changed event: {reason}",
                {
                    "correlation_id": text_of(correlation_id),
                    "event_type": "effect.state.changed",
                    "error": reason,
                },
            )

    async def _publish_metric_recorded_event(
        self,
        metric_name: str,
        metric_value: float,
        metric_unit: str,
        correlation_id: Optional[UUID] = None,
        metadata: Optional[dict[str, Any]] = None,
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
                "node_id": self.node_id,
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
            payload = json_value(payload)

            if self.kafka_client and self.kafka_client.is_connected:
                topic_name = f"{self.default_namespace}.effect.effect.metric.recorded.v1"  # fmt: skip  # noqa: E501
                event_metadata = {
                    "node_type": "effect",
                    "service_name": "effect",
                    "event_category": "metric",
                    "metric_name": metric_name,
                    "metric_unit": metric_unit,
                }
                # The client wraps the payload in a ModelOnexEnvelopeV1.
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
            reason = reason_of(e)
            emit_log_event(
                LogLevel.WARNING,
                f"Failed to publish metric recorded event: {reason}",
                {
                    "metric_name": metric_name,
                    "event_type": "effect.metric.recorded",
                    "error": reason,
                },
            )
