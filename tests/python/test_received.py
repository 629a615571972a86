"""Tests that `parse` returns the models that a publisher sent."""

import asyncio
import json
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from harness import CORRELATION_ID, NODE_ID, Client, load, publisher


@pytest.fixture(params=["orders_events", "dataclass_events"])
def orders(request: pytest.FixtureRequest) -> ModuleType:
    return load(request.param)


def placed(orders: ModuleType) -> Any:
    """Make a payload with goods inside of goods."""
    part = orders.OrderLine(sku="ABC-2", price=Decimal("1.00"), note="secret")
    line = orders.OrderLine(sku="ABC-1", price=Decimal("8.90"), parts=[part])
    return orders.OrderPlaced(
        order_id=NODE_ID, total=Decimal("9.90"), email="a@b.c", lines=[line]
    )


def publish(orders: ModuleType, name: str, *arguments: Any) -> dict[str, Any]:
    """Publish an event, and give its envelope."""
    client = Client()
    node = publisher(orders, "OrdersEventPublisher", client)
    method = getattr(node, f"_publish_{name}_event")
    asyncio.run(method(CORRELATION_ID, *arguments))
    [event] = client.published
    return {
        "envelope_version": "1.0",
        "event_id": str(NODE_ID),
        "event_type": event["event_type"],
        "event_version": "1.0",
        "event_timestamp": "2025-11-05T12:00:00Z",
        "source_node_id": event["source_node_id"],
        "source_service": "orders",
        "source_version": "1.0.0",
        "correlation_id": str(CORRELATION_ID),
        "environment": "test",
        "payload": json.loads(json.dumps(event["payload"])),
        "metadata": {},
    }


def test_a_payload_arrives_without_what_is_private(orders: ModuleType) -> None:
    envelope = publish(orders, "order_placed", placed(orders))
    assert "a@b.c" not in str(envelope)
    assert "secret" not in str(envelope)
    assert envelope["payload"]["delivery-class"] == "standard"
    payload = orders.parse(envelope).payload
    assert isinstance(payload, orders.ReceivedOrderPlaced)
    assert payload.order_id == NODE_ID
    assert payload.total == Decimal("9.90")
    assert not hasattr(payload, "email")
    [line] = payload.lines
    assert line.price == Decimal("8.90")
    assert [part.sku for part in line.parts] == ["ABC-2"]
    assert not hasattr(line, "note")


def test_an_operation_takes_its_models(orders: ModuleType) -> None:
    given = orders.OrderPlaceInput(
        customer_id=NODE_ID, total=Decimal("9.90"), currency="EUR"
    )
    envelope = publish(orders, "order_place_started", given)
    assert orders.parse(envelope).payload.input_summary == {
        "customer_id": "UUID",
        "total": "9.90",
        "currency": "EUR",
    }


def test_an_invalid_payload_is_an_error(orders: ModuleType) -> None:
    envelope = publish(orders, "order_placed", placed(orders))
    envelope["payload"]["lines"][0]["price"] = 8.9
    with pytest.raises(ValueError, match=r"payload\.lines\.0\.price"):
        orders.parse(json.dumps(envelope))


def test_an_unknown_event_is_left_unparsed(orders: ModuleType) -> None:
    envelope = publish(orders, "order_placed", placed(orders))
    envelope["event_type"] = "somebody.elses"
    assert orders.parse(envelope).payload == envelope["payload"]
