"""Schema ids in records, with a real schema registry: what Herald frames, the clients
of the registry read.
"""

import asyncio
import importlib.util
import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import herald
import pytest
from confluent_kafka import Consumer, Message, TopicPartition
from confluent_kafka.schema_registry import (
    SchemaRegistryClient,
    dual_schema_id_deserializer,
    topic_subject_name_strategy,
)
from confluent_kafka.schema_registry.json_schema import JSONDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from broker import HANG_SECONDS, Broker
from secure_registry import USER_INFO, SecureRegistry
from test_topics import HERALD

REGISTRY = os.environ.get("SCHEMA_REGISTRY_URL", "")
pytestmark = pytest.mark.skipif(
    not REGISTRY, reason="needs a registry: scripts/registry run -- python -m pytest"
)

PAYLOAD = {"order": "A-17", "lines": [{"price": "19.90"}]}
CONTRACT = """\
node_type: effect
service_name: shop
envelope: {envelope}
include_state_events: false
include_metric_events: false
events:
  - event_type: order.placed
    topic: {topic}
    payload: {{order: string, lines: "list[Line]"}}
definitions: {{Line: {{fields: {{price: decimal}}}}}}
"""


def command(folder: Path, *arguments: str, stdin: str = "") -> str:
    """Runs `herald`."""
    done = subprocess.run(
        [str(HERALD), *arguments],
        cwd=folder,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def registered(folder: Path, broker: Broker, envelope: str = "none") -> str:
    """Creates a topic, and registers the schema of its events."""
    topic = f"{broker.namespace}.orders"
    broker.create([topic])
    contract = CONTRACT.format(topic=topic, envelope=envelope)
    (folder / "orders.yaml").write_text(contract)
    command(folder, "registry", "register", "orders.yaml", "--yes")
    return topic


async def publish(topic: str, broker: Broker, **settings: Any) -> herald.Receipt:
    async with herald.KafkaClient(broker.address, service="shop", **settings) as client:
        return await client.publish_with_envelope(
            "order.placed", "orders-1", PAYLOAD, topic=topic
        )


def generated(folder: Path) -> Any:
    """Imports the module of the contract."""
    command(folder, "generate", "orders.yaml", "--out", ".")
    spec = importlib.util.spec_from_file_location("shop", folder / "shop_events.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def deserialized(topic: str, broker: Broker) -> list[tuple[Any, Message]]:
    """Returns the values as the deserializer of the registry's client reads them, which
    validates them by their schema, and the messages.
    """
    client = SchemaRegistryClient({"url": REGISTRY, "timeout": HANG_SECONDS})
    read = JSONDeserializer(
        None,
        schema_registry_client=client,
        conf={
            "schema.id.deserializer": dual_schema_id_deserializer,
            # The default one asks for what only Confluent's registry has.
            "subject.name.strategy": topic_subject_name_strategy,
        },
    )
    consumer = Consumer(
        {"bootstrap.servers": broker.address, "group.id": topic, "log_level": 0}
    )
    found: list[tuple[Any, Message]] = []
    try:
        for partition in consumer.list_topics(topic).topics[topic].partitions:
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition))
            consumer.assign([TopicPartition(topic, partition, low)])
            for _ in range(low, high):
                message = consumer.poll(HANG_SECONDS)
                assert message is not None and message.error() is None
                headers = message.headers() or []
                context = SerializationContext(topic, MessageField.VALUE, headers)
                found.append((read(message.value(), context), message))
    finally:
        consumer.close()
    return found


@pytest.mark.parametrize("envelope", ["none", "onex-v1", "cloudevents"])
@pytest.mark.parametrize("framing", ["prefix", "header"])
def test_the_client_of_the_registry_reads_framed_values(
    tmp_path: Path, broker: Broker, framing: str, envelope: str
) -> None:
    topic = registered(tmp_path, broker, envelope)
    settings = {"url": REGISTRY, "framing": framing}
    asyncio.run(publish(topic, broker, envelope=envelope, schema_registry=settings))
    command(tmp_path, "spool", "drain", "--framing", framing)

    [(document, message)] = deserialized(topic, broker)
    value = message.value()
    assert isinstance(value, bytes)
    event = generated(tmp_path).parse(message)
    assert event.payload.order == "A-17"
    member = {"none": None, "onex-v1": "payload", "cloudevents": "data"}[envelope]
    assert (document if member is None else document[member]) == PAYLOAD
    assert value.startswith(b"\0" if framing == "prefix" else b"{")


