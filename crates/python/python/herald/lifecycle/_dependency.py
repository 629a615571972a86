"""Dependencies of a service."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from herald.lifecycle._calls import Function, call
from herald.lifecycle._errors import StartError
from herald.runtime import reason_of

log = logging.getLogger("herald.lifecycle")

MAX_BACKOFF = 5.0

Sleep = Callable[[float], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Dependency:
    """Dependency that starts before the service and stops after it."""

    name: str
    start: Function | None
    stop: Function | None
    after: tuple[str, ...]
    start_timeout: float
    stop_timeout: float
    retries: int
    backoff: float

    async def start_with_retries(self, sleep: Sleep = asyncio.sleep) -> None:
        """Starts the dependency, with retries.

        Raises:
            StartError: It did not start.
        """
        if self.start is None:
            return
        pause = self.backoff
        for left in range(self.retries, -1, -1):
            try:
                await call(self.start, self.start_timeout)
                return
            except Exception as error:
                reason = describe_failure(error, self.start_timeout)
                if not left:
                    raise StartError(f"{self.name} did not start: {reason}") from error
                log.warning("%s did not start, retrying: %s", self.name, reason)
            await sleep(pause)
            pause = min(pause * 2, MAX_BACKOFF)

    async def stop_and_report(self) -> str | None:
        """Stops the dependency. Returns the reason of a failure."""
        if self.stop is None:
            return None
        try:
            await call(self.stop, self.stop_timeout)
        except Exception as error:
            reason = describe_failure(error, self.stop_timeout)
            return f"{self.name} did not stop: {reason}"
        return None


def describe_failure(error: BaseException, timeout: float | None) -> str:
    """Returns the redacted reason of a failure."""
    if isinstance(error, TimeoutError) and not str(error):
        return f"timed out after {timeout:g} s"
    return reason_of(error)
