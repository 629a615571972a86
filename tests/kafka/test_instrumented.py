"""An instrumented node under load, through an outage of its broker."""

import asyncio
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from herald import KafkaClient
from herald.runtime import EventPublisher, EventSource, Operation, correlation

from broker import HANG_SECONDS, Broker, Record
from cluster import Run, run

pytestmark = pytest.mark.skipif(
    "KAFKA_CLUSTER" not in os.environ, reason="starts nodes: needs `scripts/kafka run`"
)

WORKERS = 20
# Operations of each worker before the outage, during it and after it.
OPERATIONS = 50
STAGES = ("started", "completed", "failed")


@dataclass(frozen=True)
class Number:
    """Input of the operations."""

    number: int


@dataclass(frozen=True)
class Result:
    """Result of the operations."""

    result: int


def operation(name: str) -> Operation:
    started, completed, failed = (f"effect.{name}.{stage}" for stage in STAGES)
    return Operation(
        name,
        EventSource("orders", node_type="effect"),
        started,
        completed,
        failed,
        topics=(
            f"{{namespace}}.{started}",
            f"{{namespace}}.{completed}",
            f"{{namespace}}.{failed}",
        ),
        input=Number,
        result=Result,
    )


instrument_place = operation("place")
instrument_reserve = operation("reserve")
KINDS = [f"effect.{name}.{stage}" for name in ("place", "reserve") for stage in STAGES]


class Orders(EventPublisher):
    def __init__(self, client: KafkaClient, namespace: str) -> None:
        self.node_id = "orders-1"
        self.kafka_client = client
        self.default_namespace = namespace

    @instrument_place
    async def place(self, number: int) -> int:
        await asyncio.sleep(0)
        try:
            return await self.reserve(number)
        except ValueError:
            return number

    @instrument_reserve
    async def reserve(self, number: int) -> int:
        await asyncio.sleep(0.001)
        if number % 10 == 9:
            raise ValueError("sold out")
        return number


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Run]:
    with run(tmp_path, nodes=1) as cluster:
        yield cluster


def test_causation_survives_an_outage(cluster: Run) -> None:
    broker = Broker(cluster.addresses[0])
    topics = [f"{broker.namespace}.{kind}" for kind in KINDS]
    broker.create(topics)
    requests = [uuid4() for _ in range(WORKERS)]

    async def work(node: Orders, request: UUID, first: int) -> None:
        with correlation(request):
            for number in range(first, first + OPERATIONS):
                assert await node.place(number) == number

    async def scenario() -> None:
        async with KafkaClient(broker.address, service="orders") as client:
            node = Orders(client, broker.namespace)
            # No operation waits for the outage: all of them end in time.
            for part, verb in enumerate(("status", "stop", "start")):
                await asyncio.to_thread(cluster.node, f"1 {verb}")
                first = part * OPERATIONS
                async with asyncio.timeout(HANG_SECONDS):
                    await asyncio.gather(*(work(node, r, first) for r in requests))
            assert client.stats().outages > 0
            assert await client.flush(HANG_SECONDS) == 0
            assert node.failed_events == 0

    asyncio.run(scenario())

    records = broker.read(topics)
    numbers = list(range(3 * OPERATIONS))
    failing = [number for number in numbers if number % 10 == 9]
    assert len({record.headers["event_id"] for record in records}) == len(records)
    assert Counter(record.document["event_type"] for record in records) == {
        "effect.place.started": WORKERS * len(numbers),
        "effect.place.completed": WORKERS * len(numbers),
        "effect.reserve.started": WORKERS * len(numbers),
        "effect.reserve.completed": WORKERS * (len(numbers) - len(failing)),
        "effect.reserve.failed": WORKERS * len(failing),
    }
    in_order(records, numbers)
    tree_is_whole([record.document for record in records])


def in_order(records: list[Record], numbers: list[int]) -> None:
    """Within each topic and request."""
    seen: dict[tuple[str, bytes], list[int]] = defaultdict(list)
    for record in records:
        payload = record.document["payload"]
        if "input_summary" in payload:
            seen[record.topic, record.key].append(payload["input_summary"]["number"])
        elif record.topic.endswith("place.completed"):
            seen[record.topic, record.key].append(payload["result_summary"]["result"])
    assert len(seen) == 3 * WORKERS
    assert all(found == numbers for found in seen.values())


def tree_is_whole(envelopes: list[dict[str, Any]]) -> None:
    """Each event was caused by the start of its operation, each start of the inner
    operation by that of the outer one, of the same request and number.
    """
    starts = {
        e["event_id"]: e for e in envelopes if e["event_type"].endswith("started")
    }
    for event in envelopes:
        name = event["payload"]["operation"]
        if event["event_type"] == "effect.place.started":
            assert "causation_id" not in event
            continue
        cause = starts[event["causation_id"]]
        assert cause["correlation_id"] == event["correlation_id"]
        if event["event_type"] == "effect.reserve.started":
            assert cause["payload"]["operation"] == "place"
            assert (
                cause["payload"]["input_summary"] == event["payload"]["input_summary"]
            )
        else:
            assert cause["payload"]["operation"] == name
