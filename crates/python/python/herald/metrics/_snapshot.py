"""Snapshots of metrics."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal


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
