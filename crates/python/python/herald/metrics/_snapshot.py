"""Figures as they are at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Percentiles:
    """How the values of the window are distributed, to within 1 %."""

    p50: float
    p90: float
    p95: float
    p99: float
    maximum: float
    """The largest, exactly."""
    count: int
    """How many values these are."""


@dataclass(frozen=True, slots=True)
class LastError:
    """What went wrong last."""

    type: str
    text: str
    """Without secrets."""
    at: datetime


@dataclass(frozen=True, slots=True)
class OperationSnapshot:
    """Figures of an operation since the start of the node."""

    operation: str
    count: int
    """Runs that ended, however they did."""
    errors: int
    cancelled: int
    in_flight: int
    seconds: float
    """Time of all runs together."""
    last_error: LastError | None
    latency: Percentiles | None
    """In seconds, of the window; `None` if nothing ended in it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One figure, as it is published."""

    name: str
    value: float
    unit: str
    kind: Literal["counter", "gauge"]
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All figures of a node."""

    operations: Mapping[str, OperationSnapshot]
    resources: tuple[Reading, ...]
    business: tuple[Reading, ...]
