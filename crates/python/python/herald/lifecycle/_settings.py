"""How long things may take."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds that things may take, and the pauses between them."""

    start: float
    drain: float
    publish: float
    close: float
    health_every: float
    heartbeat_every: float | None
