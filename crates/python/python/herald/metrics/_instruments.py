"""What a service measures beside its operations: counters, gauges, distributions."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from math import isfinite
from threading import RLock
from typing import ClassVar, Literal, SupportsFloat

from herald.metrics._snapshot import Percentiles, Reading
from herald.metrics._window import Window, percentiles


class Instrument(ABC):
    """Something that is measured, with a name and a unit."""

    kind: ClassVar[str]

    def __init__(self, name: str, unit: str) -> None:
        self.name = name
        self.unit = unit
        self._lock = RLock()

    @abstractmethod
    def readings(self) -> list[Reading]:
        """The figures of now; none if there are none yet."""

    def _reading(
        self, value: float, kind: Literal["counter", "gauge"], suffix: str = ""
    ) -> Reading:
        return Reading(self.name + suffix, value, self.unit, kind)


class Counter(Instrument):
    """A sum that only grows, such as orders placed."""

    kind = "counter"
    _sum = 0.0

    def add(self, amount: SupportsFloat = 1) -> None:
        """Adds to it. What is negative or no number is left out: a figure is never a
        reason for an operation to fail.
        """
        value = float(amount)
        if isfinite(value) and value > 0:
            with self._lock:
                self._sum += value

    def readings(self) -> list[Reading]:
        return [self._reading(self._sum, "counter")]


class Gauge(Instrument):
    """A value that goes up and down, such as items in stock: set, or read from a
    function when it is due.
    """

    kind = "gauge"
    _value: float | None = None

    def __init__(
        self, name: str, unit: str, read: Callable[[], SupportsFloat] | None = None
    ) -> None:
        super().__init__(name, unit)
        self._read = read

    def set(self, value: SupportsFloat) -> None:
        """Sets it. What is no finite number is left out."""
        number = float(value)
        if isfinite(number):
            self._value = number

    def add(self, amount: SupportsFloat) -> None:
        """Changes it by so much; it begins at 0."""
        with self._lock:
            self.set((self._value or 0.0) + float(amount))

    def readings(self) -> list[Reading]:
        if self._read is not None:
            self.set(self._read())
        return [] if self._value is None else [self._reading(self._value, "gauge")]


class Distribution(Instrument):
    """Values of which the percentiles count, such as sums of orders; from 0.

    Args:
        name: What it is called.
        unit: Unit of the values.
        resolution: Values are told apart to this, or to 1 %.
        window: How many seconds it looks back.
        clock: Seconds.
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
        self._window = Window(window, clock)
        self.count = 0
        self.sum = 0.0

    def record(self, value: SupportsFloat) -> None:
        """Counts a value. What is negative or no number is left out."""
        number = float(value)
        if isfinite(number) and number >= 0:
            with self._lock:
                self.count += 1
                self.sum += number
                self._window.record(round(number / self.resolution))

    def percentiles(self) -> Percentiles | None:
        """Of the window; `None` if it is empty."""
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
