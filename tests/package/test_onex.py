"""Envelopes of the ONEX platform, exchanged with its released package, and its bus.

The package is installed for a Python of its own, since it needs 3.12 or later.
"""

from __future__ import annotations

import json
import subprocess
import textwrap
from pathlib import Path
from typing import Any
from uuid import UUID

import herald
import pytest
from herald import Event, generate, load_text, onex
from herald.runtime import EnvelopeError, parse_message
from herald.testing import MemoryCluster, RecordingClient, SyncRecordingClient

from omnibase import python_with_omnibase

HANG_SECONDS = 120
PROFILE = "onex-event-envelope"

EVENT = Event(
    "order.placed",
    "node-7",
    {"order": "A-17", "größe": 1.5},
    correlation_id=UUID(int=7),
    causation_id=UUID(int=8),
    event_id=UUID(int=9),
    metadata={"note": 'a "b"'},
    partition_key="A-17",
    event_version="2.0",
    traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
)


class Message:
    """A message as aiokafka gives it."""

    def __init__(self, value: bytes, headers: list[tuple[str, bytes]]) -> None:
        self.value = value
        self.headers = headers
        self.timestamp = 0


@pytest.fixture(scope="module")
def python() -> Path:
    """An interpreter with omnibase_core."""
    return python_with_omnibase()


