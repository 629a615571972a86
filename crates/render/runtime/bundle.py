from __future__ import annotations

import asyncio
import inspect
import json
import logging
import re
import sys
import threading
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Iterator,
    Mapping,
)
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, suppress
from contextvars import ContextVar, Token
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from dataclasses import fields as dataclass_fields
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from decimal import Decimal, InvalidOperation
from enum import Enum, StrEnum
from functools import lru_cache, partial, wraps
from inspect import isawaitable, iscoroutine, iscoroutinefunction
from math import isfinite
from os import urandom
from time import perf_counter, time_ns
from types import NoneType, TracebackType, UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Final,
    Generic,
    Literal,
    NamedTuple,
    ParamSpec,
    Protocol,
    Self,
    TypeAlias,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)
from uuid import UUID, uuid4
from zlib import crc32

# What a mapping, a model or a dataclass consists of.

Names = tuple[tuple[str, str], ...]


def fields_of(value: object) -> Mapping[str, Any] | None:
    """Its fields by the names that they have in JSON; None for anything else.

    Those are the aliases of a pydantic model, and what stands as `alias` in the
    metadata of a dataclass's field.
    """
    if isinstance(value, dict):
        return value
    of_type: Any = type(value)
    names = _names(of_type)
    if names is not None:
        fields = {name: getattr(value, attribute) for attribute, name in names}
        extra = getattr(value, "__pydantic_extra__", None)
        return {**fields, **extra} if extra else fields
    return value if isinstance(value, Mapping) else None


@lru_cache(maxsize=1_024)
def _names(of_type: type) -> Names | None:
    """The attributes of a class, each with its name in JSON."""
    model: Any = of_type
    if is_model(of_type):
        if not has_aliases(of_type):
            return tuple((name, name) for name in model.model_fields)
        return tuple(
            (name, field.serialization_alias or field.alias or name)
            for name, field in model.model_fields.items()
        )
    if hasattr(of_type, "__dataclass_fields__"):
        return tuple(
            (field.name, field.metadata.get("alias", field.name))
            for field in dataclass_fields(model)
        )
    if hasattr(of_type, "__attrs_attrs__"):
        return tuple((field.name, field.name) for field in model.__attrs_attrs__)
    return None


def is_model(of_type: type) -> bool:
    """Whether it is a pydantic model."""
    return hasattr(of_type, "model_fields") and hasattr(of_type, "model_dump")


def has_aliases(model: Any) -> bool:
    """Whether a model is written with its aliases: unless it says otherwise."""
    return model.model_config.get("serialize_by_alias") is not False


# What a publisher needs of a client for Kafka.


class KafkaClient(Protocol):
    """What a publisher needs of a client for Kafka."""

    @property
    def is_connected(self) -> bool:
        """Whether publishing has a chance."""
        ...

    def publish_with_envelope(
        self,
        *,
        event_type: str,
        source_node_id: str,
        payload: dict[str, Any],
        topic: str,
        correlation_id: UUID | None,
        metadata: dict[str, Any],
    ) -> object:
        """Wrap a payload in an envelope and publish it; false if it was not taken.

        It may be a coroutine.
        """


class HeraldClient(KafkaClient, Protocol):
    """Herald's own clients, which can do more."""

    def publish(self, event: Any) -> object:
        """Publish an event of which all is said."""

    def try_enqueue(
        self,
        event: Any,
        on_error: Callable[[Exception], object] | None = None,
        *,
        wait_for_room: bool = False,
    ) -> bool:
        """Put an event on its way if there is room; errors come later."""
        ...


@lru_cache(maxsize=256)
def is_heralds(client_type: type) -> bool:
    """Whether the client is one of Herald's, and events may bypass
    `publish_with_envelope`: not where somebody wrote another one.
    """
    if not hasattr(client_type, "try_enqueue"):
        return False
    method = getattr(client_type, "publish_with_envelope", None)
    module = str(getattr(method, "__module__", ""))
    return module.partition(".")[0] == "herald"


# The time, as text.

_second: tuple[int, str] = (0, "")


def now() -> str:
    """As `datetime.now(UTC).isoformat(timespec="microseconds")`, in half the time: the
    text of a second is made once.
    """
    global _second
    seconds, nanoseconds = divmod(time_ns(), 1_000_000_000)
    known, text = _second
    if known != seconds:
        moment = datetime.fromtimestamp(seconds, UTC)
        text = moment.strftime("%Y-%m-%dT%H:%M:%S")
        _second = (seconds, text)
    return f"{text}.{nanoseconds // 1_000:06d}+00:00"


# The trace of the moment, where OpenTelemetry is installed.


def _finder() -> Callable[[], int | None]:
    try:
        from opentelemetry.trace import (  # type: ignore[import-not-found, unused-ignore]
            get_current_span,
        )
    except ImportError:
        return lambda: None

    def found() -> int | None:
        span = get_current_span().get_span_context()
        return span.trace_id if span.is_valid else None

    return found


trace_id: Final = _finder()
"""Trace id of OpenTelemetry's current span: 128 bits, as a UUID."""


# The log of publishers: that of omnibase_core, or the logger `herald.events`.


class LogLevel(StrEnum):
    """The log levels of omnibase_core that are used."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


Emit = Callable[[LogLevel, str, dict[str, Any]], object]

_LOGGER: Final = logging.getLogger("herald.events")
_LEVELS: Final = {level: getattr(logging, level.name) for level in LogLevel}


def _of_omnibase() -> Emit | None:
    """Its log, where it is installed."""
    try:
        from omnibase_core.enums.enum_log_level import (  # type: ignore[import-not-found, unused-ignore]
            EnumLogLevel,
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
        return None
    return lambda level, message, context: emit_log_event_sync(
        EnumLogLevel[level.name], message, context
    )


def _to_logging(level: LogLevel, message: str, context: dict[str, Any]) -> None:
    extra = {"event_context": context}
    _LOGGER.log(_LEVELS[level], "%s %s", message, context, extra=extra)


_OMNIBASE: Final = _of_omnibase()
_EMIT: Final = _OMNIBASE or _to_logging


def is_logged(level: LogLevel) -> bool:
    """Whether anybody would see a line; that of omnibase_core decides itself."""
    return _OMNIBASE is not None or _LOGGER.isEnabledFor(_LEVELS[level])


def emit_log_event(level: LogLevel, message: str, context: dict[str, Any]) -> None:
    """Log one line; what the log raises must not reach the node."""
    with suppress(Exception):
        _EMIT(level, message, context)


# Reading JSON objects that others wrote.

T = TypeVar("T")


class EnvelopeError(ValueError):
    """A message that is no envelope, or whose payload is not what its type says.

    Attributes:
        field: Where: such as `event_id` or `payload.started_at`.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


class Reader:
    """Takes the fields of an object; what is left is `extra`. Errors name the field and
    never its value, which may be a secret.
    """

    def __init__(self, fields: object, path: str = "") -> None:
        if not isinstance(fields, Mapping):
            found = _json_type(fields)
            name = path.removesuffix(".") or "envelope"
            raise EnvelopeError(name, f"expected an object, found {found}")
        self.extra: dict[str, Any] = dict(fields)
        self._path = path

    def text(self, name: str) -> str:
        return self._take(name, str, "a text")

    def text_or_null(self, name: str) -> str:
        """For fields that a reader of the format takes as empty when they are null."""
        return self.optional(name, self.text) or ""

    def number(self, name: str) -> float:
        if isinstance(self.extra.get(name), bool):
            raise self._unexpected(name, "a number", True)
        return self._take(name, (int, float), "a number")

    def flag(self, name: str) -> bool:
        return self._take(name, bool, "true or false")

    def mapping(self, name: str) -> Mapping[str, Any]:
        return self._take(name, Mapping, "an object")

    def uuid(self, name: str) -> UUID:
        found = self._take(name, str, "a UUID")
        return self._convert(name, UUID, found, "a UUID")

    def time(self, name: str) -> datetime:
        found = self._take(name, str, "a time")
        return self._convert(name, datetime.fromisoformat, found, "an ISO 8601 time")

    def optional(self, name: str, read: Callable[[str], T]) -> T | None:
        """A field that may be null or missing."""
        if self.extra.get(name) is None:
            self.extra.pop(name, None)
            return None
        return read(name)

    def _take(self, name: str, kind: type[T] | tuple[type[T], ...], expected: str) -> T:
        try:
            found = self.extra.pop(name)
        except KeyError:
            raise EnvelopeError(self._path + name, "it is missing") from None
        if not isinstance(found, kind):
            raise self._unexpected(name, expected, found)
        return found

    def _convert(
        self, name: str, convert: Callable[[str], T], text: str, expected: str
    ) -> T:
        try:
            return convert(text)
        except ValueError:
            message = f"expected {expected}, found another text"
            raise EnvelopeError(self._path + name, message) from None

    def _unexpected(self, name: str, expected: str, found: object) -> EnvelopeError:
        return EnvelopeError(
            self._path + name, f"expected {expected}, found {_json_type(found)}"
        )


