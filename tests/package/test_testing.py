"""Tests of `herald.testing` and its fixtures for pytest."""

import asyncio
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from herald import Event, KafkaClient, PayloadError, PublishError
from herald.testing import (
    MemoryCluster,
    RecordingClient,
    SyncRecordingClient,
)

REQUEST = UUID("12345678-1234-5678-1234-567812345678")


@pytest.fixture
def client() -> Iterator[SyncRecordingClient]:
    with SyncRecordingClient(service="shop", namespace="test") as client:
        yield client


def place(client: SyncRecordingClient, **payload: object) -> None:
    client.publish_with_envelope(
        "order.placed", "shop-1", payload, correlation_id=REQUEST
    )


def failure(assertion: Callable[[], object]) -> str:
    with pytest.raises(AssertionError) as caught:
        assertion()
    return str(caught.value)


# What is recorded.


def test_an_event_is_recorded_as_a_consumer_gets_it(
    client: SyncRecordingClient,
) -> None:
    event = Event(
        "order.placed",
        "shop-1",
        {"total": Decimal("9.90"), "order_id": REQUEST},
        correlation_id=REQUEST,
        metadata={"region": "eu"},
        partition_key="customer-7",
    )
    receipt = client.publish(event)
    (published,) = client.events
    assert published.event_type == "order.placed"
    assert published.topic == receipt.topic == "test.shop.order.placed.v1"
    assert published.partition == receipt.partition
    assert published.key == b"customer-7"
    assert published.payload == {"total": "9.90", "order_id": str(REQUEST)}
    assert published.metadata == {"region": "eu"}
    assert published.correlation_id == REQUEST
    assert published.envelope["event_id"] == receipt.event_id
    assert published.envelope["source_service"] == "shop"
    assert published.headers["correlation_id"] == str(REQUEST).encode()
    assert published.headers["event_type"] == b"order.placed"


def test_events_of_all_topics_keep_their_order(client: SyncRecordingClient) -> None:
    types = ["b.b", "a.a", "c.c", "a.a", "b.b"]
    client.publish_many(Event(name, "n", {"at": at}) for at, name in enumerate(types))
    assert [event.event_type for event in client.events] == types
    assert [event.payload["at"] for event in client.of_type("b.b")] == [0, 4]


def test_clear_removes_earlier_events(client: SyncRecordingClient) -> None:
    place(client)
    client.clear()
    assert client.events == []
    place(client, number=2)
    assert [event.payload for event in client.events] == [{"number": 2}]


def test_events_stay_after_close() -> None:
    with SyncRecordingClient() as client:
        place(client)
    client.assert_published("order.placed")


def test_raw_messages_and_dead_letters_are_not_events(
    client: SyncRecordingClient,
) -> None:
    client.publish_raw("bytes", b"\xff\x00")
    client.publish_raw("json", b'{"event_type": "order.placed"}')
    client.cluster.refuse("test.shop.order.placed.v1")
    with pytest.raises(PublishError):
        place(client)
    assert client.events == []
    assert [message[3] for message in client.cluster.messages("bytes")] == [b"\xff\x00"]


def test_a_given_cluster_is_recorded_from_now_on() -> None:
    cluster = MemoryCluster()
    with SyncRecordingClient(cluster=cluster) as first:
        place(first)
    with SyncRecordingClient(cluster=cluster) as second:
        place(second, number=2)
    assert [event.payload for event in second.events] == [{"number": 2}]


def test_errors_are_those_of_production(client: SyncRecordingClient) -> None:
    with pytest.raises(PayloadError, match=r"payload\.x"):
        place(client, x=float("nan"))
    with SyncRecordingClient(deadline=0.05) as impatient:
        impatient.cluster.stop()
        with pytest.raises(PublishError):
            place(impatient)
        assert impatient.events == []


# What is asserted.


@dataclass
class Order:
    order_id: UUID
    total: Decimal


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"items": ["lamp", "bulb"]},
        {"address": {"city": "Ulm"}},
        {"order_id": REQUEST, "total": Decimal("9.90")},
        Order(REQUEST, Decimal("9.90")),
        {"items": list, "address": {"zip": str}, "gift": bool},
        {"items": ["lamp", str], "total": lambda total: float(total) > 9},
        {"weight": pytest.approx(0.3)},
        {"note": None},
        lambda payload: len(payload) == 7,
    ],
)
def test_payloads_match(client: SyncRecordingClient, payload: object) -> None:
    place(
        client,
        order_id=REQUEST,
        total=Decimal("9.90"),
        items=("lamp", "bulb"),
        address={"city": "Ulm", "zip": "89073"},
        gift=True,
        weight=0.1 + 0.2,
        note=None,
    )
    client.assert_published("order.placed", payload=payload, times=1)
    message = failure(
        lambda: client.assert_not_published("order.placed", payload=payload)
    )
    assert "order.placed was published once, but should not have been" in message


