"""Tests of publishing and of receipts."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from herald import (
    Event,
    KafkaClient,
    PayloadError,
    PublishError,
    Receipt,
    SettingsError,
)
from herald.testing import MemoryCluster
from opentelemetry.sdk.trace import TracerProvider

from clients import TOPIC, envelope, event, numbers, run

ID = uuid.UUID("7d1f7a52-5a0e-4a63-9d35-0d4cf1b8c7a4")
OTHER = "0b9e4c1c-6c0f-4a55-8a57-2d9f0d6c2f11"


def client(cluster: MemoryCluster, **settings: Any) -> KafkaClient:
    settings.setdefault("spool", None)
    return KafkaClient(cluster=cluster, **settings)


def publish(*arguments: Any, **settings: Any) -> tuple[Receipt, MemoryCluster]:
    """Publishes one event, as generated code does."""

    async def go() -> tuple[Receipt, MemoryCluster]:
        cluster = MemoryCluster()
        if settings.get("mode") == "write_ahead":
            cluster.set_delay(0.5)  # so that the spool is first
        async with client(cluster, **settings) as kafka:
            return await kafka.publish_with_envelope(*arguments), cluster

    return asyncio.run(go())


def test_a_delivered_receipt_has_a_position() -> None:
    receipt, cluster = publish("effect.place.started", "node-1", {"a": 1})
    assert receipt
    assert receipt.is_delivered
    assert not receipt.is_spooled
    [(partition, offset, _, value, _)] = cluster.messages(TOPIC)
    assert (receipt.topic, receipt.partition, receipt.offset) == (
        TOPIC,
        partition,
        offset,
    )
    assert receipt.sequence is None
    assert receipt.event_id == json.loads(value)["event_id"]
    assert f"topic={TOPIC}" in repr(receipt)


def test_a_spooled_receipt_has_a_sequence(folder: Path) -> None:
    receipt, _ = publish(
        "effect.place.started", "n", {}, mode="write_ahead", spool=folder / "s.db"
    )
    assert receipt
    assert receipt.is_spooled
    assert not receipt.is_delivered
    assert receipt.sequence == 1
    assert (receipt.topic, receipt.partition, receipt.offset) == (None, None, None)
    assert "spooled sequence=1" in repr(receipt)


def test_receipts_are_values(folder: Path) -> None:
    delivered, _ = publish("effect.place.started", "n", {})
    other, _ = publish("effect.place.started", "n", {})
    spooled, _ = publish("a.b", "n", {}, mode="write_ahead", spool=folder / "s.db")
    for receipt in (delivered, spooled):
        for copied in (pickle.loads(pickle.dumps(receipt)), copy.deepcopy(receipt)):
            assert copied == receipt
            assert hash(copied) == hash(receipt)
            assert repr(copied) == repr(receipt)
    assert len({delivered, other, spooled}) == 3


def test_the_envelope_has_the_specified_fields() -> None:
    before = datetime.now(UTC)
    _, cluster = publish(
        "effect.place.started",
        ID,
        {"order": "A-17"},
        None,
        OTHER,
        {"team": "x"},
        service="shop",
        service_version="1.4.0",
        environment="production",
        instance="pod-1",
        region="eu",
        namespace="prod",
    )
    topic = "prod.shop.effect.place.started.v1"
    [(_, _, key, value, headers)] = cluster.messages(topic)
    written = json.loads(value)
    sent = datetime.fromisoformat(written.pop("event_timestamp"))
    assert before - timedelta(seconds=1) <= sent <= datetime.now(UTC)
    event_id = written.pop("event_id")
    assert uuid.UUID(event_id).version == 4
    assert list(written.items()) == [
        ("envelope_version", "1.0"),
        ("event_type", "effect.place.started"),
        ("event_version", "1.0"),
        ("source_node_id", str(ID)),
        ("source_service", "shop"),
        ("source_version", "1.4.0"),
        ("source_instance", "pod-1"),
        ("correlation_id", OTHER),
        ("environment", "production"),
        ("region", "eu"),
        ("payload", {"order": "A-17"}),
        ("metadata", {"team": "x"}),
    ]
    assert key == OTHER.encode()
    assert dict(headers) == {
        "content-type": b"application/json",
        "event_id": event_id.encode(),
        "event_type": b"effect.place.started",
        "correlation_id": OTHER.encode(),
    }


def test_missing_fields_are_omitted_or_null() -> None:
    _, cluster = publish("effect.place.started", "node-1", {})
    written = envelope(cluster)
    assert list(written) == [
        "envelope_version",
        "event_id",
        "event_type",
        "event_version",
        "event_timestamp",
        "source_node_id",
        "source_service",
        "source_version",
        "correlation_id",
        "environment",
        "payload",
        "metadata",
    ]
    assert written["correlation_id"] is None
    assert written["metadata"] == {}
    [(_, _, key, _, headers)] = cluster.messages(TOPIC)
    assert key == b"node-1"
    assert "correlation_id" not in dict(headers)


@pytest.mark.parametrize("given", [ID, str(ID), str(ID).upper(), ID.hex])
def test_a_correlation_id_is_a_uuid_or_its_text(given: uuid.UUID | str) -> None:
    _, cluster = publish("effect.place.started", "n", {}, None, given)
    assert envelope(cluster)["correlation_id"] == str(ID)


def test_a_topic_that_is_given_is_used() -> None:
    receipt, cluster = publish("effect.place.started", "n", {}, "mine")
    assert receipt.topic == "mine"
    assert len(cluster.messages("mine")) == 1


def test_an_event_sets_all_envelope_fields() -> None:
    full = Event(
        "effect.place.started",
        "node-1",
        {"a": 1},
        topic="mine",
        correlation_id=ID,
        metadata={"m": True},
        partition_key="order-17",
        causation_id=OTHER,
        event_version="2.3",
        event_id=OTHER,
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    )

    async def go() -> MemoryCluster:
        cluster = MemoryCluster()
        async with client(cluster) as kafka:
            assert (await kafka.publish(full)).event_id == OTHER
        return cluster

    [(_, _, key, value, headers)] = asyncio.run(go()).messages("mine")
    written = json.loads(value)
    assert key == b"order-17"
    assert written["partition_key"] == "order-17"
    assert written["causation_id"] == OTHER
    assert written["event_version"] == "2.3"
    assert written["event_id"] == OTHER
    assert dict(headers)["traceparent"].decode() == full.traceparent


def test_a_major_version_is_part_of_the_topic() -> None:
    async def go() -> str | None:
        async with client(MemoryCluster()) as kafka:
            later = Event("effect.place.started", "n", {}, event_version="2.0")
            return (await kafka.publish(later)).topic

    assert asyncio.run(go()) == "dev.unnamed.effect.place.started.v2"


def test_the_current_trace_is_propagated() -> None:
    tracer = TracerProvider().get_tracer("test")

    async def go() -> tuple[list[str | None], str]:
        cluster = MemoryCluster(1)
        async with client(cluster) as kafka:
            await kafka.publish(event(0))
            with tracer.start_as_current_span("work") as span:
                await kafka.publish(event(1))
                await kafka.publish_many([event(2)])
                await kafka.publish_with_envelope("effect.place.started", "n", {})
                context = span.get_span_context()
        found = [
            dict(headers).get("traceparent")
            for _, _, _, _, headers in cluster.messages(TOPIC)
        ]
        ids = f"{context.trace_id:032x}-{context.span_id:016x}"
        expected = f"00-{ids}-{context.trace_flags:02x}"
        return [trace.decode() if trace else None for trace in found], expected

    found, expected = asyncio.run(go())
    assert found == [None, expected, expected, expected]


def test_opentelemetry_need_not_be_installed(folder: Path) -> None:
    script = """
        sys.modules["opentelemetry"] = None
        import importlib, herald._trace
        importlib.reload(herald._trace)
        assert herald._trace.current_traceparent() is None
    """
    run(script, folder=folder)


WRONG: list[tuple[tuple[Any, ...], type[Exception], str]] = [
    ((5, "n", {}), TypeError, "event_type must be str, not int"),
    (("", "n", {}), PublishError, "event_type: must not be empty"),
    (("a.b", 5, {}), TypeError, "source_node_id must be str or uuid.UUID, not int"),
    (("a.b", "n", 5), PayloadError, "payload must be a mapping"),
    (("a.b", "n", {"x": float("nan")}), PayloadError, "payload.x: float NaN"),
    (("a.b", "n", {"\ud800": 1}), PayloadError, "surrogate"),
    (("a.b", "n", {}, 5), TypeError, "topic must be str, not int"),
    (("a.b", "n", {}, "a b"), PublishError, '"a b" is not a valid topic'),
    (("a.b", "n", {}, None, "x"), ValueError, "correlation_id must be a UUID, such as"),
    (("a.b", "n", {}, None, 5), TypeError, "correlation_id must be uuid.UUID or str"),
    (("a.b", "n", {}, None, None, 5), PayloadError, "metadata must be a mapping"),
]


@pytest.mark.parametrize(("arguments", "kind", "message"), WRONG)
def test_an_invalid_argument_is_named_with_the_expected_type(
    arguments: tuple[Any, ...], kind: type[Exception], message: str
) -> None:
    for settings in ({}, {"max_in_flight": 1}):
        with pytest.raises(kind, match=re.escape(message)):
            publish(*arguments, **settings)


@pytest.mark.parametrize(
    ("field", "value", "kind", "message"),
    [
        ("partition_key", 5, TypeError, "partition_key must be str, not int"),
        ("causation_id", 5, TypeError, "causation_id must be str or uuid.UUID"),
        ("event_version", 1, TypeError, "event_version must be str, not int"),
        ("event_version", "x", PublishError, "does not start with a major version"),
        ("event_id", "x", ValueError, "event_id must be a UUID"),
        ("traceparent", "x", ValueError, "traceparent must be a W3C trace context"),
        ("traceparent", 5, TypeError, "traceparent must be str, not int"),
    ],
)
def test_an_invalid_event_field_is_named(
    field: str, value: Any, kind: type[Exception], message: str
) -> None:
    async def go() -> None:
        async with client(MemoryCluster()) as kafka:
            await kafka.publish(Event("a.b", "n", {}, **{field: value}))

    with pytest.raises(kind, match=re.escape(message)):
        asyncio.run(go())


def test_publish_many_keeps_order_and_is_all_or_nothing() -> None:
    async def go() -> None:
        cluster = MemoryCluster()
        async with client(cluster) as kafka:
            wrong: list[Any] = [event(0), event(1), {"no": "event"}]
            with pytest.raises(TypeError, match=r"expected a herald\.Event, not dict"):
                await kafka.publish_many(wrong)
            bad = Event("effect.place.started", "n", 5)
            with pytest.raises(PayloadError):
                await kafka.publish_many([event(0), bad])
            assert cluster.messages(TOPIC) == []
            assert await kafka.publish_many([]) == []
            receipts = await kafka.publish_many(event(i) for i in range(500))
            assert [r.offset for r in receipts] == list(range(500))
        assert numbers(cluster) == list(range(500))

    asyncio.run(go())


def test_publish_many_publishes_nothing_if_the_iterable_raises() -> None:
    def broken() -> Iterator[Event]:
        yield event(0)
        raise LookupError("mine")

    async def go() -> None:
        cluster = MemoryCluster()
        async with client(cluster) as kafka:
            with pytest.raises(LookupError):
                await kafka.publish_many(broken())
        assert cluster.messages(TOPIC) == []

    asyncio.run(go())


def test_a_rejected_event_error_has_its_dead_letter() -> None:
    async def go() -> None:
        cluster = MemoryCluster()
        async with client(cluster) as kafka:
            cluster.refuse("bad")
            bad = Event("a.b", "n", {"x": 1}, topic="bad")
            with pytest.raises(PublishError) as caught:
                await kafka.publish(bad)
            error = caught.value
            assert error.code == "not_authorized"
            assert not error.is_retriable
            assert error.dead_letter is not None
            assert error.dead_letter.topic == "bad.dlq"
            assert "it is kept in bad.dlq" in str(error)
            [(_, _, _, value, _)] = cluster.messages("bad.dlq")
            assert json.loads(value)["payload"] == {"x": 1}
            assert kafka.stats().dead == 1

            again = pickle.loads(pickle.dumps(error))
            assert (str(again), again.code) == (str(error), error.code)
            assert again.dead_letter == error.dead_letter

            with pytest.raises(PublishError):
                await kafka.publish_many([event(0), bad, event(1)])
            mixed = await kafka.publish_many([event(2), bad], return_errors=True)
            assert [type(outcome) for outcome in mixed] == [Receipt, PublishError]
            # The others are safe all the same.
            assert numbers(cluster) == [0, 1, 2]

            cluster.accept("bad")
            assert await kafka.publish(bad)

    asyncio.run(go())


def test_raw_messages_are_unchanged() -> None:
    async def go() -> None:
        cluster = MemoryCluster(1)
        async with client(cluster) as kafka:
            headers = [("a", b"1"), ("a", b"2")]
            receipt = await kafka.publish_raw("t", b"\xff", key=b"k", headers=headers)
            assert receipt.event_id is None
            await kafka.publish_raw("t", b"", headers={"b": b"3"})
            wrong: list[tuple[tuple[Any, ...], dict[str, Any], str]] = [
                (("t", "v"), {}, "value must be bytes, not str"),
                ((5, b"v"), {}, "topic must be str, not int"),
                (("t", b"v"), {"key": "k"}, "key must be bytes, not str"),
                (
                    ("t", b"v"),
                    {"headers": {"a": "b"}},
                    r"headers\['a'\] must be bytes, not str",
                ),
            ]
            for arguments, more, message in wrong:
                with pytest.raises(TypeError, match=message):
                    await kafka.publish_raw(*arguments, **more)
        assert cluster.messages("t") == [
            (0, 0, b"k", b"\xff", [("a", b"1"), ("a", b"2")]),
            (0, 1, None, b"", [("b", b"3")]),
        ]

    asyncio.run(go())


def test_an_unconnected_client_raises() -> None:
    async def go() -> None:
        kafka = client(MemoryCluster())
        assert not kafka.is_connected
        for _ in range(2):
            with pytest.raises(PublishError, match="call `connect`") as caught:
                await kafka.publish(event(1))
            assert caught.value.code == "not_connected"
            assert await kafka.close() == 0
            await kafka.connect()
            await kafka.connect()
            assert kafka.is_connected
            assert await kafka.publish(event(1))
            assert await kafka.close() == 0
            assert not kafka.is_connected

    asyncio.run(go())


def test_connecting_at_the_same_time_connects_once(folder: Path) -> None:
    async def go() -> None:
        kafka = client(MemoryCluster(), spool=folder / "spool.db")
        await asyncio.gather(*(kafka.connect() for _ in range(5)))
        assert await kafka.publish(event(1))
        await kafka.close()

    asyncio.run(go())


def test_an_invalid_timeout_does_not_close_the_client() -> None:
    async def go() -> None:
        async with client(MemoryCluster()) as kafka:
            with pytest.raises(SettingsError, match="timeout must be 0 seconds or"):
                await kafka.close(-1)
            with pytest.raises(SettingsError, match="timeout must be a number of"):
                await kafka.flush("x")  # type: ignore[arg-type]
            assert await kafka.publish(event(1))
            assert await kafka.flush(float("inf")) == 0
            assert await kafka.close(float("inf")) == 0

    asyncio.run(go())


def test_in_an_outage_events_are_spooled_and_the_next_client_delivers_them(
    folder: Path,
) -> None:
    path = folder / "spool.db"

    async def go() -> None:
        cluster = MemoryCluster()
        kafka = client(cluster, spool=path, deadline=0.05)
        await kafka.connect()
        assert (await kafka.publish(event(0))).is_delivered
        cluster.stop()
        receipts = await kafka.publish_many(event(i) for i in range(1, 50))
        assert all(receipt.is_spooled for receipt in receipts)
        assert await kafka.flush(0.05) == 49
        assert kafka.spool is not None
        assert kafka.spool.records == 49
        stats = kafka.stats()
        assert not stats.reachable
        assert (stats.published, stats.delivered, stats.spooled) == (50, 1, 49)
        assert "spool_records=49" in repr(stats)
        assert await kafka.close() == 49
        cluster.start()
        async with client(cluster, spool=path) as kafka:
            assert await kafka.flush(20) == 0
            assert kafka.stats().drained == 49
        assert numbers(cluster) == list(range(50))

    asyncio.run(go())


@pytest.mark.parametrize("transport", ["native", "librdkafka"])
def test_without_a_spool_an_error_tells_why_no_broker_is_reached(
    transport: str,
) -> None:
    async def go() -> None:
        properties = {"transport": transport}
        async with KafkaClient(
            "127.0.0.1:1", spool=None, deadline=2, properties=properties
        ) as kafka:
            with pytest.raises(PublishError, match=r"(?i)connection refused") as caught:
                await kafka.publish(event(0))
            assert caught.value.code == "deadline"

    asyncio.run(go())


def test_without_a_spool_an_outage_is_a_retriable_error() -> None:
    async def go() -> None:
        cluster = MemoryCluster()
        async with client(cluster, deadline=0.05) as kafka:
            cluster.pause()
            with pytest.raises(PublishError, match="there is no spool") as caught:
                await kafka.publish(event(0))
            # Either the publisher or its connection reports it first.
            assert caught.value.code in ("deadline", "timed_out")
            assert caught.value.is_retriable
            cluster.resume()

    asyncio.run(go())


def test_close_resolves_events_in_flight() -> None:
    async def go() -> None:
        cluster = MemoryCluster()
        kafka = client(cluster)
        await kafka.connect()
        cluster.pause()
        tasks = [asyncio.create_task(kafka.publish(event(i))) for i in range(10)]
        await asyncio.sleep(0)
        await kafka.close(0)
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(outcome, PublishError)

    asyncio.run(go())


@dataclass
class Order:
    number: str


def test_payloads_may_be_dataclasses() -> None:
    _, cluster = publish(
        "effect.place.started", "n", Order("A"), None, None, Order("B")
    )
    written = envelope(cluster)
    assert written["payload"] == {"number": "A"}
    assert written["metadata"] == {"number": "B"}