def _json_type(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case str():
            return "a text"
        case int() | float():
            return "a number"
        case Mapping():
            return "an object"
        case list() | tuple():
            return "a list"
    return type(value).__name__


# Events as consumers get them.

PayloadT_co = TypeVar("PayloadT_co", covariant=True)


@dataclass(frozen=True, slots=True)
class ReceivedEvent(Generic[PayloadT_co]):
    """One event: the fields of its envelope. `payload` is typed where the type of the
    event is known; else it is the mapping that came.
    """

    envelope_version: str
    event_id: UUID
    event_type: str
    event_version: str
    event_timestamp: datetime
    source_node_id: str
    source_service: str
    source_version: str
    environment: str
    payload: PayloadT_co
    metadata: Mapping[str, Any]
    correlation_id: UUID | None = None
    causation_id: str | None = None
    source_instance: str | None = None
    region: str | None = None
    partition_key: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Fields that the envelope's format does not know."""


# What a contract allows of the values of a type.


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Stands in `Annotated`, where `from_json` holds values against it."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None

    def check(self, value: Any) -> None:
        """Raise ValueError where the value is beyond them."""
        if self.ge is not None and not value >= self.ge:
            raise ValueError(f"expected {self.ge} or more")
        if self.gt is not None and not value > self.gt:
            raise ValueError(f"expected more than {self.gt}")
        if self.le is not None and not value <= self.le:
            raise ValueError(f"expected {self.le} or less")
        if self.lt is not None and not value < self.lt:
            raise ValueError(f"expected less than {self.lt}")
        if self.min_length is not None and len(value) < self.min_length:
            raise ValueError(f"expected a length of {self.min_length} or more")
        if self.max_length is not None and len(value) > self.max_length:
            raise ValueError(f"expected a length of {self.max_length} or less")
        if self.pattern is not None and not re.search(self.pattern, value):
            raise ValueError("expected text that the contract's pattern finds")


# How JSON has values that it does not know: text in one form, and no other.


class Wire:
    """Reads a value as JSON has it. A value of the type itself passes.

    It stands in `Annotated`, where pydantic and `from_json` look for it.
    """

    def __init__(
        self,
        read: Callable[[Any], object],
        write: Callable[[Any], object] | None = None,
    ) -> None:
        self.read = read
        self.write = write

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Called by pydantic only, so it is there."""
        from pydantic_core import core_schema

        schema = core_schema.no_info_before_validator_function(
            self.read, handler(source)
        )
        if self.write is not None:
            schema["serialization"] = core_schema.plain_serializer_function_ser_schema(
                self.write, when_used="json-unless-none"
            )
        return schema


_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?"
    r"(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
_DECIMAL: Final = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_BASE64: Final = re.compile(
    r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"
)


def _text(value: object, form: re.Pattern[str], expected: str) -> str:
    if isinstance(value, str) and form.fullmatch(value):
        return value
    raise ValueError(f"expected {expected}")


def read_uuid(value: object) -> UUID:
    """Return a UUID, from its text with hyphens."""
    if isinstance(value, UUID):
        return value
    return UUID(_text(value, _UUID, "a UUID with hyphens"))


def read_datetime(value: object) -> datetime:
    """Return a time, from its text of RFC 3339."""
    if isinstance(value, datetime):
        return value
    expected = "a time with an offset, such as 2025-11-05T12:00:00Z"
    return datetime.fromisoformat(_text(value, _TIME, expected).upper())


def read_date(value: object) -> date:
    """Return a date, from its text of RFC 3339."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    return date.fromisoformat(_text(value, _DATE, "a date such as 2025-11-05"))


def read_decimal(value: object) -> Decimal:
    """Return a decimal, from its text: a number of JSON would lose digits."""
    if isinstance(value, Decimal):
        return value
    expected = 'a decimal number as text, such as "12.50"'
    try:
        return Decimal(_text(value, _DECIMAL, expected))
    except InvalidOperation:
        raise ValueError(f"expected {expected}") from None


def read_bytes(value: object) -> bytes:
    """Return bytes, from Base64."""
    if isinstance(value, bytes):
        return value
    return b64decode(_text(value, _BASE64, "bytes as Base64"))


def read_integer(value: object) -> int:
    """Return a whole number, also where JSON has it as 2.0."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise ValueError("expected a whole number")


def _write_bytes(value: bytes) -> str:
    return b64encode(value).decode()


Uuid: TypeAlias = Annotated[UUID, Wire(read_uuid)]
DateTime: TypeAlias = Annotated[datetime, Wire(read_datetime, datetime.isoformat)]
Date: TypeAlias = Annotated[date, Wire(read_date)]
DecimalText: TypeAlias = Annotated[Decimal, Wire(read_decimal, str)]
Base64: TypeAlias = Annotated[bytes, Wire(read_bytes, _write_bytes)]
Integer: TypeAlias = Annotated[int, Wire(read_integer)]


# The arguments of a call as the input of an operation.

_POSITIONAL = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
)


class Binding:
    """Names the arguments of a function. It never raises: a call that does not fit is
    the function's to refuse.
    """

    def __init__(self, function: Callable[..., Any], *, is_method: bool) -> None:
        parameters = list(inspect.signature(function).parameters.values())
        if is_method:
            parameters = parameters[1:]
        self._skip = 1 if is_method else 0
        self._positional = tuple(p.name for p in parameters if p.kind in _POSITIONAL)
        self._rest = next(
            (p.name for p in parameters if p.kind is inspect.Parameter.VAR_POSITIONAL),
            None,
        )
        self._defaults = tuple(
            (p.name, p.default)
            for p in parameters
            if p.default is not inspect.Parameter.empty
        )

    def fields(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Mapping[str, Any]:
        """The arguments by their names; of one that is a model, a dataclass or a
        mapping, and the only one, its fields.
        """
        given = dict(zip(self._positional, args[self._skip :], strict=False))
        if self._rest is not None:
            given[self._rest] = args[self._skip + len(self._positional) :]
        given.update(kwargs)
        for name, default in self._defaults:
            if name not in given:
                given[name] = default
        if len(given) == 1:
            (only,) = given.values()
            with suppress(Exception):  # what its attributes may raise
                fields = fields_of(only)
                return given if fields is None else fields
        return given


# Values as JSON can have them.

_PLAIN: Final = frozenset({str, int, float, bool, type(None)})


def json_value(value: Any) -> Any:
    """Return a value as JSON can have it; one of another class stays as it is."""
    if type(value) in _PLAIN:
        return value
    match value:
        case Enum():
            return json_value(value.value)
        case UUID() | Decimal():
            return str(value)
        case date() | time_of_day():
            return value.isoformat()
        case bytes():
            return b64encode(value).decode()
        case dict():
            return {json_value(k): json_value(v) for k, v in value.items()}
        case tuple():
            return tuple(json_value(v) for v in value)
        case list() | set() | frozenset():
            return [json_value(v) for v in value]
    if is_model(type(value)):
        return value.model_dump(mode="json", by_alias=has_aliases(type(value)))
    fields = fields_of(value)
    if fields is None:
        return value
    return {json_value(k): json_value(v) for k, v in fields.items()}


def text_of(value: object) -> str:
    """Return `str(value)`, or a stand-in where that raises."""
    try:
        return str(value)
    except Exception:
        return f"<unprintable {type(value).__name__}>"


# Payloads of the events that publishers make themselves, as consumers get them.


@dataclass(frozen=True, slots=True)
class OperationStarted:
    """An operation started."""

    operation: str
    correlation_id: UUID
    node_id: str
    started_at: datetime
    input_summary: Mapping[str, Any]
    """Its input; of what is private, the names of the types."""
    metadata: Mapping[str, Any]
    extra: Mapping[str, Any]
    """What else the payload says."""

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> Self:
        """From the payload of an envelope; raises `EnvelopeError`."""
        fields = Reader(payload, "payload.")
        return cls(
            fields.text("operation"),
            fields.uuid("correlation_id"),
            fields.text("node_id"),
            fields.time("started_at"),
            fields.mapping("input_summary"),
            fields.optional("metadata", fields.mapping) or {},
            fields.extra,
        )


@dataclass(frozen=True, slots=True)
class OperationCompleted:
    """An operation completed."""

    operation: str
    correlation_id: UUID
    node_id: str
    completed_at: datetime
    execution_time_ms: float
    result_summary: Mapping[str, Any]
    """Its result; of what is private, the names of the types."""
    success: bool
    metadata: Mapping[str, Any]
    extra: Mapping[str, Any]
    """What else the payload says."""

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> Self:
        """From the payload of an envelope; raises `EnvelopeError`."""
        fields = Reader(payload, "payload.")
        return cls(
            fields.text("operation"),
            fields.uuid("correlation_id"),
            fields.text("node_id"),
            fields.time("completed_at"),
            fields.number("execution_time_ms"),
            fields.mapping("result_summary"),
            fields.flag("success"),
            fields.optional("metadata", fields.mapping) or {},
            fields.extra,
        )


@dataclass(frozen=True, slots=True)
class OperationFailed:
    """An operation failed."""

    operation: str
    correlation_id: UUID
    node_id: str
    failed_at: datetime
    execution_time_ms: float
    error_type: str
    error_message: str
    success: bool
    metadata: Mapping[str, Any]
    extra: Mapping[str, Any]
    """What else the payload says."""

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> Self:
        """From the payload of an envelope; raises `EnvelopeError`."""
        fields = Reader(payload, "payload.")
        return cls(
            fields.text("operation"),
            fields.uuid("correlation_id"),
            fields.text("node_id"),
            fields.time("failed_at"),
            fields.number("execution_time_ms"),
            fields.text("error_type"),
            fields.text("error_message"),
            fields.flag("success"),
            fields.optional("metadata", fields.mapping) or {},
            fields.extra,
        )


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The state of a node changed."""

    node_id: str
    node_type: str
    correlation_id: UUID
    changed_at: datetime
    old_state: str
    new_state: str
    transition_reason: str
    metadata: Mapping[str, Any]
    extra: Mapping[str, Any]
    """What else the payload says."""

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> Self:
        """From the payload of an envelope; raises `EnvelopeError`."""
        fields = Reader(payload, "payload.")
        return cls(
            fields.text("node_id"),
            fields.text("node_type"),
            fields.uuid("correlation_id"),
            fields.time("changed_at"),
            fields.text("old_state"),
            fields.text("new_state"),
            fields.text("transition_reason"),
            fields.optional("metadata", fields.mapping) or {},
            fields.extra,
        )


@dataclass(frozen=True, slots=True)
class MetricRecorded:
    """A value was measured."""

    node_id: str
    node_type: str
    recorded_at: datetime
    metric_name: str
    metric_value: float
    metric_unit: str
    correlation_id: UUID | None
    metadata: Mapping[str, Any]
    extra: Mapping[str, Any]
    """What else the payload says."""

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> Self:
        """From the payload of an envelope; raises `EnvelopeError`."""
        fields = Reader(payload, "payload.")
        return cls(
            fields.text("node_id"),
            fields.text("node_type"),
            fields.time("recorded_at"),
            fields.text("metric_name"),
            fields.number("metric_value"),
            fields.text("metric_unit"),
            fields.optional("correlation_id", fields.uuid),
            fields.optional("metadata", fields.mapping) or {},
            fields.extra,
        )


# Messages of a consumer as envelopes.


def envelope_of(message: object) -> ReceivedEvent[Any]:
    """The envelope, with its payload as it came.

    Args:
        message: It as mapping, bytes or text, or an object that has it as `value`, as a
            consumer of aiokafka or confluent-kafka gives.

    Raises:
        EnvelopeError: It is none. It names the field, and no values.
    """
    if isinstance(message, ReceivedEvent):
        return message
    reader = Reader(_content(message))
    if (version := reader.text("envelope_version")) != "1.0":
        raise EnvelopeError("envelope_version", "this reads version 1.0 only")
    return ReceivedEvent(
        envelope_version=version,
        event_id=reader.uuid("event_id"),
        event_type=reader.text("event_type"),
        event_version=reader.text("event_version"),
        event_timestamp=reader.time("event_timestamp"),
        source_node_id=reader.text("source_node_id"),
        source_service=reader.text_or_null("source_service"),
        source_version=reader.text_or_null("source_version"),
        environment=reader.text("environment"),
        correlation_id=reader.optional("correlation_id", reader.uuid),
        causation_id=reader.optional("causation_id", reader.text),
        source_instance=reader.optional("source_instance", reader.text),
        region=reader.optional("region", reader.text),
        partition_key=reader.optional("partition_key", reader.text),
        payload=reader.mapping("payload"),
        metadata=reader.mapping("metadata"),
        extra=reader.extra,
    )


def _content(message: object) -> object:
    if not isinstance(message, Mapping | str | bytes | bytearray | memoryview):
        value = getattr(message, "value", None)
        message = value() if callable(value) else value
        if message is None:
            raise EnvelopeError("value", "the message has none")
    if isinstance(message, memoryview):
        message = bytes(message)
    if not isinstance(message, str | bytes | bytearray):
        return message
    try:
        return json.loads(message)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise EnvelopeError("envelope", f"no JSON at {where}") from None
    except UnicodeDecodeError:
        raise EnvelopeError("envelope", "no UTF-8") from None


# Models from JSON: those of pydantic, and dataclasses.

M = TypeVar("M")


class ModelError(ValueError):
    """JSON that is no such model. It names the place, and no value.

    Attributes:
        loc: The names and places on the way to what is wrong.
    """

    def __init__(self, loc: tuple[str | int, ...], message: str) -> None:
        place = ".".join(str(part) for part in loc)
        super().__init__(f"{place}: {message}" if place else message)
        self.loc = loc
        self.reason = message

    def errors(self) -> list[dict[str, Any]]:
        """Return it as errors of pydantic are."""
        return [{"loc": self.loc, "type": self.reason, "msg": self.reason}]

    def below(self, part: str | int) -> ModelError:
        """Return the same, one step further down."""
        return ModelError((part, *self.loc), self.reason)


def from_json(model: type[M], value: Mapping[str, Any]) -> M:
    """Return the model that a JSON object is; strict, as its contract says.

    Raises:
        ValueError: It is none. Pydantic's errors are such errors too.
    """
    validate: Callable[..., M] | None = getattr(model, "model_validate", None)
    if validate is not None:
        return validate(value)
    try:
        read: M = _read(model, value)
    except RecursionError:
        raise ModelError((), "it is too deep") from None
    return read


def reader(model: type[M]) -> Callable[[Mapping[str, Any]], M]:
    """Return what reads a model from JSON."""
    return partial(from_json, model)


def _read(hint: Any, value: Any) -> Any:
    if is_dataclass(hint):
        return _read_dataclass(hint, value)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _read_annotated(arguments[0], hint.__metadata__, value)
    if origin is Union or origin is UnionType:
        return _read_union(arguments, value)
    if origin is Literal:
        if isinstance(value, str) and value in arguments:
            return value
        raise ModelError((), "expected one of the texts that the contract lists")
    if origin is list:
        if not isinstance(value, list):
            raise ModelError((), "expected a list")
        return [_at(index, arguments[0], item) for index, item in enumerate(value)]
    if origin is not None:  # a mapping
        if not isinstance(value, Mapping):
            raise ModelError((), "expected an object")
        return {name: _at(name, arguments[1], item) for name, item in value.items()}
    return _read_plain(hint, value)


def _at(part: str | int, hint: Any, value: Any) -> Any:
    try:
        return _read(hint, value)
    except ModelError as error:
        raise error.below(part) from None


def _read_annotated(hint: Any, marks: tuple[Any, ...], value: Any) -> Any:
    try:
        wire = next((mark for mark in marks if isinstance(mark, Wire)), None)
        value = _read(hint, value) if wire is None else wire.read(value)
        for mark in marks:
            if isinstance(mark, Limits):
                mark.check(value)
    except ModelError:
        raise
    except (ValueError, OverflowError) as error:
        raise ModelError((), str(error)) from None
    return value


def _read_union(members: tuple[Any, ...], value: Any) -> Any:
    last = ModelError((), "expected something else")
    for member in members:
        try:
            return _read(member, value)
        except ModelError as error:
            last = error
    raise last


def _read_plain(hint: Any, value: Any) -> Any:
    if hint is object:
        return value
    if hint is NoneType:
        if value is None:
            return None
        raise ModelError((), "expected null")
    if hint is float:
        if isinstance(value, int | float) and not isinstance(value, bool):
            try:
                number = float(value)
            except OverflowError:
                number = float("inf")
            if isfinite(number):
                return number
        raise ModelError((), "expected a number")
    if hint is bool and isinstance(value, bool):
        return value
    if hint is str and isinstance(value, str):
        return value
    expected = {bool: "true or false", str: "text"}.get(hint, "nothing")
    raise ModelError((), f"expected {expected}")


def _read_dataclass(model: Any, value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise ModelError((), "expected an object")
    given = {}
    for attribute, name, hint, is_required in _model_fields(model):
        if name in value:
            given[attribute] = _at(name, hint, value[name])
        elif is_required:
            raise ModelError((name,), "it is missing")
    return model(**given)


@lru_cache(maxsize=1_024)
def _model_fields(model: Any) -> tuple[tuple[str, str, Any, bool], ...]:
    """Attribute, name in JSON, type, and whether it has to be there."""
    hints = get_type_hints(model, include_extras=True)
    return tuple(
        (
            field.name,
            field.metadata.get("alias", field.name),
            hints[field.name],
            field.default is MISSING and field.default_factory is MISSING,
        )
        for field in fields(model)
    )


# What of a value may leave the process.

PublicFields: TypeAlias = Mapping[str, "PublicFields | None"]
"""Fields whose values may leave: None stands for all of a field, a mapping for the
public part of it. In a list it holds for each item; `*` stands for all other names.
"""


def published(fields: Mapping[Any, Any], public: PublicFields | None) -> dict[Any, Any]:
    """The fields as they leave: of what is not public, the name of its type."""
    if public is None:
        return {name: json_value(value) for name, value in fields.items()}
    others = "*" if "*" in public else None
    shown: dict[Any, Any] = {}
    for name, value in fields.items():
        key = name if name in public else others
        if key is None:
            shown[name] = type(value).__name__
        elif (part := public[key]) is None:
            shown[name] = json_value(value)
        else:
            shown[name] = _part(value, part)
    return shown


def _part(value: object, public: PublicFields) -> object:
    if value is None:
        return None
    if isinstance(value, list | tuple | set | frozenset):
        return [_part(item, public) for item in value]
    fields = fields_of(value)
    return type(value).__name__ if fields is None else published(fields, public)


# Errors as text, without secrets.

ERROR_WINDOW: Final = 4_000  # so much of an error is read and masked,
HALF_A_SECRET: Final = 400  # without its end, where a secret may be cut,
MAX_ERROR_TEXT: Final = 2_000  # and so much of that is kept

# Names of secrets, and what follows: name=x, or name: x, "name": "x", ('name', 'x').
_NAME: Final = r"""
    (?: pass(?:word|wd|phrase)[a-z]{0,16}   # db_password, passwordHash
      | (?<![a-z]) (?:pg)?pass              # PGPASS, db_pass; not bypass
      | pwd (?! ["'=:\ ]{1,5} [/~] )        # not PWD=/home/app
      | secrets? | credentials?             # not secretary
      | (?<! unexpected\ ) token            # not max_tokens, tokenizer
      | (?:api|access|account|private|secret|signing)[_.-]?key | session[_.-]?id
    ) (?: [\d_.-] [\w.-]{0,32} )?           # secret_access_key, password2
"""
_EQUALS: Final = r"""[\\"'\])]{0,4} [ \t]* [=:]?=>? [ \t]*"""
_COLON: Final = r"""[\\"'\])]{0,4} [ \t]* (?::(?!:)|(?<=["']),(?=\s?b?["'])) [ \t]*"""
# A value in quotes, maybe cut. Without quotes it ends before `", `, `, x` or `&x=`.
_QUOTED: Final = r"""
    \\{1,2}" [^"]* (?: "|\Z ) | b?" (?: [^"\\] | \\. )* (?: "|\\?\Z )
    | b?' (?: [^'\\] | \\. )* (?: '|\\?\Z )
"""
_GOES_ON: Final = r"""(?! ["'][,}\])] | [,;&](?:[\s"']|[\w.-]{1,40}=) )"""

# Of a match the first part stays, the second is a secret. Each takes linear time: what
# it repeats can match in one way only, or is bounded.
_SECRETS: Final = tuple(
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


def redact_secrets(value: object, also: Iterable[re.Pattern[str]] = ()) -> str:
    """Return the text of an error with `***` for secrets, cut; never raises.

    Args:
        value: The error.
        also: What a contract calls a secret, beside what is one anywhere.
    """
    try:
        full = text_of(value)
        text = full[:ERROR_WINDOW]
        for pattern in _SECRETS:
            text = pattern.sub(r"\1***", text)
        for pattern in also:
            text = pattern.sub("***", text)
        if len(full) > ERROR_WINDOW:
            masked, mask, rest = text.rpartition("***")
            text = masked + mask + rest[:-HALF_A_SECRET] + " [...]"
        return text if len(text) <= MAX_ERROR_TEXT else text[:MAX_ERROR_TEXT] + " [...]"
    except Exception:
        return "<unprintable error>"


def reason_of(error: BaseException, also: Iterable[re.Pattern[str]] = ()) -> str:
    """Return the type of an error and its text, without secrets."""
    name, text = type(error).__name__, redact_secrets(error, also)
    return f"{name}: {text}" if text else name


# Which request is served, and what led to what is done now.

P = ParamSpec("P")
R = TypeVar("R")


class Correlation(NamedTuple):
    """What events that are published now say of where they come from."""

    correlation_id: UUID | None = None
    """Ties together the events of one request."""

    causation_id: UUID | str | None = None
    """The event that led to what is done now."""


NOTHING: Final = Correlation()
CURRENT: Final = ContextVar("herald_correlation", default=NOTHING)


def leave(token: Token[Correlation]) -> None:
    """Goes back to the scope around. Where a scope ends in another task than it began
    in, that task never was in it.
    """
    try:  # noqa: SIM105 - `suppress` takes a tenth of what publishing an event takes
        CURRENT.reset(token)
    except ValueError:
        pass


def current() -> Correlation:
    """The request that is served; of no request it has two None."""
    return CURRENT.get()


class correlation:
    """A scope: `with correlation(request_id): ...`.

    What is left out is that of the scope around it; without one, the correlation is the
    trace of OpenTelemetry's current span, or a new one.
    """

    def __init__(
        self,
        correlation_id: UUID | None = None,
        causation_id: UUID | str | None = None,
    ) -> None:
        self._given = Correlation(correlation_id, causation_id)
        self._tokens: list[Token[Correlation]] = []

    def __enter__(self) -> Correlation:
        around = CURRENT.get()
        given = Correlation(
            self._given.correlation_id or around.correlation_id or new_correlation_id(),
            self._given.causation_id or around.causation_id,
        )
        self._tokens.append(CURRENT.set(given))
        return given

    def __exit__(self, *_: object) -> None:
        leave(self._tokens.pop())


def correlation_from(message: object) -> correlation:
    """The scope of a consumer's message: its request, and itself as the cause.

    Args:
        message: An envelope as mapping, bytes or text, a `ReceivedEvent`, or what a
            consumer of aiokafka or confluent-kafka gives.

    Raises:
        EnvelopeError: It is no envelope.
    """
    envelope = envelope_of(message)
    return correlation(envelope.correlation_id, envelope.event_id)


def in_context(function: Callable[P, R]) -> Callable[P, R]:
    """The function in the scope of now, for executors:
    `executor.submit(in_context(function))`.
    """
    now = CURRENT.get()

    def within(*args: P.args, **kwargs: P.kwargs) -> R:
        token = CURRENT.set(now)
        try:
            return function(*args, **kwargs)
        finally:
            CURRENT.reset(token)

    return within


def new_correlation_id() -> UUID:
    """That of OpenTelemetry's current span, or a new one."""
    trace = trace_id()
    return uuid4() if trace is None else UUID(int=trace)


# Messages of a consumer as typed events.


def parse_message(
    message: object,
    payload_readers: Mapping[str, Callable[[Mapping[str, Any]], Any]],
) -> ReceivedEvent[Any]:
    """The event in a message, with its payload as its type says.

    Args:
        message: An envelope as mapping, bytes or text, or an object that has it as
            `value`, as a consumer of aiokafka or confluent-kafka gives.
        payload_readers: What reads the payload, by event type. That of another type
            stays as it came.

    Raises:
        EnvelopeError: It is no envelope, or the payload is not what its type says.
    """
    event = envelope_of(message)
    read = payload_readers.get(event.event_type)
    if read is None:
        return event
    try:
        payload = read(event.payload)
    except EnvelopeError:
        raise
    except Exception as error:
        raise _unreadable(event.event_type, error) from None
    return replace(event, payload=payload)


def _unreadable(event_type: str, error: Exception) -> EnvelopeError:
    """Without the values, which errors of pydantic print."""
    first: Any = {}
    with suppress(Exception):
        details: Any = error
        first = details.errors()[0]
    path = ".".join(["payload", *(str(part) for part in first.get("loc", ()))])
    reason = first.get("type", type(error).__name__)
    return EnvelopeError(path, f"not what {event_type} says of it ({reason})")


# An event on its way, and what is said about it.


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
        publisher: EventPublisher,
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
    publisher: EventPublisher,
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


# Events that wait for their turn, or that nobody waits for.

Send = Callable[[], Awaitable[None]]


class Courier:
    """Those of one publisher: one at a time, in the order of the calls."""

    def __init__(self) -> None:
        self.failed = 0
        """Events that were taken by a client and got lost."""
        self.loop: asyncio.AbstractEventLoop | None = None
        """The loop on which the publisher was used last."""
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Send, Outgoing | None, Future[None]]] = deque()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether events are on their way."""
        return bool(self._waiting) or self._is_running()

    def take(self, send: Send, event: Outgoing | None) -> Future[None] | None:
        """Takes an event, and says when it is sent; None without a loop to do that."""
        loop = running_loop()
        if loop is not None:
            self.loop = loop
        target = self.loop
        if target is None or target.is_closed():
            return None
        sent: Future[None] = Future()
        self._waiting.append((send, event, sent))
        if target is loop:
            self._go(target)
        else:
            target.call_soon_threadsafe(self._go, target)
        return sent

    async def drain(self) -> None:
        """Waits until all are sent."""
        if self.is_busy and (sent := self.take(_nothing, None)) is not None:
            await asyncio.wrap_future(sent)

    def watch(self, event: Outgoing) -> Callable[[Exception], None]:
        """What to call when the event gets lost on its way. It does not keep the
        payload, of which many may be on their way.
        """
        return partial(self._lost, event.publisher, event.kind, event.correlation_id)

    def _lost(
        self,
        publisher: EventPublisher,
        kind: EventKind,
        correlation_id: UUID | None,
        error: Exception,
    ) -> None:
        self.failed += 1
        log_failure(publisher, kind, about_request(correlation_id), error)

    def _is_running(self) -> bool:
        task = self._task
        return task is not None and not task.get_loop().is_closed()

    def _go(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            if self._waiting and not self._is_running():
                self._task = loop.create_task(self._work())

    async def _work(self) -> None:
        try:
            while True:
                with self._lock:
                    if not self._waiting:
                        self._task = None
                        return
                    send, _, sent = self._waiting.popleft()
                try:
                    await send()
                finally:
                    if sent.set_running_or_notify_cancel():
                        sent.set_result(None)
        except asyncio.CancelledError:
            self._give_up()
            raise

    def _give_up(self) -> None:
        """The loop ends: `EventPublisher.drain` would have waited."""
        with self._lock:
            self._task = None
            left = list(self._waiting)
            self._waiting.clear()
        for _, event, sent in left:
            if event is not None:
                self.watch(event)(LoopEnded("nobody waited with drain()"))
            sent.cancel()


class LoopEnded(Exception):
    """The event loop ended before the event was sent."""


async def _nothing() -> None:
    """Stands behind the others."""


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The loop of this thread, if it runs."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def courier_of(publisher: EventPublisher) -> Courier:
    """A publisher's own. It is made when it is needed, because a node's own base class
    may make its objects.
    """
    attributes = vars(publisher)
    found: Courier | None = attributes.get("_herald_courier")
    if found is not None:
        return found
    made: Courier = attributes.setdefault("_herald_courier", Courier())
    return made


# What generated publishers inherit from.


class OperationMetrics(Protocol):
    """What counts and times operations, such as `herald.metrics.NodeMetrics`."""

    def track(self, operation: str, /) -> AbstractContextManager[object]:
        """A scope that is one run of an operation."""


class EventPublisher:
    """Publishes the events of one node.

    Inherit from a generated publisher beside the node's own base class; neither calls
    the other. Publishing never raises: what goes wrong is logged. Cancellation passes.

    Attributes:
        node_id: The node, as source of its events.
        kafka_client: Events are only logged while it is None or not connected.
        default_namespace: First part of the topics, such as `dev`.
        wait_for_receipts: Whether instrumented operations wait until their events are
            safe. With Herald's clients they do not unless this is set, and the log says
            "Published" of what the client took; other clients are always awaited where
            that is possible.
        node_metrics: Counts and times instrumented operations.
        redactions: What the contract calls a secret, beside what is one anywhere.
    """

    node_id: UUID | str
    kafka_client: KafkaClient | None
    default_namespace: str
    wait_for_receipts: bool = False
    node_metrics: OperationMetrics | None = None
    redactions: ClassVar[tuple[re.Pattern[str], ...]] = ()

    @property
    def failed_events(self) -> int:
        """Events of instrumented operations that were on their way and got lost; the
        log says which.
        """
        return courier_of(self).failed

    async def drain(self) -> None:
        """Waits for events of synchronous operations that are on their way through a
        client for asyncio other than Herald's.
        """
        await courier_of(self).drain()


# The ways to a client for Kafka. Nothing here raises but cancellation.

Make = Callable[[], Outgoing]


async def publish_event(
    publisher: EventPublisher, kind: EventKind, about: Mapping[str, Any], make: Make
) -> None:
    """Publishes an event, and waits for what the client says."""
    try:
        event = make()
        client = publisher.kafka_client
        if client and client.is_connected:
            await deliver(client, event)
        else:
            event.is_only_logged()
    except Exception as error:
        log_failure(publisher, kind, about, error)


async def deliver(client: KafkaClient, event: Outgoing) -> None:
    """The same for an event that is made."""
    try:
        await _outcome(call(client, event), event)
    except Exception as error:
        event.has_failed(error)


def hand_over(
    event: Outgoing, *, may_wait: bool, in_turn: bool = False
) -> Awaitable[None] | None:
    """Gives an event to the client, and waits for nothing.

    Args:
        event: It.
        may_wait: Whether the caller waits for what comes back, if that is not None:
            until Herald's client has room, or for what another client says.
        in_turn: Whether its place is behind all that was handed over before, from
            whatever task or thread.
    """
    try:
        publisher = event.publisher
        client = publisher.kafka_client
        of_type: Any = type(client)
        if is_heralds(of_type) and not (may_wait and publisher.wait_for_receipts):
            heralds = cast(HeraldClient, client)
            if _is_enqueued(heralds, event):
                return None
            return _behind(heralds, event, may_wait, in_turn)
        if not (client and client.is_connected):
            event.is_only_logged()
        elif may_wait:
            return _behind(client, event, may_wait, in_turn)
        else:
            _send_aside(client, event)
    except Exception as error:
        event.has_failed(error)
    return None


def _is_enqueued(client: HeraldClient, event: Outgoing) -> bool:
    """Herald's clients take an event at once where there is room and nobody waits."""
    courier = courier_of(event.publisher)
    try:
        if courier.is_busy or not client.try_enqueue(event, courier.watch(event)):
            return False
    except Exception:
        # Asking before would take a part of the time that it takes to publish.
        if client.is_connected:
            raise
        event.is_only_logged()
    else:
        event.was_taken()
    return True


def _behind(
    client: KafkaClient, event: Outgoing, may_wait: bool, in_turn: bool
) -> Awaitable[None] | None:
    """What can't go at once waits: in its own task, unless others wait already."""
    courier = courier_of(event.publisher)
    send = partial(deliver, client, event)
    if may_wait and not in_turn and not courier.is_busy:
        courier.loop = asyncio.get_running_loop()
        return send()
    loop = running_loop()
    if loop is None and is_heralds(type(client)):
        _wait_for_room(cast(HeraldClient, client), event)
        return None
    sent = courier.take(send, event)
    if sent is None:
        event.has_failed(NoLoop("its client needs an event loop, and none is known"))
        return None
    return asyncio.wrap_future(sent) if may_wait else None


def _wait_for_room(client: HeraldClient, event: Outgoing) -> None:
    """In a thread without a loop."""
    lost = courier_of(event.publisher).watch(event)
    if client.try_enqueue(event, lost, wait_for_room=True):
        event.was_taken()
    else:
        event.was_refused()


def _send_aside(client: KafkaClient, event: Outgoing) -> None:
    """From where nothing can be awaited, an event goes at once through a client that
    needs no loop, and through others when the loop gets to it.
    """
    send: Send = partial(deliver, client, event)
    outcome: object = None
    if not iscoroutinefunction(client.publish_with_envelope):
        outcome = call(client, event)
        if not isawaitable(outcome):
            event.was_taken() if outcome else event.was_refused()
            return
        send = partial(_outcome_or_failure, outcome, event)
    if courier_of(event.publisher).take(send, event) is None:
        if iscoroutine(outcome):
            outcome.close()
        event.has_failed(NoLoop("its client needs an event loop, and none is known"))


class NoLoop(Exception):
    """A synchronous operation has a client for asyncio, and no event loop."""


async def _outcome(outcome: object, event: Outgoing) -> None:
    if isawaitable(outcome):
        outcome = await outcome
    event.was_taken() if outcome else event.was_refused()


async def _outcome_or_failure(outcome: object, event: Outgoing) -> None:
    try:
        await _outcome(outcome, event)
    except Exception as error:
        event.has_failed(error)


def call(client: KafkaClient, event: Outgoing) -> object:
    """What `publish_with_envelope` can't say needs an event of Herald's own."""
    said = event.event_id, event.causation_id, event.partition_key
    if said == (None, None, None) or not is_heralds(type(client)):
        return client.publish_with_envelope(**event.keywords())
    of_herald = sys.modules["herald.events"].Event
    return cast(HeraldClient, client).publish(
        of_herald(
            event.event_type,
            event.source_node_id,
            event.payload,
            event.topic,
            event.correlation_id,
            event.metadata,
            partition_key=event.partition_key,
            causation_id=event.causation_id,
            event_id=event.event_id,
        )
    )


# Events that a contract declares itself.


class DeclaredEvent:
    """An event that the contract declares.

    Args:
        event_type: Its event type.
        topic: Where it goes; `{namespace}` is the publisher's.
        node_type: Kind of the node, if it has one.
        service_name: The node's service.
        public: Fields of the payload whose values are published, of all others the
            name of their type is; None where all are.
        partition_key: The field whose value is the key, if it is public.
        fields: They are added to the metadata of the payload.
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
        publisher: EventPublisher,
        correlation_id: UUID,
        payload: object,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Publishes one, and waits for the receipt. Raises nothing."""
        await publish_event(
            publisher,
            self._kind,
            about_request(correlation_id),
            lambda: self._event(publisher, correlation_id, payload, metadata),
        )

    def _event(
        self,
        publisher: EventPublisher,
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


# Measured values.


class MetricEvent:
    """The event that announces a measured value.

    Args:
        event_type: Its event type.
        topic: Where it goes; `{namespace}` is the publisher's.
        node_type: Kind of the node.
        service_name: The node's service.
    """

    def __init__(
        self, event_type: str, topic: str, *, node_type: str, service_name: str
    ) -> None:
        self._node_type = node_type
        metadata = {
            "node_type": node_type,
            "service_name": service_name,
            "event_category": "metric",
        }
        self._kind = EventKind(
            event_type, topic, "metric recorded", LogLevel.DEBUG, metadata
        )

    async def publish(
        self,
        publisher: EventPublisher,
        metric_name: str,
        metric_value: float,
        metric_unit: str,
        correlation_id: UUID | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Publishes one, and waits for the receipt. Raises nothing."""

        if correlation_id is None:
            correlation_id = CURRENT.get().correlation_id

        def event() -> Outgoing:
            payload: dict[str, Any] = {
                "node_id": str(publisher.node_id),
                "node_type": self._node_type,
                "recorded_at": now(),
                "metric_name": metric_name,
                "metric_value": metric_value,
                "metric_unit": metric_unit,
            }
            if correlation_id is not None:
                payload["correlation_id"] = str(correlation_id)
            named = {"metric_name": metric_name, "metric_unit": metric_unit}
            made = Outgoing(
                publisher,
                self._kind,
                correlation_id,
                payload,
                {**self._kind.metadata, **named},
                metadata,
            )
            metric = f"{metric_name}={metric_value}{metric_unit}"
            made.about = about
            made.summary = f": {metric}"
            made.said = {"metric": metric}
            return made

        about = {"metric_name": metric_name}
        await publish_event(publisher, self._kind, about, event)


# One run of an operation.


class Run:
    """One run of an operation, as a scope: it fails with the exception that leaves it.

    Attributes:
        correlation_id: Ties together the events of the request.
        result: What is announced as its result: a mapping, a model or a dataclass;
            anything else is called `result`.
    """

    __slots__ = (
        "_began",
        "_input",
        "_inside",
        "_measured",
        "_metadata",
        "_operation",
        "_publisher",
        "_request",
        "_started",
        "_token",
        "correlation_id",
        "result",
    )

    def __init__(
        self,
        operation: Operation,
        publisher: EventPublisher,
        input: Mapping[str, Any],
        correlation_id: UUID | None = None,
        causation_id: UUID | str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        around = CURRENT.get()
        self._operation = operation
        self._publisher = publisher
        self._input = input
        self._metadata = metadata
        self.correlation_id: UUID = (
            correlation_id or around.correlation_id or new_correlation_id()
        )
        self._inside = Correlation(
            self.correlation_id, causation_id or around.causation_id
        )
        self._started: Outgoing | None = None
        self._token: Token[Correlation] | None = None
        self._request: str | None = None
        self._began = 0.0
        self._measured: AbstractContextManager[object] | None = None
        self.result: object = None

    def __enter__(self) -> Self:
        self.start(may_wait=False)
        self.enter()
        return self

    def __exit__(
        self,
        of_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.finish(error, may_wait=False)
        self.leave()

    async def __aenter__(self) -> Self:
        await self.start_async()
        self.enter()
        return self

    async def __aexit__(
        self,
        of_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self.finish_async(error)
        finally:
            self.leave()

    async def start_async(self) -> None:
        """Announces the start, and waits where the client has to be waited for."""
        if (waiting := self.start(may_wait=True)) is not None:
            await self.wait_for_start(waiting)

    async def wait_for_start(self, waiting: Awaitable[None]) -> None:
        """Who is cancelled meanwhile has failed."""
        try:
            await waiting
        except BaseException as cancelled:
            self.finish(cancelled, may_wait=False)
            raise

    async def finish_async(self, error: BaseException | None) -> None:
        """The same for the end."""
        if (waiting := self.finish(error, may_wait=True)) is not None:
            await waiting

    @contextmanager
    def scope(self) -> Iterator[None]:
        """What is published in it is of this run."""
        self.enter()
        try:
            yield
        finally:
            self.leave()

    def start(self, *, may_wait: bool) -> Awaitable[None] | None:
        """Announces the start. What comes back is to be awaited, before `enter`."""
        operation = self._operation
        if (metrics := getattr(self._publisher, "node_metrics", None)) is not None:
            with suppress(Exception):
                self._measured = metrics.track(operation.name)
                self._measured.__enter__()
        self._began = perf_counter()
        if operation.announces != "all" or not self._is_sampled():
            return None
        try:
            event = operation.start(
                self._publisher,
                self.correlation_id,
                self._text(),
                self._input,
                self._metadata,
            )
        except Exception as error:
            self._log(operation.started_kind, error)
            return None
        event.causation_id = self._inside.causation_id
        event.event_id = _new_event_id()
        self._started = event
        return hand_over(event, may_wait=may_wait)

    def enter(self) -> None:
        """What is published from now on is of this run, until `leave`."""
        if self._started is not None:
            if self._started.is_taken:
                self._inside = Correlation(self.correlation_id, self._started.event_id)
            self._started = None
        self._token = CURRENT.set(self._inside)

    def leave(self) -> None:
        """What is published from now on is of the scope around it again."""
        if self._token is not None:
            leave(self._token)
            self._token = None

    def finish(
        self, error: BaseException | None, *, may_wait: bool
    ) -> Awaitable[None] | None:
        """Announces the end. What comes back is to be awaited."""
        operation = self._operation
        milliseconds = round((perf_counter() - self._began) * 1e3, 3)
        if self._measured is not None:
            with suppress(Exception):
                self._measured.__exit__(type(error) if error else None, error, None)
            self._measured = None
        kind = operation.completed_kind if error is None else operation.failed_kind
        try:
            if error is not None:
                event = operation.failure(
                    self._publisher,
                    self.correlation_id,
                    self._text(),
                    error,
                    milliseconds,
                    self._metadata,
                )
            elif operation.announces != "failures":
                event = operation.completion(
                    self._publisher,
                    self.correlation_id,
                    self._text(),
                    _result(self.result),
                    milliseconds,
                    self._metadata,
                )
            else:
                return None
        except Exception as problem:
            self._log(kind, problem)
            return None
        event.causation_id = self._inside.causation_id
        # Who is cancelled, or ends a program, is not kept waiting.
        may_wait = may_wait and (error is None or isinstance(error, Exception))
        return hand_over(event, may_wait=may_wait)

    def _is_sampled(self) -> bool:
        share = self._operation.sample_started
        if share >= 1.0:
            return True
        return crc32(self._text().encode()) < share * 2**32

    def _text(self) -> str:
        """The correlation id, written once."""
        text = self._request
        if text is None:
            text = self._request = str(self.correlation_id)
        return text

    def _log(self, kind: EventKind, error: Exception) -> None:
        log_failure(self._publisher, kind, about_request(self.correlation_id), error)


def _new_event_id() -> str:
    """A UUID of version 4, as text: making an object of it takes longer."""
    digits = urandom(16).hex()
    return (
        f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
    )


def _result(result: object) -> Mapping[str, Any]:
    if result is None:
        return {}
    fields = fields_of(result)
    return {"result": result} if fields is None else fields


# States of a node, and the event that announces their change.

S = TypeVar("S", bound=StrEnum)


class StateEvent:
    """The event that announces a change of state.

    Args:
        event_type: Its event type.
        topic: Where it goes; `{namespace}` is the publisher's.
        node_type: Kind of the node.
        service_name: The node's service.
    """

    def __init__(
        self, event_type: str, topic: str, *, node_type: str, service_name: str
    ) -> None:
        self._node_type = node_type
        metadata = {
            "node_type": node_type,
            "service_name": service_name,
            "event_category": "state_transition",
        }
        self.kind = EventKind(
            event_type, topic, "state changed", LogLevel.INFO, metadata
        )

    async def publish(
        self,
        publisher: EventPublisher,
        correlation_id: UUID,
        old_state: str,
        new_state: str,
        transition_reason: str,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Publishes one, and waits for the receipt. Raises nothing."""
        await publish_event(
            publisher,
            self.kind,
            about_request(correlation_id),
            lambda: self.event(
                publisher,
                correlation_id,
                old_state,
                new_state,
                transition_reason,
                metadata,
            ),
        )

    def event(
        self,
        publisher: EventPublisher,
        correlation_id: UUID,
        old_state: str,
        new_state: str,
        transition_reason: str,
        metadata: Mapping[str, Any] | None = None,
    ) -> Outgoing:
        """One that is to be published."""
        made = Outgoing(
            publisher,
            self.kind,
            correlation_id,
            {
                "node_id": str(publisher.node_id),
                "node_type": self._node_type,
                "correlation_id": str(correlation_id),
                "changed_at": now(),
                "old_state": old_state,
                "new_state": new_state,
                "transition_reason": transition_reason,
            },
            {**self.kind.metadata, "old_state": old_state, "new_state": new_state},
            metadata,
        )
        transition = f"{old_state} → {new_state}"
        made.summary = f": {transition}"
        made.said = {"transition": transition}
        return made


class States(Generic[S]):
    """The states of a node, as its contract says them. Each publisher has a machine.

    Args:
        event: The event that announces a change.
        states: All of them.
        initial: Where a node begins.
        transitions: For each state, those that may follow.
        terminal: Those that nothing follows.
    """

    def __init__(
        self,
        event: StateEvent,
        states: type[S],
        *,
        initial: S,
        transitions: Mapping[S, frozenset[S]],
        terminal: frozenset[S] = frozenset(),
    ) -> None:
        self.event = event
        self.states = states
        self.initial = initial
        self.transitions = dict(transitions)
        self.terminal = terminal

    def following(self, state: S) -> frozenset[S]:
        """The states that may follow one."""
        if state in self.terminal:
            return frozenset()
        return self.transitions.get(state, frozenset())

    def of(self, publisher: EventPublisher) -> StateMachine[S]:
        """The machine of a publisher."""
        attributes = vars(publisher)
        found: StateMachine[S] | None = attributes.get("_herald_states")
        if found is not None:
            return found
        made: StateMachine[S] = attributes.setdefault(
            "_herald_states", StateMachine(self, publisher)
        )
        return made


class TransitionError(ValueError):
    """A change of state that the contract does not allow.

    Attributes:
        old_state: The state that the node stays in.
        new_state: The one that was asked for.
        allowed: Those that may follow.
    """

    def __init__(self, old_state: str, new_state: str, allowed: frozenset[str]) -> None:
        others = ", ".join(sorted(allowed)) or "none, it is an end"
        super().__init__(
            f"{old_state} can't become {new_state}; it can become: {others}"
        )
        self.old_state = old_state
        self.new_state = new_state
        self.allowed = allowed


class StateMachine(Generic[S]):
    """The state of one node, for tasks and threads: events go out in the order of the
    changes.
    """

    def __init__(self, states: States[S], publisher: EventPublisher) -> None:
        self._states = states
        self._publisher = publisher
        self._state = states.initial
        self._lock = threading.Lock()

    @property
    def state(self) -> S:
        """The state of now."""
        return self._state

    @property
    def allowed(self) -> frozenset[S]:
        """The states that may follow."""
        return self._states.following(self._state)

    @property
    def is_over(self) -> bool:
        """Whether nothing follows."""
        return self._state in self._states.terminal

    async def transition(
        self,
        to: S,
        reason: str,
        correlation_id: UUID | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Changes the state and announces that.

        Args:
            to: The new state.
            reason: Why it changes.
            correlation_id: Unless given, that of the scope, or a new one.
            metadata: More facts, published as they are.

        Raises:
            TransitionError: The contract does not allow it; nothing is changed.
        """
        sent = self._change(to, reason, correlation_id, metadata, may_wait=True)
        if sent is not None:
            await sent

    def transition_sync(
        self,
        to: S,
        reason: str,
        correlation_id: UUID | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """The same from where nothing can be awaited."""
        self._change(to, reason, correlation_id, metadata, may_wait=False)

    def _change(
        self,
        to: S,
        reason: str,
        correlation_id: UUID | None,
        metadata: Mapping[str, Any] | None,
        *,
        may_wait: bool,
    ) -> Awaitable[None] | None:
        to = self._states.states(to)
        request = correlation_id or CURRENT.get().correlation_id or new_correlation_id()
        # A loop never waits below the lock; a thread without one may, for room.
        with self._lock:
            old, allowed = self._state, self.allowed
            if to not in allowed:
                raise TransitionError(old, to, frozenset(map(str, allowed)))
            self._state = to
            try:
                event = self._states.event.event(
                    self._publisher, request, old, to, reason, metadata
                )
            except Exception as error:
                about = about_request(request)
                log_failure(self._publisher, self._states.event.kind, about, error)
                return None
            return hand_over(event, may_wait=may_wait, in_turn=True)


# Operations as decorators of functions.

F = TypeVar("F", bound=Callable[..., Any])


def instrumented(
    operation: Operation,
    function: F,
    publisher: EventPublisher | Callable[[], EventPublisher] | None,
) -> F:
    """The function as that operation; None stands for its first argument."""
    begin = _beginning(operation, function, publisher)
    wrapped: Any
    if inspect.isasyncgenfunction(function):
        wrapped = _async_generator(function, begin)
    elif inspect.iscoroutinefunction(function):
        wrapped = _coroutine(function, begin)
    elif inspect.isgeneratorfunction(function):
        wrapped = _generator(function, begin)
    else:
        wrapped = _function(function, begin)
    return cast(F, wraps(function)(wrapped))


Begin = Callable[[tuple[Any, ...], dict[str, Any]], Run]


def _beginning(
    operation: Operation,
    function: Callable[..., Any],
    publisher: EventPublisher | Callable[[], EventPublisher] | None,
) -> Begin:
    """Makes the run of a call; an argument `correlation_id` is that of the request."""
    binding = Binding(function, is_method=publisher is None)
    of_call = _giver(publisher)
    names_request = "correlation_id" in inspect.signature(function).parameters

    def begin(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Run:
        owner: EventPublisher = args[0] if of_call is None else of_call()
        fields = binding.fields(args, kwargs)
        request = fields.get("correlation_id") if names_request else None
        given = request if isinstance(request, UUID) else None
        return Run(operation, owner, fields, given)

    return begin


def _giver(
    publisher: EventPublisher | Callable[[], EventPublisher] | None,
) -> Callable[[], EventPublisher] | None:
    """A node may be callable itself, so it is known by its attributes."""
    if callable(publisher) and not hasattr(type(publisher), "failed_events"):
        return publisher
    if publisher is None:
        return None
    fixed = cast("EventPublisher", publisher)
    return lambda: fixed


def _coroutine(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        # As `async with`, without two coroutines that mostly wait for nothing.
        run = begin(args, kwargs)
        if (waiting := run.start(may_wait=True)) is not None:
            await run.wait_for_start(waiting)
        run.enter()
        try:
            run.result = result = await function(*args, **kwargs)
            waiting = run.finish(None, may_wait=True)
        except BaseException as error:
            waiting = run.finish(error, may_wait=True)
            if waiting is not None:
                await waiting
            raise
        finally:
            run.leave()
        if waiting is not None:
            await waiting
        return result

    return wrapper


def _function(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with begin(args, kwargs) as run:
            run.result = result = function(*args, **kwargs)
            return result

    return wrapper


def _generator(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        run = begin(args, kwargs)
        run.start(may_wait=False)
        # Its code is of the run, and that of its caller, in between, is not.
        with run.scope():
            try:
                steps = function(*args, **kwargs)
            except BaseException as error:
                run.finish(error, may_wait=False)
                raise
        resume, argument = steps.send, None
        while True:
            with run.scope():
                try:
                    item = resume(argument)
                except StopIteration as stop:
                    run.result = stop.value
                    run.finish(None, may_wait=False)
                    return stop.value
                except BaseException as error:
                    run.finish(error, may_wait=False)
                    raise
            try:
                argument = yield item
                resume = steps.send
            except BaseException as thrown:
                argument, resume = thrown, steps.throw

    return wrapper


def _async_generator(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        run = begin(args, kwargs)
        await run.start_async()
        try:
            steps = function(*args, **kwargs)
        except BaseException as error:
            await run.finish_async(error)
            raise
        resume, argument = steps.asend, None
        while True:
            with run.scope():
                try:
                    item = await resume(argument)
                except StopAsyncIteration:
                    await run.finish_async(None)
                    return
                except BaseException as error:
                    await run.finish_async(error)
                    raise
            try:
                argument = yield item
                resume = steps.asend
            except BaseException as thrown:
                argument, resume = thrown, steps.athrow

    return wrapper


# Operations, and the events that they announce.

Published = Literal["all", "outcomes", "failures"]


class Operation:
    """An operation of a node. It announces that it started, completed or failed.

    It decorates methods of the node's class, `@instrument_place`, and other functions,
    `@instrument_place.on(publisher)`: coroutine functions, functions, generators and
    asynchronous generators. The arguments are the input; one alone that is a mapping, a
    model or a dataclass is its fields. What is not a function is a scope: `with` or
    `async with instrument_place.run(publisher, input) as run: run.result = ...`.

    Args:
        name: Its name in the contract.
        node_type: Kind of the node.
        service_name: The node's service.
        topics: Of started, completed, failed; `{namespace}` is the publisher's.
        events: Their event types.
        public_input: Fields of the input whose values are published; of all others
            the name of their type is.
        public_result: The same for the result.
        publish: What instrumented operations announce: "all", or no start ("outcomes"),
            or "failures" only.
        sample_started: Share of the requests whose start is announced. Which they are
            depends on the correlation id, so it is all or nothing for a request.
        fields: They are added to the metadata of each payload.
    """

    def __init__(
        self,
        name: str,
        *,
        node_type: str,
        service_name: str,
        topics: tuple[str, str, str],
        events: tuple[str, str, str],
        public_input: PublicFields | None,
        public_result: PublicFields | None,
        publish: Published = "all",
        sample_started: float = 1.0,
        fields: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.announces = publish
        self.sample_started = sample_started
        self._public_input = public_input
        self._public_result = public_result
        self._fields = dict(fields or {})
        self.started_kind, self.completed_kind, self.failed_kind = (
            EventKind(
                event,
                topic,
                f"{name} {stage}",
                level,
                {
                    "node_type": node_type,
                    "service_name": service_name,
                    "operation": name,
                    "lifecycle_stage": stage,
                },
            )
            for event, topic, (stage, level) in zip(
                events, topics, _STAGES, strict=True
            )
        )

    def __call__(self, function: F) -> F:
        """Decorates a method: its first argument is the publisher."""
        return instrumented(self, function, None)

    def on(
        self, publisher: EventPublisher | Callable[[], EventPublisher]
    ) -> Callable[[F], F]:
        """Decorates a function: its events are those of the publisher.

        Args:
            publisher: It, or what gives it when the function is called.
        """
        return lambda function: instrumented(self, function, publisher)

    def run(
        self,
        publisher: EventPublisher,
        input: object = None,
        correlation_id: UUID | None = None,
        causation_id: UUID | str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Run:
        """A scope that is the operation; give its result as `run.result`.

        Args:
            publisher: Whose events they are.
            input: A mapping, a model or a dataclass; anything else is called `input`.
            correlation_id: Unless given that of the scope around it, or a new one.
            causation_id: The event that led to it, unless the scope around it says so.
            metadata: More facts, published as they are with each of its events.
        """
        data: Mapping[str, Any] = {}
        if input is not None:
            data = {"input": input}
            with suppress(Exception):  # what its attributes may raise
                fields = fields_of(input)
                data = data if fields is None else fields
        return Run(self, publisher, data, correlation_id, causation_id, metadata)

    async def started(
        self,
        publisher: EventPublisher,
        correlation_id: UUID,
        input_data: object,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Announces that it started, and waits for the receipt. Raises nothing."""
        await publish_event(
            publisher,
            self.started_kind,
            about_request(correlation_id),
            lambda: self.start(
                publisher, correlation_id, str(correlation_id), input_data, metadata
            ),
        )

    async def completed(
        self,
        publisher: EventPublisher,
        correlation_id: UUID,
        result_data: object,
        execution_time_ms: float,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """The same for its end."""
        await publish_event(
            publisher,
            self.completed_kind,
            about_request(correlation_id),
            lambda: self.completion(
                publisher,
                correlation_id,
                str(correlation_id),
                result_data,
                execution_time_ms,
                metadata,
            ),
        )

    async def failed(
        self,
        publisher: EventPublisher,
        correlation_id: UUID,
        error: BaseException,
        execution_time_ms: float,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """The same for its failure."""
        await publish_event(
            publisher,
            self.failed_kind,
            about_request(correlation_id),
            lambda: self.failure(
                publisher,
                correlation_id,
                str(correlation_id),
                error,
                execution_time_ms,
                metadata,
            ),
        )

    def start(
        self,
        publisher: EventPublisher,
        correlation_id: UUID,
        request: str,
        input_data: object,
        metadata: Mapping[str, Any] | None,
    ) -> Outgoing:
        """The event of its start; `request` is the text of the correlation id."""
        return self._event(
            publisher,
            self.started_kind,
            correlation_id,
            {
                "operation": self.name,
                "correlation_id": request,
                "node_id": str(publisher.node_id),
                "started_at": now(),
                "input_summary": published(_fields(input_data), self._public_input),
            },
            {},
            metadata,
        )

    def completion(
        self,
        publisher: EventPublisher,
        correlation_id: UUID,
        request: str,
        result_data: object,
        execution_time_ms: float,
        metadata: Mapping[str, Any] | None,
    ) -> Outgoing:
        """The event of its end."""
        event = self._event(
            publisher,
            self.completed_kind,
            correlation_id,
            {
                "operation": self.name,
                "correlation_id": request,
                "node_id": str(publisher.node_id),
                "completed_at": now(),
                "execution_time_ms": execution_time_ms,
                "result_summary": published(_fields(result_data), self._public_result),
                "success": True,
            },
            {"execution_time_ms": execution_time_ms},
            metadata,
        )
        event.said = {"execution_time_ms": execution_time_ms}
        return event

    def failure(
        self,
        publisher: EventPublisher,
        correlation_id: UUID,
        request: str,
        error: BaseException,
        execution_time_ms: float,
        metadata: Mapping[str, Any] | None,
    ) -> Outgoing:
        """The event of its failure."""
        error_type = type(error).__name__
        error_message = redact_secrets(error, publisher.redactions)
        event = self._event(
            publisher,
            self.failed_kind,
            correlation_id,
            {
                "operation": self.name,
                "correlation_id": request,
                "node_id": str(publisher.node_id),
                "failed_at": now(),
                "execution_time_ms": execution_time_ms,
                "error_type": error_type,
                "error_message": error_message,
                "success": False,
            },
            {"error_type": error_type, "execution_time_ms": execution_time_ms},
            metadata,
        )
        event.said = {"error": error_message}
        return event

    def _event(
        self,
        publisher: EventPublisher,
        kind: EventKind,
        correlation_id: UUID,
        payload: dict[str, Any],
        metadata: dict[str, Any],
        more: Mapping[str, Any] | None,
    ) -> Outgoing:
        if self._fields:
            more = {**self._fields, **(more or {})}
        metadata = {**kind.metadata, **metadata}
        return Outgoing(publisher, kind, correlation_id, payload, metadata, more)


_STAGES = (
    ("started", LogLevel.DEBUG),
    ("completed", LogLevel.INFO),
    ("failed", LogLevel.ERROR),
)


def _fields(data: object) -> Mapping[str, Any]:
    fields = fields_of(data)
    if fields is None:
        found = type(data).__name__
        raise TypeError(f"expected a mapping, a model or a dataclass, not {found}")
    return fields
