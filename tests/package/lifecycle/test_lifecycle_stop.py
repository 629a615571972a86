"""Stopping finishes what is in flight, publishes what is due, and takes no longer than
it may; also without Kafka.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from herald import KafkaClient
from herald.lifecycle import Lifecycle, LifecycleError, NotAccepting, State
from herald.metrics import NodeMetrics
from herald.testing import MemoryCluster, RecordingClient

from nodes import GENEROUS, Node, until


def test_stop_finishes_operations_and_accepts_no_more() -> None:
    life, log = Lifecycle(), []
    life.dependency("database", stop=lambda: log.append("database"))
    life.intake("consumer", lambda: log.append("consumer"))
    go_on = asyncio.Event()

    async def operation() -> None:
        async with life.operation():
            await go_on.wait()
            log.append("operation")

    async def main() -> None:
        with pytest.raises(NotAccepting):
            await operation()
        async with life:
            running = asyncio.create_task(operation())
            await until(lambda: life.in_flight == 1)
            stopping = asyncio.create_task(life.stop())
            await until(lambda: "consumer" in log)
            assert life.state is State.STOPPING
            assert not (await life.readiness()).is_ok
            with pytest.raises(NotAccepting):
                await operation()
            go_on.set()
            report = await stopping
            assert running.done()
            assert report.unfinished == 0
            assert report.is_clean

    asyncio.run(main())
    assert log == ["consumer", "operation", "database"]


def test_unfinished_operations_are_cancelled_and_counted() -> None:
    life = Lifecycle(drain_timeout=0.01)

    async def operation() -> None:
        with life.operation():
            await asyncio.Event().wait()

    async def main() -> None:
        async with life:
            running = [asyncio.create_task(operation()) for _ in range(3)]
            await until(lambda: life.in_flight == 3)
            report = await life.stop("enough")
            assert all(task.cancelled() for task in running)
            assert (report.unfinished, report.reason) == (3, "enough")
            assert not report.is_clean

    asyncio.run(asyncio.wait_for(main(), GENEROUS))


def test_stop_waits_for_operations_of_the_metrics() -> None:
    node = Node()
    metrics = NodeMetrics(node, publish_interval_seconds=1e6)
    life = Lifecycle(node, metrics=metrics)

    async def operation() -> None:
        with metrics.track("place"):
            await life.stop_requested()
            await asyncio.sleep(0.02)

    async def main() -> None:
        async with life:
            running = asyncio.create_task(operation())
            await until(lambda: life.in_flight == 1)
            await life.stop()
            assert running.done()

    asyncio.run(main())
    assert "place.latency_p99" in node.metrics


@pytest.mark.parametrize("kind", ["coroutine", "thread", "raises"])
def test_a_failing_stop_is_reported_and_the_rest_stops(kind: str) -> None:
    never, log = threading.Event(), []

    async def hang() -> None:
        await asyncio.Event().wait()

    def fail() -> None:
        raise OSError("no")

    kinds: dict[str, Callable[[], object]]
    kinds = {"coroutine": hang, "thread": never.wait, "raises": fail}
    life = Lifecycle()
    life.dependency("config", stop=lambda: log.append("config"))
    life.dependency("bad", stop=kinds[kind], after=["config"], stop_timeout=0.01)

    async def main() -> None:
        async with life:
            pass

    asyncio.run(asyncio.wait_for(main(), GENEROUS))
    assert life.report is not None
    [error] = life.report.errors
    assert error.startswith("bad did not stop: ")
    assert log == ["config"]
    assert life.state.value == "stopped"


def test_the_client_is_closed_last() -> None:
    client = RecordingClient()
    node = Node(client)
    metrics = NodeMetrics(node, publish_interval_seconds=1e6)
    life = Lifecycle(node, metrics=metrics)

    async def stop() -> None:
        await node._publish("effect.goodbye", {})

    life.dependency("database", stop=stop)

    async def main() -> None:
        async with life:
            metrics.record("place", 0.1)

    asyncio.run(main())
    types = [event.event_type for event in client.events]
    assert "effect.goodbye" in types
    client.assert_published(
        "effect.metric.recorded", payload={"metric_name": "place.count"}
    )
    last = client.events[-1]
    assert last.event_type == "effect.state.changed"
    assert last.payload["new_state"] == "stopped"
    assert not client.is_connected


def test_states_are_published_with_contract_names() -> None:
    node = Node()
    names = {State.READY: "idle", State.STOPPING: "draining"}

    async def main() -> None:
        async with Lifecycle(node, states=names):
            pass

    asyncio.run(main())
    assert node.states == ["idle", "draining"]


def test_a_stopped_cluster_does_not_delay_shutdown() -> None:
    client = RecordingClient()  # no spool: a publish waits 30 s
    node = Node(client)
    metrics = NodeMetrics(node, publish_interval_seconds=1e6)
    life = Lifecycle(node, metrics=metrics, publish_timeout=0.1, close_timeout=0.1)

    async def main() -> None:
        async with life:
            client.cluster.stop()
            for _ in range(10):
                metrics.record("place", 0.1)

    asyncio.run(asyncio.wait_for(main(), GENEROUS))
    assert node.states[-1] == "stopped"
    assert life.report is not None


def test_without_kafka_events_are_spooled(tmp_path: Path) -> None:
    client = KafkaClient("127.0.0.1:1", service="s", spool=tmp_path / "spool.db")
    node = Node(client)
    metrics = NodeMetrics(node, publish_interval_seconds=1e6)
    life = Lifecycle(node, metrics=metrics, heartbeat_interval=None)

    async def main() -> None:
        async with life:
            metrics.record("place", 0.1)

    asyncio.run(asyncio.wait_for(main(), GENEROUS))
    assert node.states == ["starting", "ready", "stopping", "stopped"]
    assert life.report is not None
    assert life.report.spooled == len(node.states) + len(node.metrics)


def test_a_hanging_cluster_neither_delays_shutdown_nor_loses_events(
    tmp_path: Path,
) -> None:
    cluster = MemoryCluster()
    spool = tmp_path / "spool.db"
    node = Node(KafkaClient(service="s", spool=spool, cluster=cluster))
    life = Lifecycle(node, metrics=NodeMetrics(node), heartbeat_interval=None)

    async def main() -> None:
        async with life:
            await until(lambda: node.states == ["starting", "ready"])
            cluster.pause()

    asyncio.run(asyncio.wait_for(main(), GENEROUS))
    assert node.states[-1] == "stopped"
    assert life.report is not None
    assert life.report.spooled >= len(node.metrics) + 2


def test_run_ends_with_main() -> None:
    life, done = Lifecycle(), []

    async def main() -> None:
        assert life.state is State.READY
        done.append(1)

    life.run(main)
    assert done == [1]
    assert life.state.value == "stopped"


def test_run_raises_the_error_of_main_after_stopping() -> None:
    life, log = Lifecycle(), []
    life.dependency("database", stop=lambda: log.append("stopped"))

    async def main() -> None:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        life.run(main)
    assert log == ["stopped"]
    assert life.state is State.FAILED


def test_run_raises_when_an_essential_task_gives_up() -> None:
    life = Lifecycle()

    async def consume() -> None:
        raise OSError("no")

    life.task("consumer", consume, restart="never", essential=True)
    with pytest.raises(LifecycleError, match="task consumer gave up: OSError: no"):
        life.run()


def test_request_stop_from_a_thread() -> None:
    life = Lifecycle()

    async def main() -> None:
        threading.Thread(target=life.request_stop, args=("a thread",)).start()
        await asyncio.Event().wait()

    life.run(main)
    assert life.report is not None
    assert life.report.reason == "a thread"
