"""Tests of the sources of a client's settings, and of errors about invalid ones."""

from __future__ import annotations

import logging
import math
import sqlite3
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from herald import KafkaClient, SettingsError, SyncKafkaClient
from herald.testing import DevCluster, MemoryCluster

from clients import envelope, event, run


def connect(**settings: Any) -> SyncKafkaClient:
    settings.setdefault("spool", None)
    if "bootstrap_servers" not in settings:
        settings.setdefault("cluster", MemoryCluster())
    client = SyncKafkaClient(**settings)
    client.connect()
    return client


@pytest.fixture(autouse=True)
def clean(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_STATE_HOME", "KAFKA_BOOTSTRAP_SERVERS", "OTEL_SERVICE_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(folder))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"deadline": -1}, "deadline must be 0 seconds or more, not -1"),
        ({"deadline": math.nan}, "deadline must be 0 seconds or more, not nan"),
        ({"deadline": "2"}, "deadline must be a number of seconds, not str"),
        ({"close_timeout": -1.5}, "close_timeout must be 0 seconds or more"),
        ({"close_timeout": "1"}, "close_timeout must be a number of seconds, not str"),
        ({"max_in_flight": 0}, "max_in_flight must be 1 or more, not 0"),
        ({"max_in_flight": 1.5}, "max_in_flight must be int, not float"),
        ({"max_in_flight": True}, "max_in_flight must be int, not bool"),
        ({"max_in_flight_bytes": -1}, "max_in_flight_bytes must be 1 or more, not -1"),
        ({"spool_max_bytes": 1 << 64}, "spool_max_bytes must be 1 or more"),
        ({"check_topics": True}, "check_topics must be 'off', 'warn' or 'error'"),
        ({"mode": "fast"}, "mode must be 'direct' or 'write_ahead', not 'fast'"),
        ({"mode": "write_ahead"}, "the mode write-ahead needs a spool"),
        ({"headers": "event_type"}, "headers must be a list of names, not str"),
        ({"headers": [5]}, "headers must be a list of names, not int"),
        (
            {"headers": ["event"]},
            "`event` is not a header of an event; the headers are",
        ),
        ({"token_provider": "t"}, "token_provider must be a function that returns"),
        ({"service": 5}, "service must be str, not int"),
        ({"service": ""}, "service must not be empty"),
        ({"namespace": "a b"}, 'namespace "a b" is not a valid start of a topic'),
        ({"topic_pattern": "{x}.{event_type}"}, "`{x}` is not a placeholder"),
        ({"spool": 5}, "spool must be a path, not int"),
        ({"spool": ""}, "spool must be a path, 'usual', or None"),
        ({"config": 5}, "config must be a path, not int"),
        ({"config": "none.yaml"}, "none.yaml"),
        ({"cluster": "x"}, "cluster must be a herald.testing.MemoryCluster, not str"),
        ({"properties": [("a", "b")]}, "properties must be a mapping, not list"),
        ({"properties": {5: "b"}}, "the name of a property must be str, not int"),
        ({"properties": {"a": b"b"}}, r"properties\['a'\] must be str, int, float or"),
        ({"bootstrap_servers": 5}, "bootstrap_servers must be str or a list of str"),
        ({"bootstrap_servers": [5]}, "bootstrap_servers must be str or a list of str"),
        ({"bootstrap_servers": []}, "names no broker; expected 'HOST:PORT'"),
        ({"bootstrap_servers": " ,"}, "names no broker; expected 'HOST:PORT'"),
    ],
)
def test_a_bad_setting_is_named_with_what_was_expected(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        connect(**settings)


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        (
            {"sasl.passwort": "hunter2"},
            "no property `sasl.passwort`; did you mean `sasl.password`",
        ),
        (
            {"sasl.passwort": "hunter2", "transport": "librdkafka"},
            'no property named "sasl.passwort"',
        ),
        ({"linger.ms": "hunter2"}, "linger.ms: the value is not a number"),
        ({"acks": 0}, "acks=0 is not possible"),
        ({"sasl.password": "env:NOT_SET"}, "environment variable NOT_SET is not set"),
    ],
)
def test_a_bad_property_is_named_and_no_secret_is_shown(
    properties: dict[str, object], message: str
) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        connect(bootstrap_servers="localhost:1", properties=properties)
    assert "hunter2" not in str(caught.value)


