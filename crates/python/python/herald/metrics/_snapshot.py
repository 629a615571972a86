"""Snapshots of metrics."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

DURATION_BOUNDS: Final = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1),
    *(0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)
"""Upper bounds of the exported histogram of durations, in seconds."""


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Percentiles of the values of the window, to within 1 %."""

    p50: float
    p90: float
    p95: float
    p99: float
    maximum: float
    """Exact maximum."""
    count: int
    """Number of values."""


@dataclass(frozen=True, slots=True)
class LastError:
    """Last error of an operation."""

    type: str
    text: str
    """Redacted text."""
    at: datetime


@dataclass(frozen=True, slots=True)
class OperationSnapshot:
    """Metrics of an operation since the start of the node."""

    operation: str
    count: int
    """Runs that ended, with any result."""
    errors: int
    cancelled: int
    in_flight: int
    seconds: float
    """Total time of all runs."""
    last_error: LastError | None
    latency: Percentiles | None
    """Latency in seconds, of the window; `None` if no run ended in it."""
    buckets: tuple[int, ...] = ()
    """Number of runs up to each of `DURATION_BOUNDS`, since the start of the node."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One published value."""

    name: str
    value: float
    unit: str
    kind: Literal["counter", "gauge"]
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All metrics of a node."""

    operations: Mapping[str, OperationSnapshot]
    resources: tuple[Reading, ...]
    business: tuple[Reading, ...]
    client: tuple[Reading, ...] = ()
    """Statistics of the Kafka client and its spool."""
