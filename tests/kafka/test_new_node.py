"""Tests of a project of `herald new` under load, with outages, stops and restarts."""

import os
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from broker import Broker, Record
from cluster import Run, run
from new_node import Node

pytestmark = pytest.mark.skipif(
    "KAFKA_CLUSTER" not in os.environ, reason="starts nodes: needs `scripts/kafka run`"
)

KINDS = (
    "place.started",
    "place.completed",
    "place.failed",
    "metric.recorded",
    "state.changed",
)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Run]:
    with run(tmp_path / "kafka", nodes=1) as cluster:
        yield cluster


@pytest.fixture
def broker(cluster: Run) -> Broker:
    broker = Broker(cluster.addresses[0])
    broker.create(f"{broker.namespace}.orders.effect.{kind}.v1" for kind in KINDS)
    return broker


@pytest.fixture
def node(broker: Broker, tmp_path: Path, spool: Path) -> Iterator[Node]:
    node = Node(tmp_path / "orders", tmp_path / "journal")
    node.environment |= {
        "HERALD_NAMESPACE": broker.namespace,
        "HERALD_SPOOL": str(spool),
        "KAFKA_BOOTSTRAP_SERVERS": broker.address,
    }
    node.write()
    yield node
    node.kill()


def control(cluster: Run, verb: str) -> None:
    assert cluster.node(f"1 {verb}") == (0, "")


def test_every_publish_has_an_outcome(node: Node, broker: Broker, cluster: Run) -> None:
    # Through an outage, and stopped in the middle of the load.
    node.start()
    node.serves()
    control(cluster, "stop")
    node.serves()
    control(cluster, "start")
    node.serves()
    spooled = node.stop()
    assert node.waiting() == spooled
    first = Counter(said for _, said in node.journalled())

    # Once more, and now Kafka is away when it is stopped.
    node.start()
    node.serves()
    control(cluster, "stop")
    node.serves()
    spooled = node.stop()
    assert spooled > 0
    assert node.waiting() == spooled

    control(cluster, "start")
    node.herald("spool", "drain")
    assert node.waiting() == 0

    records = read(broker)
    assert Counter(stages(records)) == Counter(node.journalled())
    both = Counter(said for _, said in node.journalled())
    assert both["started"] == ended(both)
    second = both - first
    assert figures(records, "place.count") == [ended(first), ended(second)]
    assert figures(records, "place.errors") == [first["failed"], second["failed"]]


def test_a_restart_delivers_spooled_events(
    node: Node, broker: Broker, cluster: Run
) -> None:
    # It need not find a cluster to start.
    control(cluster, "stop")
    node.start()
    node.serves()
    assert node.stop() > 0

    control(cluster, "start")
    node.start()
    node.serves()
    spooled = node.stop()
    assert node.waiting() == spooled
    node.herald("spool", "drain")
    assert Counter(stages(read(broker))) == Counter(node.journalled())


def read(broker: Broker) -> list[Record]:
    """Each event once: at the end of an outage it may be there twice."""
    records = {each.headers["event_id"]: each for each in broker.read(broker.created)}
    return list(records.values())


def stages(records: list[Record]) -> list[tuple[str, str]]:
    """Request and stage of the events of operations."""
    return [
        (record.document["correlation_id"], record.document["event_type"].split(".")[2])
        for record in records
        if record.document["event_type"].startswith("effect.place.")
    ]


def ended(counted: Counter[str]) -> int:
    return counted["completed"] + counted["failed"]


def figures(records: list[Record], name: str) -> list[int]:
    """The last value of each process, of a figure that grows."""
    documents = [record.document for record in records]
    found = [each for each in documents if each["payload"].get("metric_name") == name]
    found.sort(key=lambda each: datetime.fromisoformat(each["event_timestamp"]))
    values = [int(each["payload"]["metric_value"]) for each in found]
    return [a for a, b in zip(values, [*values[1:], 0], strict=True) if b < a]
