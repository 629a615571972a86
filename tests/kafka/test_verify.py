"""`herald verify` judges what generated code publishes, and corrupted copies of it."""

import asyncio
import copy
import importlib.util
import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Producer
from herald import KafkaClient
from herald.runtime import correlation

from broker import HANG_SECONDS, PARTITIONS, Broker, Record
from test_topics import HERALD

ROOT = Path(__file__).parents[2]
CONTRACT = (ROOT / "examples/orders/contracts/orders.yaml").read_text()
REQUESTS = 20


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, with all of its topics in a namespace that tests choose."""
    path = tmp_path_factory.mktemp("verify") / "orders.yaml"
    path.write_text(
        CONTRACT.replace("topic: shop.", 'topic: "{namespace}.shop.').replace(
            "order.placed.v1\n", 'order.placed.v1"\n'
        )
    )
    command = [str(HERALD), "generate", str(path), "--out", str(path.parent)]
    subprocess.run(command, check=True, timeout=HANG_SECONDS)
    return path


def generated(contract: Path) -> Any:
    path = contract.with_name("orders_events.py")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def topics(contract: Path, namespace: str) -> list[str]:
    return [
        topic.format(namespace=namespace) for topic in generated(contract).OrdersTopic
    ]


def verify(broker: Broker, contract: Path, *options: str) -> dict[str, Any]:
    command = [str(HERALD), "verify", str(contract)]
    command += ["--bootstrap-servers", broker.address]
    command += ["--namespace", broker.namespace, "--format", "json", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=HANG_SECONDS)
    assert done.returncode in (0, 1), done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["conform"] == (done.returncode == 0), done.stderr
    return report


async def serve(broker: Broker, module: Any) -> None:
    """Publish each event of the contract, through a node that serves requests."""

    class Orders(module.OrdersEventPublisher):  # type: ignore[misc]
        def __init__(self, client: KafkaClient, name: str) -> None:
            self.node_id = name
            self.kafka_client = client
            self.default_namespace = broker.namespace

        @module.instrument_place  # type: ignore[untyped-decorator]
        async def place(self, order: Any) -> Any:
            if not order.items:
                raise ValueError("nothing is ordered")
            return module.PlaceResult(reserved=True)

        @module.instrument_cancel  # type: ignore[untyped-decorator]
        async def cancel(self, is_known: bool) -> None:
            if not is_known:
                raise ValueError("no such order")

    async def request(number: int, client: KafkaClient) -> None:
        node = Orders(client, f"orders-{number}")
        states = module.OrdersState
        with correlation() as request:
            assert request.correlation_id is not None
            await node.state_machine.transition(states.BUSY, reason="order")
            items = ["lamp"] if number % 2 else []
            order = module.PlaceInput(order_id=uuid4(), items=items)
            for attempt in (node.place(order), node.cancel(number % 4 > 1)):
                try:
                    await attempt
                except ValueError:
                    continue
            placed = module.OrderPlaced(
                order_id=order.order_id,
                total=Decimal("99.90"),
                currency="EUR",
                email="somebody@example.com",
            )
            await node._publish_order_placed_event(request.correlation_id, placed)
            await node._publish_metric_recorded_event("reservation_time", 1.5, "ms")
            await node.state_machine.transition(states.IDLE, reason="done")

    async with KafkaClient(
        broker.address, service="orders", service_version="1.0.0", environment="test"
    ) as client:
        await asyncio.gather(*(request(number, client) for number in range(REQUESTS)))
        assert await client.flush(HANG_SECONDS) == 0


@dataclass(frozen=True)
class Copy:
    """A record to publish; without a partition, in that of its key."""

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None = None

    @classmethod
    def of(cls, record: Record, namespace: str) -> "Copy":
        _, topic = record.topic.split(".", 1)
        return cls(f"{namespace}.{topic}", record.key, record.value)

    def with_value(self, document: object) -> "Copy":
        return replace(self, value=json.dumps(document).encode())


@contextmanager
def cluster_with(address: str, contract: Path) -> Iterator[Broker]:
    broker = Broker(address)
    broker.create(topics(contract, broker.namespace))
    try:
        yield broker
    finally:
        broker.delete_created()


def publish(broker: Broker, copies: list[Copy]) -> None:
    producer = Producer(
        {"bootstrap.servers": broker.address, "partitioner": "murmur2_random"}
    )
    for one in copies:
        # -1 chooses that of the key.
        partition = -1 if one.partition is None else one.partition
        producer.produce(one.topic, one.value, one.key, partition)
        # In order, across topics too.
        assert producer.flush(HANG_SECONDS) == 0


@pytest.fixture(scope="module")
def events(address: str, contract: Path) -> list[Record]:
    """Records that the generated code published, which conform."""
    with cluster_with(address, contract) as broker:
        asyncio.run(serve(broker, generated(contract)))
        report = verify(broker, contract, "--require-coverage")
        assert report["problems"] == [], report["problems"]
        assert report["conform"], report
        records = broker.read(topics(contract, broker.namespace))
        assert report["events"] == len(records)
        seen = {one["event_type"]: one["count"] for one in report["coverage"]}
        assert sum(seen.values()) == len(records)
        assert seen["order.placed"] == seen["effect.place.started"] == REQUESTS
        assert seen["effect.state.changed"] == 2 * REQUESTS
        return records


def test_events_of_generated_code_conform_and_cover_the_contract(
    events: list[Record],
) -> None:
    assert len(events) == 8 * REQUESTS


Change = Callable[[dict[str, Any]], None]


def change(path: str, value: object) -> Change:
    """Set a field, or remove it."""

    def apply(document: dict[str, Any]) -> None:
        *parents, name = path.split(".")
        for parent in parents:
            document = document[parent]
        if value is None:
            del document[name]
        else:
            document[name] = value

    return apply


PLACED, STATE, METRIC = "order.placed", "effect.state.changed", "effect.metric.recorded"
STARTED, COMPLETED = "effect.cancel.started", "effect.cancel.completed"

CORRUPTIONS: list[tuple[str, str, Change]] = [
    ("envelope", PLACED, change("envelope_version", "7.0")),
    ("envelope", PLACED, change("event_id", None)),
    ("envelope", PLACED, change("event_id", "1")),
    ("envelope", PLACED, change("event_timestamp", "yesterday")),
    ("envelope", PLACED, change("payload", [1])),
    ("event-type", PLACED, change("event_type", "order.payed")),
    ("event-type", PLACED, change("event_version", "2.0.0")),
    ("event-type", PLACED, change("event_version", "latest")),
    ("payload", PLACED, change("payload.total", None)),
    ("payload", PLACED, change("payload.total", 12.5)),
    ("payload", PLACED, change("payload.currency", "GBP")),
    ("payload", PLACED, change("payload.email", "somebody@example.com")),
    ("payload", PLACED, change("payload.totl", "1")),
    ("payload", STATE, change("payload.new_state", 5)),
    ("payload", METRIC, change("payload.metric_value", None)),
    ("key", PLACED, change("partition_key", "another")),
    ("time", PLACED, change("event_timestamp", "2999-01-01T00:00:00+00:00")),
    ("time", PLACED, change("event_timestamp", "1970-01-01T00:00:00+00:00")),
    ("state", STATE, change("payload.new_state", "paused")),
    ("state", STATE, change("payload.new_state", "idle")),
    ("correlation", METRIC, change("correlation_id", None)),
    ("secret", METRIC, change("payload.metric_unit", "password=hunter2")),
]


def kinds(report: dict[str, Any]) -> set[str]:
    return {problem["kind"] for problem in report["problems"]}


def of_type(events: list[Record], event_type: str) -> Record:
    return next(one for one in events if one.document["event_type"] == event_type)


@pytest.mark.parametrize(
    ("kind", "event_type", "corrupt"),
    CORRUPTIONS,
    ids=[f"{kind}-{number}" for number, (kind, _, _) in enumerate(CORRUPTIONS)],
)
def test_a_corrupt_envelope_is_found_as_what_it_is(
    address: str,
    contract: Path,
    events: list[Record],
    kind: str,
    event_type: str,
    corrupt: Change,
) -> None:
    with cluster_with(address, contract) as broker:
        copies = [Copy.of(event, broker.namespace) for event in events]
        bad = of_type(events, event_type)
        document = copy.deepcopy(bad.document)
        # Not the same event again, and not another change of a known instance.
        document["event_id"] = str(uuid4())
        document["source_node_id"] = "another-node"
        corrupt(document)
        one = Copy.of(bad, broker.namespace).with_value(document)
        if document.get("correlation_id") is None:
            one = replace(one, key=b"another-node")
        if "partition_key" in document and kind == "key":
            one = replace(one, key=document["partition_key"].encode())
        publish(broker, [*copies, one])
        report = verify(broker, contract)
        assert kinds(report) == {kind}, report["problems"]
        assert [problem["count"] for problem in report["problems"]] == [1]


def test_a_corrupt_record_is_found_as_what_it_is(
    address: str, contract: Path, events: list[Record]
) -> None:
    placed = of_type(events, PLACED)
    completed = of_type(events, COMPLETED)

    def fresh(record: Record, **fields: object) -> Copy:
        document = {**record.document, "event_id": str(uuid4()), **fields}
        return Copy.of(record, namespace).with_value(document)

    def in_other_partition(one: Copy) -> Copy:
        return replace(one, partition=(placed.partition + 1) % PARTITIONS)

    run = {"correlation_id": str(uuid4())}
    cases: list[tuple[str, Callable[[], Copy]]] = [
        ("envelope", lambda: replace(fresh(placed), value=b"hello")),
        ("envelope", lambda: replace(fresh(placed), value=b"\xff")),
        ("envelope", lambda: replace(fresh(placed), value=None)),
        ("key", lambda: replace(fresh(placed), key=None)),
        ("key", lambda: replace(fresh(placed), key=b"another")),
        ("partition", lambda: in_other_partition(fresh(placed))),
        ("duplicate", lambda: Copy.of(placed, namespace)),
        (
            "topic",
            lambda: replace(fresh(placed), topic=Copy.of(completed, namespace).topic),
        ),
        (
            "lifecycle",
            lambda: replace(
                fresh(completed, **run), key=run["correlation_id"].encode()
            ),
        ),
        (
            "lifecycle",
            lambda: replace(
                fresh(
                    of_type(events, STARTED),
                    **run,
                    event_timestamp="2026-01-01T00:00:00+00:00",
                ),
                key=run["correlation_id"].encode(),
            ),
        ),
    ]
    for kind, corrupt in cases:
        with cluster_with(address, contract) as broker:
            namespace = broker.namespace
            copies = [Copy.of(event, namespace) for event in events]
            publish(broker, [*copies, corrupt()])
            report = verify(broker, contract)
            assert kinds(report) == {kind}, (kind, report["problems"])
            assert [problem["count"] for problem in report["problems"]] == [1]


def test_no_events_and_events_that_were_not_seen_are_failures(
    address: str, contract: Path, events: list[Record]
) -> None:
    with cluster_with(address, contract) as broker:
        assert not verify(broker, contract)["conform"]
        others = [one for one in events if one.document["event_type"] != PLACED]
        publish(broker, [Copy.of(one, broker.namespace) for one in others])
        assert verify(broker, contract)["conform"]
        report = verify(broker, contract, "--require-coverage")
        assert not report["conform"]
        assert report["not_seen"] == [PLACED]


def test_an_inferred_contract_conforms_to_the_events(
    address: str, contract: Path, events: list[Record], tmp_path: Path
) -> None:
    with cluster_with(address, contract) as broker:
        publish(broker, [Copy.of(event, broker.namespace) for event in events])
        command = [str(HERALD), "infer", "--bootstrap-servers", address]
        command += ["--topic", f"{broker.namespace}.*"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        inferred = tmp_path / "inferred.yaml"
        inferred.write_text(done.stdout)
        subprocess.run([HERALD, "check", inferred], check=True)
        report = verify(broker, inferred)
        assert report["problems"] == [], report["problems"]
        assert report["events"] == len(events)
        seen = {one["event_type"]: one["count"] for one in report["coverage"]}
        assert seen[PLACED] == REQUESTS
