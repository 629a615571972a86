"""Every event of every method, from generated code over a broker to a stranger."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from opentelemetry.trace import NonRecordingSpan, SpanContext, use_span

import envelope
from broker import Broker, Record
from clients import CLIENTS, Client, herald
from nodes import EFFECT, NODES, SECRET, Call, Node


async def publish(
    calls: list[Call], node: Node, node_id: UUID, client: Client, namespace: str
) -> None:
    async with client:
        assert client.is_connected
        publisher = node.publisher(node_id, client, namespace)
        for call in calls:
            await getattr(publisher, call.method)(**call.arguments)


def assert_utc(timestamp: str) -> None:
    assert datetime.fromisoformat(timestamp).utcoffset() == timedelta(0)


def assert_is_event(record: Record, call: Call, node_id: UUID, service: str) -> None:
    correlation = call.correlation_id and str(call.correlation_id)
    document = record.document
    assert_utc(document["event_timestamp"])
    assert_utc(document["payload"][call.time_field])
    expected: dict[str, Any] = {
        "envelope_version": "1.0",
        "event_id": str(UUID(document["event_id"])),
        "event_type": call.event_type,
        "event_version": "1.0",
        "event_timestamp": document["event_timestamp"],
        "source_node_id": str(node_id),
        "source_service": service,
        "source_version": envelope.SOURCE_VERSION,
        "correlation_id": correlation,
        "environment": envelope.ENVIRONMENT,
        "payload": {
            **call.payload,
            call.time_field: document["payload"][call.time_field],
        },
        "metadata": call.metadata,
    }
    assert document == expected
    assert list(document) == list(expected), "the fields have their order"

    headers = {
        "content-type": "application/json",
        "event_id": document["event_id"],
        "event_type": call.event_type,
    }
    if correlation:
        headers["correlation_id"] = correlation
    assert record.headers == headers


@pytest.mark.parametrize("connect", CLIENTS)
@pytest.mark.parametrize("node", NODES, ids=lambda node: node.name)
def test_every_event_arrives_unchanged(
    broker: Broker, node: Node, connect: Callable[[str], Client]
) -> None:
    node_id, correlation_id = uuid4(), uuid4()
    calls = node.calls(node_id, correlation_id)
    topics = node.topics(broker.namespace)
    broker.create(topics)

    client = connect(broker.address)
    asyncio.run(publish(calls, node, node_id, client, broker.namespace))

    records = broker.read(topics)
    assert broker.read_with_aiokafka(topics) == records
    arrived = {(record.topic, record.key): record for record in records}
    assert len(arrived) == len(records) == len(calls)
    # Only Herald's client takes the service of the contract.
    service = node.name if connect is herald else envelope.SOURCE_SERVICE
    for call in calls:
        topic = node.topic(call.event_type, broker.namespace)
        key = str(call.correlation_id or node_id).encode()
        assert_is_event(arrived[topic, key], call, node_id, service)
    assert not any(SECRET.encode() in record.value for record in records)

    of_correlation = {r.partition for r in records if r.key != str(node_id).encode()}
    assert len(of_correlation) == 1, "one correlation is on one partition"


@pytest.mark.parametrize("node", NODES, ids=lambda node: node.name)
def test_no_method_is_left_out(node: Node) -> None:
    publisher = node.publisher(uuid4(), None, "dev")
    called = {call.method for call in node.calls(uuid4(), uuid4())}
    assert called == {name for name in dir(publisher) if name.startswith("_publish_")}


def test_the_trace_context_is_propagated(broker: Broker) -> None:
    node_id, correlation_id = uuid4(), uuid4()
    trace = SpanContext(0x4BF92F3577B34DA6A3CE929D0E0E4736, 0x00F067AA0BA902B7, True)
    call = next(iter(EFFECT.calls(node_id, correlation_id)))
    topic = EFFECT.topic(call.event_type, broker.namespace)
    broker.create([topic])

    with use_span(NonRecordingSpan(trace)):
        client = herald(broker.address)
        asyncio.run(publish([call], EFFECT, node_id, client, broker.namespace))

    [record] = broker.read([topic])
    traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
    assert record.headers["traceparent"] == traceparent
    untraced = {n: v for n, v in record.headers.items() if n != "traceparent"}
    traced = replace(call, metadata={**call.metadata, "traceparent": traceparent})
    assert_is_event(replace(record, headers=untraced), traced, node_id, EFFECT.name)
