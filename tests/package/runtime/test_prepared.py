"""Started and completed events that are prepared once for each publisher."""

import asyncio
import gc
import json
import logging
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from herald import KafkaClient
from herald.runtime import EventSource, Operation, correlation
from herald.testing import MemoryCluster, PublishedEvent, RecordingClient

from clients import eventually
from shop import REQUEST, Orders, instrument_reserve, operation, stages


@dataclass
class Customer:
    """A value of a class of the service."""

    name: str


class Shop(Orders):
    @instrument_reserve
    async def reserve(self, order_id: Any, lines: Any = (), card: Any = "4711") -> Any:
        return {"reserved": order_id, "margin": 0.4}

    @operation("ship", fields={"team": "logistics", "since": date(2026, 1, 1)})
    async def ship(self, order_id: int, card: str) -> bool:
        return True

    @Operation(
        "pay",
        EventSource("payments", node_type="compute", envelope="cloudevents"),
        *(f"compute.pay.{stage}" for stage in ("started", "completed", "failed")),
        topics=("{namespace}.a", "{namespace}.b", "{namespace}.c"),
        version=3,
    )
    async def pay(self, amount: float) -> None:
        return None

    @Operation(
        "audit",
        EventSource("payments", node_type="compute", headers=["correlation_id"]),
        *(f"compute.audit.{stage}" for stage in ("started", "completed", "failed")),
        topics=("{namespace}.a", "{namespace}.b", "{namespace}.c"),
    )
    async def audit(self, amount: float) -> None:
        return None


VARYING = {
    "causation_id",
    "causationid",
    "completed_at",
    "event_id",
    "event_timestamp",
    "execution_time_ms",
    "executiontimems",
    "id",
    "started_at",
    "time",
}


def comparable(event: PublishedEvent) -> Any:
    """An event with its fields in order, without its id, its times and its cause."""

    def of(value: object) -> object:
        if isinstance(value, str) and value.startswith("{"):
            value = json.loads(value)  # the metadata of CloudEvents
        if not isinstance(value, dict):
            return value
        return [
            (name, None if name in VARYING else of(field))
            for name, field in value.items()
        ]

    headers = {name: event.headers[name] for name in event.headers.keys() - VARYING}
    return event.topic, event.key, headers, of(event.envelope)


CALLS: dict[str, Callable[[Shop], Any]] = {
    "positional": lambda shop: shop.reserve(7, [], "x"),
    "text": lambda shop: shop.reserve('"\\ü\n'),
    "default": lambda shop: shop.reserve(7),
    "converted": lambda shop: shop.reserve(date(2026, 1, 2), (1, 2), b"x"),
    "dataclass": lambda shop: shop.reserve(Customer("Ada")),
    "nested": lambda shop: shop.reserve(True, [{"sku": "A", "price": 2.5}]),
    "unknown": lambda shop: shop.reserve({"a": {"b": [None, 1.5]}}),
    "fields": lambda shop: shop.ship(7, "4711"),
    "profile": lambda shop: shop.pay(9.5),
    "headers": lambda shop: shop.audit(9.5),
}


@pytest.mark.asyncio
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_prepared_events_are_those_that_are_created_one_by_one(
    call: Callable[[Shop], Any], caplog: pytest.LogCaptureFixture
) -> None:
    async with RecordingClient(namespace="dev") as client:
        shop = Shop(client)
        with correlation(REQUEST):
            await call(shop)
            await call(shop)
            # Each event is logged, so each is created.
            caplog.set_level(logging.DEBUG, "herald.events")
            await call(shop)
        assert await client.flush(20) == 0
    assert "_herald_prepared" in vars(shop)
    events = [comparable(event) for event in client.events]
    assert events[0:2] == events[2:4] == events[4:6]
    assert events[0] != events[1]


@pytest.mark.asyncio
async def test_prepared_events_have_the_headers_of_their_source() -> None:
    async with RecordingClient(headers=["event_type"]) as client:
        shop = Shop(client)
        await shop.audit(9.5)
        await shop.ship(7, "4711")
        assert await client.flush(20) == 0
    assert "_herald_prepared" in vars(shop)
    names = [list(event.headers) for event in client.events]
    assert names == [["correlation_id"]] * 2 + [["event_type"]] * 2


