"""Recording publisher of metrics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID


@dataclass
class Published:
    """Metrics by name, the last of each, and how often there were any."""

    values: dict[str, float] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    about: dict[str, dict[str, Any]] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)
    refuses: bool = False

    async def _publish_metric_recorded_event(
        self,
        metric_name: str,
        metric_value: float,
        metric_unit: str,
        correlation_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        if self.refuses:
            raise ConnectionError("password=hunter2")
        self.values[metric_name] = metric_value
        self.units[metric_name] = metric_unit
        self.about[metric_name] = metadata or {}
        self.times[metric_name] = self.times.get(metric_name, 0) + 1


class Clock:
    """Time that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
