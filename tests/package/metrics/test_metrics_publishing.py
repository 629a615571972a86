"""Background publishing of metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from herald.metrics import NodeMetrics

from publishers import Published


def rounds(
    published: Published,
    publish_interval_ops: int,
    publish_interval_seconds: float = 1e6,
) -> NodeMetrics:
    return NodeMetrics(
        published,
        publish_interval_ops=publish_interval_ops,
        publish_interval_seconds=publish_interval_seconds,
        min_publish_interval=0.0,
    )


async def until(what: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not what():
            await asyncio.sleep(0.001)


def test_publishes_after_a_number_of_operations() -> None:
    published = Published()

    async def main() -> None:
        async with rounds(published, 100) as metrics:
            for _ in range(99):
                metrics.record("place", 0.002)
            for _ in range(5):
                await asyncio.sleep(0)
            assert not published.values
            metrics.record("place", 0.002, ValueError("no"))
            await until(lambda: "place.count" in published.values)
            assert published.values["place.count"] == 100

    asyncio.run(main())
    assert published.values["place.errors"] == 1
    assert published.about["place.errors"]["last_error"] == "no"
    assert published.values["place.latency_p99"] == pytest.approx(2.0, rel=0.01)
    assert published.units["place.latency_p99"] == "ms"
    assert published.units["process.memory_rss"] == "bytes"
    assert "process.cpu" in published.values


def test_publishes_after_some_time() -> None:
    published = Published()

    async def main() -> None:
        async with rounds(published, 10**9, publish_interval_seconds=0.001) as m:
            m.record("place", 0.1)
            await until(lambda: published.times.get("process.memory_rss", 0) > 2)
            # Nothing happened since the first round.
            assert published.times["place.count"] == 1

    asyncio.run(main())


def test_stop_publishes_the_last_values() -> None:
    published = Published()

    async def main() -> None:
        async with NodeMetrics(published, publish_interval_seconds=1e6) as metrics:
            metrics.record("place", 0.1)

    asyncio.run(main())
    assert published.values["place.count"] == 1


def test_operations_of_threads_wake_the_publish_loop() -> None:
    published = Published()

    async def main() -> None:
        async with NodeMetrics(
            published, publish_interval_ops=10, publish_interval_seconds=1e6
        ) as m:

            def work() -> None:
                for _ in range(10):
                    m.record("place", 0.1)

            await asyncio.to_thread(work)
            await until(lambda: published.values)

    asyncio.run(main())


def test_a_failing_publisher_does_not_fail_operations(
    caplog: pytest.LogCaptureFixture,
) -> None:
    published = Published(refuses=True)

    async def main() -> None:
        async with rounds(published, 1) as metrics:
            with metrics.track("place"):
                pass
            await until(lambda: "were not published" in caplog.text)
            published.refuses = False
            with metrics.track("place"):
                pass
            await until(lambda: published.values.get("place.count") == 2)

    asyncio.run(main())
    assert "hunter2" not in caplog.text


def test_a_hanging_publisher_blocks_neither_work_nor_stop() -> None:
    class Hanging(Published):
        async def _publish_metric_recorded_event(
            self, *_: object, **__: object
        ) -> None:
            await asyncio.Event().wait()

    async def main() -> None:
        metrics = NodeMetrics(Hanging(), publish_interval_ops=1)
        await metrics.start()
        for _ in range(1_000):
            with metrics.track("place"):
                await asyncio.sleep(0)
        async with asyncio.timeout(20):
            await metrics.stop(timeout=0.01)

    asyncio.run(main())


@pytest.mark.parametrize(
    "name", ["publish_interval_ops", "publish_interval_seconds", "window"]
)
def test_invalid_settings_are_refused(name: str) -> None:
    settings: dict[str, Any] = {name: 0}
    with pytest.raises(ValueError, match=f"{name} must be more than 0"):
        NodeMetrics(None, **settings)
