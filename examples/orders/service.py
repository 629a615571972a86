"""A service that publishes events with the module that Herald generated for it.

Run it from this folder, with a cluster that has the topics of the contract, such as
`herald dev`: `KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:… python service.py`.
"""

import asyncio
from decimal import Decimal
from uuid import uuid4

from generated.orders_events import (
    OrderPlaced,
    OrdersEventPublisher,
    OrdersState,
    PlaceInput,
    PlaceResult,
    instrument_place,
)
from herald import KafkaClient
from herald.runtime import correlation


class Orders(OrdersEventPublisher):
    """Takes orders."""

    def __init__(self, client: KafkaClient) -> None:
        self.node_id = "orders-1"
        self.kafka_client = client

    @instrument_place
    async def place(self, order: PlaceInput) -> PlaceResult:
        """Place an order. Its start and its outcome are published."""
        return PlaceResult(reserved=bool(order.items))


async def main() -> None:
    """Serve one request: its events have one correlation id."""
    async with KafkaClient(
        service="orders", namespace="dev", check_topics="error"
    ) as client:
        orders = Orders(client)
        order = PlaceInput(order_id=uuid4(), items=["lamp"])
        with correlation():
            await orders.state_machine.transition(OrdersState.BUSY, reason="order")
            await orders.place(order)
            receipt = await orders.publish_order_placed(
                OrderPlaced(
                    order_id=order.order_id,
                    total=Decimal("99.90"),
                    currency="EUR",
                    email="somebody@example.com",
                )
            )
            print(receipt)
            await orders.state_machine.transition(OrdersState.IDLE, reason="done")
        # Events of operations and states are not awaited.
        await client.flush()
        print(f"{client.stats().delivered} events delivered")


if __name__ == "__main__":
    asyncio.run(main())
