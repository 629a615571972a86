"""Tests that events are on the partition that a Java client would choose."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from random import choices
from uuid import uuid4

import pytest
from herald import Event, SyncKafkaClient

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


def random_keys(count: int) -> list[str]:
    """Of many lengths, since the hash reads four bytes at a time, in many scripts."""
    letters = "aZ9-._é東𐍈"
    return [
        str(uuid4()) if n % 2 else "".join(choices(letters, k=n % 23 + 1)) + str(n)
        for n in range(count)
    ]


@pytest.mark.parametrize("partitions", [1, 2, 3, 7, 16])
def test_clients_agree_on_the_partition_of_a_key(
    broker: Broker, partitions: int
) -> None:
    topic = f"{broker.namespace}.keys"
    broker.create([topic], partitions)
    keys = random_keys(200)

    for connect in CLIENTS:
        asyncio.run(publish(connect(broker.address), topic, keys * 2))
    with SyncKafkaClient(broker.address) as client:
        client.publish_many(Event("key.tested", key, {}, topic) for key in keys * 2)

    seen = defaultdict(list)
    for record in broker.read([topic]):
        seen[record.key.decode()].append(record.partition)
    assert set(seen) == set(keys)
    for of_key in seen.values():
        assert len(of_key) == 2 * (len(CLIENTS) + 1)
        assert len(set(of_key)) == 1
    assert {of_key[0] for of_key in seen.values()} == set(range(partitions))


@pytest.mark.parametrize("connect", CLIENTS)
def test_partitions_match_the_java_client(
    broker: Broker, connect: Callable[[str], Client]
) -> None:
    topic = f"{broker.namespace}.java"
    broker.create([topic])

    asyncio.run(publish(connect(broker.address), topic, list(JAVA_HASHES)))

    assert {r.key.decode(): r.partition for r in broker.read([topic])} == {
        key: (murmur2 & 0x7FFF_FFFF) % PARTITIONS
        for key, murmur2 in JAVA_HASHES.items()
    }
