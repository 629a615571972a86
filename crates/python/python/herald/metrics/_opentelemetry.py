"""OpenTelemetry instruments, which are observed on export."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from opentelemetry.metrics import CallbackOptions, Meter, Observation, get_meter

from herald.metrics._instruments import Counter, Distribution, Instrument
from herald.metrics._snapshot import OperationSnapshot, Percentiles

if TYPE_CHECKING:
    from herald.metrics._node import NodeMetrics

UNITS = {"bytes": "By", "count": "1", "percent": "%", "ms": "ms", "s": "s"}
QUANTILES = (
    ("0.5", "p50"),
    ("0.9", "p90"),
    ("0.95", "p95"),
    ("0.99", "p99"),
    ("1", "maximum"),
)

Observed = Iterable[Observation]


def export(metrics: "NodeMetrics", meter: Meter | None) -> None:
    """Creates the instruments."""
    meter = meter or get_meter("herald")
    _Operations(metrics, meter)
    _export_process(metrics, meter)
    metrics.add_listener(lambda instrument: _export(instrument, meter))


class _Operations:
    """Instruments of all operations, including those added later."""

    def __init__(self, metrics: "NodeMetrics", meter: Meter) -> None:
        self._metrics = metrics
        counter, gauge = meter.create_observable_counter, meter.create_observable_gauge
        counter("herald.operations", [self._each(lambda o: o.count)], "1")
        counter("herald.operation.errors", [self._each(lambda o: o.errors)], "1")
        counter("herald.operation.cancelled", [self._each(lambda o: o.cancelled)], "1")
        counter("herald.operation.time", [self._each(lambda o: o.seconds)], "s")
        gauge("herald.operation.in_flight", [self._each(lambda o: o.in_flight)], "1")
        gauge("herald.operation.latency", [self._latency], "s")

    def _each(
        self, value_of: Callable[[OperationSnapshot], float]
    ) -> Callable[[CallbackOptions], Observed]:
        return lambda _: [
            Observation(value_of(operation), {"operation": name})
            for name, operation in self._metrics.snapshot().operations.items()
        ]

    def _latency(self, _: CallbackOptions) -> Observed:
        for name, operation in self._metrics.snapshot().operations.items():
            yield from _quantiles(operation.latency, {"operation": name})


def _quantiles(found: Percentiles | None, about: dict[str, str]) -> Observed:
    if found is not None:
        for quantile, attribute in QUANTILES:
            value: float = getattr(found, attribute)
            yield Observation(value, {**about, "quantile": quantile})


def _export_process(metrics: "NodeMetrics", meter: Meter) -> None:
    def observe(name: str) -> Callable[[CallbackOptions], Observed]:
        return lambda _: [
            Observation(reading.value)
            for reading in metrics.snapshot().resources
            if reading.name == name
        ]

    for reading in metrics.snapshot().resources:
        make = (
            meter.create_observable_counter
            if reading.kind == "counter"
            else meter.create_observable_gauge
        )
        make(reading.name, [observe(reading.name)], UNITS[reading.unit])


def _export(instrument: Instrument, meter: Meter) -> None:
    from herald.metrics._node import read

    unit = UNITS.get(instrument.unit, f"{{{instrument.unit}}}")
    if isinstance(instrument, Distribution):
        quantiles = instrument.percentiles
        meter.create_observable_gauge(
            instrument.name, [lambda _: _quantiles(quantiles(), {})], unit
        )
        return
    make = (
        meter.create_observable_counter
        if isinstance(instrument, Counter)
        else meter.create_observable_gauge
    )
    make(
        instrument.name,
        [lambda _: [Observation(reading.value) for reading in read(instrument)]],
        unit,
    )
