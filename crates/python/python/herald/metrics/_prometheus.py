"""Prometheus collector."""

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from prometheus_client import Metric
from prometheus_client.registry import Collector

from herald.metrics._instruments import Counter, Distribution
from herald.metrics._snapshot import DURATION_BOUNDS, OperationSnapshot

if TYPE_CHECKING:
    from herald.metrics._node import NodeMetrics


class NodeCollector(Collector):
    """Collector of the metrics of one node."""

    def __init__(self, metrics: "NodeMetrics") -> None:
        self._metrics = metrics

    def describe(self) -> Iterable[Metric]:
        """Returns nothing: registering the collector must not read metrics."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Returns the current values."""
        now = self._metrics.snapshot()
        yield from _operations(now.operations.values())
        for reading in (*now.resources, *now.client):
            yield _single(reading.name, reading.unit, reading.kind, reading.value)
        yield from self._business()

    def _business(self) -> Iterator[Metric]:
        from herald.metrics._node import read

        for instrument in self._metrics.instruments():
            if isinstance(instrument, Distribution):
                name = _name(instrument.name, instrument.unit)
                metric = Metric(name, instrument.name, "histogram")
                buckets = instrument.bounds, instrument.buckets()
                _histogram(metric, {}, *buckets, instrument.count, instrument.sum)
                yield metric
                continue
            kind = "counter" if isinstance(instrument, Counter) else "gauge"
            for reading in read(instrument):
                yield _single(instrument.name, instrument.unit, kind, reading.value)


def _operations(operations: Iterable[OperationSnapshot]) -> Iterator[Metric]:
    runs = Metric("herald_operations", "Runs that ended", "counter")
    errors = Metric("herald_operation_errors", "Runs that failed", "counter")
    cancelled = Metric("herald_operation_cancelled", "Runs cancelled", "counter")
    in_flight = Metric("herald_operations_in_flight", "Runs not ended", "gauge")
    duration = Metric("herald_operation_duration_seconds", "Time of a run", "histogram")
    for operation in operations:
        labels = {"operation": operation.operation}
        runs.add_sample(f"{runs.name}_total", labels, operation.count)
        errors.add_sample(f"{errors.name}_total", labels, operation.errors)
        cancelled.add_sample(f"{cancelled.name}_total", labels, operation.cancelled)
        in_flight.add_sample(in_flight.name, labels, operation.in_flight)
        buckets = DURATION_BOUNDS, operation.buckets
        _histogram(duration, labels, *buckets, operation.count, operation.seconds)
    yield from (runs, errors, cancelled, in_flight, duration)


def _histogram(
    metric: Metric,
    labels: dict[str, str],
    bounds: tuple[float, ...],
    counts: tuple[int, ...],
    count: int,
    total: float,
) -> None:
    for bound, up_to_bound in zip(bounds, counts, strict=True):
        metric.add_sample(
            f"{metric.name}_bucket", {**labels, "le": str(bound)}, up_to_bound
        )
    metric.add_sample(f"{metric.name}_bucket", {**labels, "le": "+Inf"}, count)
    metric.add_sample(f"{metric.name}_count", labels, count)
    metric.add_sample(f"{metric.name}_sum", labels, total)


def _single(name: str, unit: str, kind: str, value: float) -> Metric:
    metric = Metric(_name(name, unit), name, kind)
    suffix = "_total" if kind == "counter" else ""
    metric.add_sample(metric.name + suffix, {}, value)
    return metric


def _name(name: str, unit: str) -> str:
    """Returns the name for Prometheus, with the unit at its end."""
    unit = {"s": "seconds", "ms": "milliseconds", "count": ""}.get(unit, unit)
    text = f"herald_{name}" if not unit else f"herald_{name}_{unit}"
    return re.sub(r"[^a-zA-Z0-9_]", "_", text).removesuffix("_total")