def headers_of(**settings: Any) -> list[str]:
    """Publishes an event, and returns the names of its headers."""
    cluster = MemoryCluster()
    with connect(cluster=cluster, **settings) as client:
        client.publish_with_envelope(
            "order.placed", "shop-1", {}, topic="t", correlation_id=uuid4()
        )
    [(_, _, _, _, headers)] = cluster.messages("t")
    return [name for name, _ in headers]


def test_headers_are_those_of_the_argument_or_of_the_project(folder: Path) -> None:
    every = ["content-type", "event_id", "event_type", "correlation_id"]
    assert headers_of() == every
    (folder / "herald.yaml").write_text("headers: [event_type, event_id]\n")
    assert headers_of() == ["event_id", "event_type"]
    assert headers_of(headers=["correlation_id"]) == ["correlation_id"]
    assert headers_of(headers=[]) == []
    # Headers that the envelope profile needs are written all the same.
    assert "ce_id" in headers_of(headers=[], envelope="cloudevents-binary")

    (folder / "herald.yaml").write_text("headers: [event_typ]\n")
    with pytest.raises(SettingsError, match=r"herald\.yaml:1:11[^$]*event_type"):
        headers_of()


def test_no_secret_is_in_a_repr_or_a_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    properties = {
        "security.protocol": "sasl_plaintext",
        "sasl.mechanism": "PLAIN",
        "sasl.username": "user",
        "sasl.password": "hunter2",
    }
    cluster = DevCluster()
    servers = cluster.bootstrap_servers
    with connect(bootstrap_servers=servers, properties=properties) as client:
        shown = repr(client) + repr(vars(client))
        client.close(0)
    cluster.stop()
    assert "hunter2" not in shown
    assert "hunter2" not in caplog.text


def test_a_missing_cluster_names_three_ways_to_set_it() -> None:
    with pytest.raises(SettingsError) as caught:
        SyncKafkaClient(spool=None).connect()
    for way in ("bootstrap_servers=", "KAFKA_BOOTSTRAP_SERVERS", "herald.yaml"):
        assert way in str(caught.value)


def test_a_bad_herald_yaml_shows_file_and_line(folder: Path) -> None:
    (folder / "herald.yaml").write_text(
        "namespace: dev\nkafka:\n  bootstrap_server: x\n"
    )
    with pytest.raises(SettingsError) as caught:
        connect()
    message = str(caught.value)
    assert "herald.yaml:3:3" in message
    assert "did you mean `bootstrap_servers`?" in message
    assert message == message.strip()


def test_arguments_come_before_the_environment_and_that_before_the_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "herald.yaml").write_text("namespace: file\nspool: of-file.db\n")

    def place(**settings: Any) -> str | None:
        cluster = MemoryCluster()
        with SyncKafkaClient(cluster=cluster, service="s", **settings) as client:
            spool = client.spool
            assert spool is not None
            topic = client.publish(event(1)).topic
            assert topic is not None
            return f"{topic.split('.')[0]} {Path(spool.path).name}"

    assert place() == "file of-file.db"
    monkeypatch.setenv("HERALD_NAMESPACE", "env")
    monkeypatch.setenv("HERALD_SPOOL", str(folder / "of-env.db"))
    assert place() == "env of-env.db"
    assert place(namespace="arg", spool=folder / "of-arg.db") == "arg of-arg.db"


def test_herald_yaml_in_a_parent_folder_is_found(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "herald.yaml").write_text("spool: queue/spool.db\n")
    (folder / "src").mkdir()
    monkeypatch.chdir(folder / "src")
    with SyncKafkaClient(cluster=MemoryCluster()) as client:
        assert client.spool is not None
    assert (folder / "queue" / "spool.db").exists()


