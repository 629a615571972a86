"""Correlation and causation ids."""

import asyncio
import contextvars
import json
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from herald.runtime import (
    Correlation,
    EnvelopeError,
    correlation,
    correlation_from,
    current,
    in_context,
)
from herald.testing import RecordingClient, SyncRecordingClient
from opentelemetry.sdk.trace import TracerProvider

from shop import (
    REQUEST,
    AsyncClient,
    Orders,
    SyncClient,
    instrument_place,
    instrument_reserve,
    tree,
)

CAUSE = UUID("6f2c1c1e-0000-4000-8000-00000000000c")


class Shop(Orders):
    @instrument_place
    async def place_in_tasks(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for number in range(3):
                tasks.create_task(self.reserve(number))

    @instrument_place
    async def place_in_a_thread(self) -> None:
        await asyncio.to_thread(self.reserve_sync, 1)

    @instrument_place
    def place_in_an_executor(self) -> None:
        with ThreadPoolExecutor() as executor:
            executor.submit(in_context(self.reserve_sync), 1).result()

    @instrument_reserve
    async def reserve(self, number: int) -> None:
        await asyncio.sleep(0)

    @instrument_reserve
    def reserve_sync(self, number: int) -> None:
        """Does nothing."""


def test_correlation_is_empty_outside_of_scopes() -> None:
    assert current() == Correlation(None, None)


def test_scopes_are_nested() -> None:
    with correlation(REQUEST) as outer:
        assert outer == current() == Correlation(REQUEST, None)
        with correlation(causation_id=CAUSE):
            assert current() == Correlation(REQUEST, CAUSE)
            with correlation(UUID(int=1)):
                assert current() == Correlation(UUID(int=1), CAUSE)
        assert current() == outer
    assert current() == Correlation()


def test_a_scope_creates_a_missing_id() -> None:
    with correlation() as scope:
        assert scope.correlation_id is not None


def test_the_trace_id_is_the_default_correlation_id() -> None:
    tracer = TracerProvider().get_tracer("tests")
    client = SyncClient()
    with tracer.start_as_current_span("request") as span:
        with instrument_place.run(Orders(client)) as run:
            assert run.correlation_id.int == span.get_span_context().trace_id
        with correlation(REQUEST), instrument_place.run(Orders(client)) as run:
            assert run.correlation_id == REQUEST


@pytest.mark.asyncio
@pytest.mark.parametrize("method", ["place_in_tasks", "place_in_a_thread"])
async def test_tasks_and_threads_inherit_the_correlation(method: str) -> None:
    async with RecordingClient() as client:
        with correlation(REQUEST):
            await getattr(Shop(client), method)()
        assert await client.flush(20) == 0
    causes = tree(client.events)
    assert causes["reserve.started"] == "place"
    assert causes["reserve.completed"] == "reserve"
    assert {event.correlation_id for event in client.events} == {REQUEST}


def test_in_context_binds_the_correlation_for_executors() -> None:
    with SyncRecordingClient() as client:
        Shop(client).place_in_an_executor()
        client.flush(20)
    assert tree(client.events)["reserve.started"] == "place"
    assert len({event.correlation_id for event in client.events}) == 1


@pytest.mark.asyncio
async def test_a_consumer_continues_the_received_correlation() -> None:
    async with RecordingClient() as client:
        shop = Shop(client)
        with instrument_place.run(shop):
            pass
        await client.flush(20)
        received = client.events[0].envelope
        client.clear()
        with correlation_from(json.dumps(received).encode()):
            await shop.reserve(1)
            await shop._publish_metric_recorded_event("latency", 1.0, "ms")
        await client.flush(20)
    started, completed, metric = client.events
    assert started.envelope["causation_id"] == received["event_id"]
    assert completed.envelope["causation_id"] == started.envelope["event_id"]
    assert metric.envelope["causation_id"] == received["event_id"]
    assert {str(e.correlation_id) for e in client.events} == {
        received["correlation_id"]
    }


def test_an_invalid_envelope_error_has_no_values() -> None:
    with pytest.raises(EnvelopeError, match="event_id") as caught:
        correlation_from({"envelope_version": "1.0", "event_id": "hunter2"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.asyncio
async def test_publishing_outside_of_scopes_adds_no_causation() -> None:
    client = AsyncClient()
    await Orders(client)._publish_state_changed_event(REQUEST, "a", "b", "c")
    assert set(client.published[0]["metadata"]) == {
        "node_type",
        "service_name",
        "event_category",
        "old_state",
        "new_state",
    }


def test_a_scope_may_end_in_another_context() -> None:
    scope = correlation(REQUEST)
    contextvars.copy_context().run(scope.__enter__)
    scope.__exit__(None, None, None)
    assert current() == Correlation()


@pytest.mark.asyncio
async def test_a_run_may_end_in_another_task() -> None:
    async def fixture(shop: Orders) -> AsyncIterator[None]:
        async with instrument_place.run(shop):
            yield

    client = AsyncClient()
    steps = fixture(Orders(client))
    await asyncio.create_task(anext(steps))  # type: ignore[arg-type]
    await asyncio.create_task(anext(steps, None))
    assert len(client.published) == 2


def test_threads_have_separate_correlations() -> None:
    found: dict[UUID, Any] = {}
    barrier = threading.Barrier(8)

    def serve() -> None:
        request = uuid4()
        with correlation(request):
            barrier.wait()
            found[request] = current().correlation_id

    threads = [threading.Thread(target=serve) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all(request == seen for request, seen in found.items())


@pytest.mark.parametrize(
    "wrap",
    [
        lambda value: SimpleNamespace(value=value),
        lambda value: SimpleNamespace(value=lambda: value),
        lambda value: value.decode(),
        json.loads,
    ],
)
def test_messages_of_many_consumers(wrap: Any) -> None:
    with SyncRecordingClient() as client:
        with instrument_place.run(Orders(client), correlation_id=REQUEST):
            pass
        client.flush(20)
    envelope = client.events[0].envelope
    with correlation_from(wrap(json.dumps(envelope).encode())):
        assert current() == Correlation(REQUEST, UUID(envelope["event_id"]))