def test_the_command_publishes_and_reads_framed_values(
    tmp_path: Path, broker: Broker
) -> None:
    topic = registered(tmp_path, broker, "onex-v1")
    options = ["--contract", "orders.yaml", "--framing", "prefix"]
    options += ["--correlation-id", str(uuid4())]
    payload = ["--event-type", "order.placed", "--payload", "-"]
    command(tmp_path, "publish", *options, *payload, stdin=json.dumps(PAYLOAD))
    [(document, message)] = deserialized(topic, broker)
    assert document["payload"] == PAYLOAD
    assert str(message.value()).startswith(r"b'\x00")

    listen = ["--from", "beginning", "--count", "1", "--format", "jsonl"]
    [line] = command(tmp_path, "listen", topic, *listen).splitlines()
    assert json.loads(line)["envelope"]["payload"] == PAYLOAD
    command(tmp_path, "verify", "orders.yaml")
    assert "order.placed" in command(tmp_path, "infer", "--topic", topic)


def test_events_of_one_topic_share_a_schema_that_refers_to_theirs(
    tmp_path: Path, broker: Broker
) -> None:
    topic = f"{broker.namespace}.orders"
    broker.create([topic])
    service = broker.namespace
    contract = CONTRACT.format(topic=topic, envelope="none").replace("shop", service)
    more = f"  - {{event_type: order.lost, topic: {topic}, payload: {{by: string}}}}\n"
    contract = contract.replace("definitions:", f"{more}definitions:")
    (tmp_path / "orders.yaml").write_text(contract)
    command(tmp_path, "registry", "register", "orders.yaml", "--references", "--yes")
    settings = {"url": REGISTRY, "framing": "prefix"}
    asyncio.run(publish(topic, broker, envelope="none", schema_registry=settings))
    command(tmp_path, "spool", "drain", "--framing", "prefix")
    [(document, _)] = deserialized(topic, broker)
    assert document == PAYLOAD


def test_events_wait_for_a_registry_that_is_away(
    tmp_path: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = registered(tmp_path, broker)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        away = f"http://127.0.0.1:{unused.getsockname()[1]}"
    settings = {"url": away, "framing": "prefix"}
    receipt = asyncio.run(
        publish(
            topic, broker, envelope="none", schema_registry=settings, close_timeout=0
        )
    )
    assert not receipt.is_delivered
    assert deserialized(topic, broker) == []

    command(tmp_path, "spool", "drain", "--framing", "prefix")
    [(document, _)] = deserialized(topic, broker)
    assert document == PAYLOAD


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"uri": "http://r"}, "no setting 'uri'"),
        ({"url": "http://r"}, "the framing is not set"),
        ({"url": "http://r", "framing": "both"}, "`both` is not a framing"),
        ({"url": "r", "framing": "prefix"}, "must begin with https://"),
        ({"url": "http://a:hunter2@r", "framing": "prefix"}, "must not have a user"),
        ({"url": "http://r", "framing": "prefix", "user_info": "hunter2"}, "USER:"),
    ],
)
def test_wrong_settings_are_refused(
    broker: Broker, settings: dict[str, str], message: str
) -> None:
    with pytest.raises(herald.SettingsError) as refused:
        asyncio.run(publish("t", broker, schema_registry=settings))
    assert message in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.fixture
def secure() -> Iterator[SecureRegistry]:
    """The registry behind TLS with a certificate of a private CA, and a login."""
    certificates = os.environ.get("KAFKA_CERTIFICATES")
    if not certificates:
        pytest.skip("needs the certificates of scripts/kafka, which OpenSSL makes")
    with SecureRegistry(REGISTRY, Path(certificates)) as registry:
        yield registry


