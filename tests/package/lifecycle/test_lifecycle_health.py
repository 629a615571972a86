"""Health checks, tasks and heartbeats."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from herald import Event
from herald.lifecycle import Lifecycle, State, spool_check
from herald.testing import RecordingClient, SyncRecordingClient

from nodes import GENEROUS, Node, soon, until


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_critical_checks_make_unavailable_and_others_degrade() -> None:
    node, database, cache = Node(), [True], [True]
    life = Lifecycle(node)
    life.check("database", lambda: database[0], interval=0.0)
    life.check("cache", lambda: cache[0], interval=0.0, critical=False)

    async def main() -> None:
        assert not (await life.readiness()).is_ok
        async with life:
            assert (await life.readiness()).is_ok
            cache[0] = False
            health = await life.readiness()
            assert health.is_ok
            assert health.is_degraded
            assert life.state is State.DEGRADED
            cache[0] = True
            assert (await life.readiness()).is_ok
            assert life.state.value == "ready"
            database[0] = False
            assert not (await life.readiness()).is_ok
            assert (await life.liveness()).is_ok

    asyncio.run(main())
    states = ["starting", "ready", "degraded", "ready", "degraded"]
    assert node.states == [*states, "stopping", "stopped"]


def test_check_results_are_cached_and_shared() -> None:
    clock, asked = Clock(), []

    async def database() -> None:
        asked.append(clock.now)
        await asyncio.sleep(0)

    life = Lifecycle(clock=clock)
    life.check("database", database, interval=10.0)

    async def main() -> None:
        async with life:
            await asyncio.gather(*(life.readiness() for _ in range(5)))
            clock.now = 9.0
            await life.readiness()
            assert asked == [0.0]
            clock.now = 10.0
            await life.readiness()
            assert asked == [0.0, 10.0]

    asyncio.run(main())


@pytest.mark.parametrize("kind", ["coroutine", "thread", "raises", "text"])
def test_failing_checks_have_details(kind: str) -> None:
    never = threading.Event()

    async def hang() -> None:
        await asyncio.Event().wait()

    def fail() -> None:
        raise OSError("password=hunter2")

    kinds: dict[str, tuple[Callable[[], object], str]] = {
        "coroutine": (hang, "timed out after 0.01 s"),
        "thread": (never.wait, "timed out after 0.01 s"),
        "raises": (fail, "OSError: password=***"),
        "text": (lambda: "disk is full", "disk is full"),
    }
    function, expected = kinds[kind]
    life = Lifecycle()
    life.check("it", function, timeout=0.01 if "timed out" in expected else GENEROUS)

    async def main() -> None:
        async with life:
            [outcome] = (await life.readiness()).checks
            assert (outcome.is_ok, outcome.detail) == (False, expected)

    asyncio.run(asyncio.wait_for(main(), GENEROUS))


def test_an_unreachable_cluster_degrades_and_an_unconnected_client_fails() -> None:
    class Away:
        is_connected = True

        def stats(self) -> object:
            return type("Stats", (), {"reachable": False, "spool_records": 3})()

    client = Away()
    life = Lifecycle(client=client)

    async def main() -> None:
        async with life:
            health = await life.readiness()
            assert health.is_ok
            assert "3 events in the spool" in health.checks[0].detail
            client.is_connected = False
            assert not (await life.readiness()).is_ok

    asyncio.run(main())


def test_the_spool_check_reports_age_size_and_dead_letters(tmp_path: Path) -> None:
    client = SyncRecordingClient(spool=tmp_path / "spool.db", deadline=0.01)
    with client:
        assert spool_check(client)() is None
        client.cluster.stop()
        for number in range(3):
            client.publish(Event("a.b", "n", {"n": number}))
        assert spool_check(client, max_age=60.0, max_records=3)() is None
        assert spool_check(client, max_records=2)() == "3 events, limit 2"
        old = spool_check(client, max_age=0.0)()
        assert old is not None
        assert old.startswith("the oldest event is ")

    class Stats:
        spool_oldest_age = None
        spool_records = 0
        spool_dead = 2
        spool_failure: str | None = None

    class Stub:
        is_connected = True

        def stats(self) -> Stats:
            return Stats()

    assert spool_check(Stub())() == "dead letters: 2, limit 0"
    assert spool_check(Stub(), max_dead_letters=None)() is None
    Stats.spool_failure = "spool_disk_full"
    full = spool_check(Stub(), max_dead_letters=None)()
    assert full == "no event can be spooled: spool_disk_full"


def test_tasks_are_restarted_by_their_policy() -> None:
    runs: dict[str, int] = {}
    life = Lifecycle(sleep=soon)

    def add(name: str, restart: str, *, fails: bool, limit: int | None = 3) -> None:
        async def work() -> None:
            runs[name] = runs.get(name, 0) + 1
            if fails:
                raise OSError("no")
            await asyncio.sleep(0)

        life.task(name, work, restart=restart, limit=limit)  # type: ignore[arg-type]

    add("never", "never", fails=True)
    add("on_failure", "on_failure", fails=True)
    add("ends well", "on_failure", fails=False)
    add("always", "always", fails=False, limit=None)

    async def main() -> None:
        async with life:
            await until(lambda: runs.get("always", 0) > 50)
            found = {each.name: each for each in (await life.readiness()).checks}
        assert found["task on_failure"].detail == "OSError: no"
        assert found["task ends well"].is_ok
        assert life.report is not None
        assert life.report.is_clean

    asyncio.run(main())
    assert runs["never"] == 1
    assert runs["on_failure"] == 4
    assert runs["ends well"] == 1


def test_a_failed_essential_task_fails_the_service() -> None:
    node = Node()
    life = Lifecycle(node, sleep=soon)

    async def consume() -> None:
        raise OSError("no")

    life.task("consumer", consume, limit=1, essential=True)

    async def main() -> None:
        async with life:
            await asyncio.wait_for(life.stop_requested(), GENEROUS)
            assert not (await life.liveness()).is_ok
            assert not (await life.readiness()).is_ok

    asyncio.run(main())
    assert node.states == ["starting", "ready", "failed"]
    assert node.reasons[-1] == "task consumer gave up: OSError: no"


def test_heartbeats_are_published() -> None:
    node = Node()
    life = Lifecycle(node, heartbeat_interval=0.001)

    async def main() -> None:
        async with life:
            await until(lambda: node.metrics.count("heartbeat") > 2)
            assert life.last_heartbeat is not None

    asyncio.run(main())


def test_lifespan_of_a_web_app() -> None:
    client = RecordingClient()
    life, database = Lifecycle(Node(client)), [True]
    life.check("database", lambda: database[0], interval=0.0)
    app = FastAPI(lifespan=life.lifespan)
    app.mount("/health", life.health)
    with TestClient(app) as http:
        assert http.get("/health/live").status_code == 200
        answer = http.get("/health/ready")
        assert answer.status_code == 200
        assert answer.json()["checks"] == {
            "database": {"ok": True},
            "kafka": {"ok": True},
        }
        database[0] = False
        answer = http.get("/health/ready")
        assert answer.status_code == 503
        assert (
            answer.json()["checks"]["database"]["detail"] == "the check returned False"
        )
        assert http.get("/health/live").status_code == 200
        assert http.get("/health/else").status_code == 404
    assert life.state.value == "stopped"
    assert not client.is_connected
    client.assert_published("effect.state.changed", payload={"new_state": "stopped"})
