"""Histograms in constant memory: of a sliding window, and of all time."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from math import ceil

from herald.metrics._buckets import BUCKETS, MAX_VALUE, bucket_of, midpoint_of
from herald.metrics._snapshot import Percentiles

SLICES = 6
QUANTILES = (0.50, 0.90, 0.95, 0.99)


class _Slice:
    """Slice of the window."""

    __slots__ = ("buckets", "count", "high", "low", "maximum")

    def __init__(self) -> None:
        self.buckets = array("I", [0]) * BUCKETS
        self.low, self.high = BUCKETS, -1  # range of non-empty buckets
        self.count = self.maximum = 0

    def clear(self) -> None:
        for bucket in range(self.low, self.high + 1):
            self.buckets[bucket] = 0
        self.low, self.high = BUCKETS, -1
        self.count = self.maximum = 0


class Window:
    """Histogram of the values of about the last `seconds`: the oldest sixth is dropped
    at a time, and added to the histogram of all time.

    Values are integers from 0. Not thread-safe: the owner holds a lock.
    """

    __slots__ = (
        "_clock",
        "_current",
        "_dropped",
        "_next_rotation",
        "_slice_seconds",
        "_slices",
    )

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._slice_seconds = seconds / SLICES
        self._slices = [_Slice() for _ in range(SLICES)]
        self._current = self._slices[-1]
        self._dropped = array("Q", [0]) * BUCKETS
        self._next_rotation = clock() + self._slice_seconds

    def record(self, value: int) -> None:
        """Records a value."""
        if self._clock() >= self._next_rotation:
            self._rotate()
        if value < 0:
            value = 0
        current = self._current
        if value > current.maximum:
            current.maximum = value
        bucket = bucket_of(value if value < MAX_VALUE else MAX_VALUE)
        current.buckets[bucket] += 1
        current.count += 1
        if bucket < current.low:
            current.low = bucket
        if bucket > current.high:
            current.high = bucket

    def parts(self) -> list[tuple[int, array[int], int, int]]:
        """Returns a copy of the histogram for `percentiles`. To be called with the lock
        held.
        """
        if self._clock() >= self._next_rotation:
            self._rotate()
        return [
            (part.low, part.buckets[part.low : part.high + 1], part.count, part.maximum)
            for part in self._slices
            if part.count
        ]

    def totals(self) -> array[int]:
        """Returns a copy of the histogram of all time. To be called with the lock
        held.
        """
        totals = array("Q", self._dropped)
        for part in self._slices:
            for bucket in range(part.low, part.high + 1):
                totals[bucket] += part.buckets[bucket]
        return totals

    def _rotate(self) -> None:
        """Drops the slices that are too old."""
        passed = int((self._clock() - self._next_rotation) / self._slice_seconds) + 1
        self._next_rotation += passed * self._slice_seconds
        for _ in range(min(passed, SLICES)):
            oldest = self._slices.pop(0)
            for bucket in range(oldest.low, oldest.high + 1):
                self._dropped[bucket] += oldest.buckets[bucket]
            oldest.clear()
            self._slices.append(oldest)
        self._current = self._slices[-1]


def percentiles(
    parts: list[tuple[int, array[int], int, int]], scale: float
) -> Percentiles | None:
    """Returns the percentiles of a histogram; `None` if it is empty.

    Args:
        parts: Result of `Window.parts`.
        scale: Factor from values to the unit of the result.
    """
    if not parts:
        return None
    first = min(low for low, *_ in parts)
    sums = [0] * (max(low + len(buckets) for low, buckets, *_ in parts) - first)
    for low, buckets, *_ in parts:
        for bucket, count in enumerate(buckets, low - first):
            sums[bucket] += count
    count = sum(count for *_, count, _ in parts)
    maximum = max(maximum for *_, maximum in parts)
    found: list[float] = []
    bucket, seen = -1, 0
    for quantile in QUANTILES:
        rank = ceil(quantile * count)
        while seen < rank:
            bucket += 1
            seen += sums[bucket]
        found.append(min(midpoint_of(first + bucket), maximum) * scale)
    p50, p90, p95, p99 = found
    return Percentiles(p50, p90, p95, p99, maximum * scale, count)


def cumulative(
    totals: array[int], bounds: tuple[float, ...], scale: float
) -> tuple[int, ...]:
    """Returns the number of values up to each bound, to within 1 % of the bound.

    Args:
        totals: Result of `Window.totals`.
        bounds: Upper bounds in ascending order.
        scale: Factor from values to the unit of the bounds.
    """
    counts: list[int] = []
    bucket = count = 0
    for bound in bounds:
        limit = bound / scale
        while bucket < BUCKETS and midpoint_of(bucket) <= limit:
            count += totals[bucket]
            bucket += 1
        counts.append(count)
    return tuple(counts)
