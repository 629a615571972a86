"""Events of instrumented operations."""

import asyncio
import inspect
import json
import logging
import traceback
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from herald import KafkaClient
from herald.runtime import correlation, current
from herald.testing import MemoryCluster, RecordingClient, SyncRecordingClient
from pydantic import BaseModel

from clients import eventually
from shop import (
    REQUEST,
    AsyncClient,
    Orders,
    SyncClient,
    instrument_place,
    instrument_reserve,
    operation,
    stages,
    tree,
)


class Line(BaseModel):
    sku: str
    price: float


class PlaceInput(BaseModel):
    order_id: int
    lines: list[Line] = []
    card: str = "4711"


@dataclass
class PlaceResult:
    reserved: bool
    margin: float


class Shop(Orders):
    @instrument_place
    async def place(self, order: PlaceInput) -> PlaceResult:
        """Places an order."""
        return await self.reserve(order.order_id)

    @instrument_reserve
    async def reserve(self, order_id: int, *, at: str = "here") -> PlaceResult:
        if order_id < 0:
            raise ValueError("password=hunter2 of cust-77")
        await self._publish_order_placed_event(
            current_request(), {"order_id": order_id}
        )
        return PlaceResult(True, 0.4)

    @instrument_place
    def place_sync(self, order_id: int) -> bool:
        if order_id < 0:
            raise KeyError(order_id)
        return order_id > 5

    @instrument_place
    def numbers(self, count: int) -> Iterator[int]:
        yield from range(count)
        return None

    @instrument_place
    async def numbers_async(self, count: int) -> AsyncIterator[int]:
        for number in range(count):
            await asyncio.sleep(0)
            yield number


def current_request() -> UUID:
    request = current().correlation_id
    assert request is not None
    return request


async def delivered(client: RecordingClient) -> None:
    assert await client.flush(20) == 0


# Coroutine functions.


@pytest.mark.asyncio
async def test_publishes_started_and_completed() -> None:
    async with RecordingClient() as client:
        order = PlaceInput(order_id=7, lines=[Line(sku="A", price=2.5)])
        result = await Shop(client).place(order)
        await delivered(client)
    assert result == PlaceResult(True, 0.4)
    assert stages(client.events) == [
        "place.started",
        "reserve.started",
        "order.placed",
        "reserve.completed",
        "place.completed",
    ]
    started, inner, _, _, completed = client.events
    assert started.payload["input_summary"] == {
        "order_id": 7,
        "lines": [{"sku": "A", "price": "float"}],
        "card": "str",
    }
    assert inner.payload["input_summary"] == {"order_id": 7, "at": "str"}
    assert completed.payload["result_summary"] == {"reserved": True, "margin": "float"}
    assert completed.payload["execution_time_ms"] >= 0
    assert completed.metadata["lifecycle_stage"] == "completed"


@pytest.mark.asyncio
async def test_nested_operations_have_causation_ids() -> None:
    async with RecordingClient() as client:
        await Shop(client).place(PlaceInput(order_id=7))
        await delivered(client)
    assert tree(client.events) == {
        "place.started": None,
        "reserve.started": "place",
        "order.placed.placed": "reserve",
        "reserve.completed": "reserve",
        "place.completed": "place",
    }
    assert len({event.correlation_id for event in client.events}) == 1


@pytest.mark.asyncio
async def test_a_failure_is_published_redacted_and_reraised() -> None:
    async with RecordingClient() as client:
        with pytest.raises(ValueError, match="hunter2") as caught:
            await Shop(client).reserve(-1)
        await delivered(client)
    assert stages(client.events) == ["reserve.started", "reserve.failed"]
    payload = client.events[1].payload
    assert payload["error_type"] == "ValueError"
    assert payload["error_message"] == "password=*** of ***"
    frames = [frame.name for frame in traceback.extract_tb(caught.tb)]
    assert frames[1:] == ["wrapper", "reserve"]
    assert caught.value.__context__ is None


@pytest.mark.asyncio
async def test_error_texts_are_escaped_in_the_log_and_published_unchanged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG", "herald")
    text = "first\n2026-01-01 CRITICAL forged\x1b]0;title\x07\u200b\u202e"
    async with RecordingClient() as client:
        node = Shop(client)
        await node._publish_place_failed_event(uuid4(), ValueError(text), 1.0)
        node.kafka_client = AsyncClient(OSError(text))
        await node._publish_place_failed_event(uuid4(), ValueError("x"), 1.0)
        [event] = client.of_type("effect.place.failed")
    assert event.payload["error_message"] == text
    logged = [record for record in caplog.records if "forged" in record.getMessage()]
    assert len(logged) == 2
    for record in logged:
        assert record.getMessage().isprintable(), record.getMessage()