@pytest.mark.parametrize(
    ("variables", "field", "value"),
    [
        ({"HERALD_SERVICE": "a", "OTEL_SERVICE_NAME": "b"}, "source_service", "a"),
        ({"OTEL_SERVICE_NAME": "b"}, "source_service", "b"),
        (
            {"OTEL_RESOURCE_ATTRIBUTES": "service.name=c,x=y"},
            "source_service",
            "c",
        ),
        ({}, "source_service", "unnamed"),
        ({"HERALD_SERVICE_VERSION": "1.2"}, "source_version", "1.2"),
        ({}, "source_version", "0.0.0"),
        ({"HERALD_ENVIRONMENT": "staging"}, "environment", "staging"),
        ({}, "environment", "development"),
    ],
)
def test_each_variable_about_the_service_is_read(
    variables: dict[str, str],
    field: str,
    value: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, text in variables.items():
        monkeypatch.setenv(name, text)
    cluster = MemoryCluster()
    with SyncKafkaClient(cluster=cluster, spool=None) as client:
        topic = client.publish(event(1)).topic
    assert topic is not None
    assert envelope(cluster, topic)[field] == value


def test_the_variables_of_kafka_clients_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "localhost:1")
    monkeypatch.setenv("KAFKA_SECURITY_PROTOCOL", "nonsense")
    with pytest.raises(SettingsError, match=r"security\.protocol"):
        SyncKafkaClient(spool=None).connect()
    # Arguments come first.
    properties = {"security.protocol": "plaintext"}
    SyncKafkaClient(spool=None, properties=properties).connect()


def test_a_cluster_is_found_by_environment_and_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = DevCluster()
    servers = cluster.bootstrap_servers
    try:
        monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", servers)
        with SyncKafkaClient(spool=None) as client:
            assert client.publish(event(1)).is_delivered
        monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS")
        (folder / "herald.yaml").write_text(f"kafka: {{bootstrap_servers: {servers}}}")
        with SyncKafkaClient(spool=None) as client:
            assert client.publish(event(1)).is_delivered
    finally:
        cluster.stop()


def test_the_default_spool_is_in_the_state_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SyncKafkaClient(cluster=MemoryCluster(), service="shop/../x") as client:
        assert client.spool is not None
        place = folder / ".local/state/herald/shop____x.db"
        assert Path(client.spool.path) == place
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    with SyncKafkaClient(cluster=MemoryCluster(), service="shop") as client:
        assert client.spool is not None
        assert Path(client.spool.path) == folder / "state/herald/shop.db"


def test_a_client_without_a_service_has_no_default_spool(folder: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        SyncKafkaClient(cluster=MemoryCluster()).connect()
    for way in ("service=", "HERALD_SERVICE", "spool=PATH", "HERALD_SPOOL"):
        assert way in str(caught.value)
    assert list(folder.iterdir()) == []


def test_clients_and_processes_with_one_spool_get_a_file_each(folder: Path) -> None:
    path = folder / "spool.db"
    cluster = MemoryCluster()
    with (
        SyncKafkaClient(cluster=cluster, spool=path) as one,
        SyncKafkaClient(cluster=cluster, spool=path) as two,
    ):
        assert one.spool is not None
        assert two.spool is not None
        script = """
            with SyncKafkaClient(cluster=MemoryCluster(), spool=sys.argv[1]) as client:
                print(client.spool.path)
        """
        three = run(script, path, folder=folder).stdout.strip()
        assert len({one.spool.path, two.spool.path, three}) == 3


def test_without_a_spool_there_is_no_file(folder: Path) -> None:
    with connect() as client:
        assert client.spool is None
        assert client.publish(event(1)).is_delivered
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("place", ["/proc/nothing/spool.db", "."])
def test_an_unwritable_spool_explains_the_fix(place: str) -> None:
    with pytest.raises(SettingsError) as caught:
        connect(spool=place)
    assert f"the spool {place} can't be opened" in str(caught.value)
    assert "spool=PATH or HERALD_SPOOL" in str(caught.value)


def test_a_file_that_is_not_a_spool_is_not_changed(folder: Path) -> None:
    path = folder / "mine.db"
    with sqlite3.connect(path) as mine:
        mine.execute("create table mine (x)")
    before = path.read_bytes()
    with pytest.raises(SettingsError, match=r"mine\.db"):
        connect(spool=path)
    assert path.read_bytes() == before


def test_a_repr_says_which_cluster_and_whether_it_is_connected() -> None:
    client = KafkaClient(["a:1", "b:2"])
    assert repr(client) == "<KafkaClient a:1,b:2 not connected>"
