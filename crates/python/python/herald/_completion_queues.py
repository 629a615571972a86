"""Completion queues of event loops."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from threading import Thread
from weakref import ReferenceType, ref

from herald._herald import CompletionQueue, LoopWaker


class CompletionQueues:
    """Completion queues by event loop."""

    def __init__(self) -> None:
        self._all: dict[asyncio.AbstractEventLoop, CompletionQueue] = {}
        self._last_used: tuple[asyncio.AbstractEventLoop, CompletionQueue] | None = None

    def current(self) -> CompletionQueue:
        """Returns the queue of the running loop, created on first use."""
        loop = asyncio.get_running_loop()
        last_used = self._last_used
        if last_used is not None and last_used[0] is loop:
            return last_used[1]
        queue = self._all.get(loop)
        if queue is None:
            self._drop_closed()
            queue = self._all[loop] = _queue_of(loop)
        self._last_used = (loop, queue)
        return queue

    def existing(self) -> CompletionQueue | None:
        """Returns the queue of the running loop, if it exists."""
        if not self._all:
            return None
        try:
            return self._all.get(asyncio.get_running_loop())
        except RuntimeError:
            return None

    def release(self) -> None:
        """Removes the queue of the running loop, unless it has unresolved futures."""
        self._last_used = None
        loop = asyncio.get_running_loop()
        queue = self._all.get(loop)
        if queue is None:
            return
        # Resolves the futures whose outcomes arrived but were not processed yet.
        queue.process()
        if not len(queue):
            del self._all[loop]
            _stop_watching(loop, queue)

    def _drop_closed(self) -> None:
        """Drops the queues of closed loops, with their capacity in flight."""
        for loop in list(self._all):
            if loop.is_closed():
                self._all.pop(loop, None)

    def release_all(self) -> None:
        """Removes all queues; each loop stops watching its queue when it runs again."""
        self._last_used = None
        for loop, queue in list(self._all.items()):
            if not loop.is_closed():
                loop.call_soon_threadsafe(_stop_watching, loop, queue)
        self._all.clear()


def _queue_of(loop: asyncio.AbstractEventLoop) -> CompletionQueue:
    """Returns a queue that the loop processes when futures are ready."""
    with suppress(NotImplementedError):
        queue = CompletionQueue(loop)
        loop.add_reader(queue.fileno(), queue.process)
        return queue
    # Asyncio's loop on Windows can't watch a socket.
    queue, waker = CompletionQueue.with_waker(loop)
    Thread(
        target=_call_when_ready,
        args=(waker, ref(loop), ref(queue)),
        name="herald-loop-waker",
        daemon=True,
    ).start()
    return queue


def _call_when_ready(
    waker: LoopWaker,
    loop_ref: ReferenceType[asyncio.AbstractEventLoop],
    queue_ref: ReferenceType[CompletionQueue],
) -> None:
    """Has the loop process the queue when futures are ready, while both exist."""
    while waker.wait():
        loop, queue = loop_ref(), queue_ref()
        if loop is None or queue is None:
            return
        try:
            loop.call_soon_threadsafe(queue.process)
        except RuntimeError:
            # The loop is closed.
            return
        del loop, queue


def _stop_watching(loop: asyncio.AbstractEventLoop, queue: CompletionQueue) -> None:
    # Without a file descriptor, the queue's thread ends when the queue is gone.
    with suppress(NotImplementedError):
        loop.remove_reader(queue.fileno())
