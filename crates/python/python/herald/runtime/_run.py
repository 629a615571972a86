"""Instrumented runs of operations."""

from collections.abc import Awaitable, Mapping
from contextlib import AbstractContextManager, suppress
from contextvars import Token
from time import perf_counter
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zlib import crc32

from herald.runtime._call_scope import CallScope
from herald.runtime._context import (
    CURRENT,
    AnyCorrelation,
    Correlation,
    leave,
    new_correlation,
)
from herald.runtime._event_log import EVENT_LOG, log_failed_run
from herald.runtime._fields import input_of
from herald.runtime._ids import new_id_text
from herald.runtime._outgoing import EventKind, Outgoing, request_context
from herald.runtime._prepared import (
    PreparedOperation,
    forget_prepared,
    prepared_operation,
)
from herald.runtime._private_input import PrivateInput
from herald.runtime._sending import dispatch

if TYPE_CHECKING:
    from herald.runtime._operation import BaseOperation
    from herald.runtime._publisher import EventPublisher


class Run(CallScope):
    """Scope of one run of an operation. It fails with the exception that leaves it.

    Attributes:
        correlation_id: Id of the request, shared by all its events.
        causation_id: Event that caused the run; inside of it, its started event.
        result: Published result: a mapping, a model or a dataclass; anything else
            becomes the field `result`.
    """

    __slots__ = (
        "_around",
        "_correlation_text",
        "_input",
        "_metadata",
        "_operation",
        "_prepared",
        "_private",
        "_publisher",
        "_start_time",
        "_started",
        "_token",
        "_track",
        "causation_id",
        "correlation_id",
    )

    def __init__(
        self,
        operation: "BaseOperation[Any, Any]",
        publisher: "EventPublisher",
        input: object,
        correlation_id: UUID | None = None,
        causation_id: UUID | str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        around = CURRENT.get()
        self.result: object = None
        self._operation = operation
        self._publisher = publisher
        self._input = input
        self._metadata = metadata
        given = correlation_id or around.correlation_id
        self._correlation_text: str | None = None
        if given is None:
            given, self._correlation_text = new_correlation()
        self.correlation_id: UUID = given
        self._around = around
        self._private: PrivateInput | None = None
        self.causation_id: UUID | str | None = causation_id or around.causation_id
        self._started: Outgoing | None = None
        self._prepared: PreparedOperation | None = None
        self._token: Token[AnyCorrelation] | None = None
        self._start_time = 0.0
        self._track: AbstractContextManager[object] | None = None

    @property
    def private(self) -> PrivateInput:
        """Input of the run, and of the runs around it."""
        private = self._private
        if private is None:
            around = self._around
            private = self._private = PrivateInput(
                self._input,
                self._operation.public_input,
                None if isinstance(around, Correlation) else around.private,
                omits_text=self._operation.error_text == "omitted",
            )
        return private

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
        if (started := self._enqueue_start(may_wait)) is not None:
            self.causation_id = started
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
        event.causation_id = self.causation_id
        event.event_id = new_id_text()
        self._started = event
        return dispatch(event, may_wait=may_wait)

    def enter(self) -> None:
        """Makes this run the cause of events published until `leave`."""
        if self._started is not None:
            if self._started.is_accepted:
                self.causation_id = self._started.event_id
            self._started = None
        self._token = CURRENT.set(self)

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
        token = CURRENT.set(self)
        try:
            return self._finish(error, may_wait=may_wait)
        finally:
            CURRENT.reset(token)
            self.private.failed()

    def _finish(
        self, error: BaseException | None, *, may_wait: bool
    ) -> Awaitable[None] | None:
        operation = self._operation
        milliseconds = round((perf_counter() - self._start_time) * 1e6) / 1e3
        if self._track is not None:
            with suppress(Exception):
                self._track.__exit__(type(error) if error else None, error, None)
            self._track = None
        if error is None and operation.publishes == "failures":
            return None
        if error is None and self._is_completion_enqueued(milliseconds, may_wait):
            return None
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
                log_failed_run(event, error)
            else:
                event = operation.completion(
                    self._publisher,
                    self.correlation_id,
                    self._text(),
                    _result(self.result),
                    milliseconds,
                    self._metadata,
                )
        except Exception as problem:
            self._log(kind, problem)
            return None
        event.causation_id = self.causation_id
        # Cancellation and program exit must not wait for the client.
        may_wait = may_wait and (error is None or isinstance(error, Exception))
        return dispatch(event, may_wait=may_wait)

    def _enqueue_start(self, may_wait: bool) -> str | None:
        """Enqueues the prepared started event, and returns its id. None if it has to be
        created, or an error has to be logged.
        """
        publisher = self._publisher
        if self._metadata or (may_wait and publisher.wait_for_receipts):
            return None
        try:
            prepared = self._prepared = prepared_operation(self._operation, publisher)
            if prepared is None:
                return None
            return prepared.started.enqueue(
                self._correlation_text or self.correlation_id,
                self.causation_id,
                self._input,
                0.0,
            )
        except Exception:
            self._forget_prepared()
            return None

    def _is_completion_enqueued(self, milliseconds: float, may_wait: bool) -> bool:
        """Enqueues the prepared completed event. False if it has to be created, or an
        error has to be logged.
        """
        publisher = self._publisher
        if self._metadata or (may_wait and publisher.wait_for_receipts):
            return False
        try:
            prepared = self._prepared
            if prepared is None or not prepared.is_usable(publisher):
                prepared = prepared_operation(self._operation, publisher)
            if prepared is None:
                return False
            result = self.result
            event_id = prepared.completed.enqueue(
                self._correlation_text or self.correlation_id,
                self.causation_id,
                result if type(result) is dict else _result(result),
                milliseconds,
            )
        except Exception:
            self._forget_prepared()
            return False
        return event_id is not None

    def _forget_prepared(self) -> None:
        self._prepared = None
        with suppress(Exception):
            forget_prepared(self._operation, self._publisher)

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
        token = CURRENT.set(self)
        try:
            request = request_context(self.correlation_id)
            EVENT_LOG.failed(self._publisher, kind, request, error)
        finally:
            CURRENT.reset(token)


def _result(result: object) -> object:
    if result is None:
        return {}
    fields = input_of(result)
    return {"result": result} if fields is None else fields
