"""Statistics of connections."""

import asyncio

from herald import BrokerStats, Event, KafkaClient

from broker import Broker

EVENTS = 100


def of_brokers(broker: Broker, transport: str) -> list[BrokerStats]:
    """Returns the statistics after this number of receipts."""
    topic = f"{broker.namespace}.place.started"
    broker.create([topic])
    events = (
        Event("effect.place.started", "node", {"number": number}, topic=topic)
        for number in range(EVENTS)
    )

    async def publish() -> list[BrokerStats]:
        properties = {"transport": transport}
        async with KafkaClient(broker.address, properties=properties) as client:
            receipts = await client.publish_many(events)
            assert all(receipt.is_delivered for receipt in receipts)
            return client.stats().brokers

    return asyncio.run(publish())


def test_native_transport_counts_what_each_broker_got(broker: Broker) -> None:
    found = of_brokers(broker, "native")
    assert sum(it.records for it in found) == EVENTS
    for it in found:
        assert it.is_connected
        assert it.connections == 1
        assert it.in_flight == it.repeated_batches == 0
        assert 1 <= it.requests <= it.batches <= it.records
        assert it.request_bytes > it.batches
        assert 0 < it.latency < 60
        assert it.throttled == 0
        assert it.address in repr(it)


def test_librdkafka_tells_nothing_of_brokers(broker: Broker) -> None:
    assert of_brokers(broker, "librdkafka") == []
