"""Correlation context: the current request, and the event that caused the current work.

Tasks and `asyncio.to_thread` inherit it.
"""

from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar
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


class RunCorrelation(Correlation):
    """Correlation inside of a run of an operation."""

    private: "PrivateInput"
    """Input of the run."""


def private_input() -> "PrivateInput | None":
    """Returns the input of the current run."""
    around = CURRENT.get()
    return around.private if isinstance(around, RunCorrelation) else None


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
    private: "PrivateInput",
) -> RunCorrelation:
    """Returns a correlation inside of a run with this input."""
    # Not by its own `__new__`, which takes three times as long.
    inside = tuple.__new__(RunCorrelation, (correlation_id, causation_id))
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
    return new_correlation()[0]


def new_correlation() -> tuple[UUID, str]:
    """Returns a new correlation id, and its text."""
    trace = trace_id()
    if trace is None:
        return new_id()
    made = UUID(int=trace)
    return made, str(made)
