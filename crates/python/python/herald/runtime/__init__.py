"""Runtime of generated modules: publishers, operations, states, and received events. It
needs only the standard library.
"""

from herald.runtime._client import EventClient
from herald.runtime._context import (
    Correlation,
    correlation,
    correlation_from,
    current,
    in_context,
)
from herald.runtime._declared import DeclaredEvent, OpenEvent
from herald.runtime._enums import NumberEnum, OneOf, TextEnum
from herald.runtime._errors import HeraldError, PayloadError, PublishError
from herald.runtime._json import json_value, text_of
from herald.runtime._limits import Limits, UniqueItems
from herald.runtime._log import LogLevel, emit_log_event
from herald.runtime._logged_method import logged_method
from herald.runtime._metric import MetricEvent
from herald.runtime._models import EventDataclass, ModelError, from_json
from herald.runtime._operation import (
    InputOperation,
    Operation,
    ResultOperation,
    TypedOperation,
)
from herald.runtime._parse import event_classes, parse_message
from herald.runtime._payloads import (
    MetricRecorded,
    OperationCompleted,
    OperationFailed,
    OperationStarted,
    StateChanged,
)
from herald.runtime._privacy import PublicFields
from herald.runtime._private import Private
from herald.runtime._publish_method import PublishMethod, SyncPublishMethod
from herald.runtime._publisher import EventPublisher
from herald.runtime._reader import EnvelopeError
from herald.runtime._received import ReceivedEvent, UnknownEvent
from herald.runtime._received_events import (
    MetricRecordedEvent,
    OperationCompletedEvent,
    OperationFailedEvent,
    OperationStartedEvent,
    StateChangedEvent,
)
from herald.runtime._run import Run
from herald.runtime._secrets import reason_of, redact_secrets
from herald.runtime._source import EventSource
from herald.runtime._states import StateEvent, StateMachine, States, TransitionError
from herald.runtime._wire import (
    Base64,
    Date,
    DateTime,
    DecimalText,
    Duration,
    Integer,
    Uuid,
    read_duration,
)

__all__ = [
    "Base64",
    "Correlation",
    "Date",
    "DateTime",
    "DecimalText",
    "DeclaredEvent",
    "Duration",
    "EnvelopeError",
    "EventClient",
    "EventDataclass",
    "EventPublisher",
    "EventSource",
    "HeraldError",
    "InputOperation",
    "Integer",
    "Limits",
    "LogLevel",
    "MetricEvent",
    "MetricRecorded",
    "MetricRecordedEvent",
    "ModelError",
    "NumberEnum",
    "OneOf",
    "OpenEvent",
    "Operation",
    "OperationCompleted",
    "OperationCompletedEvent",
    "OperationFailed",
    "OperationFailedEvent",
    "OperationStarted",
    "OperationStartedEvent",
    "PayloadError",
    "Private",
    "PublicFields",
    "PublishError",
    "PublishMethod",
    "ReceivedEvent",
    "ResultOperation",
    "Run",
    "StateChanged",
    "StateChangedEvent",
    "StateEvent",
    "StateMachine",
    "States",
    "SyncPublishMethod",
    "TextEnum",
    "TransitionError",
    "TypedOperation",
    "UniqueItems",
    "UnknownEvent",
    "Uuid",
    "correlation",
    "correlation_from",
    "current",
    "emit_log_event",
    "event_classes",
    "from_json",
    "in_context",
    "json_value",
    "logged_method",
    "parse_message",
    "read_duration",
    "reason_of",
    "redact_secrets",
    "text_of",
]
