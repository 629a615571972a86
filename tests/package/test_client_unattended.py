"""Events whose receipts nobody waits for."""

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


def test_without_room_it_is_not_taken_unless_it_may_wait() -> None:
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


def test_those_that_wait_in_a_loop_are_not_overtaken() -> None:
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


def test_an_error_that_comes_later_is_given_to_its_callback() -> None:
    cluster = MemoryCluster()
    errors: list[PublishError] = []
    with SyncKafkaClient(cluster=cluster, spool=None, deadline=0.05) as kafka:
        cluster.stop()
        for number in range(100):
            assert kafka.try_enqueue(event(number), errors.append)
        eventually(lambda: len(errors) == 100)
    assert all(type(error) is PublishError and error.code for error in errors)


def test_without_a_callback_it_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    cluster = MemoryCluster()
    with SyncKafkaClient(cluster=cluster, spool=None, deadline=0.05) as kafka:
        cluster.stop()
        kafka.try_enqueue(event(1))
        eventually(lambda: "an event got no receipt (" in caplog.text)


def test_errors_that_are_known_at_once_are_raised() -> None:
    kafka = SyncKafkaClient(cluster=MemoryCluster(), **SETTINGS)
    with pytest.raises(PublishError, match="not connected"):
        kafka.try_enqueue(event(1))
    with kafka, pytest.raises(PayloadError):
        broken: Any = SimpleNamespace(**vars_of(event(1)), payload={"x": object()})
        kafka.try_enqueue(broken)


def vars_of(given: Any) -> dict[str, Any]:
    names = set(given.__dataclass_fields__) - {"payload"}
    return {name: getattr(given, name) for name in names}


def test_another_object_with_the_attributes_of_an_event() -> None:
    cluster = MemoryCluster()
    given = event(7)
    alike: Any = SimpleNamespace(**vars_of(given), payload=given.payload)
    with SyncKafkaClient(cluster=cluster, **SETTINGS) as kafka:
        assert kafka.try_enqueue(alike)
    assert envelope(cluster)["payload"]["number"] == 7


def test_at_the_end_of_python_all_errors_are_told(tmp_path: Any) -> None:
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


def test_a_fork_goes_on() -> None:
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
