"""Tests of `herald doctor` with a cluster that refuses: rights, size, and login."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AclBinding,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)

from broker import HANG_SECONDS, Broker
from test_topics import HERALD, contract

pytestmark = pytest.mark.skipif(not HERALD.exists(), reason=f"{HERALD} is not built")


class Doctor:
    """Runs the command over one contract with a topic of its own."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        self.folder, self.broker = folder, broker
        self.topic = f"{broker.namespace}.thing.happened"
        (folder / "shop.yaml").write_text(contract("shop", self.topic))

    def topics(self) -> list[str]:
        """The topics of the contract."""
        plan = self.run("topics", "plan", "shop.yaml", "--format", "json")
        return [one["topic"] for one in json.loads(plan.stdout)["topics"]]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [HERALD, *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=HANG_SECONDS,
            check=False,
            env=os.environ | {"HERALD_NAMESPACE": self.broker.namespace},
        )

    def checks(self, *options: str) -> list[dict[str, Any]]:
        """The checks that are not good."""
        done = self.run("doctor", "shop.yaml", "--format", "json", *options)
        found: list[dict[str, Any]] = json.loads(done.stdout)["checks"]
        assert done.returncode == any(one["verdict"] == "problem" for one in found)
        return [one for one in found if one["verdict"] in ("problem", "warning")]

    def fix(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run the command of a fix, which a user would copy."""
        assert command.startswith("herald ")
        return self.run(*command.split()[1:])


@pytest.fixture
def doctor(tmp_path: Path, broker: Broker, spool: Path) -> Doctor:
    return Doctor(tmp_path, broker)


def acl(broker: Broker, topic: str, operation: Any, permission: Any) -> None:
    """Add an ACL for clients that do not log in."""
    binding = AclBinding(
        ResourceType.TOPIC,
        topic,
        ResourcePatternType.LITERAL,
        "User:ANONYMOUS",
        "*",
        operation,
        permission,
    )
    for future in broker.admin.create_acls([binding]).values():
        future.result(HANG_SECONDS)


def test_missing_topics_are_created_by_the_fix(doctor: Doctor) -> None:
    (missing,) = doctor.checks()
    assert missing["subject"] == "topics"
    assert missing["text"].startswith("6 of 6 are missing: ")
    applied = doctor.fix(missing["fix"])
    assert applied.returncode == 0, applied.stderr
    assert doctor.checks() == []


def test_denied_rights_are_told_apart_from_missing_topics(doctor: Doctor) -> None:
    topics = doctor.topics()
    doctor.broker.create(topics)
    unseen, unwritable = topics[:2]
    for topic in (unseen, unwritable):
        acl(doctor.broker, topic, AclOperation.ALL, AclPermissionType.ALLOW)
    acl(doctor.broker, unseen, AclOperation.DESCRIBE, AclPermissionType.DENY)
    acl(doctor.broker, unwritable, AclOperation.WRITE, AclPermissionType.DENY)
    rights = doctor.checks()
    assert [(one["subject"], one["text"]) for one in rights] == [
        ("rights", f"may not see {unseen}"),
        ("rights", f"may not write to {unwritable}"),
    ]
    for one, operation in zip(rights, ("Describe", "Write"), strict=True):
        assert one["fix"].startswith("kafka-acls.sh --bootstrap-server ")
        assert f"--operation {operation}" in one["fix"]
        assert "--allow-principal User:ANONYMOUS" in one["fix"]


def test_topic_for_which_events_are_too_large_is_a_problem(doctor: Doctor) -> None:
    topics = doctor.topics()
    doctor.broker.create(topics)
    settings = {"topic_settings": {"config": {"max.message.bytes": "200"}}}
    document = json.loads((doctor.folder / "shop.yaml").read_text())
    document["events"][0] |= settings
    (doctor.folder / "shop.yaml").write_text(json.dumps(document))
    (drifted,) = doctor.checks()
    assert drifted["subject"] == "topics"
    assert doctor.topic in drifted["text"]
    assert doctor.fix(drifted["fix"]).returncode == 0
    (size,) = doctor.checks()
    assert size["subject"] == "size"
    assert f"{doctor.topic} takes 200 (max.message.bytes)" in size["text"]


def test_login_and_certificate_are_told_apart(doctor: Doctor) -> None:
    servers = os.environ.get("KAFKA_SASL_SSL_SERVERS")
    if servers is None:
        pytest.skip("the broker has no listener with TLS")
    doctor.broker.create(doctor.topics())
    (doctor.folder / "password").write_text("wrong")
    certificate = Path(os.environ["KAFKA_CERTIFICATES"], "ca.pem")
    options = ["--bootstrap-servers", servers]
    for name, value in {
        "security.protocol": "sasl_ssl",
        "sasl.mechanism": "PLAIN",
        "sasl.username": "alice",
        "sasl.password": "file:password",
    }.items():
        options += ["--property", f"{name}={value}"]
    (tls,) = doctor.checks(*options)
    assert tls["subject"] == "tls", tls
    assert "openssl s_client -connect localhost:" in tls["fix"]
    options += ["--property", f"ssl.ca.location={certificate}"]
    (login,) = doctor.checks(*options)
    assert login["subject"] == "login"
    assert "Invalid username or password" in login["text"]
    (doctor.folder / "password").write_text("alice-secret")
    assert doctor.checks(*options) == []


def test_port_with_tls_is_not_called_closed(doctor: Doctor) -> None:
    servers = os.environ.get("KAFKA_SSL_SERVERS")
    if servers is None:
        pytest.skip("the broker has no listener with TLS")
    (cluster,) = doctor.checks("--bootstrap-servers", servers)
    assert cluster["subject"] == "cluster"
    assert "set security.protocol=ssl or sasl_ssl" in cluster["fix"]


def test_spool_that_others_can_read_is_a_warning(doctor: Doctor, spool: Path) -> None:
    doctor.broker.create(doctor.topics())
    payload = doctor.folder / "payload.json"
    payload.write_text("{}")
    published = doctor.run(
        *("publish", "--event-type", "thing.happened", "--contract", "shop.yaml"),
        *("--payload", str(payload), "--spool", str(spool)),
    )
    assert published.returncode == 0, published.stderr
    assert doctor.checks() == []
    spool.chmod(0o644)
    (warning,) = doctor.checks()
    assert warning["fix"] == f"chmod go= {spool}*"
