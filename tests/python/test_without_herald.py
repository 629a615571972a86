"""Modules that need no Herald: standalone publishers, and modules for consumers."""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest

from harness import CORRELATION_ID, GOLDEN, load
from test_modules import run, tool

HANG_SECONDS = 60

# Blocks the package, wherever it is installed.
BLOCK = """
import sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "herald":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Block())
sys.path.insert(0, sys.argv[1])
"""
READ = """
import json
from generated.orders_consumer import OrderPlacedEvent, parse

event = parse(sys.stdin.read())
assert type(event) is OrderPlacedEvent, event
print(event.payload.total)
"""
PUBLISH = """
import asyncio
from generated.orders_events import OrdersEventPublisher, instrument_ship

class Client:
    is_connected = True
    def publish_with_envelope(self, **event):
        print(event["event_type"])
        return True

class Orders(OrdersEventPublisher):
    node_id, kafka_client, default_namespace = "n", Client(), "dev"

    @instrument_ship
    async def ship(self, order_id):
        return order_id

assert asyncio.run(Orders().ship(7)) == 7
"""


def generate(folder: Path, models: str) -> Path:
    """Generate both kinds of modules into a package, and return its folder."""
    herald = os.environ.get("HERALD_BIN")
    if herald is None:
        pytest.skip("set HERALD_BIN to a `herald`")
    command = [herald, "generate", str(GOLDEN / "orders.yaml"), "--models", models]
    command += ["--standalone", "--target", "python", "--target", "python-consumer"]
    run(*command, "--out", str(folder / "generated"))
    return folder / "generated"


@pytest.fixture(params=["pydantic", "dataclass"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    generate(tmp_path, request.param)
    return tmp_path


def execute(folder: Path, program: str, text: str = "") -> str:
    """Run a program without Herald; dataclasses need nothing that is installed."""
    has_pydantic = (folder / "generated" / "_herald_runtime" / "models.py").exists()
    options = ["-I"] if has_pydantic else ["-I", "-S"]
    done = subprocess.run(
        [sys.executable, *options, "-c", BLOCK + program, str(folder)],
        input=text,
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_standalone_modules_publish_without_herald(folder: Path) -> None:
    published = execute(folder, PUBLISH).split()
    assert published == ["effect.ship.started", "effect.ship.completed"]


def test_consumers_read_without_herald(folder: Path) -> None:
    assert execute(folder, READ, json.dumps(envelope())) == "9.90\n"


def test_all_files_are_clean(folder: Path) -> None:
    ruff, mypy = tool("HERALD_RUFF", "ruff"), tool("HERALD_MYPY", "mypy")
    generated = str(folder / "generated")
    rules = ["--select", "E,F,W,I,UP,B,SIM,RUF", "--target-version", "py311"]
    run(ruff, "check", "--no-cache", "--isolated", *rules, generated)
    run(ruff, "format", "--no-cache", "--isolated", "--check", generated)
    cache = ["--cache-dir", str(folder / "cache"), "--python-executable"]
    done = subprocess.run(
        [mypy, "--strict", *cache, sys.executable, "-p", "generated"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


PLACED = {"order_id": str(UUID(int=5)), "total": "9.90", "lines": []}
LINE = {"sku": "ABC-1", "quantity": 2, "price": "1.5"}


def envelope(**changed: Any) -> dict[str, Any]:
    return {
        "envelope_version": "1.0",
        "event_id": str(UUID(int=5)),
        "event_type": "order.placed",
        "event_version": "1.0",
        "event_timestamp": "2026-11-23T23:00:00.123456Z",
        "source_node_id": "n",
        "source_service": "s",
        "source_version": "1.0.0",
        "correlation_id": str(CORRELATION_ID),
        "environment": "test",
        "payload": PLACED,
        "metadata": {},
        **changed,
    }


def placed(**changed: Any) -> dict[str, Any]:
    return envelope(payload={**PLACED, **changed})


MESSAGES = [
    envelope(),
    placed(lines=[LINE, {**LINE, "parts": [LINE]}], coupon=None),
    placed(email="str"),
    placed(total="nine"),
    placed(total=9.9),
    placed(order_id="7"),
    placed(lines=[{**LINE, "sku": "abc"}]),
    placed(lines=[{**LINE, "quantity": 1001}]),
    placed(**{"delivery-class": "express"}),
    placed(**{"delivery-class": "slow"}),
    envelope(payload={}),
    envelope(event_version="2.0"),
    envelope(event_type="warehouse.stock-reservation-requested", payload={"a": [1]}),
    envelope(event_type="x.y"),
    envelope(event_type="effect.ship.started", payload={}),
    envelope(
        event_type="effect.ship.started",
        payload={
            "operation": "ship",
            "correlation_id": str(CORRELATION_ID),
            "node_id": "n",
            "started_at": "2026-11-23T23:00:00Z",
            "input_summary": {"order_id": "str"},
        },
    ),
    envelope(event_id="7"),
    {},
    [],
]


@pytest.fixture
def modules(folder: Path) -> Iterator[tuple[ModuleType, ModuleType]]:
    """The module of publishers, and the one for consumers."""
    sys.path.insert(0, str(folder))
    models = "_herald_runtime/models.py"
    is_pydantic = (folder / "generated" / models).exists()
    publisher = load("orders_events" if is_pydantic else "dataclass_events")
    yield publisher, importlib.import_module("generated.orders_consumer")
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.startswith("generated")]:
        del sys.modules[name]


@pytest.mark.parametrize("message", MESSAGES, ids=str)
def test_both_modules_read_the_same(
    message: object, modules: tuple[ModuleType, ModuleType]
) -> None:
    first, second = (outcome(module, message) for module in modules)
    assert first == second


def outcome(module: ModuleType, message: object) -> tuple[str, str]:
    """The class and the content of an event, or the error."""
    try:
        event = module.parse(message)
    except Exception as error:
        return type(error).__name__, str(error)
    # Where fields are private, publishers have models of their own for consumers.
    return type(event).__name__, repr(event).replace("Received", "")