@pytest.mark.asyncio
async def test_times_and_causes_are_those_of_the_run() -> None:
    async with RecordingClient() as client:
        await Shop(client).reserve(7)
        assert await client.flush(20) == 0
    started, completed = client.events
    assert started.payload["started_at"] <= completed.payload["completed_at"]
    assert completed.payload["execution_time_ms"] >= 0
    assert (
        completed.metadata["execution_time_ms"]
        == (completed.payload["execution_time_ms"])
    )
    assert completed.envelope["causation_id"] == started.envelope["event_id"]
    request = UUID(started.payload["correlation_id"])
    assert {event.correlation_id for event in client.events} == {request}


@pytest.mark.asyncio
async def test_changes_of_the_publisher_are_seen() -> None:
    async with RecordingClient() as client, RecordingClient() as other:
        shop = Shop(client)
        await shop.reserve(1)
        shop.node_id = "orders-2"
        await shop.reserve(2)
        shop.default_namespace = "prod"
        await shop.reserve(3)
        shop.kafka_client = other
        await shop.reserve(4)
        shop.kafka_client = None
        await shop.reserve(5)
        assert await client.flush(20) == await other.flush(20) == 0
    nodes = [event.payload["node_id"] for event in client.events]
    assert nodes == [f"orders-{number}" for number in (1, 1, 2, 2, 2, 2)]
    namespaces = [event.topic.split(".")[0] for event in client.events]
    assert namespaces == ["dev"] * 4 + ["prod"] * 2
    assert stages(other.events) == ["reserve.started", "reserve.completed"]


@pytest.mark.asyncio
async def test_a_client_may_be_connected_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = RecordingClient()
    shop = Shop(client)
    async with client:
        await shop.reserve(1)
    await shop.reserve(2)
    async with client:
        await shop.reserve(3)
        await shop.reserve(4)
        assert await client.flush(20) == 0
    orders = [
        event.payload["input_summary"]["order_id"]
        for event in client.events
        if event.event_type.endswith("started")
    ]
    assert orders == [1, 3, 4]
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "Kafka client is not connected"
    ]


@pytest.mark.asyncio
async def test_a_value_that_is_not_json_is_logged_and_not_published(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with RecordingClient() as client:
        shop = Shop(client)
        await shop.reserve(object())
        await shop.reserve(7)
        assert await client.flush(20) == 0
    assert stages(client.events) == ["reserve.started", "reserve.completed"]
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2
    assert all("input_summary" in line or "result_summary" in line for line in lines)


@pytest.mark.asyncio
async def test_a_run_with_metadata_is_not_prepared() -> None:
    async with RecordingClient() as client:
        shop = Shop(client)
        scope = instrument_reserve.run(shop, {"order_id": 1}, metadata={"try": 2})
        async with scope as run:
            run.result = {"reserved": True}
        assert await client.flush(20) == 0
    assert [event.payload["metadata"] for event in client.events] == [{"try": 2}] * 2


@pytest.mark.asyncio
async def test_a_lost_event_is_logged_and_counted_when_the_publisher_is_gone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with RecordingClient(deadline=0.1) as client:
        shop = Shop(client)
        await shop.reserve(1)
        assert await client.flush(20) == 0
        client.cluster.stop()
        await shop.reserve(2)
        gone = weakref.ref(shop)
        del shop
        gc.collect()
        assert gone() is None
        await asyncio.to_thread(eventually, lambda: len(caplog.records) == 2)
    for record in caplog.records:
        assert record.getMessage().startswith("Event not published {'correlation_id'")


@pytest.mark.asyncio
async def test_prepared_events_wait_behind_others_at_the_in_flight_limit() -> None:
    cluster = MemoryCluster()
    async with KafkaClient(
        cluster=cluster, spool=None, max_in_flight=2, deadline=20
    ) as client:
        shop = Shop(client)
        await shop.reserve(0)
        cluster.pause()
        calls = [asyncio.create_task(shop.reserve(number)) for number in range(1, 5)]
        await asyncio.sleep(0.05)
        assert not any(call.done() for call in calls[1:])
        cluster.resume()
        await asyncio.gather(*calls)
        assert await client.flush(20) == 0
    started = [
        json.loads(value)["payload"]["input_summary"]["order_id"]
        for topic, _, _, _, value, _ in cluster.written()
        if topic.endswith("reserve.started.v1")
    ]
    assert started == list(range(5))
