"""Tests of `herald.testing.Conformance` and its fixture."""

from uuid import UUID

import herald
import pytest
from herald.testing import Conformance, MemoryCluster, SyncRecordingClient

REQUEST = UUID("12345678-1234-5678-1234-567812345678")

CONTRACT = """
node_type: effect
service_name: shop
operations: [place]
include_state_events: false
include_metric_events: false
events:
  - event_type: order.placed
    topic: "{namespace}.order.placed.v1"
    payload: {order: string, total: decimal}
"""


@pytest.fixture
def client() -> SyncRecordingClient:
    return SyncRecordingClient(service="shop")


@pytest.fixture
def conformance(client: SyncRecordingClient) -> Conformance:
    conformance = Conformance(herald.load_text(CONTRACT))
    conformance.watch(client)
    return conformance


def place(client: SyncRecordingClient, topic: str, **payload: object) -> None:
    with client:
        client.publish(
            herald.Event(
                "order.placed",
                "shop-1",
                payload,
                correlation_id=REQUEST,
                topic=topic,
            )
        )


def failure(conformance: Conformance, **options: bool) -> str:
    with pytest.raises(AssertionError) as caught:
        conformance.assert_conform(**options)
    return str(caught.value)


def test_events_of_the_contract_conform(
    client: SyncRecordingClient, conformance: Conformance
) -> None:
    place(client, "dev.order.placed.v1", order="A-17", total="9.90")
    conformance.assert_conform()
    message = failure(conformance, require_coverage=True)
    assert "effect.place.started of shop was not published" in message


def test_nothing_does_not_conform(conformance: Conformance) -> None:
    assert "no event was published" in failure(conformance)


def test_a_failure_names_problem_event_and_place_but_no_value(
    client: SyncRecordingClient, conformance: Conformance
) -> None:
    place(client, "dev.order.placed.v1", order="hunter2", total=9.9)
    message = failure(conformance)
    assert "payload: order.placed: payload.total must be a decimal number" in message
    assert "(dev.order.placed.v1/" in message
    assert "hunter2" not in message
    conformance.allow("payload")
    conformance.assert_conform()


def test_the_namespace_of_topics_can_be_set(
    client: SyncRecordingClient, conformance: Conformance
) -> None:
    place(client, "test.order.placed.v1", order="A-17", total="9.90")
    assert "`namespace` sets another namespace" in failure(conformance)
    conformance.namespace = "test"
    conformance.assert_conform()


def test_an_unknown_kind_is_refused(conformance: Conformance) -> None:
    with pytest.raises(ValueError, match="not a kind of problem"):
        conformance.allow("luck")


def test_events_from_before_are_not_judged() -> None:
    cluster = MemoryCluster()
    client = SyncRecordingClient(service="shop", cluster=cluster)
    place(client, "elsewhere", order=1)
    conformance = Conformance(herald.load_text(CONTRACT))
    conformance.watch(cluster)
    assert "no event was published" in failure(conformance)


TESTS = """
import herald
import pytest

@pytest.fixture(scope="session")
def herald_catalog():
    return herald.load_text({contract!r})

def publish(client, **payload):
    import asyncio
    asyncio.run(client.publish(herald.Event(
        "order.placed", "shop-1", payload, topic="dev.order.placed.v1",
        correlation_id="12345678-1234-5678-1234-567812345678",
    )))

def test_good(herald_client, herald_conformance):
    publish(herald_client, order="A-17", total="9.90")

def test_bad(herald_client, herald_conformance):
    publish(herald_client, order="A-17")

def test_silent(herald_conformance):
    pass

def test_other():
    pass
"""


def test_the_fixture_fails_tests_whose_events_do_not_conform(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(TESTS.format(contract=CONTRACT))
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:asyncio")
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(
        ["*payload.total is missing*", "*no event was published*"]
    )
