"""Fixtures and summary of the tests of the book."""

from collections import Counter
from collections.abc import Iterator

import pytest
from herald.testing import DevCluster

from blocks import all_blocks

DONE = pytest.StashKey[Counter[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[DONE] = Counter()


@pytest.fixture
def done(request: pytest.FixtureRequest) -> Counter[str]:
    """Counts of the ways in which blocks were tried."""
    return request.config.stash[DONE]


@pytest.fixture
def servers() -> Iterator[str]:
    """A cluster in memory for one page."""
    cluster = DevCluster()
    yield cluster.bootstrap_servers
    cluster.stop()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the number of blocks that were tried, and that were skipped and why."""
    for what, number in sorted(config.stash[DONE].items()):
        terminalreporter.write_line(f"blocks {what}: {number}")
    skipped = Counter(
        f"{block.language}: {block.skipped}" for block in all_blocks() if block.skipped
    )
    for why, number in sorted(skipped.items()):
        terminalreporter.write_line(f"blocks skipped: {number} of {why}")
