"""Timeouts and intervals of a service."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Timeouts and intervals, in seconds."""

    start: float
    drain: float
    publish: float
    close: float
    health_interval: float
    heartbeat_interval: float | None