@pytest.mark.parametrize(
    ("payload", "difference"),
    [
        ({"total": 10}, "payload.total: expected 10, found 9"),
        ({"gift": 1}, "payload.gift: expected 1, found True"),
        ({"total": True}, "payload.total: expected True, found 9"),
        ({"paid": True}, "payload.paid: expected True, but it is missing"),
        ({"a": {"b": [1, {"c": 2}]}}, "payload.a.b[1].c: expected 2, found 3"),
        ({"a": {"b": [1]}}, "payload.a.b: expected 1 items, found 2"),
        ({"a": [1]}, "payload.a: expected [1], found {'b': [1, {'c': 3}]}"),
        ({"total": {"x": 1}}, "payload.total: expected {'x': 1}, found 9"),
        ({"total": str}, "payload.total: expected any str, found 9"),
        ({"a": lambda a: a > 1}, "'>' not supported"),
        ({"total": lambda t: t > 9}, "expected lambda at test_testing.py:"),
        ({"a": object()}, "payload.a: expected <object object"),
    ],
)
def test_differences_are_reported(
    client: SyncRecordingClient, payload: object, difference: str
) -> None:
    place(client, total=9, gift=True, a={"b": [1, {"c": 3}]})
    message = failure(lambda: client.assert_published("order.placed", payload=payload))
    assert difference in message
    client.assert_not_published("order.placed", payload=payload)


def test_a_failed_assertion_says_what_was_expected_and_published(
    client: SyncRecordingClient,
) -> None:
    client.publish_with_envelope("order.received", "shop-1", {})
    place(client, currency="USD", total=5)
    place(client, currency="USD", total=4)
    message = failure(
        lambda: client.assert_published(
            "order.placed",
            payload={"currency": "EUR", "total": 4},
            correlation_id=str(REQUEST),
        )
    )
    assert message == textwrap.dedent(
        f"""\
        order.placed was not published as expected
        expected, at least once:
            event_type 'order.placed'
            correlation_id {REQUEST!r}
            payload {{'currency': 'EUR', 'total': 4}}
        nearest is event 3:
            payload.currency: expected 'EUR', found 'USD'
        published:
           1. order.received  on test.shop.order.received.v1
           2. order.placed    on test.shop.order.placed.v1
           3. order.placed    on test.shop.order.placed.v1"""
    )


def test_a_similar_event_type_is_suggested(client: SyncRecordingClient) -> None:
    place(client)
    message = failure(lambda: client.assert_published("order.palced"))
    assert "did you mean 'order.placed'?" in message


def test_an_assertion_reports_an_empty_record(client: SyncRecordingClient) -> None:
    client.assert_not_published()
    message = failure(lambda: client.assert_published("order.placed"))
    assert message.endswith("nothing was published")


def test_times_must_match(client: SyncRecordingClient) -> None:
    place(client, number=1)
    place(client, number=2)
    client.assert_published("order.placed", times=2)
    first = client.assert_published("order.placed", payload={"number": 1}, times=1)
    assert first.payload == {"number": 1}
    for times, wanted in [(1, "expected, once:"), (3, "expected, 3 times:")]:
        message = failure(
            lambda times=times: client.assert_published(  # type: ignore[misc]
                "order.placed", times=times
            )
        )
        assert message.startswith("order.placed was published 2 times\n")
        assert wanted in message
    with pytest.raises(ValueError, match="assert_not_published"):
        client.assert_published("order.placed", times=0)


def test_all_fields_can_be_asserted(client: SyncRecordingClient) -> None:
    client.publish_with_envelope(
        "a.b", "node", {}, topic="t", metadata={"stage": "started", "x": 1}
    )
    client.assert_published(
        "a.b",
        topic="t",
        key="node",
        correlation_id=None,
        metadata={"stage": "started"},
    )
    client.assert_published("a.b", key=b"node")
    client.assert_not_published("a.b", topic="u")
    client.assert_not_published("a.b", key="other")
    client.assert_not_published("a.b", key=None)
    client.assert_not_published("a.b", correlation_id=uuid4())
    client.assert_not_published("a.b", metadata={"stage": "failed"})
    with pytest.raises(ValueError, match="must be a UUID or None, not 'abc'"):
        client.assert_published("a.b", correlation_id="abc")


def test_long_values_and_lists_are_truncated(client: SyncRecordingClient) -> None:
    client.publish_many(Event("a.b", "n", {"text": "x" * 5_000}) for _ in range(50))
    message = failure(lambda: client.assert_published("a.b", payload={"text": "y"}))
    assert "(5002 characters)" in message
    assert "and 20 more" in message
    assert len(message) < 5_000


def test_events_in_flight_are_reported(client: SyncRecordingClient) -> None:
    client.cluster.pause()
    pending = client.enqueue(Event("a.b", "n", {}))
    message = failure(lambda: client.assert_published("a.b"))
    assert "still in flight: 1; await them, or flush the client" in message
    client.cluster.resume()
    pending.result(10)
    client.assert_published("a.b")


