"""OpenTelemetry and Prometheus export the same metrics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from herald import Event
from herald.metrics import DURATION_BOUNDS, NodeMetrics
from herald.testing import SyncRecordingClient
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader


def work(metrics: NodeMetrics) -> None:
    for _ in range(10):
        metrics.record("place", 0.2)
    metrics.record("place", 3600.0, ValueError("no"))
    metrics.counter("orders.placed", unit="count").add(3)
    metrics.distribution("order.total", unit="EUR", resolution=0.01).record(9.99)


@pytest.fixture
def client(tmp_path: Any) -> Iterator[SyncRecordingClient]:
    """A client with two delivered and three spooled events, and a dead letter."""
    spool = tmp_path / "spool.db"
    with SyncRecordingClient(spool=spool, deadline=0.05) as client:
        for number in range(2):
            client.publish(Event("a.b", "n", {"n": number}, "topic"))
        client.cluster.refuse("refused")
        with pytest.raises(Exception, match="refuse"):
            client.publish(Event("a.b", "n", {}, "refused"))
        assert client.flush(20) == 0
        client.cluster.stop()
        for number in range(3):
            client.publish(Event("a.b", "n", {"n": number}, "topic"))
        yield client


def test_opentelemetry_exports_all_metrics(client: SyncRecordingClient) -> None:
    metrics = NodeMetrics(client=client)
    reader = InMemoryMetricReader()
    metrics.record("earlier", 0.2)
    metrics.opentelemetry(MeterProvider([reader]).get_meter("test"))
    work(metrics)
    metrics.record("earlier", 0.2)
    metrics.gauge("stock", unit="items").set(4)  # created after the export began
    data = reader.get_metrics_data()
    assert data is not None
    [resource] = data.resource_metrics
    [scope] = resource.scope_metrics
    found: dict[tuple[str, Any], Any] = {}
    units = {}
    for metric in scope.metrics:
        units[metric.name] = metric.unit
        for point in metric.data.data_points:
            operation = (point.attributes or {}).get("operation")
            found[metric.name, operation] = getattr(point, "value", point)
    assert found["herald.operations", "place"] == 11
    assert found["herald.operation.errors", "place"] == 1
    assert found["herald.operation.in_flight", "place"] == 0
    durations = found["herald.operation.duration", "place"]
    assert durations.explicit_bounds == DURATION_BOUNDS
    assert durations.count == 11
    assert durations.bucket_counts[DURATION_BOUNDS.index(0.25)] == 10
    assert durations.bucket_counts[-1] == 1
    assert found["herald.operation.duration", "earlier"].count == 1
    assert found["orders.placed", None] == 3
    assert found["order.total", None].sum == 9.99
    assert found["stock", None] == 4
    assert found["process.memory_rss", None] > 1e6
    assert units["process.memory_rss"] == "By"
    assert units["order.total"] == "{EUR}"
    assert units["herald.spool.oldest_age"] == "s"
    stats = client.stats()
    assert (stats.delivered, stats.spooled, stats.dead) == (2, 3, 1)
    assert found["herald.client.published", None] == stats.published
    assert found["herald.client.delivered", None] == 2
    assert found["herald.client.spooled", None] == 3
    assert found["herald.client.rejected", None] == 1
    assert found["herald.client.outages", None] == 1
    assert found["herald.client.reachable", None] == 0
    assert found["herald.spool.records", None] == 3
    assert found["herald.spool.dead_letters", None] == stats.spool_dead
    assert found["herald.spool.oldest_age", None] > 0


def test_prometheus_exports_all_metrics(client: SyncRecordingClient) -> None:
    prometheus = pytest.importorskip("prometheus_client")
    metrics = NodeMetrics(client=client)
    work(metrics)
    registry = prometheus.CollectorRegistry()
    registry.register(metrics.prometheus_collector())
    text = prometheus.generate_latest(registry).decode()
    value = registry.get_sample_value
    place = {"operation": "place"}
    name = "herald_operation_duration_seconds"
    assert value("herald_operations_total", place) == 11
    assert value("herald_operation_errors_total", place) == 1
    assert value(f"{name}_count", place) == 11
    assert value(f"{name}_sum", place) == pytest.approx(3602)
    assert value(f"{name}_bucket", {**place, "le": "0.1"}) == 0
    assert value(f"{name}_bucket", {**place, "le": "0.25"}) == 10
    assert value(f"{name}_bucket", {**place, "le": "60.0"}) == 10
    assert value(f"{name}_bucket", {**place, "le": "+Inf"}) == 11
    assert value("herald_orders_placed_total") == 3
    assert value("herald_order_total_EUR_sum") == 9.99
    assert value("herald_order_total_EUR_bucket", {"le": "10.0"}) == 1
    assert value("herald_process_memory_rss_bytes") > 1e6
    assert "# TYPE herald_operations_total counter" in text
    assert f"# TYPE {name} histogram" in text
    assert value("herald_client_delivered_total") == 2
    assert value("herald_client_reachable") == 0
    assert value("herald_spool_records") == 3
    assert value("herald_spool_size_bytes") > 0
    assert value("herald_spool_oldest_age_seconds") > 0


def test_a_client_that_is_not_connected_has_no_readings() -> None:
    assert NodeMetrics(client=SyncRecordingClient()).snapshot().client == ()
    assert NodeMetrics(client=object()).snapshot().client == ()


def test_histogram_counts_never_decrease() -> None:
    now = [0.0]
    metrics = NodeMetrics(window=6.0, clock=lambda: now[0])
    before: tuple[int, ...] = (0,) * len(DURATION_BOUNDS)
    for step in range(100):
        now[0] += 0.7
        metrics.record("place", 0.001 * step)
        counts = metrics.snapshot().operations["place"].buckets
        assert all(a <= b for a, b in zip(before, counts, strict=True))
        assert list(counts) == sorted(counts)
        before = counts
    assert before[-1] == 100
