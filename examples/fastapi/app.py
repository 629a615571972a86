"""Takes orders over HTTP, and announces them on Kafka."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import FastAPI, Header, HTTPException
from generated.orders_events import OrdersEventPublisher
from herald import KafkaClient
from pydantic import BaseModel


class Order(BaseModel):
    """What the shop sends."""

    order_id: UUID
    items: list[str]


class Orders(OrdersEventPublisher):
    """The node: it takes orders, and announces what it does."""

    def __init__(self, client: KafkaClient) -> None:
        self.node_id = "orders-api"
        self.kafka_client = client
        self.default_namespace = "dev"

    async def place(self, order: Order, correlation_id: UUID) -> dict[str, Any]:
        """Take an order."""
        began = time.perf_counter()
        await self._publish_place_started_event(correlation_id, order.model_dump())
        try:
            if not order.items:
                raise ValueError("an order needs items")
            result = {"lines": len(order.items)}
        except Exception as error:
            await self._publish_place_failed_event(correlation_id, error, _ms(began))
            raise
        await self._publish_place_completed_event(correlation_id, result, _ms(began))
        await self._publish_order_placed_event(correlation_id, order.model_dump())
        return result


def _ms(began: float) -> float:
    return (time.perf_counter() - began) * 1000


def create_app(client: KafkaClient | None = None) -> FastAPI:
    """Make the app; tests bring a client of their own."""
    kafka = client or KafkaClient(service="orders")
    orders = Orders(kafka)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with kafka:
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/orders", status_code=201)
    async def place(
        order: Order, x_correlation_id: Annotated[UUID | None, Header()] = None
    ) -> dict[str, Any]:
        try:
            return await orders.place(order, x_correlation_id or uuid4())
        except ValueError as error:
            raise HTTPException(422, str(error)) from error

    return app