@pytest.mark.asyncio
async def test_cancellation_is_published_as_failure_and_reraised() -> None:
    class Slow(Orders):
        @instrument_place
        async def wait(self) -> None:
            await asyncio.sleep(60)

    async with RecordingClient() as client:
        task = asyncio.create_task(Slow(client).wait())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await delivered(client)
    assert stages(client.events) == ["place.started", "place.failed"]
    assert client.events[1].payload["error_type"] == "CancelledError"


@pytest.mark.parametrize(
    ("after", "published"),
    [
        (0.05, ["place.failed"]),
        (0.15, ["place.started", "place.failed"]),
        (0.25, ["place.started"]),
    ],
)
@pytest.mark.asyncio
async def test_cancellation_in_each_phase_with_a_slow_client(
    after: float, published: list[str]
) -> None:
    """Publishing an event and the operation itself take 0.1 seconds each."""

    class Slow(Orders):
        @instrument_place
        async def wait(self) -> None:
            await asyncio.sleep(0.1)

    client = AsyncClient(seconds=0.1)
    node = Slow(client)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(node.wait(), after)
    await node.drain()
    assert [kind.removeprefix("effect.") for kind in client.types] == published


@pytest.mark.parametrize(
    "client", [None, AsyncClient(OSError("away")), AsyncClient(False), object()]
)
@pytest.mark.asyncio
async def test_a_failing_client_does_not_fail_operations(
    client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "herald.events")
    assert (await Shop(client).reserve(7)).reserved
    assert len(caplog.records) == 3


@pytest.mark.asyncio
async def test_a_node_without_attributes_works(
    caplog: pytest.LogCaptureFixture,
) -> None:
    node = Shop(None)
    del node.node_id
    assert (await node.reserve(7)).reserved
    assert all("AttributeError" in record.getMessage() for record in caplog.records)
    assert len(caplog.records) == 3


@pytest.mark.asyncio
async def test_invalid_arguments_raise_the_same_error() -> None:
    async with RecordingClient() as client:
        with pytest.raises(TypeError, match="unexpected keyword"):
            await Shop(client).reserve(7, where="x")  # type: ignore[call-arg]
        await delivered(client)
    assert stages(client.events) == ["reserve.started", "reserve.failed"]


@pytest.mark.asyncio
async def test_a_foreign_client_gets_causation_in_the_metadata() -> None:
    client = AsyncClient()
    await Shop(client).place(PlaceInput(order_id=1))
    started, inner, placed, *_ = client.published
    assert "causation_id" not in started["metadata"]
    assert inner["metadata"]["causation_id"] == started["metadata"]["event_id"]
    assert placed["metadata"]["causation_id"] == inner["metadata"]["event_id"]
    assert client.types == [
        "effect.place.started",
        "effect.reserve.started",
        "order.placed",
        "effect.reserve.completed",
        "effect.place.completed",
    ]


@pytest.mark.asyncio
async def test_a_subclass_of_the_herald_client_gets_all_events() -> None:
    class Counting(RecordingClient):
        count = 0

        async def publish_with_envelope(self, *args: Any, **kwargs: Any) -> Any:
            self.count += 1
            return await super().publish_with_envelope(*args, **kwargs)

    async with Counting() as client:
        await Shop(client).place(PlaceInput(order_id=1))
    assert client.count == 5


@pytest.mark.asyncio
async def test_concurrent_operations_have_separate_causation() -> None:
    async with RecordingClient() as client:
        shop = Shop(client)
        await asyncio.gather(*(shop.place(PlaceInput(order_id=n)) for n in range(200)))
        await delivered(client)
    requests: dict[UUID | None, list[Any]] = {}
    for event in client.events:
        requests.setdefault(event.correlation_id, []).append(event)
    assert len(requests) == 200
    assert all(len(tree(events)) == 5 for events in requests.values())
    for events in requests.values():
        assert tree(events)["reserve.started"] == "place"


@pytest.mark.asyncio
async def test_wait_for_receipts_waits() -> None:
    async with RecordingClient() as client:
        shop = Shop(client)
        shop.wait_for_receipts = True
        await shop.place(PlaceInput(order_id=1))
        assert len(client.events) == 5


