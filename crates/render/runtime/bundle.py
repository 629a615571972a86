from __future__ import annotations

import asyncio
import inspect
import json
import logging
import re
import sys
import threading
from asyncio import CancelledError
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
    Iterable,
    Iterator,
    Mapping,
)
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, suppress
from contextvars import ContextVar, Token
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from dataclasses import fields as dataclass_fields
from datetime import UTC, date, datetime, time, timedelta
from datetime import time as time_of_day
from decimal import Decimal, InvalidOperation
from enum import Enum, IntEnum, StrEnum
from functools import cache, cached_property, lru_cache, partial, wraps
from inspect import isawaitable, iscoroutine, iscoroutinefunction, signature
from math import isfinite
from os import urandom
from string import ascii_letters, digits
from time import perf_counter, time_ns
from types import NoneType, TracebackType, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Concatenate,
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
    overload,
)
from urllib.parse import quote, quote_plus
from uuid import UUID, uuid4
from zlib import crc32

if TYPE_CHECKING:
    from herald import Receipt  # type: ignore[import-not-found, unused-ignore]


# Fields of mappings, models and dataclasses.

Names = tuple[tuple[str, str], ...]


def fields_of(value: object) -> Mapping[str, Any] | None:
    """Returns the fields by their JSON names; None for other values.

    The JSON name is the alias of a pydantic field, or `alias` in the metadata of a
    dataclass field.
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
    """Returns the attributes of a class with their JSON names."""
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
    """Whether a class is a pydantic model."""
    return hasattr(of_type, "model_fields") and hasattr(of_type, "model_dump")


def has_aliases(model: Any) -> bool:
    """Whether a model is serialized by alias, which is the default."""
    return model.model_config.get("serialize_by_alias") is not False


# Scope of one call: base of instrumented and measured runs.


class CallScope:
    """Scope of one call, which may be awaited at its start and its end.

    `start` and `finish` are called once, `enter` and `leave` around each part of the
    call's code: a generator leaves the scope while its caller runs. Subclasses override
    these four; here they do nothing.

    Attributes:
        result: Result of the call, set before `finish`.
    """

    __slots__ = ("result",)

    def __init__(self) -> None:
        self.result: object = None

    def start(self, *, may_wait: bool) -> Awaitable[None] | None:
        """Starts the call. The caller awaits the returned value, if any, before
        `enter`.
        """
        return None

    def finish(
        self, error: BaseException | None, *, may_wait: bool
    ) -> Awaitable[None] | None:
        """Finishes the call. The caller awaits the returned value, if any."""
        return None

    def enter(self) -> None:
        """Enters the scope."""

    def leave(self) -> None:
        """Leaves the scope."""

    async def start_async(self) -> None:
        """Starts the call, and awaits what `start` returns."""
        if (waiting := self.start(may_wait=True)) is not None:
            await self.await_start(waiting)

    async def await_start(self, waiting: Awaitable[None]) -> None:
        """Awaits what `start` returned. A cancellation meanwhile fails the call."""
        try:
            await waiting
        except BaseException as cancelled:
            self.finish(cancelled, may_wait=False)
            raise

    async def finish_async(self, error: BaseException | None) -> None:
        """Finishes the call, and awaits what `finish` returns."""
        if (waiting := self.finish(error, may_wait=True)) is not None:
            await waiting

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Enters the scope for a `with` block."""
        self.enter()
        try:
            yield
        finally:
            self.leave()

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


# Kafka client protocol of publishers.


class EventClient(Protocol):
    """Protocol of the clients of publishers, such as `herald.KafkaClient`."""

    @property
    def is_connected(self) -> bool:
        """Whether the client accepts events."""
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
        """Wrap a payload in an envelope and publish it. Falsy if it was not accepted.

        It may be a coroutine.
        """


class HeraldClient(EventClient, Protocol):
    """Protocol of Herald's own clients."""

    def publish(self, event: Any) -> object:
        """Publish an event with all its fields."""

    def try_enqueue(
        self,
        event: Any,
        on_error: Callable[[Exception], object] | None = None,
        *,
        block: bool = False,
    ) -> bool:
        """Enqueue an event unless the in-flight limit is reached; errors are reported
        later.
        """
        ...


@lru_cache(maxsize=256)
def is_herald_client(client_type: type) -> bool:
    """Whether the client is one of Herald's and does not override
    `publish_with_envelope`, so that events may bypass that method.
    """
    if not hasattr(client_type, "try_enqueue"):
        return False
    method = getattr(client_type, "publish_with_envelope", None)
    module = str(getattr(method, "__module__", ""))
    return module.partition(".")[0] == "herald"


# Current time as text.

_second: tuple[int, str] = (0, "")


def now() -> str:
    """Returns `datetime.now(UTC).isoformat(timespec="microseconds")`, in half the time:
    the text of a second is formatted once.
    """
    global _second
    seconds, nanoseconds = divmod(time_ns(), 1_000_000_000)
    known, text = _second
    if known != seconds:
        moment = datetime.fromtimestamp(seconds, UTC)
        text = moment.strftime("%Y-%m-%dT%H:%M:%S")
        _second = (seconds, text)
    return f"{text}.{nanoseconds // 1_000:06d}+00:00"


# Type variables.

T = TypeVar("T")
M = TypeVar("M")
M_contra = TypeVar("M_contra", contravariant=True)
P = ParamSpec("P")
InputT = TypeVar("InputT")
ResultT = TypeVar("ResultT")
SelfT = TypeVar("SelfT")


# Current trace id, if OpenTelemetry is installed.


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
"""Returns the 128-bit trace id of OpenTelemetry's current span."""


# Exceptions of publishing.


class HeraldError(Exception):
    """Base class of Herald's exceptions."""


class PayloadError(HeraldError, ValueError):
    """A payload that does not match its contract, or can't be written as JSON. The
    message names the path and the rule or the types, never a value.
    """


class PublishError(HeraldError):
    """An event got no receipt: it is not safe, unless `dead_letter` is its receipt."""

    code: str
    """Stable error code, such as `deadline` or `closed`."""

    is_retriable: bool
    """Whether publishing the event again later may succeed."""

    dead_letter: Receipt | None
    """Receipt of the dead letter of an event that the cluster rejects permanently."""

    def __init__(
        self,
        message: str,
        code: str,
        is_retriable: bool = False,
        dead_letter: Receipt | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.is_retriable = is_retriable
        self.dead_letter = dead_letter

    def __reduce__(self) -> tuple[Any, ...]:
        parts = (str(self), self.code, self.is_retriable, self.dead_letter)
        return (type(self), parts)


# Log of publishers: `omnibase_core` if installed, else the logger `herald.events`.


class LogLevel(StrEnum):
    """Log levels, a subset of those of omnibase_core."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


Emit = Callable[[LogLevel, str, dict[str, Any]], object]

_LOGGER: Final = logging.getLogger("herald.events")
_LEVELS: Final = {level: getattr(logging, level.name) for level in LogLevel}


def _of_omnibase() -> Emit | None:
    """Returns the log function of omnibase_core if it is installed."""
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
    """Whether a level is enabled; omnibase_core decides for itself."""
    return _OMNIBASE is not None or _LOGGER.isEnabledFor(_LEVELS[level])


def emit_log_event(level: LogLevel, message: str, context: dict[str, Any]) -> None:
    """Log one line; exceptions of the log are suppressed. Control and invisible
    characters are escaped: texts of errors may contain line breaks and terminal escape
    sequences of somebody else.
    """
    with suppress(Exception):
        shown = {
            name: printable(value) if isinstance(value, str) else value
            for name, value in context.items()
        }
        _EMIT(level, printable(message), shown)


def printable(text: str) -> str:
    """Return the text with control and invisible characters escaped, as `repr` does."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in text
    )


# Source of events: the node of a generated module.


class Topics(Protocol):
    """Topics by the names of event types, such as an enumeration of topics."""

    def __getitem__(self, name: str, /) -> str:
        """Returns the topic of an event type."""


class EventSource:
    """Node that publishes events, as its contract describes it.

    Args:
        service_name: The node's service.
        topics: Topics by the names of event types; `{namespace}` stands for the
            publisher's.
        node_type: Kind of the node, if any.
    """

    def __init__(
        self,
        service_name: str,
        topics: Topics | None = None,
        *,
        node_type: str | None = None,
    ) -> None:
        self.service_name = service_name
        self.node_type = node_type
        self._topics = topics

    def topic(self, event_type: str, topic: str | None) -> str:
        """Returns the given topic, else that of the event type."""
        if topic is None:
            if self._topics is None or not isinstance(event_type, Enum):
                raise TypeError(f"the topic of {event_type} is missing: pass `topic`")
            topic = self._topics[event_type.name]
        return str(topic)

    def metadata(self, **more: Any) -> dict[str, Any]:
        """Returns the metadata that all events of the node have, with more behind."""
        metadata = {"service_name": self.service_name, **more}
        if self.node_type is None:
            return metadata
        return {"node_type": self.node_type, **metadata}


# Received events.

PayloadT_co = TypeVar("PayloadT_co", covariant=True)


@dataclass(frozen=True, slots=True)
class ReceivedEvent(Generic[PayloadT_co]):
    """Received event: the fields of its envelope. Each event type has a class of its
    own, with the type of its payload.
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
    """Unknown fields of the envelope."""


class UnknownEvent(ReceivedEvent[Mapping[str, Any]]):
    """Received event of an unknown event type or version. Its payload is the mapping
    received.
    """

    __slots__ = ()


# Limits of values, from the contract.


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits in an `Annotated` type, checked by `from_json`."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    multiple_of: int | None = None

    def check(self, value: Any) -> None:
        """Raise ValueError if the value violates a limit."""
        if self.ge is not None and not value >= self.ge:
            raise ValueError(f"expected {self.ge} or more")
        if self.gt is not None and not value > self.gt:
            raise ValueError(f"expected more than {self.gt}")
        if self.le is not None and not value <= self.le:
            raise ValueError(f"expected {self.le} or less")
        if self.lt is not None and not value < self.lt:
            raise ValueError(f"expected less than {self.lt}")
        if self.multiple_of is not None and value % self.multiple_of:
            raise ValueError(f"expected a multiple of {self.multiple_of}")
        if self.min_length is not None and len(value) < self.min_length:
            raise ValueError(f"expected a length of {self.min_length} or more")
        if self.max_length is not None and len(value) > self.max_length:
            raise ValueError(f"expected a length of {self.max_length} or less")
        if self.pattern is not None and not re.search(self.pattern, value):
            raise ValueError("expected text that matches the contract's pattern")


class UniqueItems:
    """Limit of a list in an `Annotated` type: no two items are equal. For pydantic and
    `from_json`.
    """

    def check(self, value: Any) -> Any:
        """Raise ValueError if an item is repeated."""
        if len(set(value)) < len(value):
            raise ValueError("expected no item twice")
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Returns the schema for pydantic, which calls this."""
        from pydantic_core import core_schema

        return core_schema.no_info_after_validator_function(self.check, handler(source))


# The table of secrets, printed by crates/redact/tests/python.rs: change it there.

