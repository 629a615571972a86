"""Event loops: they are never blocked, and whatever they do, nothing is left behind."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
import threading
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvloop
from herald import KafkaClient, PublishError
from herald.testing import MemoryCluster

from clients import GENEROUS, event, eventually, numbers, numbers_by_key, run


def awaited(kafka: KafkaClient) -> int:
    """Number of receipts that event loops of the client still wait for."""
    queues = kafka._completion_queues._all.values()
    return sum(len(queue) for queue in queues)


@asynccontextmanager
async def connected(
    cluster: MemoryCluster, **settings: Any
) -> AsyncIterator[KafkaClient]:
    settings.setdefault("spool", None)
    async with KafkaClient(cluster=cluster, **settings) as kafka:
        yield kafka
        # What was cancelled is known to be over when the loop gets round to it.
        async with asyncio.timeout(GENEROUS):
            while awaited(kafka):
                await asyncio.sleep(0.001)


def run_asyncio(main: Coroutine[Any, Any, None]) -> None:
    asyncio.run(main)


class UnwatchingLoop(asyncio.SelectorEventLoop):
    """An event loop that can't watch files, as asyncio's on Windows."""

    def add_reader(self, *arguments: object) -> None:
        raise NotImplementedError

    def remove_reader(self, fd: object) -> bool:
        raise NotImplementedError


def run_unwatching(main: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=UnwatchingLoop) as runner:
        runner.run(main)


def run_uvloop(main: Coroutine[Any, Any, None]) -> None:
    uvloop.run(main)


def run_eagerly(main: Coroutine[Any, Any, None]) -> None:
    async def eager() -> None:
        factory: Any = asyncio.eager_task_factory  # type: ignore[attr-defined]
        asyncio.get_running_loop().set_task_factory(factory)
        await main

    asyncio.run(eager())


LOOPS = [run_asyncio, run_uvloop, run_unwatching]
if sys.version_info >= (3, 12):
    LOOPS.append(run_eagerly)
Run = Callable[[Coroutine[Any, Any, None]], None]
loops = pytest.mark.parametrize("loop", LOOPS)


class Lag:
    """The longest that a ticking task was kept from ticking."""

    longest = 0.0

    async def tick(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            self.longest = max(self.longest, time.perf_counter() - began - 0.001)

    @asynccontextmanager
    async def measured(self) -> AsyncIterator[None]:
        ticking = asyncio.create_task(self.tick())
        await asyncio.sleep(0)
        yield
        ticking.cancel()
        print(f"longest lag {self.longest * 1000:.1f} ms")
        assert self.longest < 5


@loops
def test_publishing_at_full_speed_does_not_block_the_loop(loop: Run) -> None:
    async def go() -> None:
        cluster = MemoryCluster()

        async def worker(kafka: KafkaClient, worker: int) -> None:
            for number in range(200):
                await kafka.publish(event(number, key=str(worker)))

        async with connected(cluster) as kafka, Lag().measured():
            await asyncio.gather(*(worker(kafka, i) for i in range(100)))
        found = numbers_by_key(cluster)
        assert len(found) == 100
        assert all(of_key == list(range(200)) for of_key in found.values())

    loop(go())


@loops
def test_an_outage_does_not_block_the_loop(loop: Run, folder: Path) -> None:
    async def go() -> None:
        cluster = MemoryCluster()
        async with (
            connected(cluster, spool=folder / "s.db", deadline=0.2) as kafka,
            Lag().measured(),
        ):
            cluster.pause()
            flying = [asyncio.ensure_future(kafka.publish(event(0)))]
            for number in range(1, 5_000):
                if number == 2_000:
                    cluster.stop()
                flying.append(asyncio.ensure_future(kafka.publish(event(number))))
                if number % 100 == 0:
                    await asyncio.sleep(0)
            receipts = await asyncio.gather(*flying)
            assert all(receipt.is_spooled for receipt in receipts)
            cluster.start()
            assert await kafka.flush(GENEROUS) == 0
        assert numbers(cluster) == list(range(5_000))

    loop(go())


@loops
def test_events_at_the_in_flight_limit_keep_their_order(loop: Run) -> None:
    async def go() -> None:
        cluster = MemoryCluster(1)
        cluster.set_delay(0.0002)
        async with connected(cluster, max_in_flight=4) as kafka, Lag().measured():
            tasks = []
            for number in range(2_000):
                tasks.append(
                    asyncio.ensure_future(
                        kafka.publish(event(number, key=str(number % 7)))
                    )
                )
                if number % 5 == 0:
                    await asyncio.sleep(0)
            await asyncio.gather(*tasks)
        assert len(numbers(cluster)) == 2_000
        for key in range(7):
            assert numbers(cluster, str(key)) == list(range(key, 2_000, 7))

    loop(go())


@loops
@pytest.mark.parametrize("at_once", [True, False])
def test_a_new_event_does_not_overtake_waiting_ones(loop: Run, at_once: bool) -> None:
    async def go() -> None:
        cluster = MemoryCluster(1)
        async with connected(cluster, max_in_flight=2) as kafka:
            cluster.pause()
            first = [asyncio.ensure_future(kafka.publish(event(i))) for i in range(2)]
            await asyncio.sleep(0)
            # These wait for room.
            events = [event(2), event(3), event(4)] if at_once else [event(2)]
            waiting = asyncio.ensure_future(kafka.publish_many(events))
            await asyncio.sleep(0)
            cluster.resume()
            # It comes, and the loop sees nothing of it.
            eventually(lambda: kafka.stats().delivered == 2)
            last = asyncio.ensure_future(kafka.publish(event(9)))
            await asyncio.gather(*first, last)
            await waiting
        assert numbers(cluster) == [0, 1, *(2, 3, 4)[: len(events)], 9]

    loop(go())


def test_waiting_for_the_in_flight_limit_times_out() -> None:
    async def go() -> None:
        cluster = MemoryCluster()
        async with connected(cluster, max_in_flight=1, deadline=0.2) as kafka:
            cluster.pause()
            tasks = [asyncio.ensure_future(kafka.publish(event(i))) for i in range(50)]
            began = time.monotonic()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            assert time.monotonic() - began < GENEROUS / 2
            codes = {getattr(outcome, "code", outcome) for outcome in outcomes}
            assert codes <= {"busy", "deadline", "timed_out", "behind_failed"}
            assert "busy" in codes
            cluster.resume()

    asyncio.run(go())


@loops
def test_cancelling_releases_capacity_and_futures(loop: Run) -> None:
    seen: list[object] = []

    async def go() -> None:
        running = asyncio.get_running_loop()
        running.set_exception_handler(lambda _, context: seen.append(context))
        cluster = MemoryCluster(1)
        async with connected(cluster, max_in_flight=3) as kafka:
            unstarted = asyncio.create_task(kafka.publish(event(-1)))
            if not hasattr(asyncio, "eager_task_factory"):
                unstarted.cancel()
            cluster.pause()
            before = len(numbers(cluster))
            tasks = [asyncio.ensure_future(kafka.publish(event(i))) for i in range(9)]
            await asyncio.sleep(0)
            # In flight: they arrive. Waiting for room: they do not, and keep none.
            for number in (1, 2, 3, 5, 8):
                tasks[number].cancel()
            await asyncio.sleep(0)
            cluster.resume()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            cancelled = [i for i, o in enumerate(outcomes) if not o or _is_cancel(o)]
            assert cancelled == [1, 2, 3, 5, 8]
            await asyncio.gather(unstarted, return_exceptions=True)
            while awaited(kafka):
                await asyncio.sleep(0.001)
            assert await kafka.flush(GENEROUS) == 0
            arrived = [n for n in numbers(cluster) if n >= 0]
            assert before <= 1
            assert [n for n in arrived if n > 3] == [4, 6, 7]
            # All room is there again.
            await kafka.publish_many(event(i) for i in range(100, 120))
            assert kafka.stats().in_flight == 0

    loop(go())
    gc.collect()
    assert seen == []


def _is_cancel(outcome: object) -> bool:
    return isinstance(outcome, asyncio.CancelledError)


def test_asyncio_timeout_does_not_withdraw_the_event() -> None:
    async def go() -> None:
        cluster = MemoryCluster()
        async with connected(cluster) as kafka:
            cluster.pause()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await kafka.publish(event(1))
            cluster.resume()
            assert await kafka.flush(GENEROUS) == 0
            assert numbers(cluster) == [1]

    asyncio.run(go())


def test_a_raising_callback_does_not_affect_other_futures() -> None:
    seen: list[object] = []

    async def go() -> None:
        running = asyncio.get_running_loop()
        running.set_exception_handler(lambda _, context: seen.append(context))

        def fail(_: object) -> None:
            raise LookupError("mine")

        async with connected(MemoryCluster()) as kafka:
            tasks = [asyncio.ensure_future(kafka.publish(event(i))) for i in range(10)]
            for task in tasks[::2]:
                task.add_done_callback(fail)
            assert all(await asyncio.gather(*tasks))
            await asyncio.sleep(0)

    asyncio.run(go())
    assert len(seen) == 5


def test_several_loops_in_several_threads_share_a_client() -> None:
    cluster = MemoryCluster()
    kafka = KafkaClient(cluster=cluster, spool=None, max_in_flight=50)
    asyncio.run(kafka.connect())
    failures: list[BaseException] = []

    async def publish(worker: int) -> None:
        for batch in range(10):
            first = batch * 100
            tasks = [
                kafka.publish(event(first + i, key=str(worker))) for i in range(100)
            ]
            assert all(await asyncio.gather(*tasks))

    def thread(worker: int) -> None:
        try:
            (uvloop.run if worker % 2 else asyncio.run)(publish(worker))
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=thread, args=(i,)) for i in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert failures == []
    for worker in range(6):
        assert numbers(cluster, str(worker)) == list(range(1_000))
    asyncio.run(kafka.close())


@pytest.mark.parametrize("room", [1, 20_000])
def test_a_loop_closed_early_does_not_affect_the_next(room: int) -> None:
    cluster = MemoryCluster(1)
    kafka = KafkaClient(cluster=cluster, spool=None, max_in_flight=room, deadline=10)

    async def first(number: int) -> None:
        await kafka.connect()
        cluster.pause()
        for i in range(5):
            asyncio.ensure_future(kafka.publish(event(number * 10 + i)))  # noqa: RUF006
        await asyncio.sleep(0)

    async def second() -> None:
        assert await kafka.publish(event(999))
        assert await kafka.flush(GENEROUS) == 0
        assert awaited(kafka) == 0

    for number in range(3):
        asyncio.run(first(number))
        cluster.resume()
        asyncio.run(second())
    assert len(kafka._completion_queues._all) <= 1
    asyncio.run(kafka.close())


def test_closed_loops_and_clients_release_descriptors() -> None:
    cluster = MemoryCluster()
    kafka = KafkaClient(cluster=cluster, spool=None)

    async def once() -> None:
        await kafka.connect()
        await kafka.publish(event(1))
        asyncio.ensure_future(kafka.publish(event(2)))  # noqa: RUF006
        await asyncio.sleep(0)

    async def many_clients() -> int:
        for _ in range(20):
            async with KafkaClient(cluster=MemoryCluster(), spool=None) as other:
                task = asyncio.ensure_future(other.publish(event(1)))
                await asyncio.sleep(0)
            await asyncio.gather(task, return_exceptions=True)
        return len(os.listdir("/proc/self/fd"))

    asyncio.run(once())
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        asyncio.run(once())
    assert len(os.listdir("/proc/self/fd")) <= before + 4
    assert asyncio.run(many_clients()) <= before + 12
    asyncio.run(kafka.close())


def test_a_broken_wakeup_socket_does_not_end_the_process(folder: Path) -> None:
    script = """
        import gc
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        cluster = MemoryCluster()
        kafka = KafkaClient(cluster=cluster, spool=None)

        async def first():
            await kafka.connect()
            cluster.pause()
            asyncio.ensure_future(kafka.publish(event(1)))
            await asyncio.sleep(0)

        async def second():
            assert await kafka.flush(20) == 0
            await kafka.close()

        asyncio.run(first())
        kafka._completion_queues._all.clear()
        kafka._completion_queues._last_used = None
        gc.collect()
        cluster.resume()
        asyncio.run(second())
        print("alive")
    """
    assert run(script, folder=folder).stdout == "alive\n"


def test_memory_does_not_grow_with_the_number_of_events() -> None:
    rss = 0

    def memory() -> int:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    async def some(kafka: KafkaClient, events: int) -> None:
        for _ in range(events // 1_000):
            one = event(1)
            await asyncio.gather(*(kafka.publish(one) for _ in range(1_000)))

    async def go() -> None:
        nonlocal rss
        # Refused events are kept by nobody: the cluster's own memory does not count.
        cluster = MemoryCluster(1)
        cluster.refuse("dev.unnamed.effect.place.started.v1")
        cluster.refuse("dev.unnamed.effect.place.started.v1.dlq")

        async def failing(kafka: KafkaClient, events: int) -> None:
            for _ in range(events // 1_000):
                tasks = [kafka.publish(event(1)) for _ in range(1_000)]
                outcomes = await asyncio.gather(*tasks, return_exceptions=True)
                assert all(isinstance(one, PublishError) for one in outcomes)

        async with connected(cluster) as kafka:
            await failing(kafka, 10_000)
            gc.collect()
            tracemalloc.start()
            objects, before = len(gc.get_objects()), memory()
            await failing(kafka, 5_000)
            traced = tracemalloc.get_traced_memory()[0]
            tracemalloc.stop()
            await failing(kafka, 40_000)
            gc.collect()
            rss = memory() - before
            assert len(gc.get_objects()) - objects < 1_000
            assert traced < 4 << 20

    asyncio.run(go())
    print(f"grown by {rss / 1e6:.1f} MB")
    assert rss < 48 << 20


def test_asyncio_logs_no_errors(caplog: pytest.LogCaptureFixture) -> None:
    async def go() -> None:
        async with connected(MemoryCluster()) as kafka:
            await kafka.publish_many(event(i) for i in range(100))

    caplog.set_level(logging.DEBUG, "asyncio")
    asyncio.run(go(), debug=True)
    assert [r for r in caplog.records if r.levelno >= logging.WARNING] == []