@pytest.mark.asyncio
async def test_operations_keep_their_order_at_the_in_flight_limit() -> None:
    cluster = MemoryCluster()
    settings: dict[str, Any] = {"namespace": "dev", "spool": None, "deadline": 20}
    async with KafkaClient(cluster=cluster, max_in_flight=3, **settings) as client:
        shop = Shop(client)
        cluster.pause()
        work = asyncio.gather(*(shop.reserve(n) for n in range(20)))
        await asyncio.sleep(0.05)
        assert not work.done()
        cluster.resume()
        await work
        assert await client.flush(20) == 0
    starts = [
        json.loads(value)["payload"]["input_summary"]["order_id"]
        for topic, _, _, _, value, _ in cluster.written()
        if topic == "dev.orders.effect.reserve.started.v1"
    ]
    assert starts == list(range(20))
    assert len(cluster.written()) == 60


@pytest.mark.asyncio
async def test_functions_below_a_loop_keep_their_order_at_the_limit() -> None:
    cluster = MemoryCluster()
    settings: dict[str, Any] = {"spool": None, "deadline": 20}
    async with KafkaClient(cluster=cluster, max_in_flight=2, **settings) as client:
        cluster.set_delay(0.02)
        shop = Shop(client)
        with correlation(REQUEST):
            for number in range(6, 16):
                shop.place_sync(number)
                # While one of those that wait is in flight, there is room again.
                await asyncio.sleep(0.015)
            await shop.reserve(16)
        await shop.drain()
        assert await client.flush(20) == 0
    kinds = [
        topic.split(".")[4] for topic, *_ in cluster.written() if "place." in topic
    ]
    assert kinds == ["started", "completed"] * 10


@pytest.mark.asyncio
async def test_later_failures_are_logged_and_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with RecordingClient(deadline=0.1) as client:
        shop = Shop(client)
        client.cluster.stop()
        shop.place_sync(7)
        await asyncio.to_thread(eventually, lambda: shop.failed_events == 2)
    lines = [r.getMessage() for r in caplog.records if r.name == "herald.events"]
    assert len(lines) == 2
    assert all(line.startswith("Event not published {") for line in lines)
    assert "'event_type': 'effect.place.started'" in lines[0]
    assert "'error': 'PublishError" in lines[0]


# Other functions.


def test_wrappers_keep_the_function_kind_and_metadata() -> None:
    assert inspect.iscoroutinefunction(Shop.place)
    assert not inspect.iscoroutinefunction(Shop.place_sync)
    assert inspect.isgeneratorfunction(Shop.numbers)
    assert inspect.isasyncgenfunction(Shop.numbers_async)
    assert Shop.place.__name__ == "place"
    assert Shop.place.__doc__ == "Places an order."
    assert list(inspect.signature(Shop.place).parameters) == ["self", "order"]


def test_a_function_without_a_loop() -> None:
    with SyncRecordingClient() as client:
        shop = Shop(client)
        assert shop.place_sync(7) is True
        with pytest.raises(KeyError):
            shop.place_sync(-1)
        client.flush(20)
    assert stages(client.events) == [
        "place.started",
        "place.completed",
        "place.started",
        "place.failed",
    ]
    assert client.events[1].payload["result_summary"] == {"result": "bool"}


def test_a_function_with_a_foreign_synchronous_client() -> None:
    client = SyncClient()
    assert not Shop(client).place_sync(1)
    assert client.types == ["effect.place.started", "effect.place.completed"]


@pytest.mark.asyncio
async def test_a_synchronous_client_below_a_loop() -> None:
    client = SyncClient()
    await Shop(client).reserve(1)
    assert client.types[::2] == ["effect.reserve.started", "effect.reserve.completed"]


@pytest.mark.asyncio
async def test_a_function_below_a_loop() -> None:
    async with RecordingClient() as client:
        Shop(client).place_sync(7)
        await delivered(client)
    assert stages(client.events) == ["place.started", "place.completed"]


@pytest.mark.asyncio
async def test_a_function_below_a_loop_with_a_foreign_client() -> None:
    client = AsyncClient(seconds=0.001)
    shop = Shop(client)
    for _ in range(3):
        shop.place_sync(7)
    assert client.types == []
    await shop.reserve(1)  # goes behind them
    await shop.drain()
    kinds = ["effect.place.started", "effect.place.completed"] * 3
    assert client.types[:6] == kinds
    assert client.types[6] == "effect.reserve.started"


