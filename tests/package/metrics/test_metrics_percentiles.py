"""Percentiles are right to 1 %, of the window only, in memory that does not grow."""

from __future__ import annotations

import math
import sys
import tracemalloc
from itertools import pairwise

import pytest
from herald.metrics import NodeMetrics, Percentiles
from herald.metrics._buckets import BUCKETS, MAX_VALUE, bucket_of, midpoint_of
from hypothesis import given
from hypothesis import strategies as st

from publishers import Clock


def latency(metrics: NodeMetrics, operation: str = "place") -> Percentiles:
    found = metrics.snapshot().operations[operation].latency
    assert found is not None
    return found


@given(st.integers(0, MAX_VALUE))
def test_bucket_midpoints_are_within_one_percent(value: int) -> None:
    bucket = bucket_of(value)
    assert 0 <= bucket < BUCKETS
    assert abs(midpoint_of(bucket) - value) <= value * 0.008


def test_buckets_are_contiguous() -> None:
    edges = [1 << bits for bits in range(43)]
    around = sorted({edge + by for edge in edges for by in (-1, 0, 1)})
    buckets = [bucket_of(value) for value in around]
    assert buckets == sorted(buckets)
    assert bucket_of(MAX_VALUE) == BUCKETS - 1
    assert all(midpoint_of(a) < midpoint_of(b) for a, b in pairwise(range(BUCKETS)))


@given(st.lists(st.floats(1e-6, 3600.0), min_size=1, max_size=300))
def test_percentiles_match_sorted_values(values: list[float]) -> None:
    metrics = NodeMetrics(resources=False, clock=Clock())
    for value in values:
        metrics.record("place", value)
    found, ranked = latency(metrics), sorted(values)
    for quantile, name in ((0.5, "p50"), (0.9, "p90"), (0.95, "p95"), (0.99, "p99")):
        exact = ranked[math.ceil(quantile * len(ranked)) - 1]
        assert getattr(found, name) == pytest.approx(exact, rel=0.01)
    assert found.maximum == pytest.approx(ranked[-1], abs=1e-9)
    assert found.count == len(values)


def test_values_older_than_the_window_are_dropped() -> None:
    clock = Clock()
    metrics = NodeMetrics(window=60.0, resources=False, clock=clock)
    metrics.record("place", 5.0)
    clock.now += 45
    metrics.record("place", 0.001)
    assert latency(metrics).maximum == pytest.approx(5.0)
    clock.now += 20
    assert latency(metrics).maximum == pytest.approx(0.001)
    clock.now += 1000
    operation = metrics.snapshot().operations["place"]
    assert operation.latency is None
    assert operation.count == 2


def test_the_maximum_is_exact_beyond_all_buckets() -> None:
    metrics = NodeMetrics(resources=False)
    metrics.record("place", 86_400.0)
    metrics.record("place", -1.0)
    assert latency(metrics).maximum == 86_400.0


def test_memory_does_not_grow_with_the_number_of_operations() -> None:
    metrics = NodeMetrics(resources=False)
    lookup = [10 ** (exponent / 10) * 1e-6 for exponent in range(70)]

    def work(times: int) -> None:
        for number in range(times):
            metrics.record("place", lookup[number % 70])

    work(1_000)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        work(20_000)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Numbers that became larger, and nothing for each of them.
    assert after - before < 2_000


def test_the_number_of_operations_is_limited() -> None:
    metrics = NodeMetrics(resources=False)
    for number in range(2_000):
        metrics.record(f"GET /orders/{number}", 0.1)
    operations = metrics.snapshot().operations
    assert len(operations) <= 501
    assert sum(operation.count for operation in operations.values()) == 2_000
    assert operations["other"].count > 1_000
    assert sys.getsizeof(operations) < 50_000
