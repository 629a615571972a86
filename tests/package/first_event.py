"""Publishes events by each transport and into the spool, with the installed package."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from uuid import uuid4

from herald import KafkaClient, Receipt
from herald.testing import DevCluster


async def publish(servers: str, transport: str, spool: Path) -> Receipt:
    async with KafkaClient(
        servers, service="first", spool=spool, properties={"transport": transport}
    ) as kafka:
        return await kafka.publish_with_envelope(
            event_type="effect.first.completed",
            source_node_id="first-1",
            payload={"number": 1},
            correlation_id=uuid4(),
        )


def main() -> None:
    cluster = DevCluster()
    with tempfile.TemporaryDirectory() as folder:
        for transport in ("librdkafka", "native"):
            spool = Path(folder, f"{transport}.db")
            for servers in (cluster.bootstrap_servers, "127.0.0.1:1"):
                receipt = asyncio.run(publish(servers, transport, spool))
                print(f"{transport}, {servers}: {receipt}")
                spooled = servers == "127.0.0.1:1"
                assert receipt.is_spooled is spooled, receipt
    cluster.stop()


if __name__ == "__main__":
    main()