def run(python: Path, script: str, given: object) -> Any:
    """Runs a script, and returns what it prints."""
    done = subprocess.run(
        [python, "-c", textwrap.dedent(script)],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


READ = """
import json, sys
from omnibase_core.models.event_bus.model_event_headers import ModelEventHeaders
from omnibase_core.models.events.model_event_envelope import ModelEventEnvelope

value, headers = json.load(sys.stdin)
envelope = ModelEventEnvelope[dict].model_validate_json(value)
known = {n: v for n, v in headers.items() if n in ModelEventHeaders.model_fields}
known.pop("schema_version")
read = ModelEventHeaders(**known)
print(json.dumps({
    "envelope": envelope.model_dump(mode="json"),
    "headers": read.model_dump(mode="json"),
}))
"""


def test_the_platform_reads_what_herald_writes(python: Path) -> None:
    with SyncRecordingClient(service="shop", region="eu", envelope=PROFILE) as client:
        client.publish(EVENT)
        [(topic, _, _, key, value, headers)] = client.cluster.written()
    assert topic == "onex.evt.shop.order.placed.v2"
    assert key == b"A-17"
    texts = {name: value.decode() for name, value in headers}
    found = run(python, READ, [value.decode(), texts])
    envelope, of_headers = found["envelope"], found["headers"]
    assert envelope["payload"] == {"order": "A-17", "größe": 1.5}
    assert envelope["envelope_id"] == str(UUID(int=9))
    assert envelope["correlation_id"] == str(UUID(int=7))
    assert envelope["parent_envelope_id"] == str(UUID(int=8))
    assert envelope["source_tool"] == "node-7"
    assert envelope["event_type"] == "order.placed"
    assert envelope["payload_schema_version"]["major"] == 2
    assert envelope["metadata"]["tags"]["source_service"] == "shop"
    assert envelope["metadata"]["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert of_headers["message_id"] == str(UUID(int=9))
    assert of_headers["correlation_id"] == str(UUID(int=7))
    assert of_headers["event_type"] == topic
    assert of_headers["source"] == "development"
    assert of_headers["priority"] == "normal"


WRITE = """
import asyncio, json
from uuid import UUID
from omnibase_core.models.events.model_event_envelope import ModelEventEnvelope
from herald import onex
from herald.testing import RecordingClient

async def main():
    async with RecordingClient(service="s", spool=None) as client:
        bus = onex.EventBus(client, environment="dev")
        envelope = ModelEventEnvelope(
            payload={"order": "A-17"},
            correlation_id=UUID(int=7),
            parent_envelope_id=UUID(int=8),
            source_tool="tool",
            producer="node",
            tenant_id="acme",
        )
        topic = "onex.evt.shop.order-placed.v1"
        await bus.publish_envelope(envelope, topic, key=b"k")
        [(topic, _, _, key, value, headers)] = client.cluster.written()
        texts = {name: value.decode() for name, value in headers}
        print(json.dumps([
            topic, key.decode(), value.decode(), texts, str(envelope.envelope_id)
        ]))

asyncio.run(main())
"""


def test_herald_reads_what_the_platform_writes_through_its_bus(python: Path) -> None:
    topic, key, value, headers, event_id = run(python, WRITE, None)
    assert topic == "onex.evt.shop.order-placed.v1"
    assert key == "k"
    pairs = [(name, text.encode()) for name, text in headers.items()]
    event = parse_message(Message(value.encode(), pairs), {})
    assert str(event.event_id) == event_id == headers["message_id"]
    assert event.event_type == "shop.order-placed"
    assert event.correlation_id == UUID(int=7)
    assert event.causation_id == str(UUID(int=8)) == headers["parent_message_id"]
    assert event.source_node_id == "tool"
    assert event.source_service == "node"
    assert event.environment == "dev"
    assert event.payload == {"order": "A-17"}
    assert event.extra["tenant_id"] == "acme"
    assert parse_message(json.loads(value) | {"event_type": "t"}, {}).payload == (
        event.payload
    )


@pytest.mark.asyncio
async def test_the_bus_writes_the_headers_of_the_platform() -> None:
    async with RecordingClient(service="s") as client:
        bus = onex.EventBus(client)
        await bus.publish("t", b"k", b"x")
        given = {"source": "dev", "retry_count": 2, "ttl_seconds": 5, "trace_id": ""}
        await bus.publish("t", None, b"{}", given)
        envelope = {"envelope_id": str(UUID(int=9)), "correlation_id": "no uuid"}
        await bus.publish_envelope(envelope, "t")
        first, second, third = (
            (key, value, dict(headers))
            for _, _, _, key, value, headers in client.cluster.written()
        )
    assert list(first[2]) == [
        "content_type",
        "correlation_id",
        "message_id",
        "timestamp",
        "source",
        "event_type",
        "schema_version",
        "priority",
        "retry_count",
        "max_retries",
    ]
    assert first[:2] == (b"k", b"x")
    assert first[2]["source"] == b"development"
    assert first[2]["event_type"] == b"t"
    assert second[0] is None
    assert second[2]["source"] == b"dev"
    assert second[2]["retry_count"] == b"2"
    assert second[2]["ttl_seconds"] == b"5"
    assert "trace_id" not in second[2]
    assert third[2]["message_id"] == str(UUID(int=9)).encode()
    assert UUID(third[2]["correlation_id"].decode())
    assert json.loads(third[1]) == envelope


def test_dead_letters_have_the_topic_of_the_platform() -> None:
    cluster = MemoryCluster()
    cluster.refuse("onex.evt.shop.order.placed.v2")
    with (
        SyncRecordingClient(
            service="shop", envelope=PROFILE, cluster=cluster
        ) as client,
        pytest.raises(herald.PublishError),
    ):
        client.publish(EVENT)
    [(_, _, _, value, headers)] = cluster.messages("onex.dlq.omnibase-infra.events.v1")
    assert parse_message(Message(value, headers), {}).event_type == "order.placed"
    assert dict(headers)["dlq_original_topic"] == b"onex.evt.shop.order.placed.v2"


def test_generated_topics_have_no_environment() -> None:
    contract = "node_type: effect\nservice_name: shop\noperations: [place]\n"
    [file] = generate(load_text(contract + f"envelope: {PROFILE}\n"))
    assert '"onex.evt.shop.effect.place.started.v1"' in file.text
    assert "{namespace}" not in file.text


def test_invalid_envelopes_name_the_member() -> None:
    valid: dict[str, Any] = {
        "payload": {},
        "envelope_id": str(UUID(int=9)),
        "envelope_timestamp": "2025-11-05T12:00:00Z",
        "event_type": "t",
        "envelope_version": {"major": 2, "minor": 3, "patch": 0},
    }
    assert parse_message(valid, {}).event_version == "1.0"
    for name, value in [
        ("payload", [1]),
        ("envelope_id", "7"),
        ("envelope_timestamp", "now"),
        ("event_type", None),
        ("envelope_version", {"major": 3, "minor": 0, "patch": 0}),
        ("payload_schema_version", {"major": "2"}),
        ("metadata", {"tags": {"metadata": "[]"}}),
    ]:
        with pytest.raises(EnvelopeError) as raised:
            parse_message({**valid, name: value}, {})
        assert raised.value.field == name
