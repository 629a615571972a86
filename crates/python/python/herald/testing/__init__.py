"""Test helpers: recording clients, and clusters without Kafka.

With pytest, the fixtures `herald_client` and `herald_cluster` are available.
"""

from herald._herald import DevCluster, MemoryCluster
from herald.testing._events import PublishedEvent
from herald.testing._recording import RecordingClient, SyncRecordingClient

__all__ = [
    "DevCluster",
    "MemoryCluster",
    "PublishedEvent",
    "RecordingClient",
    "SyncRecordingClient",
]
