"""Queue of events that are sent one after the other in the background."""

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID
from weakref import ReferenceType, ref

from herald.runtime._event_log import EVENT_LOG
from herald.runtime._outgoing import EventKind, Outgoing, request_context

if TYPE_CHECKING:
    from herald.runtime._publisher import EventPublisher

Send = Callable[[], Awaitable[None]]


class SendQueue:
    """Send queue of one publisher: one event at a time, in call order."""

    def __init__(self) -> None:
        self.failed = 0
        """Number of events that a client accepted and that failed later."""
        self.loop: asyncio.AbstractEventLoop | None = None
        """Event loop on which the publisher was used last."""
        self._lock = threading.Lock()
        self.waiting: deque[tuple[Send, Outgoing | None, Future[None]]] = deque()
        self.task: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether events are queued or being sent."""
        if not self.waiting and self.task is None:
            return False  # which is most frequent
        return bool(self.waiting) or self._is_running()

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
        self.waiting.append((send, event, sent))
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

    def shared_error_callback(
        self, publisher: "EventPublisher", kind: EventKind
    ) -> Callable[[UUID | str | None, Exception], None]:
        """Returns the error callback of all events of a kind, which takes the
        correlation id. It does not keep the publisher alive, which keeps the callback.
        """
        return partial(self._on_shared_error, ref(publisher), type(publisher), kind)

    def _on_shared_error(
        self,
        publisher: "ReferenceType[EventPublisher]",
        of_type: "type[EventPublisher]",
        kind: EventKind,
        correlation_id: UUID | str | None,
        error: Exception,
    ) -> None:
        # Of a publisher that is gone, its class has the redactions.
        alive: Any = publisher()
        source = of_type if alive is None else alive
        self._on_error(source, kind, correlation_id, error)

    def _on_error(
        self,
        publisher: object,
        kind: EventKind,
        correlation_id: UUID | str | None,
        error: Exception,
    ) -> None:
        self.failed += 1
        EVENT_LOG.failed(publisher, kind, request_context(correlation_id), error)

    def _is_running(self) -> bool:
        task = self.task
        return task is not None and not task.get_loop().is_closed()

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            if self.waiting and not self._is_running():
                self.task = loop.create_task(self._run())

    async def _run(self) -> None:
        try:
            while True:
                with self._lock:
                    if not self.waiting:
                        self.task = None
                        return
                    send, _, sent = self.waiting.popleft()
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
            self.task = None
            abandoned = list(self.waiting)
            self.waiting.clear()
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


def send_queue_of(publisher: "EventPublisher") -> SendQueue:
    """Returns the send queue of a publisher. Created on first use, because the node's
    own base class may create its instances without calling `__init__`.
    """
    attributes = vars(publisher)
    found: SendQueue | None = attributes.get("_herald_send_queue")
    if found is not None:
        return found
    made: SendQueue = attributes.setdefault("_herald_send_queue", SendQueue())
    return made
