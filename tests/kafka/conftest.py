import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker import Broker

# It repeats itself without a pause while a broker is away, and would bury a failure.
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


@pytest.fixture(scope="session", autouse=True)
def address() -> str:
    address = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if not address:
        pytest.skip("needs a broker: scripts/kafka run -- python -m pytest tests/kafka")
    return address


@pytest.fixture(autouse=True)
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A test's own spool, which Herald's client finds without being told."""
    path = tmp_path / "spool.db"
    monkeypatch.setenv("HERALD_SPOOL", str(path))
    return path


@pytest.fixture
def broker(address: str) -> Iterator[Broker]:
    """The broker, with a namespace that no other test has."""
    broker = Broker(address)
    yield broker
    broker.delete_created()
