"""Without a broker generated code logs, and never stands in its node's way.

With a client that has no spool: see test_spool.py for what Herald's does.
"""

import asyncio
import logging
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from broker import HANG_SECONDS, Broker
from clients import HAND_WRITTEN, HandWritten
from nodes import EFFECT

SCRIPT = Path(__file__).parents[2] / "scripts" / "kafka"
LOGGER = "herald.events"


async def call_all_methods(client: HandWritten, namespace: str) -> int:
    """Call them all at once; how many were called."""
    node_id = uuid4()
    publisher = EFFECT.publisher(node_id, client, namespace)
    calls = EFFECT.calls(node_id, uuid4())
    async with asyncio.timeout(HANG_SECONDS):
        await asyncio.gather(
            *(getattr(publisher, call.method)(**call.arguments) for call in calls)
        )
    return len(calls)


def messages(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == LOGGER and record.levelno == level
    ]


@pytest.fixture
def refused() -> Iterator[str]:
    """An address that refuses connections, and stays ours."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{silent.getsockname()[1]}"


@pytest.mark.parametrize("client_type", HAND_WRITTEN)
def test_without_a_connection_events_are_only_logged(
    refused: str, client_type: type[HandWritten], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, LOGGER)

    async def scenario() -> int:
        async with client_type(refused, seconds=1) as client:
            assert not client.is_connected
            return await call_all_methods(client, "dev")

    called = asyncio.run(scenario())

    logged = messages(caplog, logging.DEBUG)
    assert len(logged) == called
    assert all(text.startswith("Kafka unavailable, logging ") for text in logged)


@pytest.fixture
def scripted_broker(tmp_path: Path) -> Iterator["ScriptedBroker"]:
    """A broker of the test's own, which it may stop."""
    broker = ScriptedBroker(tmp_path)
    yield broker
    broker.stop()


class ScriptedBroker:
    def __init__(self, data: Path) -> None:
        self.environment = {**os.environ, "KAFKA_DATA": str(data)}
        self.address = self._script("start")

    def stop(self) -> None:
        self._script("stop")

    def _script(self, command: str) -> str:
        return subprocess.run(
            [SCRIPT, command],
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=5 * HANG_SECONDS,
        ).stdout.strip()


def test_a_killed_broker_is_logged_as_a_warning(
    scripted_broker: ScriptedBroker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, LOGGER)
    broker = Broker(scripted_broker.address)
    broker.create(EFFECT.topics(broker.namespace))

    async def scenario() -> int:
        async with AsyncExitStack() as stack:
            clients = [
                await stack.enter_async_context(client_type(broker.address))
                for client_type in HAND_WRITTEN
            ]
            for client in clients:
                await call_all_methods(client, broker.namespace)
            assert not messages(caplog, logging.WARNING)

            await asyncio.to_thread(scripted_broker.stop)
            called = 0
            for client in clients:
                client.seconds = 1
                called += await call_all_methods(client, broker.namespace)
            return called

    called = asyncio.run(scenario())

    logged = messages(caplog, logging.WARNING)
    assert len(logged) == called
    assert all(text.startswith("Failed to publish ") for text in logged)
