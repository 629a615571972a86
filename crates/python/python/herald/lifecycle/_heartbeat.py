"""Heartbeats."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from herald.lifecycle._state import State
from herald.runtime import reason_of

log = logging.getLogger("herald.lifecycle")


class Heartbeat:
    """Publishes the metric `heartbeat`, the seconds since the start.

    Attributes:
        last: Time of the last heartbeat.
    """

    def __init__(self, publisher: object | None, state: Callable[[], State]) -> None:
        self._publish: Any = getattr(publisher, "_publish_metric_recorded_event", None)
        self._state = state
        self.last: datetime | None = None

    async def run(self, interval: float) -> None:
        """Publishes heartbeats until cancelled."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            self.last = datetime.now(UTC)
            if self._publish is not None:
                await self._publish_heartbeat(loop.time() - began)
            await asyncio.sleep(interval)

    async def _publish_heartbeat(self, seconds: float) -> None:
        about = {"state": self._state().value}
        try:
            await self._publish("heartbeat", round(seconds, 3), "s", metadata=about)
        except Exception as error:
            log.warning("a heartbeat was not published: %s", reason_of(error))


async def repeat(function: Callable[[], Awaitable[object]], interval: float) -> None:
    """Calls a function repeatedly until cancelled."""
    while True:
        await asyncio.sleep(interval)
        await function()
