"""Metrics of a running node: counts, latencies and errors of its operations. Recording
costs about a microsecond; publishing happens in the background.
"""

from herald.metrics._instruments import Counter, Distribution, Gauge
from herald.metrics._measured import measured_method
from herald.metrics._node import NodeMetrics
from herald.metrics._publisher import MetricPublisher
from herald.metrics._snapshot import (
    DURATION_BOUNDS,
    LastError,
    OperationSnapshot,
    Percentiles,
    Reading,
    Snapshot,
)
from herald.metrics._track import Track

__all__ = [
    "DURATION_BOUNDS",
    "Counter",
    "Distribution",
    "Gauge",
    "LastError",
    "MetricPublisher",
    "NodeMetrics",
    "OperationSnapshot",
    "Percentiles",
    "Reading",
    "Snapshot",
    "Track",
    "measured_method",
]
