"""OpenTelemetry instruments: histograms, and values observed on export."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from opentelemetry.metrics import CallbackOptions, Meter, Observation, get_meter

from herald.metrics._client import READINGS
from herald.metrics._instruments import Counter, Distribution, Instrument
from herald.metrics._snapshot import DURATION_BOUNDS, OperationSnapshot

if TYPE_CHECKING:
    from herald.metrics._node import NodeMetrics

UNITS = {"bytes": "By", "count": "1", "percent": "%", "ms": "ms", "s": "s"}

Observe = Callable[[CallbackOptions], Iterable[Observation]]


def export(metrics: "NodeMetrics", meter: Meter | None) -> None:
    """Creates the instruments."""
    meter = meter or get_meter("herald")
    _export_operations(metrics, meter)
    for reading in metrics.snapshot().resources:
        _export_reading(meter, reading.name, reading.unit, reading.kind, metrics)
    for name, _, unit, kind in READINGS:
        _export_reading(meter, f"herald.{name}", unit, kind, metrics)
    metrics.add_listener(lambda instrument: _export_instrument(instrument, meter))


def _export_operations(metrics: "NodeMetrics", meter: Meter) -> None:
    def observe(value_of: Callable[[OperationSnapshot], float]) -> list[Observe]:
        return [
            lambda _: [
                Observation(value_of(operation), {"operation": name})
                for name, operation in metrics.snapshot().operations.items()
            ]
        ]

    counter, gauge = meter.create_observable_counter, meter.create_observable_gauge
    counter("herald.operations", observe(lambda o: o.count), "1")
    counter("herald.operation.errors", observe(lambda o: o.errors), "1")
    counter("herald.operation.cancelled", observe(lambda o: o.cancelled), "1")
    gauge("herald.operation.in_flight", observe(lambda o: o.in_flight), "1")
    # A histogram can't be observed on export: each run is recorded.
    durations = meter.create_histogram(
        "herald.operation.duration",
        "s",
        explicit_bucket_boundaries_advisory=DURATION_BOUNDS,
    )
    metrics.observe_durations(
        lambda name: partial(durations.record, attributes={"operation": name})
    )


def _export_reading(
    meter: Meter, name: str, unit: str, kind: str, metrics: "NodeMetrics"
) -> None:
    """Exports one reading of the process or of the Kafka client."""

    def observe(_: CallbackOptions) -> Iterable[Observation]:
        short = name.removeprefix("herald.")
        readings = metrics.process_and_client()
        return [Observation(each.value) for each in readings if each.name == short]

    make = (
        meter.create_observable_counter
        if kind == "counter"
        else meter.create_observable_gauge
    )
    make(name, [observe], UNITS[unit])


def _export_instrument(instrument: Instrument, meter: Meter) -> None:
    from herald.metrics._node import read

    unit = UNITS.get(instrument.unit, f"{{{instrument.unit}}}")
    if isinstance(instrument, Distribution):
        instrument.observe = meter.create_histogram(
            instrument.name, unit, explicit_bucket_boundaries_advisory=instrument.bounds
        ).record
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
