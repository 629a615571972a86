"""Where a service is in its life."""

from enum import StrEnum


class State(StrEnum):
    """Where a service is in its life."""

    CREATED = "created"
    STARTING = "starting"
    READY = "ready"
    DEGRADED = "degraded"
    """It works, but a check fails that it can do without."""
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


WORKING = frozenset({State.READY, State.DEGRADED})
ENDED = frozenset({State.STOPPED, State.FAILED})
