"""Dependencies start in their order, or not at all."""

from __future__ import annotations

import asyncio
import threading

import pytest
from herald.lifecycle import Lifecycle, LifecycleError, StartError, State

from nodes import GENEROUS, Node, soon


class Log:
    """What happened, in its order."""

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


def test_each_starts_after_those_before_it_and_stops_before_them() -> None:
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


def test_those_that_are_independent_start_beside_each_other() -> None:
    life = Lifecycle()
    both = threading.Barrier(2, timeout=GENEROUS)
    life.dependency("a", start=both.wait)
    life.dependency("b", start=both.wait)
    asyncio.run(live(life))


def test_a_circle_is_named() -> None:
    life = Lifecycle()
    life.dependency("a", after=["c"])
    life.dependency("b", after=["a"])
    life.dependency("c", after=["b"])
    with pytest.raises(LifecycleError, match=r"wait for each other: (\w → ){3}\w;"):
        asyncio.run(live(life))
    assert life.state is State.CREATED


def test_what_there_is_not_is_named() -> None:
    life = Lifecycle()
    life.dependency("a", after=["databse"])
    with pytest.raises(LifecycleError, match="after 'databse', which there is not"):
        asyncio.run(live(life))


def test_a_failure_stops_those_that_have_started() -> None:
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


def test_run_raises_what_kept_it_from_starting() -> None:
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


def test_a_start_is_tried_again_with_growing_pauses() -> None:
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
def test_a_start_that_hangs_is_given_up(kind: str) -> None:
    never = threading.Event()

    async def hang() -> None:
        await asyncio.Event().wait()

    life = Lifecycle(sleep=soon)
    start = hang if kind == "coroutine" else never.wait
    life.dependency("database", start=start, start_timeout=0.01, retries=1)
    with pytest.raises(StartError, match=r"it took longer than 0\.01 s"):
        asyncio.run(asyncio.wait_for(live(life), GENEROUS))


def test_the_whole_start_has_a_limit_too() -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    life = Lifecycle(start_timeout=0.01)
    life.dependency("config")
    life.dependency("database", start=hang, start_timeout=1e6)
    with pytest.raises(StartError, match=r"within 0\.01 s; it waited for: database"):
        asyncio.run(asyncio.wait_for(live(life), GENEROUS))


def test_a_service_can_live_again() -> None:
    life, log = Lifecycle(), Log()
    log.add(life, "database")
    asyncio.run(live(life))
    asyncio.run(live(life))
    assert log.lines == ["+database", "-database"] * 2


def test_two_of_one_name_are_refused() -> None:
    life = Lifecycle()
    life.dependency("a")
    with pytest.raises(LifecycleError, match="two dependencies called 'a'"):
        life.dependency("a")
