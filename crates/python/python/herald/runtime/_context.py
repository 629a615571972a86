"""Correlation context: the current request, and the event that caused the current work.

Tasks and `asyncio.to_thread` inherit it.
"""

from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeAlias, TypeVar
from uuid import UUID

from herald.runtime._envelope import envelope_of
from herald.runtime._generics import P
from herald.runtime._ids import new_id
from herald.runtime._trace import trace_id

if TYPE_CHECKING:
    from herald.runtime._private_input import PrivateInput

R = TypeVar("R")


class Correlation(NamedTuple):
    """Correlation of events published now."""

    correlation_id: UUID | None = None
    """Identifies the request; shared by all its events."""

    causation_id: UUID | str | None = None
    """Event that caused the current work."""


class RunCorrelation(Protocol):
    """Correlation inside of a run of an operation."""

    @property
    def correlation_id(self) -> UUID | None: ...

    @property
    def causation_id(self) -> UUID | str | None: ...

    @property
    def private(self) -> "PrivateInput":
        """Input of the run."""


class ScopeInRun:
    """Correlation scope inside of a run of an operation."""

    def __init__(self, inside: Correlation, around: RunCorrelation) -> None:
        self.correlation_id, self.causation_id = inside
        self._around = around

    @property
    def private(self) -> "PrivateInput":
        """Input of the run."""
        return self._around.private


AnyCorrelation: TypeAlias = Correlation | RunCorrelation


def private_input() -> "PrivateInput | None":
    """Returns the input of the current run."""
    around = CURRENT.get()
    return None if isinstance(around, Correlation) else around.private


NO_CORRELATION: Final = Correlation()
CURRENT: Final[ContextVar[AnyCorrelation]] = ContextVar(
    "herald_correlation", default=NO_CORRELATION
)


def leave(token: Token[AnyCorrelation]) -> None:
    """Restores the surrounding scope. A scope that ends in another task than it began
    in has nothing to restore there.
    """
    try:  # noqa: SIM105 - `suppress` would add a tenth to the time of publishing
        CURRENT.reset(token)
    except ValueError:
        pass


def current() -> Correlation:
    """Returns the current correlation; outside of a request, both fields are None."""
    around = CURRENT.get()
    if isinstance(around, Correlation):
        return around
    return Correlation(around.correlation_id, around.causation_id)


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
        self._tokens: list[Token[AnyCorrelation]] = []

    def __enter__(self) -> Correlation:
        around = CURRENT.get()
        given = Correlation(
            self._given.correlation_id or around.correlation_id or new_correlation_id(),
            self._given.causation_id or around.causation_id,
        )
        inside: AnyCorrelation = given
        if not isinstance(around, Correlation):
            inside = ScopeInRun(given, around)
        self._tokens.append(CURRENT.set(inside))
        return given

    def __exit__(self, *_: object) -> None:
        leave(self._tokens.pop())


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
    return new_correlation()[0]


def new_correlation() -> tuple[UUID, str]:
    """Returns a new correlation id, and its text."""
    trace = trace_id()
    if trace is None:
        return new_id()
    made = UUID(int=trace)
    return made, str(made)
