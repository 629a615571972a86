"""OpenTelemetry and Prometheus show the same figures."""

from __future__ import annotations

from typing import Any

import pytest
from herald.metrics import NodeMetrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader


@pytest.fixture
def metrics() -> NodeMetrics:
    metrics = NodeMetrics()
    for _ in range(10):
        metrics.record("place", 0.25)
    metrics.record("place", 0.25, ValueError("no"))
    metrics.counter("orders.placed", unit="count").add(3)
    metrics.distribution("order.total", unit="EUR", resolution=0.01).record(9.99)
    return metrics


def test_opentelemetry_exports_all_metrics(metrics: NodeMetrics) -> None:
    reader = InMemoryMetricReader()
    metrics.opentelemetry(MeterProvider([reader]).get_meter("test"))
    metrics.gauge("stock", unit="items").set(4)  # made later
    data = reader.get_metrics_data()
    assert data is not None
    [resource] = data.resource_metrics
    [scope] = resource.scope_metrics
    found: dict[tuple[str, Any], Any] = {}
    units = {}
    for metric in scope.metrics:
        units[metric.name] = metric.unit
        for point in metric.data.data_points:
            quantile = (point.attributes or {}).get("quantile")
            found[metric.name, quantile] = getattr(point, "value", None)
    assert found["herald.operations", None] == 11
    assert found["herald.operation.errors", None] == 1
    assert found["herald.operation.in_flight", None] == 0
    assert found["herald.operation.latency", "0.99"] == pytest.approx(0.25, rel=0.01)
    assert found["orders.placed", None] == 3
    assert found["order.total", "1"] == pytest.approx(9.99)
    assert found["stock", None] == 4
    assert found["process.memory_rss", None] > 1e6
    assert units["process.memory_rss"] == "By"
    assert units["order.total"] == "{EUR}"


def test_prometheus_exports_all_metrics(metrics: NodeMetrics) -> None:
    prometheus = pytest.importorskip("prometheus_client")
    registry = prometheus.CollectorRegistry()
    registry.register(metrics.prometheus_collector())
    text = prometheus.generate_latest(registry).decode()
    place = {"operation": "place"}
    name = "herald_operation_duration_seconds"
    assert registry.get_sample_value("herald_operations_total", place) == 11
    assert registry.get_sample_value("herald_operation_errors_total", place) == 1
    assert registry.get_sample_value(f"{name}_count", place) == 11
    assert registry.get_sample_value(f"{name}_sum", place) == pytest.approx(2.75)
    median = registry.get_sample_value(name, {**place, "quantile": "0.5"})
    assert median == pytest.approx(0.25, rel=0.01)
    assert registry.get_sample_value("herald_orders_placed_total") == 3
    assert registry.get_sample_value("herald_order_total_EUR_sum") == 9.99
    assert registry.get_sample_value("herald_process_memory_rss_bytes") > 1e6
    assert "# TYPE herald_operations_total counter" in text
