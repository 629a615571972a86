"""Completion queues of event loops."""

from __future__ import annotations

import asyncio

from herald._herald import CompletionQueue


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
            queue = CompletionQueue(loop)
            loop.add_reader(queue.fileno(), queue.process)
            self._all[loop] = queue
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
            loop.remove_reader(queue.fileno())

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
                loop.call_soon_threadsafe(loop.remove_reader, queue.fileno())
        self._all.clear()
