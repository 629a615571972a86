"""Recording of functions of all kinds, tasks and threads."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from herald.metrics import NodeMetrics, OperationSnapshot, _process

from publishers import Published


@pytest.fixture
def metrics() -> NodeMetrics:
    return NodeMetrics(resources=False)


def of(metrics: NodeMetrics, operation: str = "place") -> OperationSnapshot:
    return metrics.snapshot().operations[operation]


def test_a_scope_is_in_flight_until_it_ends(metrics: NodeMetrics) -> None:
    with metrics.track("place"):
        assert of(metrics).in_flight == metrics.in_flight == 1
        assert of(metrics).count == 0
    assert (of(metrics).count, of(metrics).in_flight) == (1, 0)


def test_an_error_is_reraised_and_kept_redacted(metrics: NodeMetrics) -> None:
    with pytest.raises(ValueError), metrics.track("place"):
        raise ValueError("no stock, password=hunter2")
    found = of(metrics)
    assert (found.count, found.errors, found.in_flight) == (1, 1, 0)
    assert found.last_error is not None
    assert found.last_error.type == "ValueError"
    assert found.last_error.text == "no stock, password=***"


def test_an_unprintable_error_is_counted(metrics: NodeMetrics) -> None:
    class Odd(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    metrics.record("place", 0.1, Odd())
    found = of(metrics).last_error
    assert found is not None
    assert found.type == "Odd"


def test_cancellation_is_not_an_error(metrics: NodeMetrics) -> None:
    @metrics.measured("place")
    async def place() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        task = asyncio.create_task(place())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    found = of(metrics)
    assert (found.count, found.errors, found.cancelled, found.in_flight) == (1, 0, 1, 0)


def test_functions_of_all_kinds_are_measured(metrics: NodeMetrics) -> None:
    @metrics.measured("sync")
    def sync(number: int) -> int:
        return number + 1

    @metrics.measured("coroutine")
    async def coroutine(number: int) -> int:
        return number + 1

    @metrics.measured("generator")
    def generator() -> Iterator[int]:
        yield 1
        yield 2

    @metrics.measured("async_generator")
    async def async_generator() -> AsyncIterator[int]:
        yield 1
        yield 2

    async def main() -> list[int]:
        return [await coroutine(1), *[item async for item in async_generator()]]

    assert sync(1) == 2
    assert asyncio.run(main()) == [2, 1, 2]
    steps = generator()
    assert next(steps) == 1
    assert of(metrics, "generator").in_flight == 1
    assert list(steps) == [2]
    for name in ("sync", "coroutine", "generator", "async_generator"):
        assert of(metrics, name).count == 1, name
        assert of(metrics, name).in_flight == 0, name
    assert sync.__name__ == "sync"


def test_generators_support_send_and_throw(metrics: NodeMetrics) -> None:
    seen: list[object] = []

    @metrics.measured("place")
    async def place() -> AsyncIterator[int]:
        try:
            seen.append((yield 1))
            try:
                yield 2
            except LookupError:
                seen.append("thrown")
                yield 3
            yield 4
        finally:
            seen.append("closed")

    async def main() -> None:
        steps = place()
        assert await anext(steps) == 1
        assert await steps.asend("sent") == 2  # type: ignore[attr-defined]
        assert await steps.athrow(LookupError()) == 3  # type: ignore[attr-defined]
        await steps.aclose()  # type: ignore[attr-defined]

    asyncio.run(main())
    assert seen == ["sent", "thrown", "closed"]
    assert of(metrics).in_flight == 0


def test_counts_are_exact_across_threads(metrics: NodeMetrics) -> None:
    def work() -> None:
        for _ in range(5_000):
            with metrics.track("place"):
                pass
            metrics.counter("placed", unit="count").add(1)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = of(metrics)
    assert (found.count, found.in_flight) == (40_000, 0)
    assert found.latency is not None
    assert found.latency.count == 40_000
    assert metrics.counter("placed", unit="count").readings()[0].value == 40_000


def test_business_metrics_have_their_units() -> None:
    published = Published()
    metrics = NodeMetrics(published, resources=False)
    metrics.counter("orders.placed", unit="orders").add(2)
    metrics.counter("orders.placed", unit="orders").add(-5)
    metrics.counter("orders.placed", unit="orders").add(float("nan"))
    metrics.gauge("stock", unit="items").set(7)
    metrics.gauge("queue.depth", unit="count", read=lambda: 42)
    total = metrics.distribution("order.total", unit="EUR", resolution=0.01)
    for cents in range(1, 101):
        total.record(cents / 100)
    asyncio.run(metrics.flush())
    assert published.values["orders.placed"] == 2
    assert published.values["stock"] == 7
    assert published.values["queue.depth"] == 42
    assert published.values["order.total.count"] == 100
    assert published.values["order.total.p50"] == pytest.approx(0.50)
    assert published.values["order.total.max"] == pytest.approx(1.00)
    assert published.units["orders.placed"] == "orders"
    assert published.units["order.total.p99"] == "EUR"


def test_a_name_has_one_kind_and_unit(metrics: NodeMetrics) -> None:
    metrics.gauge("stock", unit="items")
    with pytest.raises(ValueError, match="'stock' is already a gauge in 'items'"):
        metrics.counter("stock", unit="items")
    with pytest.raises(ValueError, match="another name"):
        metrics.gauge("stock", unit="pallets")


def test_a_failing_gauge_is_left_out(
    metrics: NodeMetrics, caplog: pytest.LogCaptureFixture
) -> None:
    def read() -> float:
        raise OSError("token=abc")

    metrics.gauge("depth", unit="count", read=read)
    metrics.gauge("stock", unit="items").set(1)
    assert [reading.name for reading in metrics.snapshot().business] == ["stock"]
    assert "metric depth was not read: OSError: token=***" in caplog.text


def test_the_process_is_measured() -> None:
    found = {reading.name: reading for reading in NodeMetrics().snapshot().resources}
    assert found["process.memory_rss"].value > 1e6
    assert found["process.open_files"].value >= 3
    assert found["process.connections"].value >= 0
    assert found["process.cpu_time"].value > 0


@pytest.mark.parametrize("has_psutil", [False, True])
def test_psutil_is_used_without_proc(
    monkeypatch: pytest.MonkeyPatch, has_psutil: bool
) -> None:
    process = SimpleNamespace(
        memory_info=lambda: SimpleNamespace(rss=123),
        num_fds=lambda: 7,
        net_connections=lambda: [1, 2],
    )
    psutil = SimpleNamespace(Process=lambda: process) if has_psutil else None
    monkeypatch.setitem(sys.modules, "psutil", psutil)
    monkeypatch.setattr(_process, "STATM", Path("/nowhere/statm"))
    monkeypatch.setattr(_process, "DESCRIPTORS", Path("/nowhere/fd"))
    resources = NodeMetrics().snapshot().resources
    found = {reading.name: reading.value for reading in resources}
    assert found.pop("process.cpu_time") > 0
    expected = {
        "process.memory_rss": 123,
        "process.open_files": 7,
        "process.connections": 2,
    }
    assert found == (expected if has_psutil else {})
