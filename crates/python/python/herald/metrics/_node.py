"""Metrics of one node."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import count
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING, Self, SupportsFloat, TypeVar

from herald.metrics._client import client_readings
from herald.metrics._instruments import Counter, Distribution, Gauge, Instrument
from herald.metrics._operation import OperationMetrics
from herald.metrics._process import CpuShare, Process
from herald.metrics._publisher import MetricPublisher, PublishLoop, publish
from herald.metrics._readings import readings_of
from herald.metrics._snapshot import Reading, Snapshot
from herald.metrics._track import Track
from herald.runtime import reason_of
from herald.runtime._wrapping import F, wrap

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter
    from prometheus_client.registry import Collector

log = logging.getLogger("herald.metrics")

I = TypeVar("I", bound=Instrument)  # noqa: E741

MAX_OPERATIONS = 500
OVERFLOW_OPERATION = "other"


class NodeMetrics:
    """Counts and times the operations of a node, and publishes `metric.recorded`
    events.

    Recording is safe for any thread, takes constant memory, and neither blocks nor
    fails. Publishing happens in a task of its own between `start` and `stop`.

    Args:
        publisher: Publisher of the metric events; without one nothing is published.
        client: Kafka client whose statistics are exported; by default the publisher's.
        publish_interval_ops: Number of operations after which metrics are published.
        publish_interval_seconds: Seconds after which metrics are published.
        min_publish_interval: Least seconds between two rounds of publishing.
        window: Window of the percentiles, in seconds.
        resources: Whether to measure memory, CPU and open files of the process.
        clock: Monotonic clock, in seconds.
    """

    def __init__(
        self,
        publisher: MetricPublisher | None = None,
        *,
        client: object | None = None,
        publish_interval_ops: int = 100,
        publish_interval_seconds: float = 60.0,
        min_publish_interval: float = 1.0,
        window: float = 60.0,
        resources: bool = True,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        for name, value in (
            ("publish_interval_ops", publish_interval_ops),
            ("publish_interval_seconds", publish_interval_seconds),
            ("window", window),
        ):
            if not value > 0:
                raise ValueError(f"{name} must be more than 0, not {value}")
        self.publisher = publisher
        self._client = client
        self.window = window
        self._publish_interval_ops = publish_interval_ops
        self._publish_interval_seconds = publish_interval_seconds
        self._min_publish_interval = min_publish_interval
        self._clock = clock
        self._lock = Lock()
        self._operations: dict[str, OperationMetrics] = {}
        self._instruments: dict[str, Instrument] = {}
        self._listeners: list[Callable[[Instrument], None]] = []
        self._observe: Callable[[str], Callable[[float], object]] | None = None
        self._process = Process() if resources else None
        self._cpu = CpuShare() if resources else None
        self._ended_runs = count(1)
        self._published: dict[str, tuple[int, int]] = {}
        self._publish_loop: PublishLoop | None = None

    # Recording.

    def track(self, operation: str) -> Track:
        """Returns a scope for one run of an operation, for `with`. An exception that
        leaves it is counted as an error.
        """
        return Track(self._operation(operation), self._ended)

    def measured(self, operation: str) -> Callable[[F], F]:
        """Decorates a function, each call of which is a run of an operation: functions,
        coroutine functions, and generator functions of both kinds.
        """
        return lambda function: wrap(function, lambda *_: self.track(operation))

    def record(
        self, operation: str, seconds: float, error: BaseException | None = None
    ) -> None:
        """Records a run that was timed elsewhere."""
        self._operation(operation).end(seconds, error, 0)
        self._ended()

    def counter(self, name: str, *, unit: str) -> Counter:
        """Returns the counter of that name, created on first use."""
        return self._instrument(Counter, name, unit, lambda: Counter(name, unit))

    def gauge(
        self,
        name: str,
        *,
        unit: str,
        read: Callable[[], SupportsFloat] | None = None,
    ) -> Gauge:
        """Returns the gauge of that name, created on first use. `read` returns its
        value when it is published or exported, such as `queue.qsize`.
        """
        return self._instrument(Gauge, name, unit, lambda: Gauge(name, unit, read))

    def distribution(
        self, name: str, *, unit: str, resolution: float = 0.001
    ) -> Distribution:
        """Returns the distribution of that name, created on first use. It distinguishes
        values to `resolution` or 1 %.
        """
        return self._instrument(
            Distribution,
            name,
            unit,
            lambda: Distribution(name, unit, resolution, self.window, self._clock),
        )

    @property
    def in_flight(self) -> int:
        """Number of runs in progress, of all operations."""
        return sum(operation.in_flight for operation in self._known())

    def snapshot(self) -> Snapshot:
        """Returns all current values."""
        redactions = getattr(self.publisher, "redactions", ())
        operations = [each.snapshot(redactions) for each in self._known()]
        return Snapshot(
            {operation.operation: operation for operation in operations},
            tuple(self._process.readings()) if self._process else (),
            tuple(self._business()),
            tuple(client_readings(self._kafka_client())),
        )

    # Publishing.

    async def start(self) -> None:
        """Starts publishing, in a task of the running loop."""
        if self._publish_loop is None and self.publisher is not None:
            self._publish_loop = PublishLoop(
                self._publish_interval_seconds, self._min_publish_interval, self.flush
            )

    async def flush(self) -> None:
        """Publishes what has changed, and waits for the receipts. Never raises."""
        if self.publisher is not None:
            await publish(self.publisher, self._due())

    async def stop(self, timeout: float = 2.0) -> None:
        """Publishes all metrics once more, and stops. After `timeout` seconds events
        without a receipt are left to the client.
        """
        rounds, self._publish_loop = self._publish_loop, None
        if rounds is not None:
            await rounds.stop()
        self._published.clear()  # a cancelled round may have published only some
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self.flush()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    # Export.

    def opentelemetry(self, meter: "Meter | None" = None) -> None:
        """Exports the metrics as OpenTelemetry instruments, of a meter called `herald`
        unless one is given.
        """
        from herald.metrics import _opentelemetry

        _opentelemetry.export(self, meter)

    def prometheus_collector(self) -> "Collector":
        """Returns a collector for `prometheus_client.REGISTRY.register(…)`."""
        from herald.metrics import _prometheus

        return _prometheus.NodeCollector(self)

    def instruments(self) -> list[Instrument]:
        """Returns the existing instruments."""
        # A copy, which CPython makes in one step: another thread may add one meanwhile.
        return list(self._instruments.copy().values())

    def add_listener(self, listener: Callable[[Instrument], None]) -> None:
        """Calls the listener with each instrument, including those created later."""
        with self._lock:
            self._listeners.append(listener)
            known = list(self._instruments.values())
        for instrument in known:
            listener(instrument)

    def observe_durations(
        self, observe: Callable[[str], Callable[[float], object]]
    ) -> None:
        """Calls `observe(operation)(seconds)` for each run from now on, for an exporter
        that needs each value.
        """
        with self._lock:
            self._observe = observe
            for name, operation in self._operations.items():
                operation.observe = observe(name)

    def process_and_client(self) -> list[Reading]:
        """Returns the current values of the process and of the Kafka client."""
        process = self._process.readings() if self._process else ()
        return [*process, *client_readings(self._kafka_client())]

    def _kafka_client(self) -> object | None:
        return self._client or getattr(self.publisher, "kafka_client", None)

    def _known(self) -> list[OperationMetrics]:
        return list(self._operations.copy().values())

    def _operation(self, name: str) -> OperationMetrics:
        found = self._operations.get(name)
        return self._new_operation(name) if found is None else found

    def _new_operation(self, name: str) -> OperationMetrics:
        with self._lock:
            # Operation names may come from requests and must not exhaust memory.
            if len(self._operations) >= MAX_OPERATIONS:
                name = OVERFLOW_OPERATION
            found = self._operations.get(name)
            if found is None:
                found = OperationMetrics(name, self.window, self._clock)
                if self._observe is not None:
                    found.observe = self._observe(name)
                self._operations[name] = found
            return found

    def _instrument(
        self, kind: type[I], name: str, unit: str, make: Callable[[], I]
    ) -> I:
        with self._lock:
            known = self._instruments.get(name)
            if known is None:
                made = self._instruments[name] = make()
                listeners = list(self._listeners)
            elif isinstance(known, kind) and known.unit == unit:
                return known
            else:
                raise ValueError(
                    f"metric {name!r} is already a {known.kind} in {known.unit!r}; "
                    f"the {kind.kind} in {unit!r} needs another name"
                )
        for listener in listeners:
            listener(made)
        return made

    def _business(self) -> Iterator[Reading]:
        for instrument in self.instruments():
            yield from read(instrument)

    def _ended(self) -> None:
        # Without a lock: `next` of a `count` is one step in CPython.
        if not next(self._ended_runs) % self._publish_interval_ops:
            rounds = self._publish_loop
            if rounds is not None:
                rounds.wake()

    def _due(self) -> Iterable[Reading]:
        """Returns the readings to publish; unchanged operations are left out."""
        now = self.snapshot()
        for name, operation in now.operations.items():
            state = operation.count, operation.in_flight
            if self._published.get(name) != state:
                self._published[name] = state
                yield from readings_of(operation, self.window)
        yield from now.resources
        if self._cpu is not None and (share := self._cpu.reading()) is not None:
            yield share
        yield from now.business


def read(instrument: Instrument) -> list[Reading]:
    """Returns the readings of an instrument; none if its function fails."""
    try:
        return instrument.readings()
    except Exception as error:
        log.warning("metric %s was not read: %s", instrument.name, reason_of(error))
        return []
