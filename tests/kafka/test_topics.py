"""Tests that compare Herald's rule for topics with Kafka's own answer."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from broker import HANG_SECONDS, Broker
from nodes import NODES, Node

HERALD = Path(
    os.environ.get("HERALD_BIN")
    or Path(__file__).parents[2] / "target" / "release" / "herald"
)
MAX_LENGTH = 249

# Names at the edge of the rule, on both sides. No two collide, which is another rule.
NAMES = [
    "a",
    "a-Z_0.9",
    "-",
    "_z",
    "...",
    ".a",
    "a.",
    "x" * (MAX_LENGTH - 1),
    "x" * MAX_LENGTH,
    "x" * (MAX_LENGTH + 1),
    "",
    ".",
    "..",
    "a b",
    " a",
    "a/b",
    "a:b",
    "a\\b",
    "a\tb",
    "a+b",
    "a{b",
    "é",
    "ａ",  # noqa: RUF001
    "٣",
]


@pytest.mark.parametrize("node", NODES, ids=lambda node: node.name)
def test_every_topic_of_a_catalog_can_be_created(broker: Broker, node: Node) -> None:
    assert list(node.enumeration("EventType")) == node.event_types
    topics = [
        template.format(namespace=broker.namespace)
        for template in node.enumeration("Topic")
    ]
    assert topics == node.topics(broker.namespace)
    broker.create(topics)


@pytest.mark.parametrize("node", NODES, ids=lambda node: node.name)
def test_a_namespace_may_fill_topics_up_to_kafkas_limit(
    broker: Broker, node: Node
) -> None:
    longest = max(node.enumeration("Topic"), key=len)
    room = MAX_LENGTH - len(longest.format(namespace=broker.namespace))
    fits = longest.format(namespace=broker.namespace + "x" * room)
    assert len(fits) == MAX_LENGTH
    broker.create([fits])
    too_long = longest.format(namespace=broker.namespace + "x" * (room + 1))
    assert broker.refusals([too_long]) == {too_long: "TOPIC_EXCEPTION"}


def test_topics_that_differ_only_in_dot_and_underscore_collide(broker: Broker) -> None:
    first, second = f"{broker.namespace}.a.b_c", f"{broker.namespace}.a_b.c"
    broker.create([first])
    assert broker.refusals([second]) == {second: "TOPIC_EXCEPTION"}


@pytest.mark.skipif(not HERALD.exists(), reason=f"{HERALD} is not built")
def test_herald_refuses_what_kafka_refuses(broker: Broker, tmp_path: Path) -> None:
    for number, name in enumerate(NAMES):
        (tmp_path / f"{number}.yaml").write_text(contract(f"node{number}", name))

    checked = subprocess.run(
        [HERALD, "check", "--format", "json", *sorted(tmp_path.glob("*.yaml"))],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
        timeout=HANG_SECONDS,
    )
    diagnostics = json.loads(checked.stdout)["diagnostics"]
    by_herald = {
        NAMES[int(Path(diagnostic["path"]).stem)]
        for diagnostic in diagnostics
        if diagnostic["severity"] == "error"
    }

    by_kafka = {name for name, reason in broker.refusals(NAMES).items() if reason}
    assert by_herald == by_kafka


# A module with topics, and a client that checks them.
CHECKING = """\
import logging, sys, threading
from enum import StrEnum

from herald import SettingsError, SyncKafkaClient
from herald.runtime import EventSource

class Topics(StrEnum):
    PLACED = "{namespace}.placed"
    PAID = "{namespace}.paid"

source = EventSource("orders", Topics)
logged = threading.Event()

class Handler(logging.Handler):
    def emit(self, record):
        print(record.levelname, record.getMessage())
        if "topics" in record.getMessage():
            logged.set()

logging.getLogger("herald.publisher").addHandler(Handler())
namespace, transport, check, waits = sys.argv[1:]
client = SyncKafkaClient(
    service="orders",
    namespace=namespace,
    check_topics=check,
    properties={"transport": transport},
)
try:
    with client:
        if waits == "waits":
            assert logged.wait(60)
        print("connected")
except SettingsError as error:
    print(error)
"""


@pytest.mark.parametrize("transport", ["librdkafka", "native"])
def test_topics_of_generated_modules_are_checked_at_the_start(
    broker: Broker, transport: str, tmp_path: Path
) -> None:
    def start(check: str, waits: str = "") -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", CHECKING, broker.namespace, transport, check, waits],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            text=True,
            timeout=HANG_SECONDS,
            check=True,
        )
        return done.stdout.splitlines()

    def sentence(number: int, names: str) -> str:
        return (
            f"{number} of 2 topics do not exist, or this client may not describe them: "
            f"{names}; create them with `herald topics apply --namespace "
            f"{broker.namespace} --yes`"
        )

    placed, paid = f"{broker.namespace}.placed", f"{broker.namespace}.paid"
    assert start("off") == ["connected"]
    both = sentence(2, f"{paid}, {placed}")
    assert start("error") == [both]
    assert start("warn", "waits") == [f"WARNING {both}", "connected"]
    broker.create([placed])
    assert start("error") == [sentence(1, paid)]
    broker.create([paid])
    assert start("error") == ["connected"]


def test_start_without_an_answer_of_the_cluster_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    done = subprocess.run(
        [sys.executable, "-c", CHECKING, "none", "native", "error", "waits"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
        timeout=HANG_SECONDS,
        check=True,
    )
    assert "WARNING topics were not checked" in done.stdout
    assert "connected\n" in done.stdout


def contract(service_name: str, topic: str) -> str:
    """A contract in YAML, of which JSON is a part."""
    return json.dumps(
        {
            "node_type": "effect",
            "service_name": service_name,
            "operations": ["process"],
            "events": [{"event_type": "thing.happened", "topic": topic}],
        }
    )
