"""Figures as events, beside the work."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from contextvars import Context
from typing import Any, Protocol
from uuid import UUID

from herald.metrics._snapshot import Reading
from herald.runtime import reason_of

log = logging.getLogger("herald.metrics")


class MetricPublisher(Protocol):
    """What is needed of a publisher; generated ones have it where the contract has
    metrics.
    """

    async def _publish_metric_recorded_event(
        self,
        metric_name: str,
        metric_value: float,
        metric_unit: str,
        correlation_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None: ...


async def publish(publisher: MetricPublisher, readings: Iterable[Reading]) -> None:
    """Publishes figures; raises nothing but cancellation."""
    sent = [_publish(publisher, reading) for reading in readings]
    failures = [reason for reason in await asyncio.gather(*sent) if reason]
    if failures:
        log.warning("%d metrics were not published: %s", len(failures), failures[0])


async def _publish(publisher: MetricPublisher, reading: Reading) -> str | None:
    """Why it did not work."""
    try:
        await publisher._publish_metric_recorded_event(
            reading.name,
            reading.value,
            reading.unit,
            metadata=dict(reading.metadata) or None,
        )
    except Exception as error:
        return reason_of(error)
    return None


class Rounds:
    """A task that publishes when there was enough to count, or enough time.

    Args:
        every_seconds: The longest pause between two rounds.
        at_most_every: The shortest, in seconds.
        round: Publishes once.
    """

    def __init__(
        self, every_seconds: float, at_most_every: float, round: Callable[[], Any]
    ) -> None:
        self._every_seconds = every_seconds
        self._at_most_every = at_most_every
        self._round = round
        self._due = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        # It is of no request, whoever starts it.
        self._task = self._loop.create_task(self._run(), context=Context())

    def wake(self) -> None:
        """A round is due; from any thread."""
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._due.set)

    async def stop(self) -> None:
        """Ends it."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._every_seconds):
                    await self._due.wait()
            self._due.clear()
            try:
                await self._round()
            except Exception as error:
                log.warning("metrics were not published: %s", reason_of(error))
            await asyncio.sleep(self._at_most_every)
