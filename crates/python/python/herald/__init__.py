"""Contract-first event publishing for Kafka."""

from herald._herald import (
    BrokerStats,
    PendingReceipt,
    Receipt,
    SpoolStatus,
    Stats,
    __version__,
    to_json,
)
from herald.client import KafkaClient
from herald.contracts import Catalog, check, load, load_text
from herald.diagnostics import ContractError, Diagnostic
from herald.errors import HeraldError, PayloadError, PublishError, SettingsError
from herald.events import Event
from herald.nodes import EventDefinition, Field, Node, Operation
from herald.output import GeneratedFile, Target, generate, targets
from herald.redaction import redact
from herald.sync import SyncKafkaClient

__all__ = [
    "BrokerStats",
    "Catalog",
    "ContractError",
    "Diagnostic",
    "Event",
    "EventDefinition",
    "Field",
    "GeneratedFile",
    "HeraldError",
    "KafkaClient",
    "Node",
    "Operation",
    "PayloadError",
    "PendingReceipt",
    "PublishError",
    "Receipt",
    "SettingsError",
    "SpoolStatus",
    "Stats",
    "SyncKafkaClient",
    "Target",
    "__version__",
    "check",
    "generate",
    "load",
    "load_text",
    "redact",
    "targets",
    "to_json",
]
