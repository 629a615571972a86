"""Business metrics: counters, gauges and distributions."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from math import isfinite
from threading import RLock
from typing import ClassVar, Literal, SupportsFloat

from herald.metrics._snapshot import Percentiles, Reading
from herald.metrics._window import Window, cumulative, percentiles


class Instrument(ABC):
    """Metric with a name and a unit."""

    kind: ClassVar[str]

    def __init__(self, name: str, unit: str) -> None:
        self.name = name
        self.unit = unit
        self._lock = RLock()

    @abstractmethod
    def readings(self) -> list[Reading]:
        """Returns the current values; empty if there are none yet."""

    def _reading(
        self, value: float, kind: Literal["counter", "gauge"], suffix: str = ""
    ) -> Reading:
        return Reading(self.name + suffix, value, self.unit, kind)


class Counter(Instrument):
    """Sum that only increases, such as orders placed."""

    kind = "counter"
    _sum = 0.0

    def add(self, amount: SupportsFloat = 1) -> None:
        """Adds to the sum. Negative and non-finite amounts are ignored: a metric never
        fails an operation.
        """
        value = float(amount)
        if isfinite(value) and value > 0:
            with self._lock:
                self._sum += value

    def readings(self) -> list[Reading]:
        return [self._reading(self._sum, "counter")]


class Gauge(Instrument):
    """Value that goes up and down, such as items in stock: set, or read from a function
    when it is published or exported.
    """

    kind = "gauge"
    _value: float | None = None

    def __init__(
        self, name: str, unit: str, read: Callable[[], SupportsFloat] | None = None
    ) -> None:
        super().__init__(name, unit)
        self._read = read

    def set(self, value: SupportsFloat) -> None:
        """Sets the value. Non-finite values are ignored."""
        number = float(value)
        if isfinite(number):
            self._value = number

    def add(self, amount: SupportsFloat) -> None:
        """Changes the value, which starts at 0."""
        with self._lock:
            self.set((self._value or 0.0) + float(amount))

    def readings(self) -> list[Reading]:
        if self._read is not None:
            self.set(self._read())
        return [] if self._value is None else [self._reading(self._value, "gauge")]


class Distribution(Instrument):
    """Distribution of values from 0, such as order totals, with percentiles.

    Args:
        name: Name.
        unit: Unit of the values.
        resolution: Smallest difference between values, unless 1 % is larger.
        window: Length of the window, in seconds.
        clock: Monotonic clock, in seconds.
    """

    kind = "distribution"

    def __init__(
        self,
        name: str,
        unit: str,
        resolution: float,
        window: float,
        clock: Callable[[], float],
    ) -> None:
        super().__init__(name, unit)
        self.resolution = resolution
        self.bounds = tuple(
            float(f"{resolution * factor * 10.0**power:.9g}")
            for power in range(1, 8)
            for factor in (1.0, 2.5, 5.0)
        )
        """Upper bounds of the exported histogram, over seven decades."""
        self.observe: Callable[[float], object] | None = None
        """Called with each value, by an exporter that needs each value."""
        self._window = Window(window, clock)
        self.count = 0
        self.sum = 0.0

    def record(self, value: SupportsFloat) -> None:
        """Records a value. Negative and non-finite values are ignored."""
        number = float(value)
        if isfinite(number) and number >= 0:
            with self._lock:
                self.count += 1
                self.sum += number
                self._window.record(round(number / self.resolution))
            if self.observe is not None:
                with suppress(Exception):  # a metric never fails an operation
                    self.observe(number)

    def buckets(self) -> tuple[int, ...]:
        """Returns the number of values up to each of `bounds`."""
        with self._lock:
            totals = self._window.totals()
        return cumulative(totals, self.bounds, self.resolution)

    def percentiles(self) -> Percentiles | None:
        """Returns the percentiles of the window; `None` if it is empty."""
        with self._lock:
            parts = self._window.parts()
        return percentiles(parts, self.resolution)

    def readings(self) -> list[Reading]:
        counted = Reading(f"{self.name}.count", self.count, "count", "counter")
        found = self.percentiles()
        if found is None:
            return [counted]
        return [
            counted,
            *(
                self._reading(getattr(found, name), "gauge", f".{suffix}")
                for name, suffix in SUFFIXES
            ),
        ]


SUFFIXES = (
    ("p50", "p50"),
    ("p90", "p90"),
    ("p95", "p95"),
    ("p99", "p99"),
    ("maximum", "max"),
)
