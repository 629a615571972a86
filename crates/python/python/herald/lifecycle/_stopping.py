"""The way down: each step has its time, and none once somebody is in a hurry."""

import asyncio
import inspect
import logging
from collections.abc import Coroutine, Iterable
from functools import partial
from typing import Any

from herald.lifecycle._call import call, cancel
from herald.lifecycle._dependency import Dependency, why
from herald.lifecycle._graph import Graph, reverse, walk

log = logging.getLogger("herald.lifecycle")

GRACE = 0.5
"""Seconds for what was cancelled."""


class Stopping:
    """What the steps of stopping share.

    Attributes:
        errors: What went wrong on the way.
    """

    def __init__(self) -> None:
        self.errors: list[str] = []
        self._hurry = asyncio.Event()

    def hurry(self) -> None:
        """Waits for nothing from now on."""
        self._hurry.set()

    @property
    def is_hurried(self) -> bool:
        """Whether nothing is waited for."""
        return self._hurry.is_set()

    async def within(self, seconds: float, step: Coroutine[Any, Any, object]) -> bool:
        """Does a step, for so long; says whether it was done."""
        if self.is_hurried:
            step.close()
            return False
        task = asyncio.create_task(step)
        hurry = asyncio.create_task(self._hurry.wait())
        try:
            await asyncio.wait(
                {task, hurry}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            hurry.cancel()
        if not task.done():
            await cancel({task}, GRACE)
            return False
        if (error := task.exception()) is not None:
            self.errors.append(why(error, seconds))
        return True

    async def dependencies(self, graph: Graph, begun: dict[str, Dependency]) -> None:
        """Stops what has begun, in the reverse order."""

        async def end(name: str) -> None:
            if name in begun and (problem := await begun.pop(name).end()):
                self.errors.append(problem)

        longest = sum(each.stop_timeout for each in begun.values()) + GRACE
        await self.within(longest, walk(reverse(graph), end))
        for name in begun:
            self.errors.append(f"{name} was not stopped")

    async def tasks(self, tasks: Iterable[asyncio.Task[Any]]) -> None:
        """Ends background tasks."""
        running = {task for task in tasks if not task.done()}
        if left := await cancel(running, GRACE):
            self.errors.append(f"{left} tasks went on after they were cancelled")

    async def close(self, client: Any, seconds: float) -> int:
        """Closes the client; gives how many events wait in its spool."""
        close = getattr(client, "close", None)
        if close is None:
            return 0
        if self.is_hurried:
            seconds = 0.0
        takes_time = bool(inspect.signature(close).parameters)
        closing = partial(close, seconds) if takes_time else close
        try:
            spooled = await call(closing, seconds + 2 * GRACE)
        except Exception as error:
            problem = why(error, seconds + 2 * GRACE)
            self.errors.append(f"the Kafka client did not close: {problem}")
            return 0
        return spooled if isinstance(spooled, int) else 0
