"""Which partition an event goes to: the one that a Java client would take."""

import asyncio
from collections import defaultdict
from uuid import uuid4

import pytest

from broker import PARTITIONS, Broker
from clients import CLIENTS, Client

# murmur2 of Java's client, as a signed number.
JAVA_HASHES = {"21": -973_932_308, "foobar": -790_332_482, "abc": 479_470_107}


async def publish(client: Client, topic: str, source_node_ids: list[str]) -> None:
    async with client:
        for source_node_id in source_node_ids:
            await client.publish_with_envelope(
                event_type="key.tested",
                source_node_id=source_node_id,
                payload={},
                topic=topic,
                correlation_id=None,
                metadata={},
            )


def test_a_key_has_one_partition_whoever_publishes(broker: Broker) -> None:
    topic = f"{broker.namespace}.keys"
    broker.create([topic])
    keys = [str(uuid4()) for _ in range(50)]

    for client_type in CLIENTS:
        asyncio.run(publish(client_type(broker.address), topic, keys * 2))

    partitions = defaultdict(list)
    for record in broker.read([topic]):
        partitions[record.key.decode()].append(record.partition)
    assert set(partitions) == set(keys)
    for seen in partitions.values():
        assert len(seen) == 2 * len(CLIENTS)
        assert len(set(seen)) == 1
    assert {seen[0] for seen in partitions.values()} == set(range(PARTITIONS))


@pytest.mark.parametrize("client_type", CLIENTS)
def test_the_partition_is_that_of_java(
    broker: Broker, client_type: type[Client]
) -> None:
    topic = f"{broker.namespace}.java"
    broker.create([topic])

    asyncio.run(publish(client_type(broker.address), topic, list(JAVA_HASHES)))

    assert {r.key.decode(): r.partition for r in broker.read([topic])} == {
        key: (murmur2 & 0x7FFF_FFFF) % PARTITIONS
        for key, murmur2 in JAVA_HASHES.items()
    }
