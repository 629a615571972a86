"""Background publishing of metrics as events."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from contextvars import Context
from typing import Any, Protocol
from uuid import UUID

from herald.metrics._snapshot import Reading
from herald.runtime import reason_of

log = logging.getLogger("herald.metrics")


class MetricPublisher(Protocol):
    """Protocol of publishers with metric events; generated publishers have it if the
    contract has metrics.
    """

    def _publish_metric_recorded_event(
        self,
        metric_name: str,
        metric_value: float,
        metric_unit: str,
        correlation_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> Coroutine[Any, Any, None]: ...


async def publish(publisher: MetricPublisher, readings: Iterable[Reading]) -> None:
    """Publishes readings. Raises nothing but cancellation."""
    sent = [_publish(publisher, reading) for reading in readings]
    failures = [reason for reason in await asyncio.gather(*sent) if reason]
    if failures:
        log.warning("%d metrics were not published: %s", len(failures), failures[0])


async def _publish(publisher: MetricPublisher, reading: Reading) -> str | None:
    """Publishes a reading, and returns the reason of a failure."""
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


class PublishLoop:
    """Task that publishes after a number of operations, or after some time.

    Args:
        publish_interval_seconds: Longest pause between two rounds.
        min_publish_interval: Shortest pause, in seconds.
        round: Publishes once.
    """

    def __init__(
        self,
        publish_interval_seconds: float,
        min_publish_interval: float,
        round: Callable[[], Any],
    ) -> None:
        self._publish_interval_seconds = publish_interval_seconds
        self._min_publish_interval = min_publish_interval
        self._round = round
        self._due = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        # An empty context: rounds do not belong to the request that started the task.
        self._task = self._loop.create_task(self._run(), context=Context())

    def wake(self) -> None:
        """Starts a round of publishing. Safe for any thread."""
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._due.set)

    async def stop(self) -> None:
        """Stops the task."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._publish_interval_seconds):
                    await self._due.wait()
            self._due.clear()
            try:
                await self._round()
            except Exception as error:
                log.warning("metrics were not published: %s", reason_of(error))
            await asyncio.sleep(self._min_publish_interval)
