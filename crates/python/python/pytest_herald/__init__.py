"""Pytest fixtures.

A package beside `herald`, so that pytest does not import Herald until a test needs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from herald.testing import DevCluster, RecordingClient


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
