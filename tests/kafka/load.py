"""Generated code of the three nodes, busy with Herald's client."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from herald import KafkaClient, Receipt

from nodes import NODES, Node

# So often at once: several events of a topic and key are in flight.
AT_ONCE = 5

# A moment for the node's own work.
PAUSE_SECONDS = 0.01

# Ids of events by topic and key.
Order = dict[tuple[str, str], list[str]]


@dataclass
class Asked:
    """Event that a client was asked to publish, with its receipt once it has one."""

    topic: str
    key: str
    receipt: Receipt | None = None


class RecordedClient(KafkaClient):
    """Notes what it is asked for, in the order of the calls."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.asked: list[Asked] = []

    async def publish_with_envelope(
        self,
        event_type: str,
        source_node_id: str | UUID,
        payload: object,
        topic: str | None = None,
        correlation_id: UUID | str | None = None,
        metadata: object | None = None,
    ) -> Receipt:
        assert topic is not None
        asked = Asked(topic, str(correlation_id or source_node_id))
        self.asked.append(asked)
        asked.receipt = await super().publish_with_envelope(
            event_type, source_node_id, payload, topic, correlation_id, metadata
        )
        return asked.receipt

    def order(self) -> Order:
        """All events in the order of publishing; each must have its receipt."""
        order: Order = defaultdict(list)
        for asked in self.asked:
            assert asked.receipt is not None, "a call got no receipt"
            assert asked.receipt.event_id is not None
            order[asked.topic, asked.key].append(asked.receipt.event_id)
        return order


def all_topics(namespace: str) -> list[str]:
    return [topic for node in NODES for topic in node.topics(namespace)]


async def call_all(
    node: Node, client: KafkaClient, namespace: str, node_id: UUID, correlation_id: UUID
) -> None:
    """Every method of a node's publisher, at once."""
    publisher = node.publisher(node_id, client, namespace)
    calls = node.calls(node_id, correlation_id) * AT_ONCE
    await asyncio.gather(
        *(getattr(publisher, call.method)(**call.arguments) for call in calls)
    )


@asynccontextmanager
async def busy(client: KafkaClient, namespace: str) -> AsyncIterator[None]:
    """All nodes work, and end what they have begun."""
    stopping = False

    async def work(node: Node) -> None:
        ids = uuid4(), uuid4()
        while not stopping:
            await call_all(node, client, namespace, *ids)
            await asyncio.sleep(PAUSE_SECONDS)

    async with asyncio.TaskGroup() as tasks:
        for node in NODES:
            tasks.create_task(work(node))
        try:
            yield
        finally:
            stopping = True
