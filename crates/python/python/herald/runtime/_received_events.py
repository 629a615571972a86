"""Received lifecycle, state and metric events."""

from typing import Final

from herald.runtime._payloads import (
    MetricRecorded,
    OperationCompleted,
    OperationFailed,
    OperationStarted,
    StateChanged,
)
from herald.runtime._received import ReceivedEvent

LIFECYCLE_PAYLOADS: Final = (
    OperationStarted,
    OperationCompleted,
    OperationFailed,
    StateChanged,
    MetricRecorded,
)


class OperationStartedEvent(ReceivedEvent[OperationStarted]):
    """Received event that an operation started."""

    __slots__ = ()


class OperationCompletedEvent(ReceivedEvent[OperationCompleted]):
    """Received event that an operation completed."""

    __slots__ = ()


class OperationFailedEvent(ReceivedEvent[OperationFailed]):
    """Received event that an operation failed."""

    __slots__ = ()


class StateChangedEvent(ReceivedEvent[StateChanged]):
    """Received event that the state of a node changed."""

    __slots__ = ()


class MetricRecordedEvent(ReceivedEvent[MetricRecorded]):
    """Received metric event."""

    __slots__ = ()
