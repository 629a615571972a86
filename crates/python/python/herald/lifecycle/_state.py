"""States of a service."""

from enum import StrEnum


class State(StrEnum):
    """States of a service."""

    CREATED = "created"
    STARTING = "starting"
    READY = "ready"
    DEGRADED = "degraded"
    """Running, with a failing check that is not critical."""
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


RUNNING = frozenset({State.READY, State.DEGRADED})
ENDED = frozenset({State.STOPPED, State.FAILED})
