"""Tests of the app: it runs as in production, but for the cluster."""

from uuid import uuid4

from app import create_app
from fastapi.testclient import TestClient
from herald.testing import RecordingClient


def test_an_order_is_published(herald_client: RecordingClient) -> None:
    order_id, correlation_id = uuid4(), uuid4()
    with TestClient(create_app(herald_client)) as http:
        answer = http.post(
            "/orders",
            json={"order_id": str(order_id), "items": ["lamp", "bulb"]},
            headers={"X-Correlation-Id": str(correlation_id)},
        )
    assert answer.status_code == 201
    herald_client.assert_published(
        "effect.place.completed",
        correlation_id=correlation_id,
        payload={"result_summary": {"lines": 2}, "execution_time_ms": float},
    )
    herald_client.assert_published(
        "order.placed",
        topic="shop.order.placed.v1",
        correlation_id=correlation_id,
        payload={"order_id": order_id, "items": ["lamp", "bulb"]},
        times=1,
    )


def test_an_order_without_items_fails(herald_client: RecordingClient) -> None:
    with TestClient(create_app(herald_client)) as http:
        answer = http.post("/orders", json={"order_id": str(uuid4()), "items": []})
    assert answer.status_code == 422
    herald_client.assert_published(
        "effect.place.failed", payload={"error_message": "an order needs items"}
    )
    herald_client.assert_not_published("order.placed")
