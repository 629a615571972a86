"""Instrumented operations, counted and timed."""

import asyncio

import pytest
from herald.metrics import NodeMetrics
from herald.testing import RecordingClient

from shop import Orders, instrument_place


class Shop(Orders):
    @instrument_place
    async def place(self, outcome: Exception | None) -> None:
        assert self.node_metrics is not None
        if outcome is not None:
            raise outcome


def test_each_run_is_counted(herald_client: RecordingClient) -> None:
    shop = Shop(herald_client)
    metrics = shop.node_metrics = NodeMetrics(resources=False)
    asyncio.run(shop.place(None))
    with pytest.raises(ValueError, match="no"):
        asyncio.run(shop.place(ValueError("no")))
    measured = metrics.snapshot().operations["place"]
    assert (measured.count, measured.errors, measured.in_flight) == (2, 1, 0)


def test_failing_metrics_do_not_fail_operations(
    herald_client: RecordingClient,
) -> None:
    class Broken:
        def track(self, operation: str, /) -> asyncio.Timeout:
            raise RuntimeError(operation)

    async def main() -> None:
        shop = Shop(herald_client)
        shop.node_metrics = Broken()
        await shop.place(None)
        await herald_client.flush()

    asyncio.run(main())
    herald_client.assert_published("effect.place.completed")
