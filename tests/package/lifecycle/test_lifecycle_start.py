"""Start order of dependencies, and failed starts."""

from __future__ import annotations

import asyncio
import threading

import pytest
from herald.lifecycle import Lifecycle, LifecycleError, StartError, State

from nodes import GENEROUS, Node, soon


class Log:
    """Recorded calls in order."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, life: Lifecycle, name: str, *after: str, fails: int = 0) -> None:
        left = [fails]

        async def start() -> None:
            self.lines.append(f"+{name}")
            await asyncio.sleep(0)
            if left[0]:
                left[0] -= 1
                raise ConnectionError(f"no {name}, password=hunter2")

        async def stop() -> None:
            self.lines.append(f"-{name}")

        life.dependency(name, start=start, stop=stop, after=after)

    def is_before(self, first: str, second: str) -> bool:
        return self.lines.index(first) < self.lines.index(second)


async def live(life: Lifecycle) -> None:
    async with life:
        assert life.state is State.READY


def test_dependencies_start_in_order_and_stop_in_reverse() -> None:
    life, log = Lifecycle(), Log()
    log.add(life, "api", "cache", "database")
    log.add(life, "cache", "config")
    log.add(life, "database", "config")
    log.add(life, "config")
    asyncio.run(live(life))
    assert log.lines[0] == "+config"
    assert log.lines[3:5] == ["+api", "-api"]
    assert log.lines[-1] == "-config"
    assert life.state is State.STOPPED
    assert life.report is not None
    assert life.report.is_clean


def test_independent_dependencies_start_concurrently() -> None:
    life = Lifecycle()
    both = threading.Barrier(2, timeout=GENEROUS)
    life.dependency("a", start=both.wait)
    life.dependency("b", start=both.wait)
    asyncio.run(live(life))


def test_circular_dependencies_are_named() -> None:
    life = Lifecycle()
    life.dependency("a", after=["c"])
    life.dependency("b", after=["a"])
    life.dependency("c", after=["b"])
    with pytest.raises(LifecycleError, match=r"circular dependencies: (\w → ){3}\w;"):
        asyncio.run(live(life))
    assert life.state is State.CREATED


def test_an_unknown_dependency_is_named() -> None:
    life = Lifecycle()
    life.dependency("a", after=["databse"])
    with pytest.raises(LifecycleError, match="after 'databse', which does not exist"):
        asyncio.run(live(life))


def test_a_failed_start_stops_started_dependencies() -> None:
    node = Node()
    life, log = Lifecycle(node), Log()
    log.add(life, "config")
    log.add(life, "database", "config", fails=1)
    log.add(life, "api", "database")
    with pytest.raises(StartError, match="database did not start: Conn") as caught:
        asyncio.run(live(life))
    assert "hunter2" not in str(caught.value)
    assert log.lines == ["+config", "+database", "-config"]
    assert life.state is State.FAILED
    assert node.states == ["starting", "stopping", "failed"]


def test_run_raises_the_start_error() -> None:
    stopped = asyncio.Event()

    async def stop() -> None:
        await asyncio.sleep(0)
        stopped.set()

    def fail() -> None:
        raise OSError("no database")

    life = Lifecycle()
    life.dependency("config", stop=stop)
    life.dependency("database", start=fail, after=["config"])
    with pytest.raises(StartError, match="database did not start: OSError"):
        life.run()
    assert stopped.is_set()
    assert life.state is State.FAILED


def test_a_failed_start_is_retried_with_backoff() -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    tries: list[int] = []

    def start() -> None:
        tries.append(1)
        if len(tries) < 4:
            raise OSError("not yet")

    life = Lifecycle(sleep=sleep)
    life.dependency("database", start=start, retries=3, backoff=0.5)
    asyncio.run(live(life))
    assert pauses == [0.5, 1.0, 2.0]


@pytest.mark.parametrize("kind", ["coroutine", "thread"])
def test_a_hanging_start_times_out(kind: str) -> None:
    never = threading.Event()

    async def hang() -> None:
        await asyncio.Event().wait()

    life = Lifecycle(sleep=soon)
    start = hang if kind == "coroutine" else never.wait
    life.dependency("database", start=start, start_timeout=0.01, retries=1)
    with pytest.raises(StartError, match=r"timed out after 0\.01 s"):
        asyncio.run(asyncio.wait_for(live(life), GENEROUS))


def test_the_whole_start_times_out() -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    life = Lifecycle(start_timeout=0.01)
    life.dependency("config")
    life.dependency("database", start=hang, start_timeout=1e6)
    with pytest.raises(
        StartError, match=r"within 0\.01 s; it was waiting for: database"
    ):
        asyncio.run(asyncio.wait_for(live(life), GENEROUS))


def test_a_stopped_service_can_be_started_again() -> None:
    life, log = Lifecycle(), Log()
    log.add(life, "database")
    asyncio.run(live(life))
    asyncio.run(live(life))
    assert log.lines == ["+database", "-database"] * 2


def test_duplicate_names_are_refused() -> None:
    life = Lifecycle()
    life.dependency("a")
    with pytest.raises(LifecycleError, match="dependency named 'a' already exists"):
        life.dependency("a")
