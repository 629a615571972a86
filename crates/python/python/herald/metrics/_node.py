"""All figures of one node."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import count
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING, Any, Self, SupportsFloat, TypeVar

from herald.metrics._instruments import Counter, Distribution, Gauge, Instrument
from herald.metrics._measured import measured
from herald.metrics._operation import OperationMetrics
from herald.metrics._process import CpuShare, Process
from herald.metrics._publishing import MetricPublisher, Rounds, publish
from herald.metrics._readings import readings_of
from herald.metrics._snapshot import Reading, Snapshot
from herald.metrics._track import Track
from herald.runtime import reason_of

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter
    from prometheus_client.registry import Collector

log = logging.getLogger("herald.metrics")

F = TypeVar("F", bound=Callable[..., Any])
I = TypeVar("I", bound=Instrument)  # noqa: E741

MOST_OPERATIONS = 500
OTHERS = "other"


class NodeMetrics:
    """Counts and times what a node does, and publishes it as `metric.recorded`.

    Recording is for any thread, takes memory that does not grow, and neither waits nor
    fails. Publishing happens in a task of its own between `start` and `stop`.

    Args:
        publisher: Whose events they are; without one nothing is published.
        every_operations: A round of publishing is due after so many operations,
        every_seconds: and after so much time.
        at_most_every: Seconds between two rounds at least, however busy the node is.
        window: How many seconds the percentiles look back.
        resources: Whether memory, processor and open files are figures too.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        publisher: MetricPublisher | None = None,
        *,
        every_operations: int = 100,
        every_seconds: float = 60.0,
        at_most_every: float = 1.0,
        window: float = 60.0,
        resources: bool = True,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        for name, value in (
            ("every_operations", every_operations),
            ("every_seconds", every_seconds),
            ("window", window),
        ):
            if not value > 0:
                raise ValueError(f"{name} must be more than 0, not {value}")
        self.publisher = publisher
        self.window = window
        self._every_operations = every_operations
        self._every_seconds = every_seconds
        self._at_most_every = at_most_every
        self._clock = clock
        self._lock = Lock()
        self._operations: dict[str, OperationMetrics] = {}
        self._instruments: dict[str, Instrument] = {}
        self._watchers: list[Callable[[Instrument], None]] = []
        self._process = Process() if resources else None
        self._cpu = CpuShare() if resources else None
        self._ended_runs = count(1)
        self._published: dict[str, tuple[int, int]] = {}
        self._rounds: Rounds | None = None

    # What is measured.

    def track(self, operation: str) -> Track:
        """A scope that is one run of an operation, for `with`: it fails with the
        exception that leaves it.
        """
        return Track(self._operation(operation), self._ended)

    def measured(self, operation: str) -> Callable[[F], F]:
        """Decorates what is one run of an operation each time: functions, coroutine
        functions, generators of both kinds.
        """
        return lambda function: measured(function, lambda _: self.track(operation))

    def record(
        self, operation: str, seconds: float, error: BaseException | None = None
    ) -> None:
        """Counts a run that something else has timed."""
        self._operation(operation).end(seconds, error, 0)
        self._ended()

    def counter(self, name: str, *, unit: str) -> Counter:
        """The sum of that name; it is made when it is first asked for."""
        return self._instrument(Counter, name, unit, lambda: Counter(name, unit))

    def gauge(
        self,
        name: str,
        *,
        unit: str,
        read: Callable[[], SupportsFloat] | None = None,
    ) -> Gauge:
        """The value of that name; `read` gives it when it is due, such as
        `queue.qsize`.
        """
        return self._instrument(Gauge, name, unit, lambda: Gauge(name, unit, read))

    def distribution(
        self, name: str, *, unit: str, resolution: float = 0.001
    ) -> Distribution:
        """The distribution of that name, of values from 0 that are told apart to
        `resolution` or 1 %.
        """
        return self._instrument(
            Distribution,
            name,
            unit,
            lambda: Distribution(name, unit, resolution, self.window, self._clock),
        )

    @property
    def in_flight(self) -> int:
        """Runs of all operations that have begun and not ended."""
        return sum(operation.in_flight for operation in self._known())

    def snapshot(self) -> Snapshot:
        """All figures of now."""
        redactions = getattr(self.publisher, "redactions", ())
        operations = [each.snapshot(redactions) for each in self._known()]
        return Snapshot(
            {operation.operation: operation for operation in operations},
            tuple(self._process.readings()) if self._process else (),
            tuple(self._business()),
        )

    # What is published.

    async def start(self) -> None:
        """Publishes from now on, in a task of the running loop."""
        if self._rounds is None and self.publisher is not None:
            self._rounds = Rounds(self._every_seconds, self._at_most_every, self.flush)

    async def flush(self) -> None:
        """Publishes what has changed, and waits for the receipts. Raises nothing."""
        if self.publisher is not None:
            await publish(self.publisher, self._due())

    async def stop(self, timeout: float = 2.0) -> None:
        """Publishes all figures once more, and ends. After `timeout` seconds those that
        wait for a receipt are left to the client.
        """
        rounds, self._rounds = self._rounds, None
        if rounds is not None:
            await rounds.stop()
        self._published.clear()  # of a round that was cut, nobody knows
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self.flush()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    # What others show.

    def opentelemetry(self, meter: "Meter | None" = None) -> None:
        """Shows the same figures as instruments of OpenTelemetry, of a meter called
        `herald` unless one is given.
        """
        from herald.metrics import _opentelemetry

        _opentelemetry.show(self, meter)

    def prometheus_collector(self) -> "Collector":
        """The same for Prometheus: `prometheus_client.REGISTRY.register(…)`."""
        from herald.metrics import _prometheus

        return _prometheus.NodeCollector(self)

    def instruments(self) -> list[Instrument]:
        """Those that there are."""
        return list(self._instruments.copy().values())

    def watch(self, watcher: Callable[[Instrument], None]) -> None:
        """Tells of each instrument, also of those that are made later."""
        with self._lock:
            self._watchers.append(watcher)
            known = list(self._instruments.values())
        for instrument in known:
            watcher(instrument)

    def _known(self) -> list[OperationMetrics]:
        return list(self._operations.copy().values())

    def _operation(self, name: str) -> OperationMetrics:
        found = self._operations.get(name)
        return self._new_operation(name) if found is None else found

    def _new_operation(self, name: str) -> OperationMetrics:
        with self._lock:
            # Names that come from outside must not fill the memory.
            if len(self._operations) >= MOST_OPERATIONS:
                name = OTHERS
            found = self._operations.get(name)
            if found is None:
                found = OperationMetrics(name, self.window, self._clock)
                self._operations[name] = found
            return found

    def _instrument(
        self, kind: type[I], name: str, unit: str, make: Callable[[], I]
    ) -> I:
        with self._lock:
            known = self._instruments.get(name)
            if known is None:
                made = self._instruments[name] = make()
                watchers = list(self._watchers)
            elif isinstance(known, kind) and known.unit == unit:
                return known
            else:
                raise ValueError(
                    f"metric {name!r} is a {known.kind} in {known.unit!r} already: "
                    f"give the {kind.kind} in {unit!r} another name"
                )
        for watcher in watchers:
            watcher(made)
        return made

    def _business(self) -> Iterator[Reading]:
        for instrument in self.instruments():
            yield from read(instrument)

    def _ended(self) -> None:
        if not next(self._ended_runs) % self._every_operations:
            rounds = self._rounds
            if rounds is not None:
                rounds.wake()

    def _due(self) -> Iterable[Reading]:
        """Figures for a round: of operations those that something happened to."""
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
    """The readings of an instrument; none if its function fails."""
    try:
        return instrument.readings()
    except Exception as error:
        log.warning("metric %s was not read: %s", instrument.name, reason_of(error))
        return []
