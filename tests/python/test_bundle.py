"""The text of the runtime that standalone modules carry."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "bundle-runtime"
BUNDLE = ROOT / "crates" / "render" / "runtime" / "bundle.py"
HANG_SECONDS = 60

USE = """
import asyncio

class Node(EventPublisher):
    node_id, kafka_client, default_namespace = "n", None, "dev"

    @Operation(
        "place",
        EventSource("orders"),
        *("a", "b", "c"),
        topics=("a", "b", "c"),
    )
    async def place(self, order_id):
        return order_id

assert asyncio.run(Node().place(7)) == 7
assert "herald" not in __import__("sys").modules
"""


def test_the_bundle_is_up_to_date() -> None:
    ruff = Path(sys.executable).with_name("ruff")
    if not ruff.exists():
        pytest.skip(f"needs {ruff}")
    done = subprocess.run(
        [sys.executable, SCRIPT, "--check"],
        env={"HERALD_RUFF": str(ruff)},
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_bundle_needs_nothing_but_the_standard_library(tmp_path: Path) -> None:
    program = tmp_path / "standalone.py"
    program.write_text(BUNDLE.read_text() + USE)
    # -S: without anything that is installed.
    subprocess.run(
        [sys.executable, "-I", "-S", str(program)], timeout=HANG_SECONDS, check=True
    )
