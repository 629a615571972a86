"""Shared helpers for tests of the Kafka client."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from herald import Event
from herald.testing import MemoryCluster

TOPIC = "dev.unnamed.effect.place.started.v1"
"""Topic of `event`."""

GENEROUS = 20.0
"""Seconds in which things happen that take no time: nobody measures anything by it."""


def event(number: int, key: str = "k", size: int = 0) -> Event:
    payload = {"number": number, "filler": "x" * size}
    return Event("effect.place.started", "node-1", payload, partition_key=key)


def numbers(cluster: MemoryCluster, key: str | None = None) -> list[int]:
    """The events that arrived, in their order; of one key, if it is given."""
    return [
        json.loads(value)["payload"]["number"]
        for _, _, found, value, _ in cluster.messages(TOPIC)
        if key is None or found == key.encode()
    ]


def numbers_by_key(cluster: MemoryCluster) -> dict[bytes | None, list[int]]:
    """Numbers of the events of every key, in order."""
    found: dict[bytes | None, list[int]] = {}
    for _, _, key, value, _ in cluster.messages(TOPIC):
        found.setdefault(key, []).append(json.loads(value)["payload"]["number"])
    return found


def eventually(what: Callable[[], object]) -> None:
    """Waits until it is so."""
    end = time.monotonic() + GENEROUS
    while not what():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.005)


def run(
    script: str,
    *arguments: object,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    code: int = 0,
) -> subprocess.CompletedProcess[str]:
    """Runs a program; whatever it does, it neither hangs nor crashes."""
    path = folder / "program.py"
    path.write_text(PRELUDE + textwrap.dedent(script))
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", str(path), *map(str, arguments)],
        cwd=folder,
        env={"HOME": str(folder), **(environment or {})},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    for bad in ("Fatal Python error", "panicked", "Exception ignored"):
        assert bad not in done.stderr, done.stderr
    return done


PRELUDE = """\
import asyncio, os, signal, sys, threading, time
from herald import Event, KafkaClient, SyncKafkaClient
from herald.testing import DevCluster, MemoryCluster

def event(number, key="k"):
    return Event("effect.place.started", "n", {"number": number}, partition_key=key)

"""


def envelope(cluster: MemoryCluster, topic: str = TOPIC) -> dict[str, Any]:
    """The only event of a topic."""
    [(_, _, _, value, _)] = cluster.messages(topic)
    written: dict[str, Any] = json.loads(value)
    return written
