"""Publishing a dict from Python, as benches/python compares it.

clients.py WAY TOPIC EVENTS prints one line of JSON. For each event each way builds the
same payload, puts it into an envelope of about 700 bytes by its usual means, and waits
for all acknowledgements: acks=all, idempotence on, lz4.
"""

import asyncio
import json
import os
import resource
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID, uuid4

from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]
from confluent_kafka import KafkaError, KafkaException, Message, Producer
from confluent_kafka.aio import AIOProducer
from herald import Event, KafkaClient, PendingReceipt, SyncKafkaClient

SERVERS = os.environ["KAFKA_BOOTSTRAP_SERVERS"]
IN_FLIGHT = 1_000
LINGER_MS = 5
PROBE_SECONDS = 0.005

EVENT_TYPE = "effect.place_order.completed"
NODE = "node-orders-1"
CORRELATIONS = [UUID(int=number) for number in range(1_000)]
SERVICE, VERSION, ENVIRONMENT = "orders", "1.4.0", "production"

Headers = list[tuple[str, str | bytes | None]]


# What is published


def payload(number: int) -> dict[str, object]:
    return {
        "operation": "place_order",
        "order": f"A-2026-11-23-{number:06d}",
        "customer": "c-7391-5582-1004",
        "items": ["sku-8812-blue-xl", "sku-0021-red-m", "sku-4471-green-s"],
        "amount": 129_900,
        "note": "leave at the door of the neighbour on the left if nobody is at home",
    }


def correlation(number: int) -> UUID:
    return CORRELATIONS[number % len(CORRELATIONS)]


def event(topic: str, number: int) -> Event:
    return Event(EVENT_TYPE, NODE, payload(number), topic, correlation(number))


def seal(number: int) -> tuple[bytes, bytes, Headers]:
    """Key, value and headers of an event, as a team writes them that has no Herald."""
    event_id, of_request = str(uuid4()), str(correlation(number))
    envelope = {
        "envelope_version": "1.0",
        "event_id": event_id,
        "event_type": EVENT_TYPE,
        "event_version": "1.0",
        "event_timestamp": datetime.now(UTC).isoformat(),
        "source_node_id": NODE,
        "source_service": SERVICE,
        "source_version": VERSION,
        "correlation_id": of_request,
        "environment": ENVIRONMENT,
        "payload": payload(number),
        "metadata": {},
    }
    headers: Headers = [
        ("content-type", b"application/json"),
        ("event_id", event_id.encode()),
        ("event_type", EVENT_TYPE.encode()),
        ("correlation_id", of_request.encode()),
    ]
    return of_request.encode(), json.dumps(envelope).encode(), headers


# How it is measured


