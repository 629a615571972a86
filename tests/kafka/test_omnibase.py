"""Tests that generated code logs with omnibase_core if it is installed.

Takes about 30 s, most of it pip's.
"""

import json
import subprocess
from pathlib import Path
from uuid import uuid4

import pytest

from broker import HANG_SECONDS, Broker
from load import AT_ONCE, all_topics
from nodes import NODES
from omnibase import python_with_omnibase

PROGRAM = Path(__file__).with_name("program.py")


@pytest.fixture
def python() -> Path:
    """An interpreter with omnibase_core."""
    return python_with_omnibase()


def test_omnibase_core_logs_what_heralds_client_publishes(
    broker: Broker, python: Path
) -> None:
    topics = all_topics(broker.namespace)
    broker.create(topics)

    done = subprocess.run(
        [python, PROGRAM, "each_once", broker.namespace],
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
    )

    assert done.returncode == 0, done.stderr
    records = broker.read(topics)
    calls = AT_ONCE * sum(len(node.calls(uuid4(), uuid4())) for node in NODES)
    assert len(records) == calls
    logged = [
        json.loads(line.removeprefix("omnibase "))
        for line in done.stderr.splitlines()
        if line.startswith("omnibase ")
    ]
    published = [entry for entry in logged if entry["message"].startswith("Published ")]
    assert len(published) == calls
    assert {entry["context"]["topic"] for entry in published} == set(topics)
    assert "herald.events " not in done.stderr, "its stand-in is silent"
