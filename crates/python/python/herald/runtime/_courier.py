"""Events that wait for their turn, or that nobody waits for."""

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from herald.runtime._outgoing import (
    EventKind,
    Outgoing,
    about_request,
    log_failure,
)

if TYPE_CHECKING:
    from herald.runtime._publisher import EventPublisher

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
        publisher: "EventPublisher",
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


def courier_of(publisher: "EventPublisher") -> Courier:
    """A publisher's own. It is made when it is needed, because a node's own base class
    may make its objects.
    """
    attributes = vars(publisher)
    found: Courier | None = attributes.get("_herald_courier")
    if found is not None:
        return found
    made: Courier = attributes.setdefault("_herald_courier", Courier())
    return made
