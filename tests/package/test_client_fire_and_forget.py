"""Events whose receipts nobody awaits."""

from __future__ import annotations

import asyncio
import os
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from herald import KafkaClient, PayloadError, PublishError, SyncKafkaClient
from herald.testing import MemoryCluster

from clients import envelope, event, eventually, numbers, run

SETTINGS: dict[str, Any] = {"spool": None, "deadline": 20}


def test_events_arrive_in_their_order() -> None:
    cluster = MemoryCluster()
    with SyncKafkaClient(cluster=cluster, **SETTINGS) as kafka:
        assert all(kafka.try_enqueue(event(number)) for number in range(300))
    assert numbers(cluster) == list(range(300))


def test_returns_false_at_the_in_flight_limit_unless_blocking() -> None:
    cluster = MemoryCluster()
    with SyncKafkaClient(cluster=cluster, max_in_flight=2, **SETTINGS) as kafka:
        cluster.pause()
        assert [kafka.try_enqueue(event(number)) for number in range(3)] == [
            True,
            True,
            False,
        ]
        thread = threading.Thread(
            target=lambda: kafka.try_enqueue(event(3), block=True)
        )
        thread.start()
        thread.join(0.05)
        assert thread.is_alive()
        cluster.resume()
        thread.join(20)
    assert numbers(cluster) == [0, 1, 3]


def test_waiting_events_of_a_loop_are_not_overtaken() -> None:
    cluster = MemoryCluster()

    async def scenario() -> None:
        async with KafkaClient(cluster=cluster, max_in_flight=1, **SETTINGS) as kafka:
            cluster.pause()
            waiting = [asyncio.create_task(kafka.publish(event(n))) for n in range(3)]
            await asyncio.sleep(0)
            assert not kafka.try_enqueue(event(9))
            cluster.resume()
            await asyncio.gather(*waiting)
            assert kafka.try_enqueue(event(3))

    asyncio.run(scenario())
    assert numbers(cluster) == [0, 1, 2, 3]


def test_later_errors_are_passed_to_the_callback() -> None:
    cluster = MemoryCluster()
    errors: list[PublishError] = []
    with SyncKafkaClient(cluster=cluster, spool=None, deadline=0.05) as kafka:
        cluster.stop()
        for number in range(100):
            assert kafka.try_enqueue(event(number), errors.append)
        eventually(lambda: len(errors) == 100)
    assert all(type(error) is PublishError and error.code for error in errors)


def test_without_a_callback_errors_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    cluster = MemoryCluster()
    with SyncKafkaClient(cluster=cluster, spool=None, deadline=0.05) as kafka:
        cluster.stop()
        kafka.try_enqueue(event(1))
        eventually(lambda: "an event got no receipt (" in caplog.text)


def test_immediate_errors_are_raised() -> None:
    kafka = SyncKafkaClient(cluster=MemoryCluster(), **SETTINGS)
    with pytest.raises(PublishError, match="not connected"):
        kafka.try_enqueue(event(1))
    with kafka, pytest.raises(PayloadError):
        broken: Any = SimpleNamespace(**vars_of(event(1)), payload={"x": object()})
        kafka.try_enqueue(broken)


def vars_of(given: Any) -> dict[str, Any]:
    names = set(given.__dataclass_fields__) - {"payload"}
    return {name: getattr(given, name) for name in names}


def test_accepts_objects_with_the_attributes_of_an_event() -> None:
    cluster = MemoryCluster()
    given = event(7)
    alike: Any = SimpleNamespace(**vars_of(given), payload=given.payload)
    with SyncKafkaClient(cluster=cluster, **SETTINGS) as kafka:
        assert kafka.try_enqueue(alike)
    assert envelope(cluster)["payload"]["number"] == 7


def test_all_errors_are_reported_before_exit(tmp_path: Any) -> None:
    done = run(
        """
        def lost(error):
            print("lost", error.code, flush=True)
        cluster = MemoryCluster()
        kafka = SyncKafkaClient(cluster=cluster, spool=None, close_timeout=0.1)
        kafka.connect()
        cluster.stop()
        for number in range(5):
            kafka.try_enqueue(event(number), lost)
        """,
        folder=tmp_path,
    )
    assert done.stdout.count("lost") == 5


def test_a_forked_child_can_enqueue() -> None:
    cluster = MemoryCluster()
    with SyncKafkaClient(cluster=cluster, spool=None, deadline=0.05) as kafka:
        cluster.stop()
        for number in range(200):
            kafka.try_enqueue(event(number), lambda error: None)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                kafka.try_enqueue(event(1))
            except PublishError as error:
                code = 0 if error.code == "forked" else 2
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
