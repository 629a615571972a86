"""A service that publishes events with the module that Herald generated for it.

Run it from this folder: `python service.py`. The client here prints; in production it
is your client for Kafka, with the same method.
"""

import asyncio
import json
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from generated.orders_events import (
    OrderPlaced,
    OrdersEventPublisher,
    OrdersState,
    PlaceInput,
    PlaceResult,
    instrument_place,
)
from herald.runtime import correlation


class PrintingClient:
    """Stands in for a client of Kafka."""

    is_connected = True

    async def publish_with_envelope(
        self,
        *,
        event_type: str,
        source_node_id: str,
        payload: dict[str, Any],
        topic: str,
        correlation_id: UUID | None,
        metadata: dict[str, Any],
    ) -> bool:
        """Print what would be published."""
        print(f"{topic}\n  {json.dumps(payload)}")
        return True


class Orders(OrdersEventPublisher):
    """Takes orders."""

    def __init__(self) -> None:
        self.node_id = "orders-1"
        self.kafka_client = PrintingClient()
        self.default_namespace = "dev"

    @instrument_place
    async def place(self, order: PlaceInput) -> PlaceResult:
        """Place an order. Its start and its outcome are published."""
        return PlaceResult(reserved=bool(order.items))


async def main() -> None:
    """Serve one request: its events have one correlation id."""
    orders = Orders()
    order = PlaceInput(order_id=uuid4(), items=["lamp"])
    with correlation() as request:
        await orders.state_machine.transition(OrdersState.BUSY, reason="order")
        await orders.place(order)
        assert request.correlation_id is not None
        await orders._publish_order_placed_event(
            request.correlation_id,
            OrderPlaced(
                order_id=order.order_id,
                total=Decimal("99.90"),
                currency="EUR",
                email="somebody@example.com",
            ),
        )
        await orders.state_machine.transition(OrdersState.IDLE, reason="done")


if __name__ == "__main__":
    asyncio.run(main())
