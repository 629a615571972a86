"""One run of an operation."""

from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import Token
from os import urandom
from time import perf_counter
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID
from zlib import crc32

from herald.runtime._context import CURRENT, Correlation, leave, new_correlation_id
from herald.runtime._fields import fields_of
from herald.runtime._outgoing import EventKind, Outgoing, about_request, log_failure
from herald.runtime._sending import hand_over

if TYPE_CHECKING:
    from herald.runtime._operation import Operation
    from herald.runtime._publisher import EventPublisher


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
        operation: "Operation",
        publisher: "EventPublisher",
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
