"""Shutdown steps, each with a timeout, which are skipped after an abort."""

import asyncio
import inspect
import logging
from collections.abc import Coroutine, Iterable
from functools import partial
from typing import Any

from herald.lifecycle._calls import call, cancel
from herald.lifecycle._dependency import Dependency, describe_failure
from herald.lifecycle._graph import Graph, reverse, walk

log = logging.getLogger("herald.lifecycle")

CANCEL_TIMEOUT = 0.5
"""Seconds that cancelled tasks have to end."""


class Shutdown:
    """State shared by the steps of a shutdown.

    Attributes:
        errors: Failures so far.
    """

    def __init__(self) -> None:
        self.errors: list[str] = []
        self._abort = asyncio.Event()

    def abort(self) -> None:
        """Skips all remaining waits."""
        self._abort.set()

    @property
    def is_aborted(self) -> bool:
        """Whether the shutdown was aborted."""
        return self._abort.is_set()

    async def run_step(self, seconds: float, step: Coroutine[Any, Any, object]) -> bool:
        """Runs a step, at most `seconds` long. Returns whether it was done."""
        if self.is_aborted:
            step.close()
            return False
        task = asyncio.create_task(step)
        abort = asyncio.create_task(self._abort.wait())
        try:
            await asyncio.wait(
                {task, abort}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            abort.cancel()
        if not task.done():
            await cancel({task}, CANCEL_TIMEOUT)
            return False
        if (error := task.exception()) is not None:
            self.errors.append(describe_failure(error, seconds))
        return True

    async def dependencies(self, graph: Graph, begun: dict[str, Dependency]) -> None:
        """Stops the started dependencies in reverse order."""

        async def end(name: str) -> None:
            if name in begun and (problem := await begun.pop(name).stop_and_report()):
                self.errors.append(problem)

        longest = sum(each.stop_timeout for each in begun.values()) + CANCEL_TIMEOUT
        await self.run_step(longest, walk(reverse(graph), end))
        for name in begun:
            self.errors.append(f"{name} was not stopped")

    async def tasks(self, tasks: Iterable[asyncio.Task[Any]]) -> None:
        """Cancels tasks."""
        running = {task for task in tasks if not task.done()}
        if left := await cancel(running, CANCEL_TIMEOUT):
            self.errors.append(f"{left} tasks still run after they were cancelled")

    async def close(self, client: Any, seconds: float) -> int:
        """Closes the client. Returns how many events are in its spool."""
        close = getattr(client, "close", None)
        if close is None:
            return 0
        if self.is_aborted:
            seconds = 0.0
        takes_time = bool(inspect.signature(close).parameters)
        closing = partial(close, seconds) if takes_time else close
        try:
            spooled = await call(closing, seconds + 2 * CANCEL_TIMEOUT)
        except Exception as error:
            problem = describe_failure(error, seconds + 2 * CANCEL_TIMEOUT)
            self.errors.append(f"the Kafka client did not close: {problem}")
            return 0
        return spooled if isinstance(spooled, int) else 0
