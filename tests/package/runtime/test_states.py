"""The state of a node."""

import asyncio
import random
import threading
from typing import Any

import pytest
from herald import KafkaClient
from herald.runtime import TransitionError, correlation
from herald.testing import (
    MemoryCluster,
    PublishedEvent,
    RecordingClient,
    SyncRecordingClient,
)

from shop import REQUEST, AsyncClient, Orders, State


def is_a_chain(changes: list[tuple[str, str]]) -> bool:
    """Whether each change begins where the one before it ended."""
    befores = [State.IDLE.value, *(new for _, new in changes[:-1])]
    return [old for old, _ in changes] == befores


def changes(events: list[PublishedEvent]) -> list[tuple[str, str]]:
    return [(e.payload["old_state"], e.payload["new_state"]) for e in events]


@pytest.mark.asyncio
async def test_a_state_change_is_published() -> None:
    async with RecordingClient() as client:
        node = Orders(client)
        machine = node.state_machine
        assert machine is node.state_machine
        assert machine.state is State.IDLE
        assert machine.allowed == {State.BUSY, State.DRAINING}
        with correlation(REQUEST):
            await machine.transition(State.BUSY, reason="order")
        assert node.state_machine.state is State.BUSY
        assert await client.flush(20) == 0
    event = client.assert_published(
        "effect.state.changed",
        payload={
            "old_state": "idle",
            "new_state": "busy",
            "transition_reason": "order",
        },
        correlation_id=REQUEST,
    )
    assert event.metadata["event_category"] == "state_transition"


@pytest.mark.asyncio
async def test_a_forbidden_transition_is_refused_and_not_published() -> None:
    client = AsyncClient()
    machine = Orders(client).state_machine
    with pytest.raises(TransitionError) as caught:
        await machine.transition(State.IDLE, reason="x")
    assert str(caught.value) == "idle can't become idle; it can become: busy, draining"
    await machine.transition(State.DRAINING, reason="end")
    assert machine.is_over
    with pytest.raises(TransitionError, match="none, it is a terminal state"):
        machine.transition_sync(State.BUSY, reason="x")
    assert len(client.published) == 1


def test_each_node_has_its_own_state() -> None:
    one, other = Orders(None), Orders(None)
    one.state_machine.transition_sync(State.BUSY, "order")
    assert other.state_machine.state is State.IDLE


async def wander(node: Orders, rounds: int) -> None:
    """Changes to and fro, with others who do the same."""
    for number in range(rounds):
        to = State.BUSY if node.state_machine.state is State.IDLE else State.IDLE
        try:
            await node.state_machine.transition(to, f"{number}")
        except TransitionError:
            await asyncio.sleep(random.random() / 1_000)


class JitteringClient(AsyncClient):
    async def publish_with_envelope(self, **event: Any) -> Any:
        self.seconds = random.random() / 1_000
        return await super().publish_with_envelope(**event)


@pytest.mark.asyncio
async def test_concurrent_transitions_with_a_foreign_client() -> None:
    client = JitteringClient()
    node = Orders(client)
    await asyncio.gather(*(wander(node, 5) for _ in range(100)))
    await node.drain()
    found = [
        (event["payload"]["old_state"], event["payload"]["new_state"])
        for event in client.published
    ]
    assert len(found) > 100
    assert is_a_chain(found)


@pytest.mark.asyncio
@pytest.mark.parametrize("room", [1, 3, 20_000])
async def test_concurrent_transitions_with_the_herald_client(room: int) -> None:
    cluster = MemoryCluster(partitions=1)
    cluster.set_delay(0.001)
    settings: dict[str, Any] = {"spool": None, "deadline": 20}
    async with KafkaClient(cluster=cluster, max_in_flight=room, **settings) as client:
        node = Orders(client)
        await asyncio.gather(*(wander(node, 5) for _ in range(100)))
        await node.drain()
        assert await client.flush(20) == 0
        recording = RecordingClient(cluster=cluster)
        recording._cleared = 0
        found = changes(recording.events)
    assert len(found) > 100
    assert is_a_chain(found)


@pytest.mark.parametrize("room", [2, 20_000])
def test_threads(room: int) -> None:
    cluster = MemoryCluster(partitions=1)
    with SyncRecordingClient(cluster=cluster) as client:
        node = Orders(client)

        def work() -> None:
            asyncio.run(wander(node, 20))

        threads = [threading.Thread(target=work) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        client.flush(20)
        found = changes(client.events)
    assert len(found) > 50
    assert is_a_chain(found)


@pytest.mark.asyncio
async def test_a_failing_client_does_not_prevent_a_transition() -> None:
    node = Orders(AsyncClient(OSError("away")))
    await node.state_machine.transition(State.BUSY, "order")
    assert node.state_machine.state is State.BUSY
