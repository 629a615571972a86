"""Publishing with the Python clients, as benches/runtime compares it.

peers.py WAY TOPIC EVENTS prints one line of JSON, as the example publish_bench does.
Bytes are made beforehand for all of them; acks=all, idempotence on, lz4.
"""

import asyncio
import json
import os
import resource
import sys
import time
from collections import deque
from statistics import median

from aiokafka import AIOKafkaProducer
from confluent_kafka import KafkaError, Message, Producer

SERVERS = os.environ["KAFKA_BOOTSTRAP_SERVERS"]
IN_FLIGHT = 1_000


def made_beforehand() -> list[tuple[bytes, bytes]]:
    """Keys and envelopes of about 700 bytes."""
    made = []
    for number in range(1_000):
        key = f"00000000-0000-0000-0000-{number % 5_000:012d}"
        envelope = {
            "envelope_version": "1.0",
            "event_id": f"11111111-1111-4111-8111-{number:012d}",
            "event_type": "effect.place_order.completed",
            "event_version": "1.0",
            "event_timestamp": "2026-11-23T12:00:00.000000+00:00",
            "source_node_id": "node-orders-1",
            "source_service": "orders",
            "source_version": "1.4.0",
            "source_instance": "orders-7c9f-2xk4p",
            "correlation_id": key,
            "environment": "production",
            "payload": {
                "operation": "place_order",
                "order": "A-2026-11-23-000017",
                "customer": "c-7391-5582-1004",
                "items": ["sku-8812-blue-xl", "sku-0021-red-m", "sku-4471-green-s"],
                "amount": 129_900,
                "note": "leave at the door of the neighbour on the left "
                "if nobody is at home",
            },
            "metadata": {},
        }
        made.append((key.encode(), json.dumps(envelope).encode()))
    return made


def aiokafka_producer(linger_ms: int) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        bootstrap_servers=SERVERS,
        acks="all",
        enable_idempotence=True,
        compression_type="lz4",
        linger_ms=linger_ms,
    )


async def aiokafka_one_at_a_time(topic: str, events: int) -> list[float]:
    """Waits for each event, like the original."""
    made = made_beforehand()
    times = []
    async with aiokafka_producer(0) as producer:
        await producer.send_and_wait(topic, made[0][1], key=made[0][0])
        for number in range(events):
            key, payload = made[number % len(made)]
            started = time.perf_counter()
            await producer.send_and_wait(topic, payload, key=key)
            times.append(time.perf_counter() - started)
    return times


async def aiokafka_in_flight(topic: str, events: int) -> list[float]:
    made = made_beforehand()
    async with aiokafka_producer(5) as producer:
        await producer.send_and_wait(topic, made[0][1], key=made[0][0])
        started = time.perf_counter()
        open_: deque[asyncio.Future[object]] = deque()
        for number in range(events):
            key, payload = made[number % len(made)]
            open_.append(await producer.send(topic, payload, key=key))
            if len(open_) >= IN_FLIGHT:
                await open_.popleft()
        for future in open_:
            await future
        return [time.perf_counter() - started]


def confluent_callbacks(topic: str, events: int) -> list[float]:
    made = made_beforehand()
    delivered = failed = 0

    def on_delivery(error: KafkaError | None, _message: Message) -> None:
        nonlocal delivered, failed
        if error is None:
            delivered += 1
        else:
            failed += 1

    producer = Producer(
        {
            "bootstrap.servers": SERVERS,
            "acks": "all",
            "enable.idempotence": True,
            "compression.type": "lz4",
            "linger.ms": 5,
            "partitioner": "murmur2_random",
        }
    )
    producer.produce(topic, made[0][1], made[0][0], on_delivery=on_delivery)
    producer.flush()
    started = time.perf_counter()
    for number in range(events):
        key, payload = made[number % len(made)]
        while True:
            try:
                producer.produce(topic, payload, key, on_delivery=on_delivery)
                break
            except BufferError:
                producer.poll(0.001)
        producer.poll(0)
    producer.flush()
    took = time.perf_counter() - started
    assert (delivered, failed) == (events + 1, 0)
    return [took]


def main() -> None:
    way, topic, count = sys.argv[1:]
    events = int(count)
    before = resource.getrusage(resource.RUSAGE_SELF)
    match way:
        case "aiokafka-sequential":
            times = asyncio.run(aiokafka_one_at_a_time(topic, events))
        case "aiokafka":
            times = asyncio.run(aiokafka_in_flight(topic, events))
        case "confluent-callbacks":
            times = confluent_callbacks(topic, events)
        case _:
            raise SystemExit(f"there is no way {way}")
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    one_by_one = len(times) == events
    print(
        json.dumps(
            {
                "way": way,
                "events": events,
                "events_per_second": events / sum(times),
                "cpu_seconds_per_million": cpu * 1e6 / events,
                "peak_memory_mib": after.ru_maxrss / 1024,
                "median_ms": median(times) * 1e3 if one_by_one else None,
                "p99_ms": sorted(times)[len(times) * 99 // 100] * 1e3
                if one_by_one
                else None,
            }
        )
    )


if __name__ == "__main__":
    main()
