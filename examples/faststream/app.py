"""Reserves the goods of orders that come from Kafka, and announces it."""

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from faststream import AckPolicy, FastStream
from faststream.confluent import KafkaBroker
from generated.warehouse_events import WarehouseEventPublisher
from herald import KafkaClient
from pydantic import BaseModel


class Order(BaseModel):
    """Payload of `order.placed`."""

    order_id: UUID
    items: list[str]


class OrderPlaced(BaseModel):
    """As much of the envelope as this service needs."""

    correlation_id: UUID
    payload: Order


class Warehouse(WarehouseEventPublisher):
    """The node: it reserves goods, and announces what it does."""

    def __init__(self, client: KafkaClient) -> None:
        self.node_id = "warehouse-1"
        self.kafka_client = client
        self.default_namespace = "dev"

    async def reserve(self, order: Order, correlation_id: UUID) -> dict[str, Any]:
        """Reserve the goods of an order."""
        began = time.perf_counter()
        await self._publish_reserve_started_event(correlation_id, order.model_dump())
        try:
            if "unicorn" in order.items:
                raise LookupError("there are no unicorns")
            result = {"reserved": len(order.items)}
        except Exception as error:
            await self._publish_reserve_failed_event(correlation_id, error, _ms(began))
            raise
        await self._publish_reserve_completed_event(correlation_id, result, _ms(began))
        return result


def _ms(began: float) -> float:
    return (time.perf_counter() - began) * 1000


def create_app(client: KafkaClient | None = None) -> FastStream:
    """Make the app; tests bring a client of their own."""
    kafka = client or KafkaClient(service="warehouse")
    warehouse = Warehouse(kafka)
    servers = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "localhost:9092")
    # Topics belong to whoever publishes to them.
    broker = KafkaBroker(servers, allow_auto_create_topics=False)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with kafka:
            yield

    # The offset is committed after the operation: an order is not lost in a crash. One
    # that fails is announced, and not tried again.
    @broker.subscriber(
        "shop.order.placed.v1",
        group_id="warehouse",
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.ACK,
    )
    async def on_order_placed(event: OrderPlaced) -> None:
        await warehouse.reserve(event.payload, event.correlation_id)

    return FastStream(broker, lifespan=lifespan)
