"""Events in each envelope profile: published, parsed, asserted and judged."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, cast
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest
from herald import Event, SettingsError, SyncKafkaClient, contracts, generate
from herald.runtime import (
    EnvelopeError,
    UnknownEvent,
    correlation_from,
    current,
    parse_message,
)
from herald.testing import Conformance, MemoryCluster, SyncRecordingClient

PROFILES = [
    "onex-v1",
    "onex-event-envelope",
    "cloudevents",
    "cloudevents-binary",
    "none",
]
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
REQUEST = UUID(int=7)
CAUSE = UUID(int=8)

CONTRACT = """
node_type: effect
service_name: shop
operations: []
include_state_events: false
include_metric_events: false
events:
  - event_type: order.placed
    partition_key: order
    payload: {order: string, total: decimal}
"""


@dataclass
class Aiokafka:
    """A message as aiokafka gives it."""

    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    timestamp: int = 0


class Confluent:
    """A message as confluent-kafka gives it."""

    def __init__(self, message: Aiokafka) -> None:
        self._message = message

    def value(self) -> bytes | None:
        return self._message.value

    def headers(self) -> list[tuple[str, bytes]] | None:
        return list(self._message.headers) or None

    def timestamp(self) -> tuple[int, int]:
        return 1, self._message.timestamp


@pytest.fixture(params=PROFILES)
def profile(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def client(profile: str) -> Iterator[SyncRecordingClient]:
    with SyncRecordingClient(
        service="größe shop", instance="pod-1", region="eu", envelope=profile
    ) as client:
        yield client


EVENT = Event(
    "order.placed",
    "node/7",
    {"order": "A-17", "n": 1.5},
    topic="orders",
    correlation_id=REQUEST,
    causation_id=CAUSE,
    metadata={"note": 'a "b"\n', "é": 1},
    partition_key="A-17",
    event_version="2.0",
    traceparent=TRACE,
)


def message_of(cluster: MemoryCluster) -> Aiokafka:
    [(_, _, _, _, value, headers)] = cluster.written()
    return Aiokafka(value, tuple(headers))


def test_every_field_arrives(client: SyncRecordingClient, profile: str) -> None:
    client.publish(EVENT)
    message = message_of(client.cluster)
    for received in (message, Confluent(message)):
        event = parse_message(received, {})
        assert type(event) is UnknownEvent
        assert event.event_type == "order.placed"
        assert event.event_version == "2.0"
        assert event.source_service == "größe shop"
        assert event.source_node_id == "node/7"
        assert event.source_version == "0.0.0"
        assert event.source_instance == "pod-1"
        assert event.environment == "development"
        assert event.region == "eu"
        assert event.correlation_id == REQUEST
        assert event.causation_id == str(CAUSE)
        assert event.partition_key == "A-17"
        assert event.payload == {"order": "A-17", "n": 1.5}
        trace = {"traceparent": TRACE} if profile == "onex-v1" else {}
        assert event.metadata == {"note": 'a "b"\n', "é": 1, **trace}
        assert event.extra == {}
        assert abs((datetime.now(UTC) - event.event_timestamp).total_seconds()) < 60
    assert dict(message.headers)["traceparent"] == TRACE.encode()


def test_assertions_see_the_event(client: SyncRecordingClient, profile: str) -> None:
    client.publish(EVENT)
    client.publish_raw("t", b"{}")
    event = client.assert_published(
        "order.placed",
        payload={"order": "A-17"},
        metadata={"é": 1},
        correlation_id=REQUEST,
        key="A-17",
        times=1,
    )
    assert len(client.events) == 1
    is_payload = profile in ("cloudevents-binary", "none")
    assert (event.envelope == event.payload) == is_payload


def test_the_scope_of_a_message(client: SyncRecordingClient) -> None:
    client.publish(EVENT)
    message = message_of(client.cluster)
    with correlation_from(message):
        scope = current()
        assert scope.correlation_id == REQUEST
        assert scope.causation_id == parse_message(message, {}).event_id


def test_an_event_has_a_profile_of_its_own(client: SyncRecordingClient) -> None:
    client.publish(replace(EVENT, envelope="cloudevents"))
    [(_, _, _, _, value, _)] = client.cluster.written()
    assert json.loads(value)["specversion"] == "1.0"
    with pytest.raises(ValueError, match=r"envelope: `avro` is not .* onex-v1, "):
        client.publish(replace(EVENT, envelope="avro"))


def generated(folder: Path, contract: str) -> ModuleType:
    [file] = generate(contracts.load_text(contract))
    path = folder / "shop_events.py"
    path.write_text(file.text)
    spec = importlib.util.spec_from_file_location("shop_events", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["shop_events"] = module
    spec.loader.exec_module(module)
    return module


def test_generated_publishers_write_the_profile_of_the_contract(
    profile: str, tmp_path: Path
) -> None:
    contract = f"{CONTRACT}envelope: {profile}\n"
    module = generated(tmp_path, contract)
    catalog = contracts.load_text(contract)
    # The contract precedes the client.
    with SyncRecordingClient(service="shop", envelope="cloudevents") as client:
        conformance = Conformance(catalog)
        conformance.watch(client)
        node: Any = module.SyncShopEventPublisher.with_client(client, node_id="shop-1")
        node.publish_order_placed(order="o-7", total="12.50")
        event = module.parse(message_of(client.cluster))
        assert type(event) is module.OrderPlacedEvent
        assert event.payload.order == "o-7"
        conformance.assert_conform(require_coverage=True)
        client.publish(Event("x.y", "n", {}))
        with pytest.raises(AssertionError, match=r"event-type: x\.y"):
            conformance.assert_conform()


def test_an_event_has_headers_of_its_own(client: SyncRecordingClient) -> None:
    def names(event: Event) -> list[str]:
        client.publish(event)
        return [name for name, _ in client.cluster.written()[-1][5]]

    optional = {"content-type", "event_id", "event_type", "correlation_id"}
    every = names(EVENT)
    assert "traceparent" in every
    needed = names(replace(EVENT, headers=[]))
    assert needed == [name for name in every if name in needed]
    assert set(every) - set(needed) <= {*optional, "traceparent"}
    assert names(replace(EVENT, headers=("traceparent",)))[-1] == "traceparent"
    with pytest.raises(ValueError, match=r"headers: `x` is not .* content-type, "):
        client.publish(replace(EVENT, headers=["x"]))
    for wrong, found in (("event_type", "str"), (7, "int"), ([7], "int")):
        changed = replace(EVENT, headers=cast("Any", wrong))
        expected = f"headers must be a list of names, not {found}"
        with pytest.raises(TypeError, match=expected):
            client.publish(changed)


def test_generated_publishers_write_the_headers_of_the_contract(
    tmp_path: Path,
) -> None:
    def written(contract: str, **settings: Any) -> list[str]:
        module = generated(tmp_path, contract)
        with SyncRecordingClient(service="shop", **settings) as client:
            publisher = module.SyncShopEventPublisher
            node: Any = publisher.with_client(client, node_id="shop-1")
            node.publish_order_placed(order="o-7", total="12.50")
            message = message_of(client.cluster)
            assert type(module.parse(message)) is module.OrderPlacedEvent
            return [name for name, _ in message.headers]

    every = ["content-type", "event_id", "event_type", "correlation_id"]
    assert written(CONTRACT) == every
    assert written(CONTRACT, headers=["event_id"]) == ["event_id"]
    own = f"{CONTRACT}headers: [event_type]\n"
    assert written(own) == ["event_type"]
    # The contract precedes the client.
    assert written(own, headers=["event_id"]) == ["event_type"]
    assert written(f"{CONTRACT}headers: []\n", headers=every) == []


def test_the_spool_keeps_the_profile(profile: str, tmp_path: Path) -> None:
    cluster = MemoryCluster()
    cluster.stop()
    with SyncRecordingClient(
        service="shop",
        envelope=profile,
        spool=tmp_path / "spool.db",
        deadline=0.05,
        cluster=cluster,
    ) as client:
        receipt = client.publish(EVENT)
        assert receipt.is_spooled
        cluster.start()
        client.flush(timeout=20)
        event = parse_message(message_of(cluster), {})
        assert str(event.event_id) == receipt.event_id
        assert event.payload == {"order": "A-17", "n": 1.5}


def test_settings_precede_environment_and_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def content_type(**settings: Any) -> bytes:
        with SyncRecordingClient(service="s", **settings) as client:
            client.publish(EVENT)
            return dict(message_of(client.cluster).headers)["content-type"]

    structured = b"application/cloudevents+json; charset=UTF-8"
    config = tmp_path / "herald.yaml"
    config.write_text("envelope: cloudevents\n")
    assert content_type() == b"application/json"
    assert content_type(config=config) == structured
    monkeypatch.setenv("HERALD_ENVELOPE", "none")
    assert content_type(config=config) == b"application/json"
    assert content_type(config=config, envelope="cloudevents") == structured


def test_unknown_profiles_are_errors_with_the_known_names(tmp_path: Path) -> None:
    client = SyncKafkaClient("localhost:1", spool=None, envelope="avro")
    names = ", ".join(PROFILES)
    with pytest.raises(SettingsError, match=f"`avro` is not .*{names}"):
        client.connect()
    config = tmp_path / "herald.yaml"
    config.write_text("envelope: avro\n")
    client = SyncKafkaClient("localhost:1", spool=None, config=config)
    with pytest.raises(SettingsError, match=r"herald\.yaml:1:11") as raised:
        client.connect()
    assert names in str(raised.value)


FOREIGN: dict[str, Any] = {
    "specversion": "1.0",
    "id": "1234",
    "source": "https://example.com/a",
    "type": "t",
    "correlationid": "order 7",
    "subject": "s",
}


def test_foreign_cloudevents_have_stable_ids() -> None:
    structured = Aiokafka(json.dumps(FOREIGN).encode(), timestamp=1_000)
    binary = Aiokafka(
        None,
        tuple((f"ce_{name}", value.encode()) for name, value in FOREIGN.items()),
        timestamp=1_000,
    )
    for message in (structured, binary, Confluent(structured), Confluent(binary)):
        event = parse_message(message, {})
        assert event.event_id == uuid5(NAMESPACE_URL, "https://example.com/a\n1234")
        assert event.source_service == "https://example.com/a"
        assert event.event_timestamp == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
        assert event.event_version == "1.0"
        assert event.correlation_id is None
        assert event.payload == {}
        assert event.extra == {
            "id": "1234",
            "correlationid": "order 7",
            "subject": "s",
        }


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"specversion": "0.3"}, "specversion"),
        ({"id": ""}, "id"),
        ({"source": None}, "source"),
        ({"type": 7}, "type"),
        ({"time": "now"}, "time"),
        ({"data": [1]}, "data"),
        ({"data_base64": "AA=="}, "data_base64"),
        ({"datacontenttype": "text/plain"}, "datacontenttype"),
        ({"metadata": "x"}, "metadata"),
        ({"metadata": "[]"}, "metadata"),
    ],
)
def test_invalid_cloudevents_name_the_attribute(
    changed: dict[str, Any], field: str
) -> None:
    valid = {**FOREIGN, "time": "2025-11-05T12:00:00Z"}
    assert parse_message(valid, {}).event_type == "t"
    with pytest.raises(EnvelopeError) as raised:
        parse_message({**valid, **changed}, {})
    assert raised.value.field == field


def test_invalid_headers_name_the_field() -> None:
    with SyncRecordingClient(service="s", envelope="none") as client:
        client.publish(EVENT)
        message = message_of(client.cluster)
    for name, value in [
        ("event_id", b"7"),
        ("event_type", b""),
        ("event_timestamp", b"now"),
        ("correlation_id", b"x"),
        ("region", b"\xff"),
        ("metadata", b"[]"),
    ]:
        headers = {**dict(message.headers), name: value}
        changed = Aiokafka(message.value, tuple(headers.items()))
        with pytest.raises(EnvelopeError) as raised:
            parse_message(changed, {})
        assert raised.value.field == name
