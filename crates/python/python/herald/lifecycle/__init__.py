"""Lifecycle of a service: ordered start, health checks, and a shutdown that loses no
work in progress.
"""

from herald.lifecycle._admission import Admission
from herald.lifecycle._checks import Health, Outcome
from herald.lifecycle._errors import LifecycleError, NotAccepting, StartError
from herald.lifecycle._kafka import spool_check
from herald.lifecycle._lifecycle import Lifecycle
from herald.lifecycle._report import StopReport
from herald.lifecycle._state import State
from herald.lifecycle._supervisor import Restart

__all__ = [
    "Admission",
    "Health",
    "Lifecycle",
    "LifecycleError",
    "NotAccepting",
    "Outcome",
    "Restart",
    "StartError",
    "State",
    "StopReport",
    "spool_check",
]
