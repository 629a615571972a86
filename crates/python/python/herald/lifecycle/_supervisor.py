"""Supervision of background tasks."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from enum import StrEnum

from herald.lifecycle._checks import Outcome
from herald.lifecycle._dependency import MAX_BACKOFF, Sleep
from herald.runtime import reason_of

log = logging.getLogger("herald.lifecycle")


class Restart(StrEnum):
    """Restart policy of a task."""

    NEVER = "never"
    ON_FAILURE = "on_failure"
    ALWAYS = "always"


class SupervisedTask:
    """Background task with a restart policy.

    Attributes:
        restarts: Number of restarts.
        failure: Reason of the failure that ended it, if any.
    """

    def __init__(
        self,
        name: str,
        function: Callable[[], Awaitable[object]],
        *,
        restart: Restart,
        backoff: float,
        limit: int | None,
        is_essential: bool,
        sleep: Sleep,
    ) -> None:
        self.name = name
        self.is_essential = is_essential
        self.restarts = 0
        self.failure: str | None = None
        self._function = function
        self._restart = restart
        self._backoff = backoff
        self._limit = limit
        self._sleep = sleep

    def outcome(self) -> Outcome:
        """Returns the task's health."""
        detail = self.failure or ""
        return Outcome(f"task {self.name}", not detail, detail, self.is_essential)

    async def run(self) -> None:
        """Runs the task until it is not restarted. Raises nothing but cancellation."""
        pause = self._backoff
        while True:
            began = asyncio.get_running_loop().time()
            failure = await self._once()
            if not self._is_restarted(failure):
                self.failure = failure
                if failure is not None:
                    log.error("task %s gave up: %s", self.name, failure)
                return
            if failure is not None:
                log.warning("task %s failed and is restarted: %s", self.name, failure)
            # A task that ran for a while starts a new series of failures.
            if asyncio.get_running_loop().time() - began > 10 * MAX_BACKOFF:
                pause, self.restarts = self._backoff, 0
            self.restarts += 1
            await self._sleep(pause)
            pause = min(pause * 2, MAX_BACKOFF)

    async def _once(self) -> str | None:
        try:
            await self._function()
        except Exception as error:
            return reason_of(error)
        return None

    def _is_restarted(self, failure: str | None) -> bool:
        if self._restart is Restart.NEVER:
            return False
        if self._restart is Restart.ON_FAILURE and failure is None:
            return False
        return self._limit is None or self.restarts < self._limit
