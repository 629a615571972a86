"""Tests that compare the sizes of `herald volume` with published events."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from importlib import import_module
from typing import Any
from uuid import uuid4

import pytest
from herald import KafkaClient
from herald.runtime import correlation
from herald.testing import MemoryCluster

from places import EXAMPLES

FOLDER = EXAMPLES / "orders"

WITHIN = 0.05
"""Allowed deviation of the size, as in docs/capacity-planning.md."""


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module that the example's contract became."""
    monkeypatch.syspath_prepend(str(FOLDER / "generated"))
    yield import_module("orders_events")
    sys.modules.pop("orders_events")


def computed() -> dict[str, dict[str, int]]:
    """The bytes of each event, by its topic."""
    run = subprocess.run(
        [sys.executable, "-m", "herald", "volume", "--format", "json"],
        cwd=FOLDER,
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=60,
    )
    [contract] = json.loads(run.stdout)["contracts"]
    return {event["topic"]: event["bytes"] for event in contract["events"]}


async def publish_one_of_each(orders: Any, client: KafkaClient) -> None:
    publisher = orders.OrdersEventPublisher()
    publisher.node_id = uuid4()
    publisher.kafka_client = client
    publisher.default_namespace = "dev"
    publisher.wait_for_receipts = True
    placed = orders.OrderPlaced(
        order_id=uuid4(), total=Decimal("249.90"), currency="EUR", email="a@b.example"
    )
    with correlation(correlation_id=uuid4(), causation_id=uuid4()) as request:
        for operation in (orders.instrument_place, orders.instrument_cancel):
            order = {"order_id": uuid4(), "items": ["lamp", "desk"]}
            fields = order if operation is orders.instrument_place else {}
            async with operation.run(publisher, fields) as run:
                run.result = {"reserved": True} if fields else {}
            with pytest.raises(ValueError, match="warehouse"):
                async with operation.run(publisher, fields):
                    raise ValueError("the warehouse has no lamp of that colour")
        await publisher.state_machine.transition(
            orders.OrdersState.BUSY, reason="order came in"
        )
        await publisher._publish_metric_recorded_event(
            "reservation_time", 48.125, "ms", request.correlation_id
        )
        await publisher._publish_order_placed_event(request.correlation_id, placed)


def test_published_sizes_match_the_estimate(orders: Any) -> None:
    async def run() -> MemoryCluster:
        cluster = MemoryCluster()
        async with KafkaClient(
            cluster=cluster,
            spool=None,
            service="orders",
            service_version="1.0.0",
            environment="production",
        ) as client:
            await publish_one_of_each(orders, client)
        return cluster

    cluster = asyncio.run(run())
    sizes = computed()
    written: dict[str, set[int]] = {}
    for topic, _, _, key, value, headers in cluster.written():
        size = sizes[topic]
        assert len(key or b"") == size["key"], topic
        found = len(value) / size["value"]
        assert abs(found - 1) <= WITHIN, (topic, len(value), size, value)
        # Each name and value has its length before it, and all of them their number.
        of_headers = 1 + sum(len(n) + len(v) + 2 for n, v in headers)
        assert of_headers == size["headers"], (topic, headers)
        written.setdefault(topic, set()).add(len(value))
    assert written.keys() == sizes.keys()
