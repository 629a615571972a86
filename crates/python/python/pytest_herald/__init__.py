"""Fixtures for pytest.

It stands outside of `herald`, so that pytest loads nothing of Herald until a test asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from herald.testing import DevCluster, RecordingClient


@pytest.fixture
def herald_client() -> Iterator[RecordingClient]:
    """A connected `herald.testing.RecordingClient`, for tests with and without an event
    loop.
    """
    from herald.testing import RecordingClient

    with RecordingClient() as client:
        yield client


@pytest.fixture
def herald_cluster() -> Iterator[DevCluster]:
    """A `herald.testing.DevCluster`: any client of Kafka reaches it at its
    `bootstrap_servers`.
    """
    from herald.testing import DevCluster

    cluster = DevCluster()
    yield cluster
    cluster.stop()
