"""Cost of the steps of publishing an event from Python, without a broker.

pieces.py EVENTS prints one line of JSON: microseconds an event.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from statistics import median

from herald import Event, KafkaClient, SyncKafkaClient, to_json
from herald._trace import current_traceparent
from herald.testing import MemoryCluster

from clients import EVENT_TYPE, NODE, correlation, event, payload, seal

REPEATS = 7
TOPIC = "bench.pieces"


def microseconds(call: Callable[[int], object], events: int) -> float:
    """The median of repeats, without the cost of the loop around."""

    def taken(call: Callable[[int], object]) -> float:
        began = time.perf_counter()
        for number in range(events):
            call(number)
        return time.perf_counter() - began

    def nothing(_: int) -> None:
        pass

    taken(call)
    around = median(taken(nothing) for _ in range(REPEATS))
    whole = median(taken(call) for _ in range(REPEATS))
    return (whole - around) * 1e6 / events


async def awaited(events: int, at_once: int) -> float:
    """A receipt of a cluster in memory: all of the client, nothing of a network."""
    async with KafkaClient(cluster=MemoryCluster(), spool=None) as client:

        async def request(count: int) -> None:
            for number in range(count):
                await client.publish_with_envelope(
                    EVENT_TYPE, NODE, payload(number), TOPIC, correlation(number)
                )

        async def all_requests() -> float:
            began = time.perf_counter()
            await asyncio.gather(*(request(events // at_once) for _ in range(at_once)))
            return time.perf_counter() - began

        await all_requests()
        times = [await all_requests() for _ in range(REPEATS)]
        return median(times) * 1e6 / (events // at_once * at_once)


async def listed(events: int) -> float:
    """Microseconds per event with `publish_many`."""
    async with KafkaClient(cluster=MemoryCluster(), spool=None) as client:
        times = []
        for _ in range(REPEATS + 1):
            began = time.perf_counter()
            await client.publish_many(event(TOPIC, number) for number in range(events))
            times.append(time.perf_counter() - began)
        return median(times[1:]) * 1e6 / events


def enqueued(events: int) -> float:
    """Microseconds that `SyncKafkaClient.enqueue` takes from its caller."""
    with SyncKafkaClient(cluster=MemoryCluster(), spool=None) as client:
        times = []
        for _ in range(REPEATS + 1):
            made = [event(TOPIC, number) for number in range(events)]
            began = time.perf_counter()
            pending = [client.enqueue(one) for one in made]
            times.append(time.perf_counter() - began)
            for receipt in pending:
                receipt.result()
        return median(times[1:]) * 1e6 / events


async def futures(events: int) -> float:
    """Microseconds of asyncio for a future that is awaited and completed."""
    loop = asyncio.get_running_loop()
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        for _ in range(events):
            future = loop.create_future()
            loop.call_soon(future.set_result, None)
            await future
        times.append(time.perf_counter() - began)
    return median(times) * 1e6 / events


def main() -> None:
    events = int(sys.argv[1])
    one = payload(0)
    figures = {
        "the payload's dict": microseconds(payload, events),
        "`herald.to_json` of it": microseconds(lambda _: to_json(one), events),
        "`json.dumps` of it": microseconds(lambda _: json.dumps(one), events),
        "other clients: dict, envelope, `json.dumps`, headers": microseconds(
            seal, events
        ),
        "an `Event` of the dict": microseconds(
            lambda _: Event(EVENT_TYPE, NODE, one), events
        ),
        "OpenTelemetry's current span": microseconds(
            lambda _: current_traceparent(), events
        ),
        "asyncio: create, complete and await a future": asyncio.run(futures(events)),
        "`SyncKafkaClient.enqueue` to a cluster in memory": enqueued(events),
        "`KafkaClient`: dict to receipt, one at a time": asyncio.run(
            awaited(events, 1)
        ),
        "`KafkaClient`: dict to receipt, 1,000 tasks": asyncio.run(
            awaited(events, 1_000)
        ),
        "`KafkaClient`: dict to receipt, `publish_many`": asyncio.run(listed(events)),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
