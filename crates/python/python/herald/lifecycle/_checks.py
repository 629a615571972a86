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
        name: What it is about.
        function: Fails, or gives false or the text of what is wrong, where it is not
            content; plain functions run in a thread.
        timeout: Seconds it may take.
        interval: Seconds that an answer holds.
        is_critical: Whether the service can't work without.
        clock: Seconds.
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
        self._asked = 0.0
        self._asking: asyncio.Task[Outcome] | None = None

    async def ask(self) -> Outcome:
        """Runs the check, unless the last outcome is recent enough. Concurrent calls
        share one run.
        """
        if self._last is not None and self._clock() - self._asked < self._interval:
            return self._last
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(self._asking)

    async def _ask(self) -> Outcome:
        detail = ""
        try:
            answer = await call(self._function, self._timeout)
            if isinstance(answer, str):
                detail = answer
            elif answer is False:
                detail = "it says no"
        except Exception as error:
            detail = describe_failure(error, self._timeout)
        self._last = Outcome(self.name, not detail, detail, self._is_critical)
        self._asked = self._clock()
        return self._last


async def run_all(checks: Iterable[Check]) -> list[Outcome]:
    """Runs all checks concurrently."""
    return list(await asyncio.gather(*(check.ask() for check in checks)))
