"""CloudEvents in both modes, exchanged with the official Python SDK."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest
from cloudevents.core.bindings.kafka import (
    KafkaMessage,
    from_kafka,
    to_binary,
    to_structured,
)
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from herald import Event
from herald.runtime import parse_message
from herald.testing import SyncRecordingClient

MODES = ["cloudevents", "cloudevents-binary"]
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

EVENT = Event(
    "order.placed",
    "node 7",
    {"order": "A-17", "größe": [1.5, None, True]},
    correlation_id=UUID(int=7),
    causation_id=UUID(int=8),
    metadata={"note": 'a "b"\n'},
    partition_key="A-17",
    event_id=UUID(int=9),
    traceparent=TRACE,
)


@dataclass
class Message:
    """A message as aiokafka gives it."""

    value: bytes
    headers: list[tuple[str, bytes]]


@pytest.mark.parametrize("profile", MODES)
def test_the_sdk_reads_what_herald_writes(profile: str) -> None:
    with SyncRecordingClient(service="shop", region="eu", envelope=profile) as client:
        client.publish(EVENT)
        [(_, _, _, key, value, headers)] = client.cluster.written()
    event = from_kafka(KafkaMessage(dict(headers), key, value), JSONFormat())
    assert isinstance(event, CloudEvent)
    assert event.get_specversion() == "1.0"
    assert event.get_id() == str(UUID(int=9))
    assert event.get_source() == "/shop/node%207"
    assert event.get_type() == "order.placed"
    assert event.get_datacontenttype() == "application/json"
    time = event.get_time()
    assert time is not None
    assert abs((datetime.now(UTC) - time).total_seconds()) < 60
    for name, expected in {
        "eventversion": "1.0",
        "sourceversion": "0.0.0",
        "correlationid": str(UUID(int=7)),
        "causationid": str(UUID(int=8)),
        "environment": "development",
        "region": "eu",
        "partitionkey": "A-17",
        "traceparent": TRACE,
        "metadata": '{"note":"a \\"b\\"\\n"}',
    }.items():
        assert event.get_extension(name) == expected
    assert event.get_data() == {"order": "A-17", "größe": [1.5, None, True]}


ATTRIBUTES: dict[str, Any] = {
    "type": "com.example.placed",
    "source": "https://example.com/shop",
    "id": "1234-1234",
    "time": datetime(2025, 11, 5, 12, 0, 0, 500_000, tzinfo=UTC),
    "datacontenttype": "application/json",
    "subject": "order 7",
    "partitionkey": "A-17",
    "correlationid": str(UUID(int=7)),
    "tenant": "größe",
}


@pytest.mark.parametrize("write", [to_structured, to_binary])
def test_herald_reads_what_the_sdk_writes(write: Any) -> None:
    data = {"order": "A-17", "größe": 1.5}
    written = write(CloudEvent(ATTRIBUTES, data), JSONFormat())
    event = parse_message(Message(written.value, list(written.headers.items())), {})
    assert event.event_type == "com.example.placed"
    assert event.source_service == "https://example.com/shop"
    assert event.event_id == uuid5(NAMESPACE_URL, "https://example.com/shop\n1234-1234")
    assert event.event_timestamp == ATTRIBUTES["time"]
    assert event.correlation_id == UUID(int=7)
    assert event.partition_key == "A-17"
    assert event.payload == data
    assert event.extra == {"id": "1234-1234", "subject": "order 7", "tenant": "größe"}