@pytest.mark.asyncio
async def test_a_function_in_a_thread_uses_the_loop_that_is_known() -> None:
    client = AsyncClient()
    shop = Shop(client)
    await shop.reserve(1)
    client.published.clear()
    await asyncio.to_thread(shop.place_sync, 7)
    await shop.drain()
    assert client.types == ["effect.place.started", "effect.place.completed"]


def test_without_any_loop_a_client_for_asyncio_is_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = AsyncClient()
    assert Shop(client).place_sync(7)
    assert client.types == []
    assert ["event loop" in r.getMessage() for r in caplog.records] == [True, True]


def test_unsent_events_are_logged_when_the_loop_ends(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> Shop:
        shop = Shop(AsyncClient(seconds=60))
        shop.place_sync(7)
        await asyncio.sleep(0.01)
        return shop

    shop = asyncio.run(scenario())
    assert shop.failed_events == 1
    assert "EventLoopEnded" in caplog.text


def test_a_generator() -> None:
    with SyncRecordingClient() as client:
        shop = Shop(client)
        assert list(shop.numbers(3)) == [0, 1, 2]
        half = shop.numbers(3)
        next(half)
        assert current().correlation_id is None
        half.close()  # type: ignore[attr-defined]
        client.flush(20)
    assert stages(client.events) == [
        "place.started",
        "place.completed",
        "place.started",
        "place.failed",
    ]
    assert client.events[3].payload["error_type"] == "GeneratorExit"


def test_a_generator_supports_send_and_throw() -> None:
    seen: list[object] = []

    class Node(Orders):
        @instrument_place
        def talk(self) -> Any:
            while True:
                try:
                    seen.append((yield len(seen)))
                except KeyError as error:
                    seen.append(type(error))
                    if len(seen) > 2:
                        return {"reserved": True}

    with SyncRecordingClient() as client:
        talk = Node(client).talk()
        assert next(talk) == 0
        assert talk.send("a") == 1
        assert talk.throw(KeyError("x")) == 2
        with pytest.raises(StopIteration) as stopped:
            talk.throw(KeyError("y"))
        client.flush(20)
    assert seen == ["a", KeyError, KeyError]
    assert stopped.value.value == {"reserved": True}
    assert client.events[1].payload["result_summary"] == {"reserved": True}


@pytest.mark.asyncio
async def test_an_asynchronous_generator() -> None:
    async with RecordingClient() as client:
        shop = Shop(client)
        assert [number async for number in shop.numbers_async(3)] == [0, 1, 2]
        half = shop.numbers_async(3)
        assert await anext(half) == 0
        assert current().correlation_id is None
        await half.aclose()  # type: ignore[attr-defined]
        await delivered(client)
    assert stages(client.events) == [
        "place.started",
        "place.completed",
        "place.started",
        "place.failed",
    ]
    assert client.events[3].payload["error_type"] == "GeneratorExit"


@pytest.mark.asyncio
async def test_a_generators_caller_is_outside_of_its_scope() -> None:
    async with RecordingClient() as client:
        shop = Shop(client)
        async for number in shop.numbers_async(1):
            await shop.reserve(number)
        await delivered(client)
    assert tree(client.events)["reserve.started"] is None


def test_keyboard_interrupt_is_published_as_failure_and_reraised() -> None:
    class Node(Orders):
        @instrument_place
        def stop(self) -> None:
            raise KeyboardInterrupt

    client = SyncClient()
    with pytest.raises(KeyboardInterrupt):
        Node(client).stop()
    assert client.published[1]["payload"]["error_type"] == "KeyboardInterrupt"


def test_on_binds_a_function_to_a_publisher() -> None:
    client = SyncClient()
    node = Orders(client)

    @instrument_place.on(node)
    def free(order_id: int) -> None:
        """Does nothing."""

    @instrument_place.on(lambda: node)
    def later(order_id: int) -> None:
        """Does nothing."""

    free(1)
    later(2)
    inputs = [e["payload"].get("input_summary") for e in client.published]
    assert inputs == [{"order_id": 1}, None, {"order_id": 2}, None]


class Moody:
    """Its attributes raise."""

    __attrs_attrs__ = (type("Field", (), {"name": "mood"}),)

    @property
    def mood(self) -> str:
        raise OSError("bad")


def test_raising_attributes_do_not_fail_operations() -> None:
    client = SyncClient()

    @instrument_place.on(Orders(client))
    def free(moody: Moody) -> Moody:
        return moody

    moody = Moody()
    assert free(moody) is moody
    with instrument_place.run(Orders(client), moody):
        pass
    assert client.types.count("effect.place.started") == 2


def test_a_function_without_a_publisher_works(
    caplog: pytest.LogCaptureFixture,
) -> None:
    @instrument_place
    def free(order_id: int) -> int:
        return order_id

    assert free(7) == 7
    assert "'int' object has no attribute 'node_id'" in caplog.text


def test_the_correlation_id_argument_is_used() -> None:
    client = SyncClient()

    @instrument_place.on(Orders(client))
    def free(order_id: int, correlation_id: UUID) -> None:
        assert current().correlation_id == correlation_id

    free(7, REQUEST)
    assert {event["correlation_id"] for event in client.published} == {REQUEST}


# Scopes.


@pytest.mark.asyncio
async def test_a_scope_is_an_operation() -> None:
    async with RecordingClient() as client:
        shop = Shop(client)
        run = instrument_place.run(shop, {"order_id": 1}, REQUEST, metadata={"n": 1})
        async with run:
            assert run.correlation_id == REQUEST
            assert current().correlation_id == REQUEST
            run.result = {"reserved": True}
        with pytest.raises(OSError), instrument_place.run(shop, 7):
            raise OSError
        await delivered(client)
    started, completed, other, failed = client.events
    assert started.correlation_id == REQUEST
    assert started.payload["metadata"] == completed.payload["metadata"] == {"n": 1}
    assert completed.payload["result_summary"] == {"reserved": True}
    assert other.payload["input_summary"] == {"input": "int"}
    assert failed.payload["error_type"] == "OSError"


@pytest.mark.asyncio
async def test_a_given_causation_id_is_used() -> None:
    cause = uuid4()
    async with RecordingClient() as client:
        async with instrument_place.run(Shop(client), None, REQUEST, cause):
            pass
        await delivered(client)
    started, completed = client.events
    assert started.envelope["causation_id"] == str(cause)
    assert completed.envelope["causation_id"] == started.envelope["event_id"]


# Options of the contract.


@pytest.mark.parametrize(
    ("publish", "good", "bad"),
    [
        ("all", ["started", "completed"], ["started", "failed"]),
        ("outcomes", ["completed"], ["failed"]),
        ("failures", [], ["failed"]),
    ],
)
def test_the_publish_option_selects_events(
    publish: Any, good: list[str], bad: list[str]
) -> None:
    op = operation("pay", publish, fields={"team": "a"})

    def pay(fails: bool) -> None:
        if fails:
            raise ValueError

    for fails, expected in ((False, good), (True, bad)):
        client = SyncClient()
        pay_it = partial(op.on(Orders(client))(pay), fails)
        if fails:
            with pytest.raises(ValueError):
                pay_it()
        else:
            pay_it()
        assert [kind.rpartition(".")[2] for kind in client.types] == expected
        for event in client.published:
            assert event["payload"]["metadata"] == {"team": "a"}


def test_sample_started_selects_requests() -> None:
    op = operation("pay", sample_started=0.25)
    client = SyncClient()
    node = Orders(client)
    requests = [uuid4() for _ in range(2_000)]
    for _ in range(2):
        for request in requests:
            with op.run(node, correlation_id=request):
                pass
    starts = [
        event["correlation_id"]
        for event in client.published
        if event["event_type"].endswith("started")
    ]
    half = len(starts) // 2
    assert starts[:half] == starts[half:]
    assert 300 < half < 700


@pytest.mark.asyncio
async def test_without_a_started_event_causation_is_inherited() -> None:
    silent = operation("silent", "outcomes")

    class Node(Orders):
        @instrument_place
        async def outer(self) -> None:
            await self.middle()

        @silent
        async def middle(self) -> None:
            await self.inner()

        @instrument_reserve
        async def inner(self) -> None:
            """Does nothing."""

    async with RecordingClient() as client:
        await Node(client).outer()
        await delivered(client)
    assert tree(client.events) == {
        "place.started": None,
        "reserve.started": "place",
        "reserve.completed": "reserve",
        "silent.completed": "place",
        "place.completed": "place",
    }
