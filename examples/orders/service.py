"""A service that publishes events with the module that Herald generated for it.

Run it from this folder: `python service.py`. The client here prints; in production it
is your client for Kafka, with the same method.
"""

import asyncio
import json
import time
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from generated.orders_events import OrdersEventPublisher


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

    async def place(self, order: dict[str, Any]) -> dict[str, Any]:
        """Place an order, and announce it."""
        correlation_id = uuid4()
        await self._publish_place_started_event(correlation_id, order)
        started = time.perf_counter()
        try:
            result = {"reserved": bool(order["items"])}
        except Exception as error:
            elapsed = (time.perf_counter() - started) * 1000
            await self._publish_place_failed_event(correlation_id, error, elapsed)
            raise
        elapsed = (time.perf_counter() - started) * 1000
        await self._publish_place_completed_event(correlation_id, result, elapsed)
        await self._publish_order_placed_event(
            correlation_id,
            {
                "order_id": order["order_id"],
                "total": Decimal("99.90"),
                "currency": "EUR",
                "email": "somebody@example.com",
            },
        )
        return result


if __name__ == "__main__":
    asyncio.run(Orders().place({"order_id": uuid4(), "items": ["lamp"]}))
