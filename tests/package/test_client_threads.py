"""The client for programs without asyncio."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from herald import PublishError, Receipt, SyncKafkaClient
from herald.testing import MemoryCluster

from clients import GENEROUS, event, eventually, numbers


@contextmanager
def connected(cluster: MemoryCluster, **settings: Any) -> Iterator[SyncKafkaClient]:
    with SyncKafkaClient(cluster=cluster, spool=None, **settings) as kafka:
        yield kafka


def in_threads(count: int, work: Callable[[int], None]) -> None:
    failures: list[BaseException] = []

    def guarded(worker: int) -> None:
        try:
            work(worker)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=guarded, args=(i,)) for i in range(count)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
        assert not one.is_alive()
    assert failures == []


@pytest.mark.parametrize("room", [3, 20_000])
def test_each_thread_keeps_its_order(room: int) -> None:
    cluster = MemoryCluster()
    with connected(cluster, max_in_flight=room) as kafka:

        def work(worker: int) -> None:
            pending = [kafka.enqueue(event(i, key=str(worker))) for i in range(300)]
            assert all(one.result() for one in pending)
            kafka.publish_many(event(i, key=str(worker)) for i in range(300, 400))
            for number in range(400, 450):
                assert kafka.publish(event(number, key=str(worker)))

        in_threads(8, work)
    for worker in range(8):
        assert numbers(cluster, str(worker)) == list(range(450))


def test_pending_receipt_supports_timeouts_and_repeated_calls() -> None:
    cluster = MemoryCluster()
    with connected(cluster) as kafka:
        cluster.pause()
        pending = kafka.enqueue(event(1))
        assert not pending.done()
        for timeout in (0, 0.01):
            with pytest.raises(TimeoutError, match="still in flight"):
                pending.result(timeout)
        for timeout in (-1, float("nan")):
            with pytest.raises(ValueError, match="timeout must be a number of seconds"):
                pending.result(timeout)
        cluster.resume()
        receipt = pending.result(float("inf"))
        assert pending.done()
        assert pending.result(0) == pending.result() == receipt


def test_several_threads_may_wait_for_one_receipt() -> None:
    cluster = MemoryCluster()
    found: list[Receipt] = []
    with connected(cluster) as kafka:
        cluster.pause()
        pending = kafka.enqueue(event(1))
        timer = threading.Timer(0.1, cluster.resume)
        timer.start()
        in_threads(4, lambda _: found.append(pending.result()))
        timer.join()
    assert len(found) == 4
    assert len(set(found)) == 1


def test_blocking_calls_release_the_interpreter_lock() -> None:
    cluster = MemoryCluster()
    with connected(cluster, max_in_flight=1) as kafka:
        cluster.pause()
        first = kafka.enqueue(event(0))
        waiting = [
            threading.Thread(target=first.result),
            threading.Thread(target=kafka.publish, args=(event(1),)),
            threading.Thread(target=kafka.publish_many, args=([event(2)],)),
            threading.Thread(target=kafka.flush),
        ]
        for one in waiting:
            one.start()
        assert sum(range(100_000)) == 4_999_950_000
        assert all(one.is_alive() for one in waiting)
        cluster.resume()
        for one in waiting:
            one.join(GENEROUS)
            assert not one.is_alive()
    assert sorted(numbers(cluster)) == [0, 1, 2]


@pytest.mark.parametrize("call", ["result", "publish", "enqueue", "many", "flush"])
def test_ctrl_c_interrupts_blocking_calls(call: str) -> None:
    cluster = MemoryCluster()
    with connected(cluster, max_in_flight=1) as kafka:
        cluster.pause()
        first = kafka.enqueue(event(0))
        calls: dict[str, Callable[[], object]] = {
            "result": first.result,
            "publish": lambda: kafka.publish(event(1)),
            "enqueue": lambda: kafka.enqueue(event(1)),
            "many": lambda: kafka.publish_many([event(1), event(2)]),
            "flush": kafka.flush,
        }
        timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            calls[call]()
        assert time.monotonic() - began < GENEROUS
        timer.join()
        cluster.resume()
        # The client is as good as new, and who went away waits for no room.
        assert first.result()
        assert kafka.publish(event(9))
    assert numbers(cluster)[0] == 0
    assert numbers(cluster)[-1] == 9
    assert len(numbers(cluster)) == 2


def test_closing_from_another_thread_ends_blocking_calls() -> None:
    cluster = MemoryCluster()
    kafka = SyncKafkaClient(cluster=cluster, spool=None)
    kafka.connect()
    cluster.pause()
    pending = kafka.enqueue(event(1))
    closing = threading.Thread(target=kafka.close, args=(0.1,))
    closing.start()
    with pytest.raises(PublishError):
        pending.result(GENEROUS)
    closing.join()
    eventually(lambda: not kafka.is_connected)
    with pytest.raises(PublishError) as caught:
        kafka.publish(event(2))
    assert caught.value.code == "not_connected"
