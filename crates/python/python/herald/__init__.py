"""Contract-first event publishing for Kafka."""

from herald._herald import (
    PendingReceipt,
    Receipt,
    SpoolStatus,
    Stats,
    __version__,
    to_json,
)
from herald.client import KafkaClient
from herald.errors import HeraldError, PayloadError, PublishError, SettingsError
from herald.events import Event
from herald.sync import SyncKafkaClient

__all__ = [
    "Event",
    "HeraldError",
    "KafkaClient",
    "PayloadError",
    "PendingReceipt",
    "PublishError",
    "Receipt",
    "SettingsError",
    "SpoolStatus",
    "Stats",
    "SyncKafkaClient",
    "__version__",
    "to_json",
]