class Watch:
    """Times of single events, how late the event loop was, and memory on the way."""

    def __init__(self, events: int) -> None:
        self.events = events
        self.latencies: list[float] = []
        self.lags: list[float] = []
        self.memory_at_a_tenth = 0.0
        self.seconds = 0.0
        self.cpu_seconds = 0.0

    def numbers(self) -> Iterator[int]:
        """One for each event. Several tasks may share them."""
        for number in range(self.events):
            if number == self.events // 10:
                self.memory_at_a_tenth = memory_mib()
            yield number

    def start(self) -> None:
        self._began, self._cpu_began = time.perf_counter(), cpu_seconds()

    def stop(self) -> None:
        self.seconds = time.perf_counter() - self._began
        self.cpu_seconds = cpu_seconds() - self._cpu_began

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """From start to stop, with a look at the event loop all the while."""
        probe = asyncio.create_task(self._probe())
        self.start()
        yield
        self.stop()
        probe.cancel()

    async def _probe(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(PROBE_SECONDS)
            self.lags.append(time.perf_counter() - began - PROBE_SECONDS)

    def figures(self) -> dict[str, float | None]:
        return {
            "events_per_second": self.events / self.seconds,
            "cpu_seconds_per_million": self.cpu_seconds * 1e6 / self.events,
            "median_ms": quantile_ms(self.latencies, 0.5),
            "p99_ms": quantile_ms(self.latencies, 0.99),
            "lag_median_ms": quantile_ms(self.lags, 0.5),
            "lag_p99_ms": quantile_ms(self.lags, 0.99),
            "lag_max_ms": quantile_ms(self.lags, 1),
            "memory_at_a_tenth_mib": self.memory_at_a_tenth,
            "memory_mib": memory_mib(),
            "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            / 1024,
        }


def quantile_ms(seconds: list[float], share: float) -> float | None:
    if not seconds:
        return None
    return sorted(seconds)[min(int(len(seconds) * share), len(seconds) - 1)] * 1e3


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def memory_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


async def one_at_a_time(watch: Watch, publish: Callable[[int], Awaitable[Any]]) -> None:
    async with watch.running():
        for number in watch.numbers():
            began = time.perf_counter()
            await publish(number)
            watch.latencies.append(time.perf_counter() - began)


async def by_tasks(watch: Watch, publish: Callable[[int], Awaitable[Any]]) -> None:
    """Publishes like a service: each of many requests waits for its own event."""
    numbers = watch.numbers()

    async def request() -> None:
        for number in numbers:
            await publish(number)

    async with watch.running(), asyncio.TaskGroup() as tasks:
        for _ in range(IN_FLIGHT):
            tasks.create_task(request())


async def by_futures(
    watch: Watch,
    send: Callable[[int], Awaitable[Awaitable[Any]]],
    flush: Callable[[], Awaitable[Any]],
) -> None:
    """Without a task for each, where a client gives futures."""
    async with watch.running():
        pending: deque[Awaitable[Any]] = deque()
        for number in watch.numbers():
            pending.append(await send(number))
            if len(pending) >= IN_FLIGHT:
                await pending.popleft()
        await flush()
        for future in pending:
            await future


# Herald


@asynccontextmanager
async def herald_client(
    topic: str, properties: dict[str, object]
) -> AsyncIterator[Callable[[int], Awaitable[Any]]]:
    async with KafkaClient(properties=properties) as client:

        def publish(number: int) -> Awaitable[Any]:
            return client.publish_with_envelope(
                EVENT_TYPE, NODE, payload(number), topic, correlation(number)
            )

        await publish(0)
        yield publish


async def herald_one_at_a_time(topic: str, watch: Watch) -> None:
    async with herald_client(topic, LZ4) as publish:
        await one_at_a_time(watch, publish)


async def herald_by_tasks(topic: str, watch: Watch) -> None:
    async with herald_client(topic, LZ4) as publish:
        await by_tasks(watch, publish)


async def herald_on_librdkafka(topic: str, watch: Watch) -> None:
    properties = {**LZ4, "transport": "librdkafka"}
    async with herald_client(topic, properties) as publish:
        await by_tasks(watch, publish)


async def herald_many(topic: str, watch: Watch) -> None:
    """Two lists are under way: one is made while the other is on the wire."""
    async with KafkaClient(properties=LZ4) as client:
        await client.publish(event(topic, 0))
        numbers = watch.numbers()

        async def lists() -> None:
            while chunk := [event(topic, n) for n in islice(numbers, IN_FLIGHT // 2)]:
                await client.publish_many(chunk)

        async with watch.running(), asyncio.TaskGroup() as tasks:
            tasks.create_task(lists())
            tasks.create_task(lists())


def herald_without_a_loop(topic: str, watch: Watch) -> None:
    with SyncKafkaClient(properties=LZ4) as client:
        client.publish(event(topic, 0))
        watch.start()
        pending: deque[PendingReceipt] = deque()
        for number in watch.numbers():
            pending.append(client.enqueue(event(topic, number)))
            if len(pending) >= IN_FLIGHT:
                pending.popleft().result()
        for receipt in pending:
            receipt.result()
        watch.stop()


LZ4: dict[str, object] = {"compression.type": "lz4"}


# aiokafka


@asynccontextmanager
async def aiokafka_producer(
    topic: str, linger_ms: int
) -> AsyncIterator[AIOKafkaProducer]:
    async with AIOKafkaProducer(
        bootstrap_servers=SERVERS,
        acks="all",
        enable_idempotence=True,
        compression_type="lz4",
        linger_ms=linger_ms,
    ) as producer:
        key, value, headers = seal(0)
        await producer.send_and_wait(topic, value, key=key, headers=headers)
        yield producer


async def aiokafka_one_at_a_time(topic: str, watch: Watch) -> None:
    async with aiokafka_producer(topic, 0) as producer:

        async def publish(number: int) -> None:
            key, value, headers = seal(number)
            await producer.send_and_wait(topic, value, key=key, headers=headers)

        await one_at_a_time(watch, publish)


async def aiokafka_by_tasks(topic: str, watch: Watch) -> None:
    async with aiokafka_producer(topic, LINGER_MS) as producer:

        async def publish(number: int) -> None:
            key, value, headers = seal(number)
            await producer.send_and_wait(topic, value, key=key, headers=headers)

        await by_tasks(watch, publish)


async def aiokafka_by_futures(topic: str, watch: Watch) -> None:
    async with aiokafka_producer(topic, LINGER_MS) as producer:

        async def send(number: int) -> Awaitable[Any]:
            key, value, headers = seal(number)
            sent: Awaitable[Any] = await producer.send(
                topic, value, key=key, headers=headers
            )
            return sent

        await by_futures(watch, send, producer.flush)


# confluent-kafka


def confluent_settings(linger_ms: int) -> dict[str, Any]:
    return {
        "bootstrap.servers": SERVERS,
        "acks": "all",
        "enable.idempotence": True,
        "compression.type": "lz4",
        "linger.ms": linger_ms,
        "partitioner": "murmur2_random",
    }


def confluent_callbacks(topic: str, watch: Watch, with_headers: bool = True) -> None:
    producer = Producer(confluent_settings(LINGER_MS))
    delivered = 0

    def on_delivery(error: KafkaError | None, _message: Message) -> None:
        nonlocal delivered
        if error is not None:
            raise KafkaException(error)
        delivered += 1

    def publish(number: int) -> None:
        key, value, headers = seal(number)
        given: dict[str, Any] = {"headers": headers} if with_headers else {}
        while True:
            try:
                producer.produce(topic, value, key, on_delivery=on_delivery, **given)
                break
            except BufferError:
                producer.poll(0.001)
        producer.poll(0)

    publish(0)
    producer.flush()
    watch.start()
    for number in watch.numbers():
        publish(number)
    producer.flush()
    watch.stop()
    assert delivered == watch.events + 1


def confluent_without_headers(topic: str, watch: Watch) -> None:
    confluent_callbacks(topic, watch, with_headers=False)


def confluent_one_at_a_time(topic: str, watch: Watch) -> None:
    producer = Producer(confluent_settings(0))
    delivered = 0

    def on_delivery(error: KafkaError | None, _message: Message) -> None:
        nonlocal delivered
        if error is not None:
            raise KafkaException(error)
        delivered += 1

    def publish(number: int) -> None:
        key, value, headers = seal(number)
        before = delivered
        producer.produce(topic, value, key, on_delivery=on_delivery, headers=headers)
        while delivered == before:
            producer.poll(1)

    publish(0)
    watch.start()
    for number in watch.numbers():
        began = time.perf_counter()
        publish(number)
        watch.latencies.append(time.perf_counter() - began)
    watch.stop()


class ConfluentAio:
    """Confluent's producer for asyncio. It takes no headers."""

    def __init__(self, topic: str, linger_ms: int, batch: int) -> None:
        self.topic = topic
        self.producer = AIOProducer(confluent_settings(linger_ms), batch_size=batch)

    async def send(self, number: int) -> Awaitable[Any]:
        key, value, _ = seal(number)
        return await self.producer.produce(self.topic, value, key)

    async def flush(self) -> None:
        await self.producer.flush()

    @asynccontextmanager
    async def polling(self) -> AsyncIterator[None]:
        """Polls for deliveries only when it sends, or on request."""

        async def poll() -> None:
            while True:
                await self.producer.poll(PROBE_SECONDS)

        task = asyncio.create_task(poll())
        yield
        task.cancel()

    async def publish(self, number: int) -> None:
        """Its buffer is looked at twice a second, so a flush is the quickest way."""
        sent = await self.send(number)
        await self.flush()
        await sent


async def confluent_aio_by_futures(topic: str, watch: Watch) -> None:
    # Batches have to fill before the window does, or each waits for a time-out.
    client = ConfluentAio(topic, LINGER_MS, IN_FLIGHT // 4)
    await client.publish(0)
    async with client.polling():
        await by_futures(watch, client.send, client.flush)
    await client.producer.close()


async def confluent_aio_one_at_a_time(topic: str, watch: Watch) -> None:
    client = ConfluentAio(topic, 0, 1)
    await client.publish(0)
    await one_at_a_time(watch, client.publish)
    await client.producer.close()


WAYS: dict[str, Callable[[str, Watch], Any]] = {
    "herald": herald_by_tasks,
    "herald-librdkafka": herald_on_librdkafka,
    "herald-many": herald_many,
    "herald-sync": herald_without_a_loop,
    "herald-sequential": herald_one_at_a_time,
    "aiokafka": aiokafka_by_futures,
    "aiokafka-tasks": aiokafka_by_tasks,
    "aiokafka-sequential": aiokafka_one_at_a_time,
    "confluent": confluent_callbacks,
    "confluent-no-headers": confluent_without_headers,
    "confluent-sequential": confluent_one_at_a_time,
    "confluent-aio": confluent_aio_by_futures,
    "confluent-aio-sequential": confluent_aio_one_at_a_time,
}


def main() -> None:
    way, topic, count = sys.argv[1:]
    publish, watch = WAYS[way], Watch(int(count))
    with TemporaryDirectory() as folder:
        os.environ.update(
            HERALD_SPOOL=str(Path(folder) / "spool.db"),
            HERALD_SERVICE=SERVICE,
            HERALD_SERVICE_VERSION=VERSION,
            HERALD_ENVIRONMENT=ENVIRONMENT,
        )
        done = publish(topic, watch)
        if asyncio.iscoroutine(done):
            asyncio.run(done)
    print(json.dumps(watch.figures()))


if __name__ == "__main__":
    main()
