"""`scripts/kafka` gives tests nodes that they can stop, and leaves none behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from broker import HANG_SECONDS, PARTITIONS, Broker
from cluster import SCRIPT, environment, run

pytestmark = pytest.mark.skipif(
    "KAFKA_CLUSTER" not in os.environ, reason="starts nodes: needs `scripts/kafka run`"
)


def publish(addresses: list[str], topic: str) -> None:
    """Publish one record to each partition, acknowledged by all replicas in sync."""
    acknowledged: list[Message] = []

    def on_delivery(error: object, message: Message) -> None:
        assert error is None, error
        acknowledged.append(message)

    producer = Producer({"bootstrap.servers": ",".join(addresses), "acks": "all"})
    for partition in range(PARTITIONS):
        producer.produce(
            topic,
            b"value",
            b"key",
            partition=partition,
            headers=[("name", b"value")],
            on_delivery=on_delivery,
        )
    producer.flush(HANG_SECONDS)
    assert len(acknowledged) == PARTITIONS


def create(addresses: list[str]) -> str:
    topic = f"t{uuid4().hex}"
    admin = AdminClient({"bootstrap.servers": ",".join(addresses)})
    admin.create_topics([NewTopic(topic, PARTITIONS)])[topic].result(HANG_SECONDS)
    return topic


def is_refused(address: str) -> bool:
    host, port = address.split(":")
    try:
        socket.create_connection((host, int(port))).close()
    except ConnectionRefusedError:
        return True
    return False


def runs(pid: int) -> bool:
    return (
        "kafka.Kafka"
        in subprocess.run(
            ["ps", "-ww", "-o", "command=", "-p", str(pid)],
            capture_output=True,
            text=True,
        ).stdout
    )


def wait_until_none_runs(pids: list[int]) -> None:
    deadline = time.monotonic() + HANG_SECONDS
    while any(runs(pid) for pid in pids):
        assert time.monotonic() < deadline, "nodes outlive their run"
        time.sleep(0.1)


@pytest.mark.parametrize("verb", ["stop", "kill"])
def test_a_node_comes_back_with_its_port_and_data(tmp_path: Path, verb: str) -> None:
    with run(tmp_path, nodes=1) as cluster:
        topic = create(cluster.addresses)
        publish(cluster.addresses, topic)

        assert cluster.node(f"1 {verb}") == (0, "")
        assert is_refused(cluster.addresses[0])
        assert cluster.node("1 status") == (1, "stopped")

        assert cluster.node("1 start") == (0, "")
        assert cluster.node("1 status") == (0, f"running at {cluster.addresses[0]}")
        assert len(Broker(cluster.addresses[0]).read([topic])) == PARTITIONS


def test_a_paused_node_answers_after_it_resumes(tmp_path: Path) -> None:
    with run(tmp_path, nodes=1) as cluster:
        topic = create(cluster.addresses)
        client = AdminClient({"bootstrap.servers": cluster.addresses[0]})
        client.list_topics(topic, timeout=HANG_SECONDS)

        assert cluster.node("1 pause") == (0, "")
        assert cluster.node("1 status") == (1, "paused")
        with pytest.raises(KafkaException):
            client.list_topics(topic, timeout=1)

        assert cluster.node("1 resume") == (0, "")
        publish(cluster.addresses, topic)


def test_three_nodes_tolerate_the_loss_of_one(
    tmp_path: Path,
) -> None:
    with run(tmp_path, nodes=3) as cluster:
        assert len(cluster.addresses) == 3
        topic = create(cluster.addresses)

        assert cluster.node("1 kill") == (0, "")
        publish(cluster.addresses, topic)
        assert cluster.node("1 start") == (0, "")

        assert cluster.node("1 2 3 kill") == (0, "")
        assert all(is_refused(address) for address in cluster.addresses)
        assert cluster.node("1 2 3 start") == (0, "")
        publish(cluster.addresses, topic)
        records = Broker(",".join(cluster.addresses)).read([topic])
        assert len(records) == 2 * PARTITIONS


def test_an_invalid_command_is_explained(tmp_path: Path) -> None:
    with run(tmp_path, nodes=1) as cluster:
        assert cluster.node("1 pause") == (0, "")
        for arguments, reason in {
            "1 stop": "node 1 is paused: resume or kill it",
            "1 start": "node 1 is paused: resume it",
            "2 stop": "there is no node 2, only 1",
        }.items():
            assert cluster.node(arguments) == (1, f"scripts/kafka: {reason}")

        assert cluster.node("1 kill") == (0, "")
        for verb in ("stop", "kill", "pause", "resume"):
            reason = "scripts/kafka: node 1 is stopped"
            assert cluster.node(f"1 {verb}") == (1, reason)

        code, said = cluster.node("1 explode")
        assert code == 2
        assert "scripts/kafka node N... VERB" in said


def test_a_run_removes_its_files_and_processes(tmp_path: Path) -> None:
    with run(tmp_path, nodes=1) as cluster:
        assert cluster.node("1 stop") == (0, "")
        assert cluster.node("1 start") == (0, "")
        # It doesn't hear a polite request to end.
        assert cluster.node("1 pause") == (0, "")
        pids = cluster.pids()

    assert cluster.process.returncode == 0
    assert not any(runs(pid) for pid in pids)
    assert not list(tmp_path.glob("run-*"))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next run does it")
def test_nodes_end_with_a_killed_run(tmp_path: Path) -> None:
    with run(tmp_path, nodes=1) as cluster:
        first = cluster.pids()
        assert cluster.node("1 kill") == (0, "")
        assert cluster.node("1 start") == (0, "")
        pids = cluster.pids()
        assert pids != first
        assert all(runs(pid) for pid in pids)

        os.kill(cluster.process.pid, signal.SIGKILL)
        wait_until_none_runs(pids)
        code, said = cluster.node("1 start")
        assert code == 1
        assert said.endswith("is over")

    with run(tmp_path, nodes=1) as cluster:
        assert len(list(tmp_path.glob("run-*"))) == 1


def test_an_external_address_has_no_controllable_nodes(tmp_path: Path) -> None:
    said = subprocess.check_output(
        [SCRIPT, "run", "--nodes", "3", "--", "env"],
        env={**environment(tmp_path), "KAFKA_BOOTSTRAP_SERVERS": "example:9092"},
        text=True,
    ).splitlines()

    assert "KAFKA_BOOTSTRAP_SERVERS=example:9092" in said
    assert not any(line.startswith("KAFKA_CLUSTER") for line in said)