# Loops.


def test_one_client_serves_several_loops_and_code_without() -> None:
    with RecordingClient() as client:
        assert isinstance(client, KafkaClient)

        async def publish(number: int) -> None:
            await client.publish_with_envelope("a.b", "n", {"number": number})

        asyncio.run(publish(1))
        thread = threading.Thread(target=lambda: asyncio.run(publish(2)))
        thread.start()
        thread.join()
        asyncio.run(publish(3))
        assert [event.payload["number"] for event in client.events] == [1, 2, 3]


def test_a_service_may_open_and_close_it() -> None:
    async def service(client: KafkaClient) -> None:
        async with client:
            await client.publish_with_envelope("a.b", "n", {})

    client = RecordingClient()
    asyncio.run(service(client))
    client.assert_published("a.b", times=1)
    assert not client.is_connected


def test_a_running_loop_releases_closed_clients() -> None:
    loop = asyncio.new_event_loop()
    watched: list[int] = []
    for _ in range(3):
        with RecordingClient() as client:
            loop.run_until_complete(client.publish_with_envelope("a.b", "n", {}))
        loop.run_until_complete(asyncio.sleep(0))
        watched.append(len(loop._selector.get_map()))  # type: ignore[attr-defined]
    loop.close()
    assert watched == [1, 1, 1]  # the loop's own


# The plugin.

PLAIN = """
    import asyncio
    from herald.testing import DevCluster, RecordingClient

    def test_plain(herald_client: RecordingClient) -> None:
        asyncio.run(herald_client.publish_with_envelope("a.b", "n", {}))
        herald_client.assert_published("a.b", times=1)

    def test_again(herald_client: RecordingClient) -> None:
        assert herald_client.is_connected
        herald_client.assert_not_published()

    def test_cluster(herald_cluster: DevCluster) -> None:
        assert herald_cluster.bootstrap_servers.startswith("127.0.0.1:")
"""

ASYNC = """
    import pytest
    from herald import KafkaClient
    from herald.testing import DevCluster, RecordingClient

    pytestmark = pytest.mark.{mark}

    @pytest.fixture
    def anyio_backend() -> str:
        return "asyncio"

    @pytest.mark.parametrize("number", range(3))
    async def test_async(herald_client: RecordingClient, number: int) -> None:
        await herald_client.publish_with_envelope("a.b", "n", {{"number": number}})
        herald_client.assert_published("a.b", payload={{"number": number}}, times=1)

    async def test_cluster(herald_cluster: DevCluster) -> None:
        servers = herald_cluster.bootstrap_servers
        async with KafkaClient(servers, spool=None, config=None) as client:
            assert (await client.publish_with_envelope("a.b", "n", {{}})).is_delivered
"""


ALONE = ("-p", "no:asyncio", "-p", "no:anyio")


def pytest_alone(folder: Path, test: str, *arguments: str) -> str:
    """Runs pytest on a file of its own, in a process of its own."""
    (folder / "test_it.py").write_text(textwrap.dedent(test))
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_fixtures_need_no_other_plugin(tmp_path: Path) -> None:
    assert "3 passed" in pytest_alone(tmp_path, PLAIN, *ALONE)


@pytest.mark.parametrize(
    ("mark", "arguments"),
    [
        ("asyncio", ["-o", "asyncio_default_test_loop_scope=function"]),
        ("asyncio", ["-o", "asyncio_default_test_loop_scope=session"]),
        ("anyio", ["-p", "no:asyncio"]),
    ],
)
def test_fixtures_work_with_plugins_for_asyncio(
    tmp_path: Path, mark: str, arguments: list[str]
) -> None:
    if mark == "asyncio":
        scope = "asyncio_default_fixture_loop_scope=function"
        arguments = [*arguments, "-p", "no:anyio", "-o", scope]
    output = pytest_alone(tmp_path, ASYNC.format(mark=mark), *arguments)
    assert "4 passed" in output


def test_pytest_starts_without_herald(tmp_path: Path) -> None:
    test = """
        import sys

        def test_modules(request) -> None:
            assert "pytest_herald" in sys.modules
            assert [name for name in sys.modules if name.startswith("herald")] == []
    """
    assert "1 passed" in pytest_alone(tmp_path, test, *ALONE)


def test_a_failure_points_at_the_test(tmp_path: Path) -> None:
    test = """
        import pytest

        def test_it(herald_client) -> None:
            with pytest.raises(AssertionError) as caught:
                herald_client.assert_published("a.b")
            shown = caught.traceback.filter(caught)
            assert [entry.path.name for entry in shown] == ["test_it.py"]
    """
    assert "1 passed" in pytest_alone(tmp_path, test, *ALONE)
