import logging
import os
from collections.abc import Iterator

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


@pytest.fixture
def broker(address: str) -> Iterator[Broker]:
    """The broker, with a namespace that no other test has."""
    broker = Broker(address)
    yield broker
    broker.delete_created()
