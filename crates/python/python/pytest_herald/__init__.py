"""Pytest fixtures.

A package beside `herald`, so that pytest does not import Herald until a test needs it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from herald.contracts import Catalog
    from herald.testing import Conformance, DevCluster, RecordingClient


@pytest.fixture
def herald_client() -> Iterator[RecordingClient]:
    """Connected `herald.testing.RecordingClient`, for tests with and without an event
    loop.
    """
    from herald.testing import RecordingClient

    with RecordingClient() as client:
        yield client


@pytest.fixture
def herald_cluster() -> Iterator[DevCluster]:
    """`herald.testing.DevCluster`, reachable by any Kafka client at its
    `bootstrap_servers`.
    """
    from herald.testing import DevCluster

    cluster = DevCluster()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def herald_catalog() -> Catalog:
    """Contracts of the project, for `herald_conformance`. Override it to use others."""
    import herald

    return herald.load()


@pytest.fixture
def herald_conformance(
    herald_client: RecordingClient, herald_catalog: Catalog
) -> Conformance:
    """`herald.testing.Conformance` of what `herald_client` publishes in the test.

    The test fails if an event is not in its contract, or if there was none.
    """
    from herald.testing import Conformance

    conformance = Conformance(herald_catalog)
    conformance.watch(herald_client)
    return conformance


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Judges the events at the end of a test that uses `herald_conformance`.

    At the teardown of the fixture, the test would have passed already.
    """
    __tracebackhide__ = True
    result = yield
    fixtures: dict[str, object] = getattr(item, "funcargs", {})
    if (conformance := fixtures.get("herald_conformance")) is not None:
        from herald.testing import Conformance

        if isinstance(conformance, Conformance):
            conformance.assert_conform()
    return result
