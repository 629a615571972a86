"""Tests of the app: without Kafka, and once with all that it has in production."""

import asyncio
import os
from contextlib import suppress
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from app import create_app
from confluent_kafka import Consumer, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from faststream import TestApp
from faststream.confluent import KafkaBroker, TestKafkaBroker
from generated.warehouse_events import WarehouseTopic
from herald import KafkaClient
from herald.testing import DevCluster, RecordingClient

PLACED = "shop.order.placed.v1"
COMPLETED = WarehouseTopic.RESERVE_COMPLETED.format(namespace="dev")


async def receive(client: RecordingClient, correlation_id: UUID, *items: str) -> None:
    """Let an order come in."""
    app = create_app(client)
    assert isinstance(app.broker, KafkaBroker)
    event = {
        "envelope_version": "1.0",
        "event_id": uuid4(),
        "event_type": "order.placed",
        "event_version": "1.0",
        "event_timestamp": "2025-11-05T12:00:00Z",
        "source_node_id": "orders-1",
        "source_service": "orders",
        "source_version": "1.0.0",
        "correlation_id": correlation_id,
        "environment": "test",
        "payload": {"order_id": uuid4(), "items": items},
        "metadata": {},
    }
    async with TestKafkaBroker(app.broker) as broker, TestApp(app):
        await broker.publish(event, PLACED)


async def test_goods_are_reserved(herald_client: RecordingClient) -> None:
    correlation_id = uuid4()
    await receive(herald_client, correlation_id, "lamp", "bulb")
    herald_client.assert_published("effect.reserve.started", times=1)
    herald_client.assert_published(
        "effect.reserve.completed",
        correlation_id=correlation_id,
        key=str(correlation_id),
        payload={"result_summary": {"reserved": 2}},
    )
    herald_client.assert_not_published("effect.reserve.failed")


async def test_missing_stock_is_published(herald_client: RecordingClient) -> None:
    correlation_id = uuid4()
    with pytest.raises(LookupError):
        await receive(herald_client, correlation_id, "unicorn")
    herald_client.assert_published(
        "effect.reserve.failed",
        correlation_id=correlation_id,
        payload={"error_type": "LookupError"},
    )


@pytest.fixture
def servers(herald_cluster: DevCluster, monkeypatch: pytest.MonkeyPatch) -> str:
    """A real Kafka where one is set, else a cluster in this process."""
    address = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if address is None:
        address = herald_cluster.bootstrap_servers
        monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", address)
        return address
    names = [PLACED, *(topic.format(namespace="dev") for topic in WarehouseTopic)]
    admin = AdminClient({"bootstrap.servers": address})
    for created in admin.create_topics([NewTopic(name, 3) for name in names]).values():
        with suppress(KafkaException):  # it is there already
            created.result()
    return address


async def test_an_order_goes_from_kafka_to_kafka(
    servers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HERALD_SPOOL", str(tmp_path / "spool.db"))
    order, correlation_id = {"order_id": uuid4(), "items": ["lamp"]}, uuid4()

    async with KafkaClient(service="orders") as shop:
        await shop.publish_with_envelope(
            "order.placed", "shop", order, PLACED, correlation_id
        )
    async with TestApp(create_app()):
        await asyncio.to_thread(wait_for, servers, correlation_id)


def wait_for(servers: str, correlation_id: UUID) -> None:
    """Wait until the reservation of an order is published."""
    settings = {
        "bootstrap.servers": servers,
        "group.id": f"test-{uuid4()}",
        "auto.offset.reset": "earliest",
        "topic.metadata.refresh.interval.ms": 200,
    }
    expected = ("correlation_id", str(correlation_id).encode())
    with Consumer(settings) as consumer:
        consumer.subscribe([COMPLETED])
        for _ in range(600):
            message = consumer.poll(0.1)
            if message is not None and expected in (message.headers() or []):
                return
    pytest.fail(f"nothing came to {COMPLETED}")
