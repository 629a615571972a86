"""The life of a service: it starts in order, says how it is, and stops without losing
what it has begun.
"""

from herald.lifecycle._checks import Health, Outcome
from herald.lifecycle._errors import LifecycleError, NotAccepting, StartError
from herald.lifecycle._gate import Admission
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
]
