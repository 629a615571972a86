"""A program of its own that publishes with generated code: tests end it in many ways.

program.py FUNCTION NAMESPACE [MODE]; the environment sets broker and spool.
"""

import asyncio
import logging
import sys
from itertools import count
from uuid import UUID, uuid4

from herald import Event, KafkaClient, Receipt, SyncKafkaClient

from load import busy, call_all
from nodes import NODES

# The most that it waits for a broker that is there.
HANG_SECONDS = 60


# What is to live until Python ends.
kept: list[object] = []


class PrintingClient(KafkaClient):
    """Prints each event that is safe, numbered in the order of the calls."""

    numbers = count()

    async def publish_with_envelope(
        self,
        event_type: str,
        source_node_id: str | UUID,
        payload: object,
        topic: str | None = None,
        correlation_id: UUID | str | None = None,
        metadata: object | None = None,
    ) -> Receipt:
        number = next(self.numbers)
        receipt = await super().publish_with_envelope(
            event_type, source_node_id, payload, topic, correlation_id, metadata
        )
        place = "spool" if receipt.is_spooled else "cluster"
        key = correlation_id or source_node_id
        print(number, place, topic, key, receipt.event_id, flush=True)
        return receipt


async def work(client: KafkaClient, namespace: str) -> None:
    """Until it is killed."""
    async with client, busy(client, namespace):
        await asyncio.Event().wait()


async def drain(client: KafkaClient, _: str) -> None:
    """Deliver what an earlier program left."""
    async with client:
        assert await client.flush(HANG_SECONDS) == 0


async def each_once(client: KafkaClient, namespace: str) -> None:
    async with client:
        for node in NODES:
            await call_all(node, client, namespace, uuid4(), uuid4())


async def leave(client: KafkaClient, namespace: str) -> None:
    """End while events are on their way."""
    await client.connect()
    for node in NODES:
        ids = uuid4(), uuid4()
        kept.append(asyncio.ensure_future(call_all(node, client, namespace, *ids)))
    # Each task begins, and none gets its receipts.
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def leave_with_an_error(client: KafkaClient, namespace: str) -> None:
    await leave(client, namespace)
    raise RuntimeError("the program is broken")


async def leave_with_a_code(client: KafkaClient, namespace: str) -> None:
    await leave(client, namespace)
    sys.exit(3)


def leave_without_a_loop(namespace: str) -> None:
    client = SyncKafkaClient()
    kept.append(client)
    client.connect()
    for node in NODES:
        for topic in node.topics(namespace):
            client.enqueue(Event("left.behind", "node", {}, topic))


def forget_a_client(namespace: str) -> None:
    leave_without_a_loop(namespace)
    kept.clear()


def main() -> None:
    logging.basicConfig(level=logging.DEBUG, format="%(name)s %(message)s")
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    what, namespace, *mode = sys.argv[1:]
    deed = globals()[what]
    if asyncio.iscoroutinefunction(deed):
        client = PrintingClient(mode="write_ahead" if mode else "direct")
        asyncio.run(deed(client, namespace))
    else:
        deed(namespace)


if __name__ == "__main__":
    main()
