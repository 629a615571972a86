"""Reserves the goods of orders that come from Kafka, and publishes the result."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from faststream import AckPolicy, FastStream
from faststream.confluent import KafkaBroker
from generated.warehouse_events import (
    ReserveInput,
    ReserveResult,
    WarehouseEventPublisher,
    instrument_reserve,
)
from herald import KafkaClient
from herald.runtime import correlation_from, from_json


class Warehouse(WarehouseEventPublisher):
    """The node: reserves goods and publishes its operations."""

    def __init__(self, client: KafkaClient) -> None:
        self.node_id = "warehouse-1"
        self.kafka_client = client
        self.default_namespace = "dev"

    @instrument_reserve
    async def reserve(self, order: ReserveInput) -> ReserveResult:
        """Reserve the goods of an order."""
        if "unicorn" in order.items:
            raise LookupError("there are no unicorns")
        return ReserveResult(reserved=len(order.items))


def create_app(client: KafkaClient | None = None) -> FastStream:
    """Make the app; tests bring a client of their own."""
    kafka = client or KafkaClient(service="warehouse")
    warehouse = Warehouse(kafka)
    servers = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "localhost:9092")
    # Topics are created by their publishers.
    broker = KafkaBroker(servers, allow_auto_create_topics=False)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with kafka:
            yield

    # The offset is committed after the operation: an order is not lost in a crash. One
    # that fails is published, and not tried again.
    @broker.subscriber(
        "shop.order.placed.v1",
        group_id="warehouse",
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.ACK,
    )
    async def on_order_placed(event: dict[str, Any]) -> None:
        with correlation_from(event):
            await warehouse.reserve(from_json(ReserveInput, event["payload"]))

    return FastStream(broker, lifespan=lifespan)
