"""With Herald's client generated code loses nothing: outages, kills, ends of Python."""

import asyncio
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from broker import HANG_SECONDS, Broker, Record
from cluster import Run, run
from load import AT_ONCE, Order, RecordedClient, all_topics, busy
from nodes import NODES

PROGRAM = Path(__file__).with_name("program.py")

NOT_CLOSED = "was not closed by the program"

# Enough for each topic and key to have several on both sides of a fault.
MANY = 500

pytestmark = pytest.mark.skipif(
    "KAFKA_CLUSTER" not in os.environ, reason="starts nodes: needs `scripts/kafka run`"
)


@pytest.fixture(scope="module")
def own_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with run(tmp_path_factory.mktemp("kafka"), nodes=1) as cluster:
        yield cluster


@pytest.fixture
def cluster(own_cluster: Run) -> Iterator[Run]:
    yield own_cluster
    own_cluster.node("1 start")


@pytest.fixture
def broker(cluster: Run, monkeypatch: pytest.MonkeyPatch) -> Broker:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", cluster.addresses[0])
    broker = Broker(cluster.addresses[0])
    broker.create(all_topics(broker.namespace))
    return broker


def control(cluster: Run, verb: str) -> None:
    assert cluster.node(f"1 {verb}") == (0, "")


def arrived(records: Iterable[Record]) -> Order:
    order: Order = defaultdict(list)
    for record in records:
        order[record.topic, record.key.decode()].append(record.headers["event_id"])
    return order


# Outages


@pytest.mark.parametrize("verb", ["stop", "kill"])
def test_through_an_outage_all_events_arrive_once_and_in_order(
    broker: Broker, cluster: Run, verb: str
) -> None:
    client = RecordedClient()

    async def safe(is_spooled: bool) -> None:
        """Wait for many more receipts of the spool, or of the cluster."""
        begun = len(client.asked)

        def count() -> int:
            receipts = (asked.receipt for asked in client.asked[begun:])
            return sum(r is not None and r.is_spooled == is_spooled for r in receipts)

        # With Kafka away these are many more calls than time-outs would fit in.
        async with asyncio.timeout(HANG_SECONDS):
            while count() < MANY:
                await asyncio.sleep(0.01)

    async def scenario() -> None:
        async with client:
            async with busy(client, broker.namespace):
                await safe(is_spooled=False)
                await asyncio.to_thread(control, cluster, verb)
                await safe(is_spooled=True)
                await asyncio.to_thread(control, cluster, "start")
                await safe(is_spooled=False)
            assert await client.flush(HANG_SECONDS) == 0
            assert client.spool is not None
            assert (client.spool.records, client.spool.dead) == (0, 0)

    asyncio.run(scenario())

    assert arrived(broker.read(all_topics(broker.namespace))) == client.order()


# Kills


@pytest.mark.parametrize(
    ("mode", "is_away"),
    [("direct", False), ("write_ahead", False), ("direct", True)],
    ids=["at work", "at work with the disk first", "while Kafka is away"],
)
def test_a_receipt_survives_the_kill_of_its_program(
    broker: Broker, cluster: Run, tmp_path: Path, mode: str, is_away: bool
) -> None:
    output = tmp_path / "receipts"
    extra = [mode] if mode == "write_ahead" else []
    with output.open("wb") as file:
        program = subprocess.Popen(
            [sys.executable, PROGRAM, "work", broker.namespace, *extra],
            stdout=file,
        )
        try:
            wait_for(lambda: len(receipts(output)) >= MANY)
            if is_away:
                control(cluster, "stop")
                begun = len(receipts(output))
                wait_for(lambda: len(receipts(output)) >= begun + MANY)
        finally:
            program.kill()
            program.wait()
    if is_away:
        control(cluster, "start")

    finished("drain", broker.namespace)

    assert broker.dead_letters() == []
    printed: Order = defaultdict(list)
    in_order = sorted(receipts(output), key=lambda words: int(words[0]))
    for _, _, topic, key, event_id in in_order:
        printed[topic, key].append(event_id)
    there = arrived(broker.read(all_topics(broker.namespace)))
    for place, ids in printed.items():
        known = set(ids)
        firsts = dict.fromkeys(there[place])
        assert [event_id for event_id in firsts if event_id in known] == ids


def receipts(output: Path) -> list[list[str]]:
    """Complete lines that a program printed."""
    whole, _, _ = output.read_text().rpartition("\n")
    return [line.split() for line in whole.splitlines()]


# The end of Python

# How a program ends with events on their way: its exit code, and how many events.
BUSY = AT_ONCE * sum(len(node.calls(uuid4(), uuid4())) for node in NODES)
ENDS = {
    "leave": (0, BUSY),
    "leave_with_an_error": (1, BUSY),
    "leave_with_a_code": (3, BUSY),
    "leave_without_a_loop": (0, len(all_topics(""))),
}


def ended(how: str, namespace: str) -> int:
    """Run a program that ends so; how many events it began to publish."""
    code, events = ENDS[how]
    said = finished(how, namespace, code=code)
    assert NOT_CLOSED in said
    assert ("Traceback" in said) == (how == "leave_with_an_error")
    return events


@pytest.mark.parametrize("how", ENDS)
def test_a_program_delivers_its_events_before_exit(broker: Broker, how: str) -> None:
    assert ended(how, broker.namespace) == count_once_each(broker)


def test_events_are_spooled_when_a_program_ends_without_kafka(
    broker: Broker, cluster: Run
) -> None:
    control(cluster, "kill")
    events = sum(ended(how, broker.namespace) for how in ENDS)
    control(cluster, "start")
    finished("drain", broker.namespace)
    assert events == count_once_each(broker)


def test_an_unclosed_client_spools_its_events(
    broker: Broker,
) -> None:
    assert NOT_CLOSED in finished("forget_a_client", broker.namespace)
    finished("drain", broker.namespace)
    _, events = ENDS["leave_without_a_loop"]
    assert events == len(set(ids_at(broker)))


def ids_at(broker: Broker) -> list[str]:
    there = arrived(broker.read(all_topics(broker.namespace)))
    return [event_id for ids in there.values() for event_id in ids]


def count_once_each(broker: Broker) -> int:
    ids = ids_at(broker)
    assert len(set(ids)) == len(ids), "an event is there twice"
    return len(ids)


def finished(*arguments: str, code: int = 0) -> str:
    """Run the program to its end; what it logged."""
    done = subprocess.run(
        [sys.executable, PROGRAM, *arguments],
        capture_output=True,
        text=True,
        timeout=2 * HANG_SECONDS,
    )
    assert done.returncode == code, done.stderr
    return done.stderr


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + HANG_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the program does not get on"
        time.sleep(0.05)
