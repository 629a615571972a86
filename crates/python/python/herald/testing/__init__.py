"""Test helpers: recording clients, and clusters without Kafka.

With pytest, the fixtures `herald_client`, `herald_cluster` and `herald_conformance` are
available.
"""

from herald._herald import DevCluster, MemoryCluster
from herald.testing._conformance import Conformance
from herald.testing._events import PublishedEvent
from herald.testing._recording import RecordingClient, SyncRecordingClient

__all__ = [
    "Conformance",
    "DevCluster",
    "MemoryCluster",
    "PublishedEvent",
    "RecordingClient",
    "SyncRecordingClient",
]
