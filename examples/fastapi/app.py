"""Takes orders over HTTP, and publishes them to Kafka."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import FastAPI, Header, HTTPException
from generated.orders_events import (
    OrderPlaced,
    OrdersEventPublisher,
    PlaceInput,
    PlaceResult,
    instrument_place,
)
from herald import KafkaClient
from herald.runtime import correlation


class Orders(OrdersEventPublisher):
    """The node: takes orders and publishes its operations."""

    def __init__(self, client: KafkaClient) -> None:
        self.node_id = "orders-api"
        self.kafka_client = client
        self.default_namespace = "dev"

    @instrument_place
    async def place(self, order: PlaceInput) -> PlaceResult:
        """Take an order."""
        if not order.items:
            raise ValueError("an order needs items")
        return PlaceResult(lines=len(order.items))


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
        order: PlaceInput, x_correlation_id: Annotated[UUID | None, Header()] = None
    ) -> PlaceResult:
        request = x_correlation_id or uuid4()
        with correlation(request):
            try:
                result = await orders.place(order)
            except ValueError as error:
                raise HTTPException(422, str(error)) from error
            placed = OrderPlaced(order_id=order.order_id, items=order.items)
            await orders.publish_order_placed(placed)
            return result

    return app
