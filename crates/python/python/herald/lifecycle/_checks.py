"""Health checks and their outcomes."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from herald.lifecycle._calls import Function, call
from herald.lifecycle._dependency import describe_failure


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome of a check."""

    name: str
    is_ok: bool
    detail: str = ""
    is_critical: bool = True


@dataclass(frozen=True, slots=True)
class Health:
    """Health of a service: its state, and the outcomes of its checks."""

    state: str
    is_ok: bool
    """Whether all critical checks pass and the state allows it."""
    checks: tuple[Outcome, ...]

    @property
    def is_degraded(self) -> bool:
        """Whether any check fails."""
        return not all(check.is_ok for check in self.checks)

    def to_dict(self) -> dict[str, object]:
        """Returns the health as JSON types."""
        return {
            "status": "ok" if self.is_ok else "unavailable",
            "state": self.state,
            "checks": {
                check.name: {"ok": check.is_ok, "detail": check.detail}
                if check.detail
                else {"ok": check.is_ok}
                for check in self.checks
            },
        }


class Check:
    """Health check.

    Args:
        name: Name.
        function: Raises, or returns False or the text of a problem, if the check
            fails; a function runs in a thread.
        timeout: Timeout of a run, in seconds.
        interval: Seconds between two runs.
        is_critical: Whether a failure makes the service unavailable.
        clock: Monotonic clock, in seconds.
    """

    def __init__(
        self,
        name: str,
        function: Function,
        *,
        timeout: float,
        interval: float,
        is_critical: bool,
        clock: Callable[[], float],
    ) -> None:
        self.name = name
        self._function = function
        self._timeout = timeout
        self._interval = interval
        self._is_critical = is_critical
        self._clock = clock
        self._last: Outcome | None = None
        self._last_run = 0.0
        self._task: asyncio.Task[Outcome] | None = None

    async def run(self) -> Outcome:
        """Runs the check, unless the last outcome is recent enough. Concurrent calls
        share one run.
        """
        if self._last is not None and self._clock() - self._last_run < self._interval:
            return self._last
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        return await asyncio.shield(self._task)

    async def _run(self) -> Outcome:
        detail = ""
        try:
            result = await call(self._function, self._timeout)
            if isinstance(result, str):
                detail = result
            elif result is False:
                detail = "the check returned False"
        except Exception as error:
            detail = describe_failure(error, self._timeout)
        self._last = Outcome(self.name, not detail, detail, self._is_critical)
        self._last_run = self._clock()
        return self._last


async def run_all(checks: Iterable[Check]) -> list[Outcome]:
    """Runs all checks concurrently."""
    return list(await asyncio.gather(*(check.run() for check in checks)))