# Kind of secret, what may not stand before it, whether case does not matter, keywords,
# pattern, and what follows.
RULES: Final = (
    (
        "assigned",
        "any",
        True,
        "pass pwd secret credential creds token key session sessid user_info user.info",
        "(pass(?:word|wd|phrase|code)[a-z]{0,16}|pass|pwd|secrets?|credentials?"
        "|creds|token|(?:api|access|account|private|secret|signing|encryption"
        "|master|auth|shared|storage|license)[_.-]?key|session[_.-]?id"
        "|phpsessid"
        r"""|user[_.]info)([a-z0-9_.-]{0,32})[\\"'\])]{0,4}[ \t]{0,16}[=:]?=>?""",
        "",
    ),
    (
        "line",
        "any",
        True,
        "pass pwd secret credential creds token key session sessid user_info user.info",
        "(pass(?:word|wd|phrase|code)[a-z]{0,16}|pass|pwd|secrets?|credentials?"
        "|creds|token|(?:api|access|account|private|secret|signing|encryption"
        "|master|auth|shared|storage|license)[_.-]?key|session[_.-]?id"
        r"""|phpsessid|user[_.]info)([a-z0-9_.-]{0,32})[\\"'\])]{0,4}[ \t]{0,16}:""",
        "",
    ),
    (
        "paired",
        "any",
        True,
        "pass pwd secret credential creds token key session sessid user_info user.info",
        "(pass(?:word|wd|phrase|code)[a-z]{0,16}|pass|pwd|secrets?|credentials?"
        "|creds|token|(?:api|access|account|private|secret|signing|encryption"
        "|master|auth|shared|storage|license)[_.-]?key|session[_.-]?id"
        r"""|phpsessid|user[_.]info)([a-z0-9_.-]{0,32})["'][ \t]{0,16},""",
        "",
    ),
    (
        "option",
        "any",
        True,
        "--",
        "--[a-z0-9_.-]{0,40}(pass(?:word|wd|phrase|code)[a-z]{0,16}|pass|pwd"
        "|secrets?|credentials?|creds|token|(?:api|access|account|private"
        "|secret|signing|encryption|master|auth|shared|storage"
        "|license)[_.-]?key|session[_.-]?id|phpsessid"
        "|user[_.]info)([a-z0-9_.-]{0,16})[ ]{1,8}",
        "",
    ),
    (
        "element",
        "any",
        True,
        "<",
        "<[a-z0-9_:.-]{0,16}(pass(?:word|wd|phrase|code)[a-z]{0,16}|pass|pwd"
        "|secrets?|credentials?|creds|token|(?:api|access|account|private"
        "|secret|signing|encryption|master|auth|shared|storage"
        "|license)[_.-]?key|session[_.-]?id|phpsessid"
        "|user[_.]info)([^<>]{0,160})>",
        "",
    ),
    (
        "quoted",
        "any",
        True,
        "pass pwd secret credential creds token key session sessid user_info user.info",
        "(pass(?:word|wd|phrase|code)[a-z]{0,16}|pass|pwd|secrets?|credentials?"
        "|creds|token|(?:api|access|account|private|secret|signing|encryption"
        "|master|auth|shared|storage|license)[_.-]?key|session[_.-]?id"
        "|phpsessid"
        """|user[_.]info)([a-z0-9_.-]{0,32})["'][ ]{1,4}value[ ]{0,4}=[ ]{0,4}""",
        "",
    ),
    (
        "encoded",
        "any",
        True,
        "%3a %3d %253a %253d",
        "(pass(?:word|wd|phrase|code)[a-z]{0,16}|pass|pwd|secrets?|credentials?"
        "|creds|token|(?:api|access|account|private|secret|signing|encryption"
        "|master|auth|shared|storage|license)[_.-]?key|session[_.-]?id"
        "|phpsessid|user[_.]info)([a-z0-9_.-]{0,32})(?:%(?:25)?2[27]"
        "|%(?:25)?5d)?(?:%20|[+])?%(?:25)?3[ad]",
        "",
    ),
    (
        "header",
        "any",
        True,
        "authorization cookie passphrase",
        "(?:authorization|cookie"
        r"""|passphrase)[\\"'\])]{0,4}[ \t]{0,16}(?:[=:]?=>?|:)""",
        "",
    ),
    (
        "quoted",
        "any",
        True,
        "authorization cookie passphrase",
        r"""[(\[]b?["'](?:authorization|(?:set-)?cookie|passphrase)["'][ \t]{0,16},""",
        "",
    ),
    (
        "credentials",
        "part",
        True,
        "bearer basic",
        r"(?:bearer|basic)(?:[ \t\r\n]{1,8}|%20|[+])",
        "",
    ),
    ("input_value", "any", True, "input_value=", "input_value=", ""),
    (
        "following",
        "any",
        True,
        '"auth"',
        '"auth"[ ]{0,4}:[ ]{0,4}"',
        "[A-Za-z0-9+/=]{8,}",
    ),
    (
        "quoted",
        "any",
        True,
        "login identified password",
        r"(?:(?:with|encrypted) password|identified by)[ \t]{1,8}",
        "",
    ),
    (
        "following",
        "any",
        True,
        "login",
        r"login[ \t]{1,8}[^ \t\r\n]{1,64}[ \t\r\n]{1,8}password[ \t]{1,8}",
        r"[^ \t\r\n]{1,}",
    ),
    ("user_info", "any", True, "://", "://", ""),
    ("encoded_user_info", "any", True, "%3a%2f%2f", "%3a%2f%2f", ""),
    (
        "following",
        "any",
        True,
        "oracle:",
        "oracle:(?:thin|oci):[^/@ ]{1,64}/",
        r"""[^@ \t\r\n"']{1,}""",
    ),
    (
        "following",
        "alphanumeric",
        True,
        "sig= signature=",
        "(?:sig|signature|x-amz-signature|x-goog-signature)=",
        "[A-Za-z0-9%+/=_.~-]{16,}",
    ),
    (
        "following",
        "any",
        True,
        "code= verifier= assertion=",
        "[?&](?:code|code_verifier|assertion|client_assertion)=",
        "[A-Za-z0-9%+/=_.~-]{16,}",
    ),
    ("following", "any", True, "/bot", "/bot[0-9]{6,12}:", "[A-Za-z0-9_-]{30,}"),
    (
        "following",
        "any",
        True,
        "hooks.slack",
        r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/",
        "[A-Za-z0-9+/_-]{16,}",
    ),
    (
        "following",
        "any",
        True,
        "/api/webhooks/",
        "/api/webhooks/[0-9]{10,20}/",
        "[A-Za-z0-9_-]{20,}",
    ),
    (
        "following",
        "any",
        True,
        "webhook.office.com",
        r"webhook\.office\.com/webhookb2/",
        "[A-Za-z0-9@/_-]{16,}",
    ),
    (
        "user_password",
        "alphanumeric",
        False,
        "curl",
        r"""curl[^\r\n]{0,200}[ "'](?:-u|-U|--user|--proxy-user)[ =,"']{0,3}""",
        "",
    ),
    (
        "following",
        "alphanumeric",
        False,
        "mysql mariadb",
        r"""(?:mysql|mariadb)[^\r\n]{0,200}[ "']-p""",
        r"""[^ \t\r\n"',]{1,}""",
    ),
    (
        "following",
        "alphanumeric",
        False,
        "sshpass",
        """sshpass[ "',]{1,4}-p[ "',]{0,4}""",
        r"""[^ \t\r\n"',]{1,}""",
    ),
    (
        "following",
        "alphanumeric",
        False,
        "redis-cli",
        r"""redis-cli[^\r\n]{0,200}[ "']-a[ "',]{1,4}""",
        r"""[^ \t\r\n"',]{1,}""",
    ),
    (
        "following",
        "alphanumeric",
        False,
        "ldap",
        r"""ldap[a-z]{1,16}[^\r\n]{0,200}[ "']-w[ "',]{0,4}""",
        r"""[^ \t\r\n"',]{1,}""",
    ),
    (
        "following",
        "alphanumeric",
        False,
        "mongo",
        r"""mongo[^\r\n]{0,200}[ "']-p[ "',]{1,4}""",
        r"""[^ \t\r\n"',]{1,}""",
    ),
    (
        "code",
        "alphanumeric",
        True,
        "otp code",
        "(?:t?otp|(?:verification|security|mfa|2fa|auth|login"
        r"""|one[_ -]?time)[_ -]?code)[\\"'\])]{0,4}[ \t]{0,4}(?:[:=]|is"""
        r"""|was)?[ \t]{0,4}[\\"']{0,2}""",
        "",
    ),
    (
        "code",
        "alphanumeric",
        True,
        "pin cvv cvc",
        r"""(?:pin|pin[_ -]?code|cvv2?|cvc2?)[\\"'\])]{0,4}[ \t]{0,4}(?:[:=]|is"""
        r"""|was)[ \t]{0,4}[\\"']{0,2}""",
        "",
    ),
    (
        "card",
        "part",
        False,
        "",
        "[0-9]{4}[ .-][0-9]{4}[ .-][0-9]{4}[ .-][0-9]{4}"
        "|3[0-9]{3}[ .-][0-9]{6}[ .-][0-9]{4,5}|[0-9]{14,16}",
        "",
    ),
    ("iban", "alphanumeric", False, "", "[A-Z]{2}[0-9]{2}[A-Z0-9 ]{11,40}", ""),
    (
        "match",
        "alphanumeric",
        False,
        "eyJ ya29. GOCSPX- 1//0 dp. pscale_",
        r"eyJ[A-Za-z0-9_-]{8}|(?:ya29\.|GOCSPX-|1//0)[A-Za-z0-9_-]{20}|dp\.(?:pt"
        r"|st|ct|sa|scim|audit)\.[A-Za-z0-9._-]{40}|pscale_(?:tkn|oauth"
        "|pw)_[A-Za-z0-9_=.-]{32}",
        "[A-Za-z0-9_=.-]*",
    ),
    (
        "match",
        "alphanumeric",
        False,
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
        "(?:gh[opsur]|github_pat)_[A-Za-z0-9_]{16}",
        "[A-Za-z0-9_]*",
    ),
    (
        "match",
        "alphanumeric",
        False,
        "A3T AKIA ASIA ABIA ACCA SK key- -us xkeysib- xsmtpsib- npm_ rubygems_"
        " oy2 dop_v1_ doo_v1_ dor_v1_ :AA shpat_ shpca_ shppa_ shpss_ ntn_"
        " PMAK- pul- dt0 pat AGE-SECRET-KEY-1 sha256~ LTAI v1.0- duffel_ EZAK"
        " EZTK API- pnu_ rdme_ shippo_ tfp_ AQVN",
        "(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}|SK[0-9a-f]{32}"
        "|key-[0-9a-f]{32}|[0-9a-f]{32}-us[0-9]{1,2}|x(?:key"
        "|smtp)sib-[0-9a-f]{64}-[A-Za-z0-9]{16}|npm_[A-Za-z0-9]{36}"
        "|rubygems_[0-9a-f]{48}|oy2[a-z0-9]{43}|do[opr]_v1_[0-9a-f]{64}"
        "|[0-9]{8,10}:AA[A-Za-z0-9_-]{33}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"
        "|ntn_[0-9]{11}[A-Za-z0-9]{35}|PMAK-[0-9a-f]{24}-[0-9a-f]{34}"
        r"|pul-[0-9a-f]{40}|dt0[a-z][0-9]{2}\.[A-Za-z0-9]{24}\.[A-Za-z0-9]{64}"
        r"|pat[A-Za-z0-9]{14}\.[0-9a-f]{64}|AGE-SECRET-KEY-1[A-Z0-9]{58}"
        "|sha256~[A-Za-z0-9_-]{43}|(?:LTAI[A-Za-z0-9]{20}"
        r"|v1\.0-[0-9a-f]{24}-[0-9a-f]{146}|duffel_(?:test"
        "|live)_[A-Za-z0-9_=-]{43}|EZ[AT]K[A-Za-z0-9]{54}|API-[A-Z0-9]{26}"
        "|pnu_[A-Za-z0-9]{36}|rdme_[a-z0-9]{70}|shippo_(?:live"
        "|test)_[0-9a-fA-F]{40}|tfp_[A-Za-z0-9._=-]{59}|AQVN[A-Za-z0-9_-]{35})",
        "(?![A-Za-z0-9])",
    ),
    (
        "match",
        "alphanumeric",
        False,
        "ABSK bedrock-api-key- sk_live sk_test sk_prod rk_live rk_test rk_prod"
        " whsec_ glsa_ glc_ cflt",
        "(?:ABSK|bedrock-api-key-)[A-Za-z0-9+/=]{40}|(?:(?:sk|rk)_(?:live|test"
        "|prod)_|whsec_)[A-Za-z0-9]{10}|(?:glsa_[A-Za-z0-9]{32}_[0-9A-Fa-f]{8}"
        "|glc_[A-Za-z0-9+/]{32})|cflt[A-Za-z0-9/+]{56}",
        "[A-Za-z0-9+/=]*",
    ),
    (
        "match",
        "alphanumeric",
        False,
        "xox xapp-",
        "(?:xox[a-z][.-]|xapp-[0-9]-)[A-Za-z0-9-]{8}",
        "[A-Za-z0-9.-]*",
    ),
    (
        "match",
        "alphanumeric",
        False,
        "sk- AIza SG. pypi-AgE dckr_ hvs. hvb. hvr. sq0atp- sq0csp- NRAK- NRII-"
        " NRJS- sbp_ sb_secret_ figd_",
        "sk-(?:(?:proj|svcacct|admin|None|ant|or)-[A-Za-z0-9_-]{16}"
        "|[A-Za-z0-9]{32})|AIza[A-Za-z0-9_-]{35}"
        r"|SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16}|pypi-AgE[A-Za-z0-9_-]{30}"
        r"|dckr_(?:pat|oat)_[A-Za-z0-9_-]{20}|hv[sbr]\.[A-Za-z0-9_-]{20}"
        "|sq0(?:atp|csp)-[A-Za-z0-9_-]{22}|NR(?:AK|II|JS)-[A-Za-z0-9_-]{19}"
        "|(?:sbp_[0-9a-f]{40}|sb_secret_[A-Za-z0-9_-]{20})"
        "|figd_[A-Za-z0-9_-]{32}",
        "[A-Za-z0-9_-]*",
    ),
    (
        "match",
        "alphanumeric",
        False,
        "gsk_ pplx- r8_ xai- hf_ api_org_ lin_ AKCp cmVmd EAAM EAAC",
        "gsk_[A-Za-z0-9]{40}|pplx-[A-Za-z0-9]{40}|r8_[A-Za-z0-9]{32}"
        "|xai-[A-Za-z0-9]{60}|(?:hf|api_org)_[A-Za-z0-9]{30}|lin_(?:api"
        "|oauth)_[A-Za-z0-9]{32}|(?:AKCp|cmVmd)[A-Za-z0-9]{58}"
        "|EAA[MC][A-Za-z0-9]{100}",
        "[A-Za-z0-9]*",
    ),
    (
        "match",
        "alphanumeric",
        False,
        "glpat- gldt- glrt- glcbt- glptt- gloas- glsoat- glft- glimt- glagent-"
        " glffct- GR1348941",
        "(?:gl(?:pat|dt|rt|cbt|ptt|oas|soat|ft|imt|agent|ffct)-"
        "|GR1348941)[A-Za-z0-9_-]{20}",
        "[A-Za-z0-9._-]*",
    ),
    (
        "match",
        "alphanumeric",
        False,
        ".atlasv1. ATATT3 ATBB ATCTT3 sl.",
        r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60}|(?:ATATT3|ATCTT3"
        r"|ATBB)[A-Za-z0-9_=-]{24}|sl\.[A-Za-z0-9_=-]{100}",
        "[A-Za-z0-9_=-]*",
    ),
    (
        "match",
        "alphanumeric",
        False,
        "Q~",
        "[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31}",
        "[A-Za-z0-9_~.-]*",
    ),
    ("match", "alphanumeric", False, "dapi", "dapi[0-9a-f]{32}", "[0-9-]*"),
    (
        "match",
        "alphanumeric",
        False,
        "sntry",
        "sntry[su]_[A-Za-z0-9+/=_]{40}",
        "[A-Za-z0-9+/=_]*",
    ),
    (
        "match",
        "alphanumeric",
        False,
        "A3- ops_eyJ",
        "(?:A3-[A-Z0-9]{6}-[A-Z0-9]{6,11}-[A-Z0-9-]{11,24}|ops_eyJ[A-Za-z0-9+/=]{40})",
        "[A-Za-z0-9+/=-]*",
    ),
    (
        "match",
        "alphanumeric",
        False,
        "fo1_ fm1 fm2_",
        "(?:fo1|fm1[ar]|fm2)_[A-Za-z0-9+/_-]{43}",
        "[A-Za-z0-9+/=_-]*",
    ),
    (
        "match",
        "alphanumeric",
        False,
        "AAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAA[A-Za-z0-9%]{60}",
        "[A-Za-z0-9%]*",
    ),
    (
        "pem",
        "any",
        False,
        "-----BEGIN",
        "-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----",
        "",
    ),
)

# Suffixes of names that are not secret, and words of prose behind "Bearer".
PUBLIC_ENDINGS: Final = (
    "less|_type|_count|_limit|_url|_uri|_endpoint|_name|_policy|_length|_ttl|_expiry"
    "|_expires|_expires_in|_expires_at|_version|_required|_enabled|_field|_path|_file"
    "|_arn|_budget|_usage|_location"
)
PROSE: Final = (
    "access|and|are|auth|authentication|authorization|credential|credentials|for|from"
    "|has|header|http|in|is|missing|must|not|of|or|realm|required|scheme|token|tokens"
    "|was|with"
)

# First and last prefix of cards, least and most digits; lengths of IBANs.
CARDS: Final = (
    (2221, 2720, 16, 16),
    (3000, 3059, 14, 14),
    (3400, 3499, 15, 15),
    (3528, 3589, 16, 19),
    (3600, 3699, 14, 14),
    (3700, 3799, 15, 15),
    (3800, 3999, 14, 14),
    (4000, 4999, 16, 19),
    (5100, 5599, 16, 16),
    (6011, 6011, 16, 19),
    (6200, 6299, 16, 19),
    (6440, 6599, 16, 19),
)
IBAN_LENGTHS: Final = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22"
    " DK18 DO28 EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28"
    " IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27"
    " MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24"
    " SC31 SD18 SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20"
)


# Binding of call arguments to the input fields of an operation.

_POSITIONAL = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
)