def attempt(
    folder: Path, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs `herald registry` with this environment only."""
    given = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("SCHEMA_REGISTRY_")
    }
    done = subprocess.run(
        [str(HERALD), "registry", *arguments],
        cwd=folder,
        env=given | environment,
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
    )
    assert "secret" not in done.stdout + done.stderr
    return done


def test_commands_reach_a_registry_with_tls_and_a_login(
    tmp_path: Path, broker: Broker, secure: SecureRegistry
) -> None:
    topic = f"{broker.namespace}.orders"
    contract = CONTRACT.format(topic=topic, envelope="none")
    (tmp_path / "orders.yaml").write_text(contract)
    settings = f"schema_registry:\n  url: {secure.url}\n"
    (tmp_path / "herald.yaml").write_text(f"contracts: [orders.yaml]\n{settings}")
    login = {"SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO": USER_INFO}
    ca = {"SCHEMA_REGISTRY_CA_LOCATION": str(secure.ca)}

    untrusted = attempt(tmp_path, "check", **login)
    assert untrusted.returncode == 2
    assert f"TLS with the schema registry at {secure.url} failed" in untrusted.stderr
    assert "SCHEMA_REGISTRY_CA_LOCATION" in untrusted.stderr
    stranger = attempt(tmp_path, "check", **ca)
    assert stranger.returncode == 2
    assert "no credentials were given" in stranger.stderr
    wrong = {"SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO": "alice:other-secret"}
    refused = attempt(tmp_path, "register", "--yes", **ca, **wrong)
    assert refused.returncode == 2
    assert "refused the login (401)" in refused.stderr
    assert secure.requests == []

    new = attempt(tmp_path, "check", **ca, **login)
    assert new.returncode == 0, new.stderr
    assert f"+ {topic}-value" in new.stdout
    registered = attempt(tmp_path, "register", "--yes", **ca, **login)
    assert registered.returncode == 0, registered.stderr
    assert any(request.startswith("POST ") for request in secure.requests)

    # The certificates of the project, relative to its file.
    (tmp_path / "ca.pem").write_bytes(secure.ca.read_bytes())
    (tmp_path / "herald.yaml").write_text(
        f"contracts: [orders.yaml]\n{settings}  ca: ca.pem\n"
    )
    same = attempt(tmp_path, "diff", **login)
    assert same.returncode == 0, same.stdout + same.stderr
    (tmp_path / "orders.yaml").write_text(
        contract.replace("order: string", "order: string, note: string | null")
    )
    changed = attempt(tmp_path, "diff", **login)
    assert changed.returncode == 1, changed.stderr
    assert "note" in changed.stdout


def test_clients_look_up_ids_with_tls_and_a_login(
    tmp_path: Path,
    broker: Broker,
    secure: SecureRegistry,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    topic = registered(tmp_path, broker)
    # Ids of its topics are looked up when the client connects, as long as it exists.
    module = generated(tmp_path)
    monkeypatch.delenv("SCHEMA_REGISTRY_URL")
    settings = {"url": secure.url, "framing": "prefix", "ca": str(secure.ca)}
    login = {"user_info": USER_INFO}
    receipt = asyncio.run(
        publish(topic, broker, envelope="none", schema_registry=settings | login)
    )
    assert receipt.is_delivered
    [(document, message)] = deserialized(topic, broker)
    assert document == PAYLOAD
    assert str(message.value()).startswith(r"b'\x00")
    path = f"/subjects/{topic}-value/versions/latest"
    assert [request for request in secure.requests if request.endswith(path)]
    del module

    # The event of a client with a wrong password waits, and is sent with the right one.
    wrong = {"user_info": "alice:other-secret"}
    with caplog.at_level("WARNING"):
        receipt = asyncio.run(
            publish(
                topic,
                broker,
                envelope="none",
                schema_registry=settings | wrong,
                close_timeout=0,
            )
        )
    assert not receipt.is_delivered
    assert "refused the login (401)" in caplog.text
    assert "other-secret" not in caplog.text
    monkeypatch.setenv("SCHEMA_REGISTRY_URL", secure.url)
    monkeypatch.setenv("SCHEMA_REGISTRY_CA_LOCATION", str(secure.ca))
    monkeypatch.setenv("SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO", USER_INFO)
    command(tmp_path, "spool", "drain", "--framing", "prefix")
    assert [read for read, _ in deserialized(topic, broker)] == [PAYLOAD, PAYLOAD]
