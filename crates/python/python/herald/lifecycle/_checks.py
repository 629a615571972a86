"""Whether all is well: checks, and what they found."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from herald.lifecycle._call import Function, call
from herald.lifecycle._dependency import why


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check found."""

    name: str
    is_ok: bool
    detail: str = ""
    is_critical: bool = True


@dataclass(frozen=True, slots=True)
class Health:
    """What all checks found."""

    state: str
    is_ok: bool
    """Whether all critical checks are content, and the state allows it."""
    checks: tuple[Outcome, ...]

    @property
    def is_degraded(self) -> bool:
        """Whether any check is not content."""
        return not all(check.is_ok for check in self.checks)

    def to_dict(self) -> dict[str, object]:
        """As JSON has it."""
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
    """A question about the service.

    Args:
        name: What it is about.
        function: Fails, or gives false or the text of what is wrong, where it is not
            content; plain functions run in a thread.
        timeout: Seconds it may take.
        every: Seconds that an answer holds.
        is_critical: Whether the service can't work without.
        clock: Seconds.
    """

    def __init__(
        self,
        name: str,
        function: Function,
        *,
        timeout: float,
        every: float,
        is_critical: bool,
        clock: Callable[[], float],
    ) -> None:
        self.name = name
        self._function = function
        self._timeout = timeout
        self._every = every
        self._is_critical = is_critical
        self._clock = clock
        self._last: Outcome | None = None
        self._asked = 0.0
        self._asking: asyncio.Task[Outcome] | None = None

    async def ask(self) -> Outcome:
        """The answer: that of before while it holds. Who asks at the same time gets
        the same.
        """
        if self._last is not None and self._clock() - self._asked < self._every:
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
            detail = why(error, self._timeout)
        self._last = Outcome(self.name, not detail, detail, self._is_critical)
        self._asked = self._clock()
        return self._last


async def ask_all(checks: Iterable[Check]) -> list[Outcome]:
    """The answers of all, asked at once."""
    return list(await asyncio.gather(*(check.ask() for check in checks)))