class Binding:
    """Maps call arguments to parameter names. Never raises: a call that does not match
    the signature is left to the function to refuse.
    """

    def __init__(self, function: Callable[..., Any], *, is_method: bool) -> None:
        parameters = list(inspect.signature(function).parameters.values())
        if is_method and parameters and parameters[0].kind in _POSITIONAL:
            parameters = parameters[1:]  # not of `def place(*arguments)`
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
        """Returns the arguments by name. A single argument that is a model, a dataclass
        or a mapping is returned as its fields.
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
            with suppress(Exception):  # its attributes may raise
                fields = fields_of(only)
                return given if fields is None else fields
        return given


# Wrapper that runs each call of a function in a scope, for functions of all kinds.

F = TypeVar("F", bound=Callable[..., Any])

Begin = Callable[[tuple[Any, ...], dict[str, Any]], CallScope]
"""Creates the scope of a call from its arguments."""


def wrap(function: F, begin: Begin) -> F:
    """Wraps a function, a coroutine function, or a generator function of either kind.
    A generator's call lasts from its first step to its end.
    """
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


def _coroutine(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        # Not `async with`: that costs two coroutines, which mostly await nothing.
        scope = begin(args, kwargs)
        if (waiting := scope.start(may_wait=True)) is not None:
            await scope.await_start(waiting)
        scope.enter()
        try:
            scope.result = result = await function(*args, **kwargs)
            waiting = scope.finish(None, may_wait=True)
        except BaseException as error:
            waiting = scope.finish(error, may_wait=True)
            if waiting is not None:
                await waiting
            raise
        finally:
            scope.leave()
        if waiting is not None:
            await waiting
        return result

    return wrapper


def _function(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with begin(args, kwargs) as scope:
            scope.result = result = function(*args, **kwargs)
            return result

    return wrapper


def _generator(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        scope = begin(args, kwargs)
        scope.start(may_wait=False)
        # The generator's code runs inside of the scope, its caller's code does not.
        with scope.entered():
            try:
                steps = function(*args, **kwargs)
            except BaseException as error:
                scope.finish(error, may_wait=False)
                raise
        resume, argument = steps.send, None
        while True:
            with scope.entered():
                try:
                    item = resume(argument)
                except StopIteration as stop:
                    scope.result = stop.value
                    scope.finish(None, may_wait=False)
                    return stop.value
                except BaseException as error:
                    scope.finish(error, may_wait=False)
                    raise
            try:
                argument = yield item
                resume = steps.send
            except BaseException as thrown:
                argument, resume = thrown, steps.throw

    return wrapper


def _async_generator(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        scope = begin(args, kwargs)
        await scope.start_async()
        try:
            steps = function(*args, **kwargs)
        except BaseException as error:
            await scope.finish_async(error)
            raise
        resume, argument = steps.asend, None
        while True:
            with scope.entered():
                try:
                    item = await resume(argument)
                except StopAsyncIteration:
                    await scope.finish_async(None)
                    return
                except BaseException as error:
                    await scope.finish_async(error)
                    raise
            try:
                argument = yield item
                resume = steps.asend
            except BaseException as thrown:
                argument, resume = thrown, steps.athrow

    return wrapper


# Methods of publishers that log failures instead of raising them.


def logged_method(
    publish: Callable[Concatenate[EventPublisher, P], Coroutine[Any, Any, None]],
) -> Callable[Concatenate[EventPublisher, P], Coroutine[Any, Any, None]]:
    """Returns a method that publishes an event, and waits for the receipt. It never
    raises: failures are logged.

    Args:
        publish: Function that publishes an event of a publisher.
    """

    @wraps(publish)
    async def method(
        publisher: EventPublisher, /, *args: P.args, **kwargs: P.kwargs
    ) -> None:
        await publish(publisher, *args, **kwargs)

    return method


# Mark of private fields in models.


class Privacy:
    """Mark of private fields. Herald's clients serialize models with a context, and
    then the value is replaced by the name of its type.
    """

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Returns the schema for pydantic, which calls this."""
        from pydantic_core import core_schema

        schema = handler(source)
        inner = schema if "serialization" in schema else None
        hide = core_schema.wrap_serializer_function_ser_schema(
            _hide, info_arg=True, schema=inner
        )
        return {**schema, "serialization": hide}


PRIVATE: Final = Privacy()

Private: TypeAlias = Annotated[T, PRIVATE]
"""Field whose value never leaves the process: not in events, errors, logs or `repr`."""


class Publication(dict[str, Any]):
    """Context of pydantic's serializers while a payload is published. It is empty,
    because serializers of other models see it, too.
    """

    is_publication = True


PUBLICATION: Final = Publication()


@lru_cache(maxsize=1_024)
def publication_arguments(of_type: Any) -> Mapping[str, Any]:
    """Returns the arguments of pydantic's serializers for a model or a dataclass by
    which private values are left out: none where `model_dump` takes no context, as in
    pydantic before 2.7.
    """
    dump = getattr(of_type, "model_dump", None)
    if dump is None:
        dump = sys.modules["pydantic"].BaseModel.model_dump
    parameters = signature(dump).parameters.values()
    takes = any(p.name == "context" or p.kind is p.VAR_KEYWORD for p in parameters)
    return {"context": PUBLICATION} if takes else {}


def _hide(value: Any, handler: Any, info: Any) -> Any:
    is_published = getattr(info.context, "is_publication", False)
    return type(value).__name__ if is_published else handler(value)


# Reader for untrusted JSON objects.


class EnvelopeError(ValueError):
    """A message that is not an envelope, or whose payload does not match its event
    type.

    Attributes:
        field: Path to the field, such as `event_id` or `payload.started_at`.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


class Reader:
    """Reads fields of an object, and leaves the others in `extra`. Errors name the
    field, never its value, which may be a secret.
    """

    def __init__(self, fields: object, path: str = "") -> None:
        if not isinstance(fields, Mapping):
            found = _json_type(fields)
            name = path.removesuffix(".") or "envelope"
            raise EnvelopeError(name, f"expected an object, found {found}")
        self.extra: dict[str, Any] = dict(fields)
        self._path = path

    def text(self, name: str) -> str:
        return self._take(name, str, "text")

    def text_or_null(self, name: str) -> str:
        """Reads text; null or a missing field is the empty text."""
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
        """Reads a field that may be null or missing."""
        if self.extra.get(name) is None:
            self.extra.pop(name, None)
            return None
        return read(name)

    def _take(self, name: str, kind: type[T] | tuple[type[T], ...], expected: str) -> T:
        try:
            found = self.extra.pop(name)
        except KeyError:
            raise EnvelopeError(self._path + name, "missing") from None
        if not isinstance(found, kind):
            raise self._unexpected(name, expected, found)
        return found

    def _convert(
        self, name: str, convert: Callable[[str], T], text: str, expected: str
    ) -> T:
        try:
            return convert(text)
        except ValueError:
            message = f"expected {expected}, found other text"
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
            return "text"
        case int() | float():
            return "a number"
        case Mapping():
            return "an object"
        case list() | tuple():
            return "a list"
    return type(value).__name__


# JSON representations of values without a JSON type, each with exactly one form.


class Wire:
    """Reader of a JSON representation in an `Annotated` type, for pydantic and
    `from_json`. A value of the type itself is accepted.
    """

    def __init__(
        self,
        read: Callable[[Any], object],
        write: Callable[[Any], object] | None = None,
    ) -> None:
        self.read = read
        self.write = write

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Return the schema for pydantic, which calls this."""
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


_SECONDS: Final = r"\d{1,9}(?:\.\d{1,6})?S"
_CLOCK: Final = (
    rf"T(?:\d{{1,9}}H(?:\d{{1,9}}M)?(?:{_SECONDS})?"
    rf"|\d{{1,9}}M(?:{_SECONDS})?|{_SECONDS})"
)
_DURATION: Final = re.compile(
    rf"-?P(?:\d{{1,8}}W|\d{{1,8}}D(?:{_CLOCK})?|{_CLOCK})", re.ASCII
)
_PART: Final = re.compile(r"([\d.]+)([WDHMS])", re.ASCII)

_MINUTE: Final = timedelta(minutes=1)
_MAX_DURATION: Final = timedelta(days=100_000_000)


def _text(value: object, form: re.Pattern[str], expected: str) -> str:
    if isinstance(value, str) and form.fullmatch(value):
        return value
    raise ValueError(f"expected {expected}")


def _converted(read: Callable[[str], T], text: str, expected: str) -> T:
    try:
        return read(text)
    except ValueError:  # its text quotes the value
        raise ValueError(f"expected {expected}") from None


def read_uuid(value: object) -> UUID:
    """Parse a UUID with hyphens."""
    if isinstance(value, UUID):
        return value
    return UUID(_text(value, _UUID, "a UUID with hyphens"))


def read_datetime(value: object) -> datetime:
    """Parse an RFC 3339 time."""
    expected = "a time with an offset, such as 2025-11-05T12:00:00Z"
    if isinstance(value, datetime):
        offset = value.utcoffset()
        # RFC 3339 has no seconds in offsets, as those of local times before 1900 have.
        if offset is None or offset % _MINUTE:
            raise ValueError(f"expected {expected}, in whole minutes")
        return value
    text = _text(value, _TIME, expected).upper()
    return _converted(datetime.fromisoformat, text, expected)


def read_date(value: object) -> date:
    """Parse an RFC 3339 date."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    expected = "a date such as 2025-11-05"
    return _converted(date.fromisoformat, _text(value, _DATE, expected), expected)


def read_decimal(value: object) -> Decimal:
    """Parse a decimal number from text: a JSON number would lose digits."""
    expected = 'a decimal number as text, such as "12.50"'
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"expected {expected}, not NaN or Infinity")
        return value
    try:
        return Decimal(_text(value, _DECIMAL, expected))
    except InvalidOperation:
        raise ValueError(f"expected {expected}") from None


def read_bytes(value: object) -> bytes:
    """Decode Base64."""
    if isinstance(value, bytes):
        return value
    return b64decode(_text(value, _BASE64, "bytes as Base64"))


def read_integer(value: object) -> int:
    """Read an integer, also one written as 2.0."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise ValueError("expected a whole number")


def read_duration(value: object) -> timedelta:
    """Parse a duration in ISO 8601, without years and months."""
    expected = "a duration such as P1DT2H30M"
    if isinstance(value, timedelta):
        if abs(value) >= _MAX_DURATION:
            raise ValueError(f"expected {expected}, of less than 100,000,000 days")
        return value
    text = _text(value, _DURATION, expected)
    parts = {unit: number for number, unit in _PART.findall(text)}
    seconds, _, fraction = parts.get("S", "0").partition(".")
    length = timedelta(
        weeks=int(parts.get("W", 0)),
        days=int(parts.get("D", 0)),
        hours=int(parts.get("H", 0)),
        minutes=int(parts.get("M", 0)),
        seconds=int(seconds),
        microseconds=int(fraction.ljust(6, "0")),
    )
    return -length if text.startswith("-") else length


def write_duration(value: timedelta) -> str:
    """Return a duration in ISO 8601, with days as its longest unit."""
    sign, length = ("-", -value) if value < timedelta() else ("", value)
    minutes, seconds = divmod(length.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{length.microseconds:06}".rstrip("0") if length.microseconds else ""
    parts = [
        f"{hours}H" if hours else "",
        f"{minutes}M" if minutes else "",
        f"{seconds}{fraction}S" if seconds or fraction else "",
    ]
    days = f"{length.days}D" if length.days else ""
    time = "".join(parts)
    if not time:
        return f"{sign}P{days}" if days else "PT0S"
    return f"{sign}P{days}T{time}"


def _write_bytes(value: bytes) -> str:
    return b64encode(value).decode()


Uuid: TypeAlias = Annotated[UUID, Wire(read_uuid)]
DateTime: TypeAlias = Annotated[datetime, Wire(read_datetime, datetime.isoformat)]
Date: TypeAlias = Annotated[date, Wire(read_date)]
DecimalText: TypeAlias = Annotated[Decimal, Wire(read_decimal, str)]
Base64: TypeAlias = Annotated[bytes, Wire(read_bytes, _write_bytes)]
Duration: TypeAlias = Annotated[timedelta, Wire(read_duration, write_duration)]
Integer: TypeAlias = Annotated[int, Wire(read_integer)]


# Redaction of secrets, in Python alone.

MASK: Final = "***"
MAX_BRACKETS: Final = 1024  # A longer value in brackets ends as one without them.
ALPHANUMERIC: Final = ascii_letters + digits

# What may not stand right before a match.
_BEFORE: Final = {
    "any": "",
    "alphanumeric": ALPHANUMERIC,
    "part": ALPHANUMERIC + "_-.",
}

# A value in quotes, maybe cut. Without quotes it ends before `", `, `, x` or `&x=`.
_QUOTED: Final = r"""
    \\{1,2}" [^"]* (?: "|\Z ) | b?" (?: [^"\\] | \\. )* (?: "|\\?\Z )
    | b?' (?: [^'\\] | \\. )* (?: '|\\?\Z )
"""
_GOES_ON: Final = r"""(?! ["'][,}\])] | [,;&](?:[\s"']|[\w.-]{1,40}=) )"""

# The secret of each kind, from the end of a match on. Each takes linear time: what it
# repeats can match in one way only, or is bounded.
_VALUES: Final = {
    "assigned": rf"""[ \t]* ( {_QUOTED}
        | (?: "(?=\w)[^"]*" | '(?=\w)[^']*' | {_GOES_ON}\S )+ )""",
    "line": rf"(?![:=]) [ \t]* ( {_QUOTED} | (?=\S)(?: {_GOES_ON}[^\r\n] )+ )",
    "paired": rf"\s* ( {_QUOTED} )",
    "option": rf"( {_QUOTED} | (?!-)\S+ )",
    "element": r"( [^<]+(?=</) | \w[^<]*\Z )",
    "encoded": r"""
        (?:%20)? \+? (?:%22)? (?:%27)? (?:%2522)? (?:%2527)?
        ( (?: [a-z0-9._~!*()+$/:@-] | %(?!(?:25)?(?:26|22|27|2c|3b|7d|0a|0d)) )+ )""",
    "header": rf"(?!:) [ \t]* ( \*\*\* | {_QUOTED} | [^\r\n]+ )",
    "quoted": rf"[ \t]* ( {_QUOTED} )",
    "credentials": rf"""
        (?! (?:{PROSE})[.:=]*(?:[\s"'<>,;&]|\Z) | [a-z_]{{1,40}}=[^=\s"'<>,;&] )
        ( [^\s"'<>,;&]+ )""",
    "user_password": rf"( (?!-) (?: {_QUOTED} | [^\s\"']* ) )",
    "user_info": r"""( (?: [^\s"'<>:] | :(?!//) )* )""",
    "encoded_user_info": r"( (?: [a-z0-9._~!*()+$-] | %(?!40|2f) )+ ) (?=%40)",
    "code": r"( [0-9]{3,10} ) (?! [\w:-] | \.[a-z0-9] )",
    "input_value": r"( (?: (?!,\ input_type=)[^\r\n] )+ )",
    "pem": r"( .*? (?: -----(?-i:END)\ (?-i:[A-Z0-9\ ])*-{0,5} | \Z ) )",
    "card": r"() (?! [\w-] )",
    "iban": "()",
}
_NAMED: Final = {"assigned", "line", "paired", "option", "element", "encoded"}
_BLANKS: Final = re.compile(r"[ \t]*")
_PATH: Final = re.compile(r"""["' \t]*[/~]""")
_BLOCK: Final = re.compile(r"[ \t]*[|>][0-9+-]*[ \t\r]*\n")
_BLOCK_LINE: Final = re.compile(r"([ \t]*)([^\r\n]*)\r*")
_PUBLIC: Final = re.compile(rf".(?:{PUBLIC_ENDINGS})\Z", re.DOTALL)


def mask_secrets(text: str, also: Iterable[re.Pattern[str]] = ()) -> str:
    """Return a text with `***` for secrets."""
    spans: list[tuple[int, int]] = []
    lower = text.lower()
    for secret, before, ignore_case, keywords, pattern, value in RULES:
        known = lower if ignore_case else text
        if not keywords or any(keyword in known for keyword in keywords.split()):
            rule, ends = _compiled(secret, pattern, ignore_case, value)
            _search(text, spans, secret, _BEFORE[before], rule, ends)
    for custom in also:
        spans += [match.span() for match in custom.finditer(text) if match.group()]
    return _masked(text, sorted(spans)) if spans else text


def _masked(text: str, spans: list[tuple[int, int]]) -> str:
    parts: list[str] = []
    last = 0
    for start, end in spans:
        if start > last or not parts:
            parts += [text[last:start], MASK]
        last = max(last, end)
    return "".join(parts) + text[last:]


@cache
def _compiled(
    secret: str, pattern: str, ignore_case: bool, value: str
) -> tuple[re.Pattern[str], re.Pattern[str]]:
    case = re.IGNORECASE if ignore_case else re.NOFLAG
    if value:
        ends = re.compile(f"({value})", re.ASCII)
    else:
        flags = re.ASCII | re.DOTALL | re.VERBOSE | re.IGNORECASE
        ends = re.compile(_VALUES[secret], flags)
    return re.compile(pattern, re.ASCII | case), ends


def _search(
    text: str,
    spans: list[tuple[int, int]],
    secret: str,
    before: str,
    rule: re.Pattern[str],
    ends: re.Pattern[str],
) -> None:
    place = 0
    run = 0  # So far the last token goes.
    while match := rule.search(text, place):
        start, end = match.span()
        place = start + 1
        if start and text[start - 1] in before:
            continue
        if secret == "match":
            if end > run:
                rest = ends.match(text, end)
                if not rest:
                    continue
                run = rest.end()
            spans.append((start, run))
        elif span := _secret(text, secret, match, ends):
            spans.append(span)
            place = max(place, span[1])


def _secret(
    text: str, secret: str, match: re.Match[str], ends: re.Pattern[str]
) -> tuple[int, int] | None:
    """Return the span of the secret of a match."""
    start, end = match.span()
    if secret in _NAMED and not _is_secret_name(text, match):
        return None
    if secret == "user_password" and text[end - 1] in "\"'":
        end -= 1
    found = ends.match(text, end)
    if secret in {"assigned", "line"}:
        if match[1].lower() == "pwd" and _PATH.match(text, end):
            return None
        if secret == "line" and (block := _BLOCK.match(text, end)):
            return _block(text, block.end())
        if secret == "assigned" or text[end : end + 1] not in {":", "="}:
            value = _end(_BLANKS.match(text, end))
            if closed := _bracketed(text, value):
                return value, closed
    if not found:
        return None
    match secret:
        case "card":
            return (start, end) if _is_card(match[0]) else None
        case "iban":
            end = start + _iban_length(match[0])
            is_part = text[end : end + 1].isascii() and text[end : end + 1].isalnum()
            return None if end == start or is_part else (start, end)
        case "pem":
            return start, found.end(1)
        case "user_info":
            return _user_info(found[1], end)
        case "credentials" if match[0][:5].lower() == "basic":
            # Base64 of a name and a password has more than lower-case letters.
            return found.span(1) if re.search("[A-Z0-9+=]", found[1][1:]) else None
        case "user_password":
            return found.span(1) if ":" in found[1] else None
        case _:
            return found.span(1)


def _end(match: re.Match[str] | None) -> int:
    return match.end() if match else 0


def _is_secret_name(text: str, match: re.Match[str]) -> bool:
    """Tell whether the groups of a match are the name of a secret."""
    start, core, rest = match.start(1), match[1].lower(), match[2].lower()
    following = text[match.end(1) : match.end(1) + 1]
    if following and following in ascii_letters:  # secretary, tokenizer
        return False
    if core == "pass":  # bypass, but PGPASS
        begin = start - 2 if text[max(start - 2, 0) : start].lower() == "pg" else start
        if begin and text[begin - 1] in ascii_letters:
            return False
    if core == "token" and text[max(start - 11, 0) : start].lower() == "unexpected ":
        return False
    return not _PUBLIC.search(core + rest)


def _bracketed(text: str, start: int) -> int:
    """Return the end of a value in brackets that are closed soon, or 0."""
    depth = 0
    quote = ""
    for place, character in enumerate(text[start : start + MAX_BRACKETS], start):
        if quote:
            quote = "" if character == quote else quote
        elif character in "[{(":
            depth += 1
        elif character in "]})":
            depth -= 1
        elif depth == 0:
            return 0
        elif character in "\"'":
            quote = character
        if depth <= 0:
            return place + 1 if depth == 0 else 0
    return 0


def _block(text: str, place: int) -> tuple[int, int] | None:
    """Return where the lines of a block scalar of YAML stand."""
    start, end, indent = 0, 0, ""
    while place <= len(text) and (line := _BLOCK_LINE.match(text, place)):
        if line[2]:
            if len(line[1]) < max(len(indent), 1):
                break
            start, indent = start or line.start(2), indent or line[1]
            end = line.end(2)
        place = line.end() + 1
    return (start, end) if end else None


def _user_info(run: str, start: int) -> tuple[int, int] | None:
    """Return what stands before the last `@`, unless that is in the path."""
    authority = re.split("[/?#]", run, maxsplit=1)[0]
    is_user = "@" in authority or (":" in authority and re.search("[^/]@", run))
    end = run.rfind("@")
    return (start, start + end) if is_user and end > 0 else None


def _is_card(text: str) -> bool:
    numbers = [int(digit) for digit in text if digit in digits]
    prefix = int("".join(map(str, numbers[:4])))
    fits = any(
        first <= prefix <= last and least <= len(numbers) <= most
        for first, last, least, most in CARDS
    )
    doubled = (sum(divmod(2 * number, 10)) for number in numbers[-2::-2])
    return fits and (sum(numbers[-1::-2]) + sum(doubled)) % 10 == 0


def _iban_length(text: str) -> int:
    """Return how much of a text is an IBAN, alone or in groups of four."""
    length = IBAN_LENGTHS.partition(text[:2])[2][:2]
    iban = ""
    place = 0
    while length and len(iban) < int(length) and place < len(text):
        if text[place] != " ":
            iban += text[place]
        elif len(iban) % 4:
            return 0
        place += 1
    if not length or len(iban) != int(length):
        return 0
    number = "".join(str(int(character, 36)) for character in iban[4:] + iban[:4])
    return place if int(number) % 97 == 1 else 0


# Parsing of consumed messages to envelopes.


def envelope_of(message: object) -> ReceivedEvent[Any]:
    """Parses an envelope, and leaves its payload unparsed.

    Args:
        message: The envelope as a mapping, bytes or text, or an object with one of
            these as `value`, such as a message of aiokafka or confluent-kafka.

    Raises:
        EnvelopeError: The message is not a valid envelope. The error names the field,
            never a value.
    """
    if isinstance(message, ReceivedEvent):
        return message
    try:
        return _read_envelope(message)
    except EnvelopeError:
        raise
    except Exception as error:  # messages and mappings may run any code
        name = type(error).__name__
        raise EnvelopeError("envelope", f"reading it raised {name}") from None


def _read_envelope(message: object) -> UnknownEvent:
    reader = Reader(_content(message))
    if (version := reader.text("envelope_version")) != "1.0":
        raise EnvelopeError("envelope_version", "expected version 1.0")
    return UnknownEvent(
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
    """Returns the parsed message."""
    if not isinstance(message, Mapping | str | bytes | bytearray | memoryview):
        value = getattr(message, "value", None)
        message = value() if callable(value) else value
        if message is None:
            raise EnvelopeError("value", "the message has no value")
    if isinstance(message, memoryview):
        message = bytes(message)
    if not isinstance(message, str | bytes | bytearray):
        return message
    try:
        return json.loads(message)
    except json.JSONDecodeError as error:
        reason = f"not valid JSON at line {error.lineno}, column {error.colno}"
    except UnicodeDecodeError:
        reason = "not valid UTF-8"
    except RecursionError:
        reason = "nested too deeply"
    except ValueError:  # CPython refuses integers of more than 4,300 digits
        reason = "a number has too many digits"
    raise EnvelopeError("envelope", reason)


# Payloads of lifecycle, state and metric events for consumers.


@dataclass(frozen=True, slots=True)
class OperationStarted:
    """Payload of an event that an operation started."""

    operation: str
    correlation_id: UUID
    node_id: str
    started_at: datetime
    input_summary: Mapping[str, Any]
    """Input; private fields are replaced by the names of their types."""
    metadata: Mapping[str, Any]
    extra: Mapping[str, Any]
    """Unknown fields of the payload."""

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> Self:
        """Parses the payload of an envelope; raises `EnvelopeError`."""
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
    """Payload of an event that an operation completed."""

    operation: str
    correlation_id: UUID
    node_id: str
    completed_at: datetime
    execution_time_ms: float
    result_summary: Mapping[str, Any]
    """Result; private fields are replaced by the names of their types."""
    success: bool
    metadata: Mapping[str, Any]
    extra: Mapping[str, Any]
    """Unknown fields of the payload."""

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> Self:
        """Parses the payload of an envelope; raises `EnvelopeError`."""
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
    """Payload of an event that an operation failed."""

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
    """Unknown fields of the payload."""

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> Self:
        """Parses the payload of an envelope; raises `EnvelopeError`."""
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
    """Payload of an event that the state of a node changed."""

    node_id: str
    node_type: str
    correlation_id: UUID
    changed_at: datetime
    old_state: str
    new_state: str
    transition_reason: str
    metadata: Mapping[str, Any]
    extra: Mapping[str, Any]
    """Unknown fields of the payload."""

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> Self:
        """Parses the payload of an envelope; raises `EnvelopeError`."""
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
    """Payload of a metric event."""

    node_id: str
    node_type: str
    recorded_at: datetime
    metric_name: str
    metric_value: float
    metric_unit: str
    correlation_id: UUID | None
    metadata: Mapping[str, Any]
    extra: Mapping[str, Any]
    """Unknown fields of the payload."""

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> Self:
        """Parses the payload of an envelope; raises `EnvelopeError`."""
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


# Enumerations of contracts.


class TextEnum(StrEnum):
    """Base of generated enumerations of texts: models accept the text of a member."""

    @classmethod
    def read(cls, value: object) -> TextEnum:
        """Returns the member with a text."""
        if isinstance(value, str):
            member = cls._value2member_map_.get(str(value))
            if member is not None:
                return member  # type: ignore[return-value]
        raise ValueError("expected one of the values in the contract")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Returns the schema for pydantic, which calls this."""
        return Wire(cls.read).__get_pydantic_core_schema__(source, handler)


class NumberEnum(IntEnum):
    """Base of generated enumerations of integers: models accept the number of a
    member.
    """

    @classmethod
    def read(cls, value: object) -> NumberEnum:
        """Returns the member with a number."""
        member = cls._value2member_map_.get(read_integer(value))
        if member is not None:
            return member  # type: ignore[return-value]
        raise ValueError("expected one of the values in the contract")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Returns the schema for pydantic, which calls this."""
        return Wire(cls.read).__get_pydantic_core_schema__(source, handler)


class OneOf(Wire):
    """List of numbers in an `Annotated` type, for pydantic and `from_json`."""

    def __init__(self, *values: float) -> None:
        super().__init__(self._member)
        self.values = values

    def _member(self, value: object) -> float:
        if isinstance(value, int | float) and not isinstance(value, bool):
            for known in self.values:
                if known == value:
                    return known
        raise ValueError("expected one of the values in the contract")


# Conversion of values to JSON types.

_PLAIN: Final = frozenset({str, int, float, bool, type(None)})


def json_value(value: Any) -> Any:
    """Return a value as JSON types; values of other classes are unchanged."""
    if type(value) in _PLAIN:
        return value
    match value:
        case Enum():
            return json_value(value.value)
        case UUID() | Decimal():
            return str(value)
        case timedelta():
            return write_duration(value)
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
        model: Any = type(value)
        by_alias = has_aliases(model)
        context = publication_arguments(model)
        return value.model_dump(mode="json", by_alias=by_alias, **context)
    if (publish := getattr(value, "__herald_payload__", None)) is not None:
        return publish()
    fields = fields_of(value)
    if fields is None:
        return value
    return {json_value(k): json_value(v) for k, v in fields.items()}


def text_of(value: object) -> str:
    """Return `str(value)`, or a placeholder if that raises."""
    try:
        return str(value)
    except Exception:
        return f"<unprintable {type(value).__name__}>"


# Correlation context: the current request, and the event that caused the current work.

R = TypeVar("R")


class Correlation(NamedTuple):
    """Correlation of events published now."""

    correlation_id: UUID | None = None
    """Identifies the request; shared by all its events."""

    causation_id: UUID | str | None = None
    """Event that caused the current work."""


class RunCorrelation(Correlation):
    """Correlation inside of a run of an operation."""

    private: PrivateInput
    """Input of the run."""


def private_input() -> PrivateInput | None:
    """Returns the input of the current run."""
    return getattr(CURRENT.get(), "private", None)


NO_CORRELATION: Final = Correlation()
CURRENT: Final = ContextVar("herald_correlation", default=NO_CORRELATION)


def leave(token: Token[Correlation]) -> None:
    """Restores the surrounding scope. A scope that ends in another task than it began
    in has nothing to restore there.
    """
    try:  # noqa: SIM105 - `suppress` would add a tenth to the time of publishing
        CURRENT.reset(token)
    except ValueError:
        pass


def current() -> Correlation:
    """Returns the current correlation; outside of a request, both fields are None."""
    return CURRENT.get()


class correlation:
    """Correlation scope: `with correlation(request_id): ...`.

    Omitted ids are inherited from the surrounding scope. Without one, the correlation
    id is the trace id of OpenTelemetry's current span, or a new one.
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
        if isinstance(around, RunCorrelation):
            given = in_run(*given, around.private)
        self._tokens.append(CURRENT.set(given))
        return given

    def __exit__(self, *_: object) -> None:
        leave(self._tokens.pop())


def in_run(
    correlation_id: UUID | None,
    causation_id: UUID | str | None,
    private: PrivateInput,
) -> RunCorrelation:
    """Returns a correlation inside of a run with this input."""
    inside = RunCorrelation(correlation_id, causation_id)
    inside.private = private
    return inside


def correlation_from(message: object) -> correlation:
    """Returns the scope of a consumed message: its correlation id, with the message as
    the cause.

    Args:
        message: An envelope as mapping, bytes or text, a `ReceivedEvent`, or what a
            consumer of aiokafka or confluent-kafka returns.

    Raises:
        EnvelopeError: The message is not a valid envelope.
    """
    envelope = envelope_of(message)
    return correlation(envelope.correlation_id, envelope.event_id)


def in_context(function: Callable[P, R]) -> Callable[P, R]:
    """Returns the function bound to the current scope, for executors:
    `executor.submit(in_context(function))`.
    """
    current_scope = CURRENT.get()

    def bound(*args: P.args, **kwargs: P.kwargs) -> R:
        token = CURRENT.set(current_scope)
        try:
            return function(*args, **kwargs)
        finally:
            CURRENT.reset(token)

    return bound


def new_correlation_id() -> UUID:
    """Returns the trace id of OpenTelemetry's current span, or a new id."""
    trace = trace_id()
    return uuid4() if trace is None else UUID(int=trace)


# Received lifecycle, state and metric events.

LIFECYCLE_PAYLOADS: Final = (
    OperationStarted,
    OperationCompleted,
    OperationFailed,
    StateChanged,
    MetricRecorded,
)


class OperationStartedEvent(ReceivedEvent[OperationStarted]):
    """Received event that an operation started."""

    __slots__ = ()


class OperationCompletedEvent(ReceivedEvent[OperationCompleted]):
    """Received event that an operation completed."""

    __slots__ = ()


class OperationFailedEvent(ReceivedEvent[OperationFailed]):
    """Received event that an operation failed."""

    __slots__ = ()


class StateChangedEvent(ReceivedEvent[StateChanged]):
    """Received event that the state of a node changed."""

    __slots__ = ()


class MetricRecordedEvent(ReceivedEvent[MetricRecorded]):
    """Received metric event."""

    __slots__ = ()


# Public and private fields of models, and the removal of private values.

PublicFields: TypeAlias = Mapping[str, "PublicFields | None"]
"""Public fields: None stands for all of a field, a mapping for its public part. For a
list it applies to each item; `*` stands for all other names.
"""


class ModelField(NamedTuple):
    """Field of a generated model, or of another pydantic model or dataclass."""

    attribute: str
    name: str
    """Name in JSON."""
    hint: Any
    is_private: bool


@lru_cache(maxsize=1_024)
def model_fields(model: Any) -> tuple[ModelField, ...] | None:
    """Returns the fields of a model; None for other types."""
    if is_model(model):
        return tuple(
            ModelField(
                attribute,
                field.serialization_alias or field.alias or attribute,
                field.annotation,
                any(isinstance(mark, Privacy) for mark in field.metadata),
            )
            for attribute, field in model.model_fields.items()
        )
    if not isinstance(model, type) or not hasattr(model, "__dataclass_fields__"):
        return None
    hints = get_type_hints(model, include_extras=True)
    return tuple(
        ModelField(
            field.name,
            field.metadata.get("alias", field.name),
            hints[field.name],
            any(
                isinstance(mark, Privacy)
                for mark in getattr(hints[field.name], "__metadata__", ())
            ),
        )
        for field in dataclass_fields(model)
    )


@lru_cache(maxsize=1_024)
def private_attributes(model: Any) -> frozenset[str]:
    """Returns the attributes of a model whose values are private."""
    fields = model_fields(model) or ()
    return frozenset(field.attribute for field in fields if field.is_private)


@lru_cache(maxsize=1_024)
def public_fields(model: Any) -> PublicFields:
    """Returns the public fields of a model."""
    return _tree(model, {})


def _tree(model: Any, trees: dict[Any, dict[str, PublicFields | None]]) -> PublicFields:
    if model in trees:
        return trees[model]
    tree = trees[model] = {}
    for of_model in model_fields(model) or ():
        if not of_model.is_private:
            tree[of_model.name] = _part_of_hint(of_model.hint, trees)
    return tree


def _part_of_hint(
    hint: Any, trees: dict[Any, dict[str, PublicFields | None]]
) -> PublicFields | None:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _part_of_hint(arguments[0], trees)
    if origin is Union or origin is UnionType:
        parts = [_part_of_hint(member, trees) for member in arguments]
        return _common([part for part in parts if part is not None])
    if origin is not None and arguments:
        part = _part_of_hint(arguments[-1], trees)
        is_mapping = isinstance(origin, type) and issubclass(origin, Mapping)
        return {"*": part} if part is not None and is_mapping else part
    return _tree(hint, trees) if _has_private(hint) else None


def _common(parts: list[PublicFields]) -> PublicFields | None:
    """Returns the fields that are public in each member of a union: a mapping does not
    tell which member it is.
    """
    if not parts or all(part is parts[0] for part in parts):
        return parts[0] if parts else None
    return {
        name: None for name in parts[0] if all(p.get(name, 0) is None for p in parts)
    }


@lru_cache(maxsize=1_024)
def _has_private(model: Any) -> bool:
    """Whether a model has private fields, at any depth."""
    seen: set[Any] = set()
    open_models = [model]
    while open_models:
        of_type = open_models.pop()
        if of_type in seen:
            continue
        seen.add(of_type)
        for of_model in model_fields(of_type) or ():
            if of_model.is_private:
                return True
            open_models += models_in(of_model.hint)
    return False


def models_in(hint: Any) -> list[Any]:
    """Returns the classes in a type."""
    if get_origin(hint) is None:
        return [hint] if isinstance(hint, type) else []
    return [model for inner in get_args(hint) for model in models_in(inner)]


def published(fields: Mapping[Any, Any], public: PublicFields | None) -> dict[Any, Any]:
    """Returns the fields with private values replaced by the names of their types."""
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


def private_values(
    fields: Mapping[Any, Any], public: PublicFields | None
) -> Iterable[object]:
    """Returns the values of private fields."""
    if public is None:
        return
    others = "*" if "*" in public else None
    for name, value in fields.items():
        key = name if name in public else others
        if key is None:
            yield value
        elif (part := public[key]) is not None:
            yield from _private_parts(value, part)


def _private_parts(value: object, public: PublicFields) -> Iterable[object]:
    if isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _private_parts(item, public)
    elif (fields := fields_of(value)) is not None:
        yield from private_values(fields, public)


# Parsing of JSON objects to pydantic models and dataclasses.


class ModelError(ValueError):
    """JSON that does not match a model. It names the place, never a value.

    Attributes:
        loc: Path to the invalid value: names and indices.
    """

    def __init__(self, loc: tuple[str | int, ...], message: str) -> None:
        place = ".".join(str(part) for part in loc)
        super().__init__(f"{place}: {message}" if place else message)
        self.loc = loc
        self.reason = message

    def errors(self) -> list[dict[str, Any]]:
        """Return the error in pydantic's format."""
        return [{"loc": self.loc, "type": self.reason, "msg": self.reason}]

    def below(self, part: str | int) -> ModelError:
        """Return the error with a path that begins with `part`."""
        return ModelError((part, *self.loc), self.reason)


class Unchecked(set[str]):
    """Names of the given fields of a pydantic model that was not validated. Pydantic
    compares and copies them as it does with any set, so that the model stays equal to
    a validated one.
    """


class EventDataclass:
    """Base of generated dataclasses: they are validated when they are made, and `repr`
    does not show private values.
    """

    __slots__ = ()

    def __post_init__(self) -> None:
        """Validates the values; text in the form of the JSON becomes a value."""
        of_type: Any = type(self)
        for attribute, name, hint, _ in _model_fields(of_type):
            given = getattr(self, attribute)
            value = _at(name, hint, given)
            if value is not given:
                object.__setattr__(self, attribute, value)

    def __repr__(self) -> str:
        of_type: Any = type(self)
        private = private_attributes(of_type)
        shown = ", ".join(
            f"{attribute}={getattr(self, attribute)!r}"
            for attribute, *_ in _model_fields(of_type)
            if attribute not in private
        )
        return f"{of_type.__qualname__}({shown})"

    def __herald_payload__(self) -> dict[str, Any]:
        """Returns the fields as JSON without private values, for Herald's clients."""
        of_type: Any = type(self)
        return published(fields_of(self) or {}, public_fields(of_type))


def from_json(model: type[M], value: Mapping[str, Any]) -> M:
    """Parse a JSON object to a model, as strictly as its contract.

    Raises:
        ValueError: The object does not match the model. Pydantic's errors are
            subclasses.
    """
    validate: Callable[..., M] | None = getattr(model, "model_validate", None)
    if validate is not None:
        return validate(value)
    try:
        read: M = _read(model, value)
    except RecursionError:
        raise ModelError((), "nested too deeply") from None
    return read


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
        raise ModelError((), "expected one of the values in the contract")
    if origin is list:
        if not isinstance(value, list):
            raise ModelError((), "expected a list")
        return [_at(index, arguments[0], item) for index, item in enumerate(value)]
    if origin is not None:  # a mapping
        if not isinstance(value, Mapping):
            raise ModelError((), "expected an object")
        return {
            _at("[key]", arguments[0], name): _at(name, arguments[1], item)
            for name, item in value.items()
        }
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
            if isinstance(mark, Limits | UniqueItems):
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
    if isinstance(hint, type) and issubclass(hint, TextEnum | NumberEnum):
        try:
            return hint.read(value)
        except ValueError as error:
            raise ModelError((), str(error)) from None
    if hint is bool and isinstance(value, bool):
        return value
    if hint is str and isinstance(value, str):
        if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
            raise ModelError((), "expected text without lone surrogates")
        return value
    expected = {bool: "true or false", str: "text"}.get(hint, "nothing")
    raise ModelError((), f"expected {expected}")


def _read_dataclass(model: Any, value: Any) -> Any:
    is_checked = issubclass(model, EventDataclass)
    if is_checked and isinstance(value, model):
        return value
    if not isinstance(value, Mapping):
        raise ModelError((), "expected an object")
    given = {}
    for attribute, name, hint, is_required in _model_fields(model):
        if name in value:
            part = value[name]
            given[attribute] = part if is_checked else _at(name, hint, part)
        elif is_required:
            raise ModelError((name,), "missing")
    return model(**given)


@lru_cache(maxsize=1_024)
def _model_fields(model: Any) -> tuple[tuple[str, str, Any, bool], ...]:
    """Return attribute, JSON name, type, and whether it is required, for each field."""
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


# Private values of the input of an operation, and their removal from error texts.

OMITTED: Final = "omitted by the contract"
MAX_VALUES: Final = 10_000  # of an input; a failure must not take seconds
MAX_TEXT: Final = 100_000  # of a value, and of an error text
SHORT: Final = 4  # Shorter values are masked only as whole words.
LONG: Final = 24  # Of longer values,
RUN: Final = 16  # so many characters in a row are masked, too.
MIN_DIGITS: Final = 8  # Numbers with so many digits are masked with any separators.
MAX_FAILED: Final = 100  # inner runs whose input is remembered


class PrivateInput:
    """Input of a run, whose private values are masked in the texts of its errors."""

    __slots__ = ("_around", "_failed", "_fields", "_public", "omits_text")

    def __init__(
        self,
        fields: Mapping[str, Any],
        public: PublicFields | None,
        around: PrivateInput | None,
        *,
        omits_text: bool = False,
    ) -> None:
        self._fields: Mapping[str, Any] = {}
        if public is not None:  # else nothing is private
            with suppress(Exception):  # a mapping of somebody else may raise
                # A copy, because the operation may remove what it has read.
                self._fields = dict(fields)
        self._public = public
        self._around = around
        self.omits_text = omits_text
        """Whether the texts of errors are left out."""
        self._failed: list[PrivateInput] | None = None

    def failed(self) -> None:
        """Adds the private values to those of the surrounding run: the error may go
        there.
        """
        around, self._around = self._around, None
        if around is not None:
            around._failed = around._failed or []
            if len(around._failed) < MAX_FAILED:
                around._failed.append(self)

    def values(self) -> Iterator[object]:
        """Returns the private values: those of the input, and of inner runs that
        failed.
        """
        yield from private_values(self._fields, self._public)
        for inner in self._failed or ():
            yield from inner.values()


def mask_private(text: str, private: PrivateInput) -> str:
    """Returns a text with `***` for private values, in the forms in which errors quote
    them. Never raises.
    """
    if private.omits_text:
        return OMITTED
    try:
        text = text[:MAX_TEXT]
        lower = text.lower()
        wanted = []
        spans: list[tuple[int, int]] = []
        for scalar in _scalars(private.values()):
            for form in _forms(scalar):
                if form in text or form.lower() in lower:
                    wanted.append(_word(form))
                elif len(form) >= LONG:
                    spans += _runs(text, form)
            wanted += _digits(scalar, text)
        for pattern in wanted:
            found = re.finditer(f"(?=({pattern}))", text, re.IGNORECASE)
            spans += [match.span(1) for match in found]
        return _with_masks(text, spans)
    except Exception:
        return MASK


def _scalars(values: Iterable[object]) -> Iterator[object]:
    """Returns the scalars in values, at any depth."""
    open_values = list(values)
    for _ in range(MAX_VALUES):
        if not open_values:
            return
        value = open_values.pop()
        if isinstance(value, Mapping):
            open_values += [*value.keys(), *value.values()]
        elif isinstance(value, list | tuple | set | frozenset):
            open_values += value
        elif isinstance(value, Enum):
            open_values += [value.value, value.name]
        elif isinstance(value, _SCALARS):
            yield value
        else:
            fields = None
            with suppress(Exception):  # its attributes may raise
                fields = fields_of(value)
            open_values += [text_of(value)] if fields is None else fields.values()
    raise ValueError("too many values")


_SCALARS: Final = (
    str, bytes, int, float, Decimal, UUID, date, time, timedelta, type(None)
)  # fmt: skip


def _forms(value: object) -> set[str]:
    """Returns the texts of a value in error messages."""
    if value is None or isinstance(value, bool):
        return set()  # not private: there are no others
    texts = {str(value), repr(value)}
    match value:
        case str():
            texts = {value, value.strip()}
        case bytes():
            texts |= {value.hex(), b64encode(value).decode()}
            texts |= {value.decode("utf-8", "replace"), repr(value)[2:-1]}
        case UUID():
            texts.add(value.hex)
        case date() | time():
            texts.add(value.isoformat())
    for text in tuple(texts):
        text = text[:MAX_TEXT]
        texts |= {repr(text)[1:-1], quote(text, safe=""), quote_plus(text)}
        texts |= {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
    return {text[:MAX_TEXT] for text in texts if text.strip()}


def _word(form: str) -> str:
    if len(form) >= SHORT:
        return re.escape(form)
    return rf"(?<![^\W_]){re.escape(form)}(?![^\W_])"


def _digits(value: object, text: str) -> list[str]:
    """Returns a pattern for a number such as that of a card, with any separators."""
    if not isinstance(value, str | int) or isinstance(value, bool):
        return []
    digits = [character for character in str(value)[:100] if character.isdecimal()]
    if len(digits) < MIN_DIGITS or len(digits) * 2 < len(str(value)):
        return []
    return ["[ .:/_-]?".join(digits)]


def _runs(text: str, form: str) -> list[tuple[int, int]]:
    """Returns the parts of a text that are a long part of a value."""
    starts = range(len(text) - RUN + 1)
    return [(at, at + RUN) for at in starts if text[at : at + RUN] in form]


def _with_masks(text: str, spans: list[tuple[int, int]]) -> str:
    parts: list[str] = []
    end = 0
    for start, stop in sorted(spans):
        if start > end or (start == end and not parts):
            parts += [text[end:start], MASK]
        end = max(end, stop)
    return "".join(parts) + text[end:] if parts else text


# Parsing of consumed messages to typed events.

EventT = TypeVar("EventT", bound=ReceivedEvent[Any])
PayloadReader = Callable[[Mapping[str, Any]], Any]


def event_classes(
    *events: tuple[str, int, type[Any]],
) -> dict[tuple[str, int], type[Any]]:
    """Returns classes of events by event type and version."""
    return {(str(event_type), version): of for event_type, version, of in events}


def parse_message(
    message: object,
    events: Mapping[tuple[str, int], type[EventT]],
) -> EventT | UnknownEvent:
    """Parses the event in a message, as the class of its event type.

    Args:
        message: The envelope as a mapping, bytes or text, or an object with one of
            these as `value`, such as a message of aiokafka or confluent-kafka.
        events: Classes of events by event type and version. Payloads of other events
            are left unparsed.

    Raises:
        EnvelopeError: The message is not a valid envelope, or the payload does not
            match its event type.
    """
    event = envelope_of(message)
    of_type: Any  # a class is hashable, which mypy does not know of `type[EventT]`
    known = of_type = events.get((event.event_type, _major(event.event_version)))
    if known is None:
        return event if isinstance(event, UnknownEvent) else _as(UnknownEvent, event)
    if isinstance(event, known):
        return event
    try:
        payload = _payload_reader(of_type)(event.payload)
    except EnvelopeError:
        raise
    except Exception as error:
        raise _unreadable(event.event_type, error) from None
    return _as(known, event, payload=payload)


def _as(known: type[EventT], event: ReceivedEvent[Any], **changed: Any) -> EventT:
    """Returns the event as another class of events."""
    return known(**{**{name: getattr(event, name) for name in _FIELDS}, **changed})


_FIELDS = tuple(field.name for field in fields(ReceivedEvent))


@lru_cache(maxsize=1_024)
def _payload_reader(event: type[ReceivedEvent[Any]]) -> PayloadReader:
    """Returns the function that reads the payloads of a class of events."""
    payload: Any = Mapping[str, Any]
    for base in vars(event).get("__orig_bases__", ()):
        payload = get_args(base)[0]
    if payload in LIFECYCLE_PAYLOADS:
        read: PayloadReader = payload.read
        return read
    if get_origin(payload) is not None:  # a mapping
        return dict
    return partial(from_json, payload)


def _major(version: str) -> int:
    """Returns the number that a version begins with; -1 if there is none."""
    number = version.partition(".")[0]
    return int(number) if number.isascii() and number.isdecimal() else -1


def _unreadable(event_type: str, error: Exception) -> EnvelopeError:
    """Converts an error of a payload's model. The values that pydantic's errors print
    are left out.
    """
    path, reason = "payload", type(error).__name__
    with suppress(Exception):  # only pydantic's and Herald's errors have `errors`
        details: Any = error
        first = details.errors()[0]
        path = ".".join([path, *(str(part) for part in first["loc"])])
        reason = str(first["type"])
    return EnvelopeError(path, f"not a valid payload of {event_type} ({reason})")


# Redaction of secrets in error texts.

ERROR_WINDOW: Final = 4_000  # so much of an error is read and masked,
HALF_A_SECRET: Final = 400  # without its end, where a secret may be cut,
MAX_ERROR_TEXT: Final = 2_000  # and so much of that is kept
MAX_PLACES: Final = 10  # of a validation error

Masker = Callable[[str, Iterable[re.Pattern[str]]], str]

# The engine in Rust where the package is there, and otherwise the one in Python.
_MASKERS: Final[list[Masker]] = [mask_secrets]


def use_masker(masker: Masker) -> None:
    """Set what masks the secrets of a text."""
    _MASKERS[0] = masker


def error_text(value: object) -> str:
    """Return the text of an error, with `***` for private values of the input of the
    current operation. Validation errors quote their input, so their text is made of
    places and types. Never raises.
    """
    text = _validation_text(value) if isinstance(value, Exception) else None
    if text is None:
        text = text_of(value)
    private = private_input()
    return text if private is None else mask_private(text, private)


def _validation_text(error: Exception) -> str | None:
    """Return the places and types of errors of pydantic, and of those with the same
    `errors()`, such as FastAPI's; None for others.
    """
    with suppress(Exception):
        details: Any = error
        found: list[Mapping[str, Any]] = list(details.errors())
        places = [
            f"{'.'.join(map(str, each['loc'])) or 'value'}: {each['type']}"
            for each in found[:MAX_PLACES]
        ]
        if len(found) > MAX_PLACES:
            places.append("...")
        count = "1 validation error" if len(found) == 1 else f"{len(found)} errors"
        title = getattr(error, "title", None)
        subject = f" for {title}" if isinstance(title, str) else ""
        return f"{count}{subject}: {'; '.join(places)}"
    return None


def redact_secrets(value: object, also: Iterable[re.Pattern[str]] = ()) -> str:
    """Return the text of an error, truncated, with `***` for secrets and for private
    values of the input of the current operation. Never raises.

    Args:
        value: The error.
        also: Patterns of secrets from a contract, in addition to the built-in ones.
    """
    try:
        full = error_text(value)
        text = full[:ERROR_WINDOW]
        text = _MASKERS[0](text, also)
        if len(full) > ERROR_WINDOW:
            masked, mask, rest = text.rpartition("***")
            text = masked + mask + rest[:-HALF_A_SECRET] + " [...]"
        return text if len(text) <= MAX_ERROR_TEXT else text[:MAX_ERROR_TEXT] + " [...]"
    except Exception:
        return "<unprintable error>"


def reason_of(error: BaseException, also: Iterable[re.Pattern[str]] = ()) -> str:
    """Return the type of an error and its redacted text, on one line for logs."""
    name, text = type(error).__name__, printable(redact_secrets(error, also))
    return f"{name}: {text}" if text else name


# Outgoing events, and their log lines.


class EventKind:
    """Properties shared by all events of one type."""

    __slots__ = ("event_type", "label", "level", "metadata", "topic", "version")

    def __init__(
        self,
        event_type: str,
        topic: str,
        label: str,
        level: LogLevel,
        metadata: Mapping[str, Any],
        version: int = 1,
    ) -> None:
        self.event_type = event_type
        self.topic = topic
        """Topic; `{namespace}` stands for the publisher's."""
        self.label = label
        """Name in log lines."""
        self.level = level
        """Log level of the line that reports publication."""
        self.metadata = metadata
        self.version = None if version == 1 else f"{version}.0"
        """Version on the wire, if it is not the default of the client."""


class Outgoing:
    """Event to publish, with the attributes of a `herald.Event`."""

    __slots__ = (
        "causation_id",
        "correlation_id",
        "event_id",
        "event_type",
        "event_version",
        "is_accepted",
        "kind",
        "level",
        "log_context",
        "log_fields",
        "metadata",
        "partition_key",
        "payload",
        "publisher",
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
        self.level = kind.level
        """Log level of the line that reports publication."""
        self.event_type = kind.event_type
        self.source_node_id = str(publisher.node_id)
        self.payload = payload
        self.topic = topic
        self.correlation_id = correlation_id
        self.metadata = metadata
        self.partition_key: str | None = None
        self.causation_id = CURRENT.get().causation_id
        self.event_version = kind.version
        self.event_id: str | None = None
        self.traceparent: str | None = None
        self.summary = ""
        """End of the log line that reports publication."""
        self.log_fields: dict[str, Any] = {}
        """Additional fields of that line."""
        self.log_context: dict[str, Any] | None = None
        """Log fields for an event that is not about a request."""
        self.is_accepted = False
        """Whether a client accepted the event."""

    def keywords(self) -> dict[str, Any]:
        """Returns the arguments for `publish_with_envelope`. Values that it has no
        argument for are in the metadata.
        """
        metadata = self.metadata
        if self.event_id is not None:
            metadata = {**metadata, "event_id": self.event_id}
        if self.causation_id is not None:
            metadata = {**metadata, "causation_id": str(self.causation_id)}
        if self.event_version is not None:
            metadata = {**metadata, "event_version": self.event_version}
        return {
            "event_type": self.event_type,
            "source_node_id": self.source_node_id,
            "payload": self.payload,
            "topic": self.topic,
            "correlation_id": self.correlation_id,
            "metadata": metadata,
        }

    def accepted(self) -> None:
        """Logs that the client accepted the event."""
        self.is_accepted = True
        kind = self.kind
        if is_logged(self.level):
            emit_log_event(
                self.level,
                f"Published {kind.label} event{self.summary}",
                {**self._context(), **self.log_fields},
            )

    def rejected(self) -> None:
        """Logs that the client did not accept the event."""
        emit_log_event(
            LogLevel.WARNING,
            f"Kafka client did not accept {self.kind.label} event",
            self._context(),
        )

    def log_only(self) -> None:
        """Logs the event itself, without a client or a connection."""
        if is_logged(LogLevel.DEBUG):
            log_context = self.log_context or {
                "correlation_id": str(self.correlation_id)
            }
            emit_log_event(
                LogLevel.DEBUG,
                f"Kafka unavailable, logging {self.kind.label} event",
                {**log_context, "payload": self.payload},
            )

    def failed(self, error: Exception) -> None:
        """Logs that the event could not be published."""
        log_context = self.log_context or request_context(self.correlation_id)
        log_failure(self.publisher, self.kind, log_context, error)

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
    log_context: Mapping[str, Any],
    error: Exception,
) -> None:
    """Logs that an event could not be published."""
    # The publisher of a function decorated like a method may be any object.
    reason = reason_of(error, getattr(publisher, "redactions", ()))
    emit_log_event(
        LogLevel.WARNING,
        f"Failed to publish {kind.label} event: {reason}",
        {**log_context, "event_type": kind.event_type, "error": reason},
    )


def request_context(correlation_id: object) -> dict[str, Any]:
    """Returns the log fields for an event of a request."""
    return {"correlation_id": text_of(correlation_id)}


# Validation of payloads before they are published.

MAX_SHOWN: Final = 5  # errors of one payload


def validated(model: type[M], payload: object, event_type: str) -> M:
    """Returns a payload as an instance of the event's model. An instance that is
    validated already is returned as it is.

    Raises:
        PayloadError: The payload does not match the contract. The message names the
            paths and the rules, never a value.
    """
    if type(payload) is model and _is_validated(payload):
        return payload
    if isinstance(payload, Mapping):
        payload = _by_name(model, payload, event_type)
    elif not isinstance(payload, model):
        found = type(payload).__name__
        raise PayloadError(
            f"payload: {event_type} needs {model.__name__} or a mapping, not {found}"
        )
    reason = "it could not be read"
    try:
        return from_json(model, payload)  # type: ignore[arg-type]
    except Exception as error:
        reason = _reason(model, error)
    # Outside of the handler: the error of pydantic has the values.
    raise PayloadError(f"{reason} (payload of {event_type})")


def _is_validated(payload: object) -> bool:
    fields = getattr(payload, "__pydantic_fields_set__", None)
    if fields is None:
        return isinstance(payload, EventDataclass)
    return type(fields) is not Unchecked


def _by_name(model: Any, payload: Mapping[Any, Any], event_type: str) -> dict[str, Any]:
    """Returns the fields by their JSON names; they may be given by attribute, too."""
    fields = model_fields(model) or ()
    names = {field.attribute: field.name for field in fields}
    names |= {field.name: field.name for field in fields}
    for name in payload:
        if name not in names:
            raise PayloadError(
                f"{_path((name,))}: {event_type} has no such field in its contract"
            )
    return {names[name]: value for name, value in payload.items()}


def _reason(model: Any, error: Exception) -> str:
    """Returns the paths and rules of an error of a model. Texts of pydantic for types
    of contracts have no values in them.
    """
    details: Any = error
    try:
        found = list(details.errors())
    except Exception:
        return f"payload: {error_text(error)}"
    shown = [
        f"{_path(_without_private(model, each['loc']))}: "
        f"{str(each['msg']).removeprefix('Value error, ')}"
        for each in found[:MAX_SHOWN]
    ]
    if len(found) > MAX_SHOWN:
        shown.append(f"and {len(found) - MAX_SHOWN} more")
    return "; ".join(shown)


def _without_private(model: Any, loc: Iterable[Any]) -> tuple[Any, ...]:
    """Returns a path up to the first private field: keys of a mapping are values."""
    path: list[Any] = []
    models = [model]
    for part in loc:
        path.append(part)
        fields = [f for each in models for f in model_fields(each) or ()]
        named = [field for field in fields if part in (field.name, field.attribute)]
        if any(field.is_private for field in named):
            break
        if named:
            models = [each for field in named for each in models_in(field.hint)]
    return tuple(path)


def _path(loc: Iterable[Any]) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return "payload" + "".join(parts)


# Queue of events that are sent one after the other in the background.

Send = Callable[[], Awaitable[None]]


class SendQueue:
    """Send queue of one publisher: one event at a time, in call order."""

    def __init__(self) -> None:
        self.failed = 0
        """Number of events that a client accepted and that failed later."""
        self.loop: asyncio.AbstractEventLoop | None = None
        """Event loop on which the publisher was used last."""
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Send, Outgoing | None, Future[None]]] = deque()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether events are queued or being sent."""
        return bool(self._waiting) or self._is_running()

    def put(self, send: Send, event: Outgoing | None) -> Future[None] | None:
        """Queues an event. Returns a future that is done when the event is sent, or
        None without an event loop to send it.
        """
        loop = running_loop()
        if loop is not None:
            self.loop = loop
        target = self.loop
        if target is None or target.is_closed():
            return None
        sent: Future[None] = Future()
        # Before `_start`, which takes the lock: either the running task still finds the
        # event, or it has ended, and `_start` creates another one.
        self._waiting.append((send, event, sent))
        if target is loop:
            self._start(target)
        else:
            target.call_soon_threadsafe(self._start, target)
        return sent

    async def drain(self) -> None:
        """Waits until all queued events are sent."""
        if self.is_busy and (sent := self.put(_noop, None)) is not None:
            await asyncio.wrap_future(sent)

    def error_callback(self, event: Outgoing) -> Callable[[Exception], None]:
        """Returns the error callback of an event. It does not keep the payload alive,
        since many events may be in flight.
        """
        return partial(
            self._on_error, event.publisher, event.kind, event.correlation_id
        )

    def _on_error(
        self,
        publisher: EventPublisher,
        kind: EventKind,
        correlation_id: UUID | None,
        error: Exception,
    ) -> None:
        self.failed += 1
        log_failure(publisher, kind, request_context(correlation_id), error)

    def _is_running(self) -> bool:
        task = self._task
        return task is not None and not task.get_loop().is_closed()

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            if self._waiting and not self._is_running():
                self._task = loop.create_task(self._run())

    async def _run(self) -> None:
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
                    # False if its waiter was cancelled, which does not stop the event.
                    if sent.set_running_or_notify_cancel():
                        sent.set_result(None)
        except asyncio.CancelledError:
            self._abandon()
            raise

    def _abandon(self) -> None:
        """Reports the queued events as failed when the loop ends without
        `EventPublisher.drain`.
        """
        with self._lock:
            self._task = None
            abandoned = list(self._waiting)
            self._waiting.clear()
        for _, event, sent in abandoned:
            if event is not None:
                report = self.error_callback(event)
                report(EventLoopEnded("the publisher was not drained with drain()"))
            sent.cancel()


class EventLoopEnded(Exception):
    """The event loop ended before an event was sent."""


async def _noop() -> None:
    """Marks the end of the queue."""


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Returns the running event loop of this thread, if any."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def send_queue_of(publisher: EventPublisher) -> SendQueue:
    """Returns the send queue of a publisher. Created on first use, because the node's
    own base class may create its instances without calling `__init__`.
    """
    attributes = vars(publisher)
    found: SendQueue | None = attributes.get("_herald_send_queue")
    if found is not None:
        return found
    made: SendQueue = attributes.setdefault("_herald_send_queue", SendQueue())
    return made


# Base class of generated publishers.


class OperationMetrics(Protocol):
    """Protocol for measuring operations, such as `herald.metrics.NodeMetrics`."""

    def track(self, operation: str, /) -> AbstractContextManager[object]:
        """Returns a scope that measures one run of an operation."""


class EventPublisher:
    """Publishes the events of one node.

    Inherit from a generated publisher beside the node's own base class; neither calls
    the other. Publishing never raises: failures are logged. Cancellation passes.

    Attributes:
        node_id: Id of the node, the source of its events.
        kafka_client: Events are only logged while it is None or not connected.
        default_namespace: First part of the topics, such as `dev`.
        wait_for_receipts: Whether instrumented operations wait for the receipts of
            their events. By default they don't with Herald's clients, and the log
            reports "Published" once the client accepted an event; other clients are
            always awaited if possible.
        node_metrics: Counts and times instrumented operations.
        redactions: Patterns of secrets from the contract, in addition to the built-in
            ones.
    """

    node_id: UUID | str
    kafka_client: EventClient | None
    default_namespace: str
    wait_for_receipts: bool = False
    node_metrics: OperationMetrics | None = None
    redactions: ClassVar[tuple[re.Pattern[str], ...]] = ()

    @classmethod
    def with_client(
        cls,
        client: EventClient | None,
        *,
        node_id: UUID | str,
        namespace: str | None = None,
    ) -> Self:
        """Returns a publisher, for programs without a class of their own for the node.
        It does not call `__init__`.

        Args:
            client: Kafka client, such as `herald.KafkaClient`.
            node_id: Id of the node, the source of its events.
            namespace: First part of the topics; by default that of the contract.
        """
        publisher = cls.__new__(cls)
        publisher.kafka_client = client
        publisher.node_id = node_id
        if namespace is not None:
            publisher.default_namespace = namespace
        return publisher

    @property
    def failed_events(self) -> int:
        """Number of events of instrumented operations that failed after a client
        accepted them; the log names them.
        """
        return send_queue_of(self).failed

    async def drain(self) -> None:
        """Waits for queued events of synchronous operations with an asyncio client
        other than Herald's.
        """
        await send_queue_of(self).drain()


# Sending of events through a Kafka client. Raises nothing but cancellation.

MakeEvent = Callable[[], Outgoing]


async def publish_event(
    publisher: EventPublisher,
    kind: EventKind,
    log_context: Mapping[str, Any],
    make_event: MakeEvent,
) -> None:
    """Creates an event, publishes it, and waits for the client's answer."""
    try:
        event = make_event()
        client = publisher.kafka_client
        if client and client.is_connected:
            await deliver(client, event)
        else:
            event.log_only()
    except Exception as error:
        log_failure(publisher, kind, log_context, error)


async def deliver(client: EventClient, event: Outgoing) -> None:
    """Publishes an event, waits for the client's answer, and logs it."""
    await _log_outcome(partial(answer_of, client, event), event)


async def _log_outcome(send: Callable[[], Awaitable[object]], event: Outgoing) -> None:
    try:
        await send()
        event.accepted()
    except NotAccepted:
        event.rejected()
    except Exception as error:
        event.failed(error)


def connected_client(publisher: EventPublisher) -> EventClient:
    """Returns the client of a publisher.

    Raises:
        PublishError: It has none, or the client is not connected.
    """
    client = publisher.kafka_client
    if client is None:
        raise PublishError(
            "the publisher has no client: set `kafka_client`", "not_connected"
        )
    if not client.is_connected:
        raise PublishError(
            "the client is not connected: call `connect` or use `with`",
            "not_connected",
        )
    return client


async def answer_of(client: EventClient, event: Outgoing) -> object:
    """Publishes an event, and returns the client's answer: a receipt of Herald's.

    Raises:
        PublishError: The event is not safe.
    """
    return _accepted(await _awaited(call_client(client, event)), event)


def answer_of_sync(client: EventClient, event: Outgoing) -> object:
    """Publishes an event from synchronous code; see `answer_of`."""
    outcome = call_client(client, event)
    if isawaitable(outcome):
        if iscoroutine(outcome):
            outcome.close()
        raise PublishError(
            "a synchronous publisher needs a synchronous client, such as "
            "`herald.SyncKafkaClient`",
            "wrong_client",
        )
    return _accepted(outcome, event)


async def _awaited(outcome: object) -> object:
    return await outcome if isawaitable(outcome) else outcome


def _accepted(outcome: object, event: Outgoing) -> object:
    if not outcome:
        raise NotAccepted(
            f"the Kafka client did not accept the {event.kind.label} event",
            "not_accepted",
        )
    return outcome


class NotAccepted(PublishError):
    """The client of somebody else answered that it did not accept an event."""


def dispatch(
    event: Outgoing, *, may_wait: bool, in_order: bool = False
) -> Awaitable[None] | None:
    """Passes an event to the client without waiting.

    Args:
        event: The event.
        may_wait: Whether the caller awaits the returned value, if any: the in-flight
            limit of Herald's client, or the answer of another client.
        in_order: Whether the event must be sent behind all earlier ones, of any task
            or thread.
    """
    try:
        publisher = event.publisher
        client = publisher.kafka_client
        of_type: Any = type(client)
        if is_herald_client(of_type) and not (may_wait and publisher.wait_for_receipts):
            herald_client = cast(HeraldClient, client)
            if _is_enqueued(herald_client, event):
                return None
            return _send_in_order(herald_client, event, may_wait, in_order)
        if not (client and client.is_connected):
            event.log_only()
        elif may_wait:
            return _send_in_order(client, event, may_wait, in_order)
        else:
            _send_from_sync(client, event)
    except Exception as error:
        event.failed(error)
    return None


def _is_enqueued(client: HeraldClient, event: Outgoing) -> bool:
    """Enqueues an event in a Herald client, unless the in-flight limit is reached or
    other events wait for it.
    """
    queue = send_queue_of(event.publisher)
    try:
        if queue.is_busy or not client.try_enqueue(event, queue.error_callback(event)):
            return False
    except Exception:
        # Checked only after a failure: a check before would slow down every event.
        if client.is_connected:
            raise
        event.log_only()
    else:
        event.accepted()
    return True


def _send_in_order(
    client: EventClient, event: Outgoing, may_wait: bool, in_order: bool
) -> Awaitable[None] | None:
    """Sends an event that can't be enqueued at once: in the caller's task, or behind
    the events that wait already.
    """
    queue = send_queue_of(event.publisher)
    send = partial(deliver, client, event)
    if may_wait and not in_order and not queue.is_busy:
        queue.loop = asyncio.get_running_loop()
        return send()
    loop = running_loop()
    if loop is None and is_herald_client(type(client)):
        _enqueue_blocking(cast(HeraldClient, client), event)
        return None
    sent = queue.put(send, event)
    if sent is None:
        event.failed(NoEventLoop(_NO_LOOP))
        return None
    return asyncio.wrap_future(sent) if may_wait else None


def _enqueue_blocking(client: HeraldClient, event: Outgoing) -> None:
    """Enqueues an event from a thread without an event loop, which may block."""
    on_error = send_queue_of(event.publisher).error_callback(event)
    if client.try_enqueue(event, on_error, block=True):
        event.accepted()
    else:
        event.rejected()


def _send_from_sync(client: EventClient, event: Outgoing) -> None:
    """Sends an event from synchronous code: at once through a synchronous client, else
    from the event loop.
    """
    send: Send = partial(deliver, client, event)
    outcome: object = None
    if not iscoroutinefunction(client.publish_with_envelope):
        outcome = call_client(client, event)
        if not isawaitable(outcome):
            event.accepted() if outcome else event.rejected()
            return
        send = partial(_log_outcome, partial(_answer, outcome, event), event)
    if send_queue_of(event.publisher).put(send, event) is None:
        if iscoroutine(outcome):
            outcome.close()
        event.failed(NoEventLoop(_NO_LOOP))


_NO_LOOP: Final = "the asyncio client needs an event loop, and none is known"


class NoEventLoop(Exception):
    """A synchronous operation has an asyncio client, and no event loop is known."""


async def _answer(outcome: object, event: Outgoing) -> object:
    return _accepted(await _awaited(outcome), event)


def call_client(client: EventClient, event: Outgoing) -> object:
    """Calls the client. Fields that `publish_with_envelope` does not have are passed to
    Herald's clients in a `herald.Event`.
    """
    extra = (
        event.event_id,
        event.causation_id,
        event.partition_key,
        event.event_version,
    )
    if extra == (None, None, None, None) or not is_herald_client(type(client)):
        return client.publish_with_envelope(**event.keywords())
    event_class = sys.modules["herald.events"].Event
    return cast(HeraldClient, client).publish(
        event_class(
            event.event_type,
            event.source_node_id,
            event.payload,
            event.topic,
            event.correlation_id,
            event.metadata,
            partition_key=event.partition_key,
            causation_id=event.causation_id,
            event_id=event.event_id,
            event_version=event.event_version,
        )
    )


# Events declared by a contract.


class DeclaredEvent(Generic[P, M]):
    """Event declared by a contract.

    Args:
        event_type: Event type.
        source: The node.
        topic: Topic, unless the source has it.
        model: Model of the payload, by which it is validated. The values of its public
            fields are published, for private ones the name of the type is. Without a
            model any mapping is published as it is.
        partition_key: Field whose value is the key, if it is public.
        fields: Added to the metadata of the payload.
        version: Version of the event.
    """

    def __init__(
        self,
        event_type: str,
        source: EventSource,
        *,
        topic: str | None = None,
        model: Callable[P, M] | None = None,
        partition_key: str | None = None,
        fields: Mapping[str, Any] | None = None,
        version: int = 1,
    ) -> None:
        self.event_type = str(event_type)
        self._kind = EventKind(
            self.event_type,
            source.topic(event_type, topic),
            self.event_type,
            LogLevel.INFO,
            source.metadata(event_category="declared"),
            version,
        )
        self._model: Any = model
        self._fields = dict(fields or {})
        self._key = partition_key

    async def publish(
        self,
        publisher: EventPublisher,
        correlation_id: UUID,
        event_data: M | Mapping[str, Any],
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Publishes an event, and waits for the receipt. Never raises."""
        await publish_event(
            publisher,
            self._kind,
            request_context(correlation_id),
            lambda: self.outgoing(
                publisher, event_data, correlation_id=correlation_id, metadata=metadata
            ),
        )

    def outgoing(
        self,
        publisher: EventPublisher,
        payload: object,
        *,
        correlation_id: UUID | None = None,
        causation_id: UUID | str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Outgoing:
        """Creates an event. Correlation and causation come from the current scope
        unless they are given.

        Raises:
            PayloadError: The payload does not match the contract.
        """
        if self._model is not None:
            payload = validated(self._model, payload, self.event_type)
        fields = fields_of(payload)
        if fields is None:
            found = type(payload).__name__
            raise PayloadError(
                f"payload: expected a mapping, a model or a dataclass, not {found}"
            )
        of_event = dict(self._kind.metadata)
        key = self._partition_key and fields.get(self._partition_key)
        if key is not None:
            of_event["partition_key"] = str(json_value(key))
        if correlation_id is None:
            correlation_id = CURRENT.get().correlation_id or new_correlation_id()
        event = Outgoing(
            publisher,
            self._kind,
            correlation_id,
            published(fields, self._public),
            of_event,
            {**self._fields, **(metadata or {})} if self._fields else metadata,
        )
        event.partition_key = of_event.get("partition_key")
        if causation_id is not None:
            event.causation_id = causation_id
        return event

    @cached_property
    def _public(self) -> PublicFields | None:
        # Not at import: models may have types in them that the module defines later.
        return None if self._model is None else public_fields(self._model)

    @cached_property
    def _partition_key(self) -> str | None:
        """The key, if its value is public."""
        is_public = self._public is None or self._key in self._public
        return self._key if is_public else None


class OpenEvent(DeclaredEvent[..., Mapping[str, Any]]):
    """Event declared without a payload: any mapping is published as it is."""


# Metric events.


class MetricEvent:
    """Event that publishes a metric.

    Args:
        event_type: Event type.
        source: The node.
        topic: Topic, unless the source has it.
        version: Version of the event.
    """

    def __init__(
        self,
        event_type: str,
        source: EventSource,
        *,
        topic: str | None = None,
        version: int = 1,
    ) -> None:
        self._node_type = source.node_type
        self._kind = EventKind(
            str(event_type),
            source.topic(event_type, topic),
            "metric recorded",
            LogLevel.DEBUG,
            source.metadata(event_category="metric"),
            version,
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
        """Publishes an event, and waits for the receipt. Never raises."""

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
            names = {"metric_name": metric_name, "metric_unit": metric_unit}
            outgoing = Outgoing(
                publisher,
                self._kind,
                correlation_id,
                payload,
                {**self._kind.metadata, **names},
                metadata,
            )
            metric = f"{metric_name}={metric_value}{metric_unit}"
            outgoing.log_context = log_context
            outgoing.summary = f": {metric}"
            outgoing.log_fields = {"metric": metric}
            return outgoing

        log_context = {"metric_name": metric_name}
        await publish_event(publisher, self._kind, log_context, event)


# Instrumented runs of operations.


class Run(CallScope):
    """Scope of one run of an operation. It fails with the exception that leaves it.

    Attributes:
        correlation_id: Id of the request, shared by all its events.
        result: Published result: a mapping, a model or a dataclass; anything else
            becomes the field `result`.
    """

    __slots__ = (
        "_causation_id",
        "_correlation_text",
        "_input",
        "_metadata",
        "_operation",
        "_private",
        "_publisher",
        "_start_time",
        "_started",
        "_token",
        "_track",
        "correlation_id",
    )

    def __init__(
        self,
        operation: BaseOperation[Any, Any],
        publisher: EventPublisher,
        input: Mapping[str, Any],
        correlation_id: UUID | None = None,
        causation_id: UUID | str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        around = CURRENT.get()
        self._operation = operation
        self._publisher = publisher
        self._input = input
        self._metadata = metadata
        self.correlation_id: UUID = (
            correlation_id or around.correlation_id or new_correlation_id()
        )
        self._private = PrivateInput(
            input,
            operation.public_input,
            getattr(around, "private", None),
            omits_text=operation.error_text == "omitted",
        )
        self._causation_id = causation_id or around.causation_id
        self._started: Outgoing | None = None
        self._token: Token[Correlation] | None = None
        self._correlation_text: str | None = None
        self._start_time = 0.0
        self._track: AbstractContextManager[object] | None = None

    def start(self, *, may_wait: bool) -> Awaitable[None] | None:
        """Publishes the start. The caller awaits the returned value, if any, before
        `enter`.
        """
        operation = self._operation
        if (metrics := getattr(self._publisher, "node_metrics", None)) is not None:
            with suppress(Exception):
                self._track = metrics.track(operation.name)
                self._track.__enter__()
        self._start_time = perf_counter()
        if operation.publishes != "all" or not self._is_sampled():
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
        event.causation_id = self._causation_id
        event.event_id = _new_event_id()
        self._started = event
        return dispatch(event, may_wait=may_wait)

    def enter(self) -> None:
        """Makes this run the cause of events published until `leave`."""
        if self._started is not None:
            if self._started.is_accepted:
                self._causation_id = self._started.event_id
            self._started = None
        self._token = CURRENT.set(self._correlation())

    def leave(self) -> None:
        """Restores the surrounding scope."""
        if self._token is not None:
            leave(self._token)
            self._token = None

    def finish(
        self, error: BaseException | None, *, may_wait: bool
    ) -> Awaitable[None] | None:
        """Publishes the completion or failure. The caller awaits the returned value, if
        any.
        """
        if error is None:
            return self._finish(None, may_wait=may_wait)
        # Texts of errors are made inside of the scope, which knows the private input.
        # A generator may be closed outside of it.
        token = CURRENT.set(self._correlation())
        try:
            return self._finish(error, may_wait=may_wait)
        finally:
            CURRENT.reset(token)
            self._private.failed()

    def _finish(
        self, error: BaseException | None, *, may_wait: bool
    ) -> Awaitable[None] | None:
        operation = self._operation
        milliseconds = round((perf_counter() - self._start_time) * 1e3, 3)
        if self._track is not None:
            with suppress(Exception):
                self._track.__exit__(type(error) if error else None, error, None)
            self._track = None
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
            elif operation.publishes != "failures":
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
        event.causation_id = self._causation_id
        # Cancellation and program exit must not wait for the client.
        may_wait = may_wait and (error is None or isinstance(error, Exception))
        return dispatch(event, may_wait=may_wait)

    def _correlation(self) -> Correlation:
        return in_run(self.correlation_id, self._causation_id, self._private)

    def _is_sampled(self) -> bool:
        share = self._operation.sample_started
        if share >= 1.0:
            return True
        return crc32(self._text().encode()) < share * 2**32

    def _text(self) -> str:
        """Returns the correlation id as text, formatted once."""
        text = self._correlation_text
        if text is None:
            text = self._correlation_text = str(self.correlation_id)
        return text

    def _log(self, kind: EventKind, error: Exception) -> None:
        token = CURRENT.set(self._correlation())
        try:
            request = request_context(self.correlation_id)
            log_failure(self._publisher, kind, request, error)
        finally:
            CURRENT.reset(token)


def _new_event_id() -> str:
    """Returns a version 4 UUID as text, faster than through a UUID object."""
    digits = urandom(16).hex()
    return (
        f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
    )


def _result(result: object) -> Mapping[str, Any]:
    if result is None:
        return {}
    fields = fields_of(result)
    return {"result": result} if fields is None else fields


# States of a node, and their change events.

S = TypeVar("S", bound=StrEnum)


class StateEvent:
    """Event that publishes a state change.

    Args:
        event_type: Event type.
        source: The node.
        topic: Topic, unless the source has it.
        version: Version of the event.
    """

    def __init__(
        self,
        event_type: str,
        source: EventSource,
        *,
        topic: str | None = None,
        version: int = 1,
    ) -> None:
        self._node_type = source.node_type
        self.kind = EventKind(
            str(event_type),
            source.topic(event_type, topic),
            "state changed",
            LogLevel.INFO,
            source.metadata(event_category="state_transition"),
            version,
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
        """Publishes an event, and waits for the receipt. Never raises."""
        await publish_event(
            publisher,
            self.kind,
            request_context(correlation_id),
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
        """Creates an event."""
        outgoing = Outgoing(
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
        outgoing.summary = f": {transition}"
        outgoing.log_fields = {"transition": transition}
        return outgoing


class States(Generic[S]):
    """States and transitions of a node from its contract. As an attribute of a class of
    publishers it is the machine of each publisher.

    Args:
        event: Event that publishes a change.
        states: All states.
        initial: Initial state.
        transitions: For each state, the states that may follow.
        terminal: Terminal states.
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

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: EventPublisher, owner: type) -> StateMachine[S]: ...

    def __get__(
        self, instance: EventPublisher | None, owner: type
    ) -> Self | StateMachine[S]:
        return self if instance is None else self.of(instance)

    def following(self, state: S) -> frozenset[S]:
        """Returns the states that may follow a state."""
        if state in self.terminal:
            return frozenset()
        return self.transitions.get(state, frozenset())

    def of(self, publisher: EventPublisher) -> StateMachine[S]:
        """Returns the state machine of a publisher."""
        attributes = vars(publisher)
        found: StateMachine[S] | None = attributes.get("_herald_states")
        if found is not None:
            return found
        outgoing: StateMachine[S] = attributes.setdefault(
            "_herald_states", StateMachine(self, publisher)
        )
        return outgoing


class TransitionError(ValueError):
    """A state change that the contract does not allow.

    Attributes:
        old_state: Current state, which the node keeps.
        new_state: Requested state.
        allowed: States that may follow.
    """

    def __init__(self, old_state: str, new_state: str, allowed: frozenset[str]) -> None:
        others = ", ".join(sorted(allowed)) or "none, it is a terminal state"
        super().__init__(
            f"{old_state} can't become {new_state}; it can become: {others}"
        )
        self.old_state = old_state
        self.new_state = new_state
        self.allowed = allowed


class StateMachine(Generic[S]):
    """State machine of one node, safe for tasks and threads. Events are published in
    the order of the changes.
    """

    def __init__(self, states: States[S], publisher: EventPublisher) -> None:
        self._states = states
        self._publisher = publisher
        self._state = states.initial
        self._lock = threading.Lock()

    @property
    def state(self) -> S:
        """Current state."""
        return self._state

    @property
    def allowed(self) -> frozenset[S]:
        """States that may follow the current one."""
        return self._states.following(self._state)

    @property
    def is_over(self) -> bool:
        """Whether the current state is terminal."""
        return self._state in self._states.terminal

    async def transition(
        self,
        to: S,
        reason: str,
        correlation_id: UUID | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Changes the state, and publishes the change.

        Args:
            to: The new state.
            reason: Reason of the change.
            correlation_id: By default that of the surrounding scope, or a new one.
            metadata: Published unchanged.

        Raises:
            TransitionError: The contract does not allow the change; the state is kept.
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
        """Changes the state from synchronous code, and publishes the change."""
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
        # An event loop never blocks with the lock held; a thread without a loop may, at
        # the in-flight limit.
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
                log_context = request_context(request)
                log_failure(
                    self._publisher, self._states.event.kind, log_context, error
                )
                return None
            return dispatch(event, may_wait=may_wait, in_order=True)


# Public methods of publishers, which publish declared events and return receipts.


class AsyncPublish(Protocol[P, M_contra]):
    """Publishes an event, and waits until it is safe."""

    @overload
    async def __call__(
        self,
        payload: M_contra,
        /,
        *,
        correlation_id: UUID | None = None,
        causation_id: UUID | str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Receipt: ...

    @overload
    async def __call__(self, *args: P.args, **fields: P.kwargs) -> Receipt: ...


class SyncPublish(Protocol[P, M_contra]):
    """Publishes an event, and blocks until it is safe."""

    @overload
    def __call__(
        self,
        payload: M_contra,
        /,
        *,
        correlation_id: UUID | None = None,
        causation_id: UUID | str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Receipt: ...

    @overload
    def __call__(self, *args: P.args, **fields: P.kwargs) -> Receipt: ...


class PublishMethod(Generic[P, M]):
    """Method that publishes a declared event and returns its receipt.

    It takes the payload, with the correlation id, the causation id and metadata if they
    are not those of the current scope; or the fields of the payload as keywords.

    Raises:
        PayloadError: The payload does not match the contract.
        PublishError: There is no receipt: the event is not safe.
    """

    def __init__(self, event: DeclaredEvent[P, M]) -> None:
        self._event = event

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: EventPublisher, owner: type) -> AsyncPublish[P, M]: ...

    def __get__(self, instance: EventPublisher | None, owner: type) -> Any:
        if instance is None:
            return self
        event, publisher = self._event, instance

        async def publish(*payload: Any, **options: Any) -> Any:
            outgoing = _outgoing(event, publisher, payload, options)
            answer = await answer_of(connected_client(publisher), outgoing)
            return _receipt(outgoing, answer)

        return _named(publish, event)


class SyncPublishMethod(Generic[P, M]):
    """Method of a synchronous publisher that publishes a declared event and returns its
    receipt. See `PublishMethod`.
    """

    def __init__(self, event: DeclaredEvent[P, M]) -> None:
        self._event = event

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: EventPublisher, owner: type) -> SyncPublish[P, M]: ...

    def __get__(self, instance: EventPublisher | None, owner: type) -> Any:
        if instance is None:
            return self
        event, publisher = self._event, instance

        def publish(*payload: Any, **options: Any) -> Any:
            outgoing = _outgoing(event, publisher, payload, options)
            answer = answer_of_sync(connected_client(publisher), outgoing)
            return _receipt(outgoing, answer)

        return _named(publish, event)


def _outgoing(
    event: DeclaredEvent[Any, Any],
    publisher: EventPublisher,
    payload: tuple[Any, ...],
    options: dict[str, Any],
) -> Outgoing:
    if not payload:
        return event.outgoing(publisher, options)
    if len(payload) > 1:
        raise TypeError(f"expected one payload of {event.event_type}, or its fields")
    return event.outgoing(publisher, *payload, **options)


def _receipt(outgoing: Outgoing, answer: object) -> Any:
    outgoing.level = LogLevel.DEBUG
    outgoing.accepted()
    return answer


def _named(function: Callable[..., Any], event: DeclaredEvent[Any, Any]) -> Any:
    function.__doc__ = f"Publishes `{event.event_type}`, and returns its receipt."
    return function


# Decorators that make functions operations.


def instrumented(
    operation: BaseOperation[Any, Any],
    function: F,
    publisher: EventPublisher | Callable[[], EventPublisher] | None,
) -> F:
    """Wraps a function as an operation. Without a publisher, its first argument is
    the publisher.
    """
    return wrap(function, _run_factory(operation, function, publisher))


def _run_factory(
    operation: BaseOperation[Any, Any],
    function: Callable[..., Any],
    publisher: EventPublisher | Callable[[], EventPublisher] | None,
) -> Begin:
    """Creates the run of each call. An argument `correlation_id` becomes the run's."""
    binding = Binding(function, is_method=publisher is None)
    get_publisher = _publisher_getter(publisher)
    has_correlation_id = "correlation_id" in inspect.signature(function).parameters

    def begin(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Run:
        owner: EventPublisher = args[0] if get_publisher is None else get_publisher()
        fields = binding.fields(args, kwargs)
        given = fields.get("correlation_id") if has_correlation_id else None
        correlation_id = given if isinstance(given, UUID) else None
        return Run(operation, owner, fields, correlation_id)

    return begin


def _publisher_getter(
    publisher: EventPublisher | Callable[[], EventPublisher] | None,
) -> Callable[[], EventPublisher] | None:
    """Returns a function that returns the publisher. A publisher may be callable
    itself, so it is recognized by its attributes.
    """
    if callable(publisher) and not hasattr(type(publisher), "failed_events"):
        return publisher
    if publisher is None:
        return None
    fixed = cast("EventPublisher", publisher)
    return lambda: fixed


# Operations and their lifecycle events.

Published = Literal["all", "outcomes", "failures"]
ErrorText = Literal["masked", "omitted"]


class BaseOperation(Generic[InputT, ResultT]):
    """Operation of a node, which publishes that it started, completed or failed.

    It decorates methods of the node's class, `@instrument_place`, and other functions,
    `@instrument_place.on(publisher)`: functions, coroutine functions, and generator
    functions of both kinds. The arguments are the input; of a single argument that is a
    mapping, a model or a dataclass, its fields are. For other code there is a scope:
    `with` or `async with instrument_place.run(publisher, input) as run:
    run.result = ...`.

    Args:
        name: Name in the contract.
        source: The node.
        started: Event type of a run that starts.
        completed: Event type of a run that completes.
        failed: Event type of a run that fails.
        topics: Topics of these, unless the source has them.
        input: Model of the input; the values of its public fields are published, for
            all others the name of the type is. Without a model nothing is public.
        result: Model of the result.
        publish: Events of instrumented operations: "all", "outcomes" (no started
            events), or "failures".
        sample_started: Share of requests whose started events are published. The
            choice depends on the correlation id, so that a request has all or none.
        fields: Added to the metadata of each payload.
        error_text: Texts of errors in failed events and in the log: "masked" (private
            values of the input are replaced), or "omitted" (only the type).
        version: Version of the events.
    """

    def __init__(
        self,
        name: str,
        source: EventSource,
        started: str,
        completed: str,
        failed: str,
        *,
        topics: tuple[str, str, str] | tuple[None, None, None] = (None, None, None),
        input: type | None = None,
        result: type | None = None,
        publish: Published = "all",
        sample_started: float = 1.0,
        fields: Mapping[str, Any] | None = None,
        error_text: ErrorText = "masked",
        version: int = 1,
    ) -> None:
        self.name = name
        self.publishes = publish
        self.sample_started = sample_started
        self.error_text = error_text
        self._input = input
        self._result = result
        self._fields = dict(fields or {})
        self.started_kind, self.completed_kind, self.failed_kind = (
            EventKind(
                str(event),
                source.topic(event, topic),
                f"{name} {stage}",
                level,
                source.metadata(operation=name, lifecycle_stage=stage),
                version,
            )
            for event, topic, (stage, level) in zip(
                (started, completed, failed), topics, _STAGES, strict=True
            )
        )

    @cached_property
    def public_input(self) -> PublicFields | None:
        """Public fields of the input."""
        # Not at import: models may have types in them that the module defines later.
        return {} if self._input is None else public_fields(self._input)

    @cached_property
    def public_result(self) -> PublicFields | None:
        """Public fields of the result."""
        return {} if self._result is None else public_fields(self._result)

    def on(
        self, publisher: EventPublisher | Callable[[], EventPublisher]
    ) -> Callable[[F], F]:
        """Decorates a function that publishes through the given publisher.

        Args:
            publisher: The publisher, or a function that returns it for each call.
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
        """Returns a scope that is one run of the operation; set its result as
        `run.result`.

        Args:
            publisher: Publisher of the events.
            input: A mapping, a model or a dataclass; anything else becomes the field
                `input`.
            correlation_id: By default that of the surrounding scope, or a new one.
            causation_id: Event that caused the run; by default that of the surrounding
                scope.
            metadata: Published unchanged with each event of the run.
        """
        data: Mapping[str, Any] = {}
        if input is not None:
            data = {"input": input}
            with suppress(Exception):  # its attributes may raise
                fields = fields_of(input)
                data = data if fields is None else fields
        return Run(self, publisher, data, correlation_id, causation_id, metadata)

    async def started(
        self,
        publisher: EventPublisher,
        correlation_id: UUID,
        input_data: InputT | Mapping[str, Any],
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Publishes that it started, and waits for the receipt. Never raises."""
        await publish_event(
            publisher,
            self.started_kind,
            request_context(correlation_id),
            lambda: self.start(
                publisher, correlation_id, str(correlation_id), input_data, metadata
            ),
        )

    async def completed(
        self,
        publisher: EventPublisher,
        correlation_id: UUID,
        result_data: ResultT | Mapping[str, Any],
        execution_time_ms: float,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Publishes that it completed, and waits for the receipt. Never raises."""
        await publish_event(
            publisher,
            self.completed_kind,
            request_context(correlation_id),
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
        """Publishes that it failed, and waits for the receipt. Never raises."""
        await publish_event(
            publisher,
            self.failed_kind,
            request_context(correlation_id),
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
        """Creates the started event; `request` is the text of the correlation id."""
        return self._event(
            publisher,
            self.started_kind,
            correlation_id,
            {
                "operation": self.name,
                "correlation_id": request,
                "node_id": str(publisher.node_id),
                "started_at": now(),
                "input_summary": published(_fields(input_data), self.public_input),
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
        """Creates the completed event."""
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
                "result_summary": published(_fields(result_data), self.public_result),
                "success": True,
            },
            {"execution_time_ms": execution_time_ms},
            metadata,
        )
        event.log_fields = {"execution_time_ms": execution_time_ms}
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
        """Creates the failed event."""
        error_type = type(error).__name__
        if self.error_text == "omitted":
            error_message = OMITTED
        else:
            error_message = redact_secrets(error, publisher.redactions)
        is_failure = isinstance(error, Exception)
        if not error_message and not is_failure:
            is_cancelled = isinstance(error, CancelledError)
            error_message = "cancelled" if is_cancelled else error_type
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
        event.log_fields = {"error": error_message}
        if not is_failure:  # cancelled, or the program ends
            event.level = LogLevel.INFO
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


class Operation(BaseOperation[Mapping[str, Any], Mapping[str, Any]]):
    """Operation without a declared input: it decorates functions of any type."""

    def __call__(self, function: F) -> F:
        """Decorates a method whose first argument is the publisher."""
        return instrumented(self, function, None)


class ResultOperation(BaseOperation[Mapping[str, Any], ResultT]):
    """Operation whose result alone is declared by the contract: it decorates functions
    of any type.
    """

    def __init__(self, *args: Any, result: type[ResultT], **settings: Any) -> None:
        super().__init__(*args, result=result, **settings)

    def __call__(self, function: F) -> F:
        """Decorates a method whose first argument is the publisher."""
        return instrumented(self, function, None)


class InputOperation(BaseOperation[InputT, Mapping[str, Any]]):
    """Operation whose input is declared by the contract: it decorates methods that take
    the model of the input as their first argument.
    """

    def __init__(self, *args: Any, input: type[InputT], **settings: Any) -> None:
        super().__init__(*args, input=input, **settings)

    def __call__(
        self, function: Callable[Concatenate[SelfT, InputT, P], T]
    ) -> Callable[Concatenate[SelfT, InputT, P], T]:
        """Decorates a method whose first argument is the publisher."""
        return instrumented(self, function, None)


class TypedOperation(BaseOperation[InputT, ResultT]):
    """Operation whose input and result are declared by the contract: it decorates
    methods that take the model of the input, and return the model of the result.
    """

    def __init__(
        self, *args: Any, input: type[InputT], result: type[ResultT], **settings: Any
    ) -> None:
        super().__init__(*args, input=input, result=result, **settings)

    @overload
    def __call__(
        self,
        function: Callable[Concatenate[SelfT, InputT, P], Coroutine[Any, Any, ResultT]],
    ) -> Callable[Concatenate[SelfT, InputT, P], Coroutine[Any, Any, ResultT]]: ...

    @overload
    def __call__(
        self, function: Callable[Concatenate[SelfT, InputT, P], AsyncIterator[T]]
    ) -> Callable[Concatenate[SelfT, InputT, P], AsyncIterator[T]]: ...

    @overload
    def __call__(
        self, function: Callable[Concatenate[SelfT, InputT, P], Iterator[T]]
    ) -> Callable[Concatenate[SelfT, InputT, P], Iterator[T]]: ...

    @overload
    def __call__(
        self, function: Callable[Concatenate[SelfT, InputT, P], ResultT]
    ) -> Callable[Concatenate[SelfT, InputT, P], ResultT]: ...

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Decorates a method whose first argument is the publisher."""
        return instrumented(self, function, None)


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
