"""Generated modules as wholes: constants, types, style, and every Python there is."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness import GOLDEN, PACKAGES, load

MODULES = sorted(GOLDEN.glob("*.py"))
VERSIONS = ["3.11", "3.12", "3.13"]


def tool(variable: str, name: str) -> str:
    """Return the path of a program, or skip the test."""
    path = os.environ.get(variable) or shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not there; set {variable}")
    return path


def run(*command: str, **environment: str) -> None:
    """Run a program that must succeed."""
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stdout + done.stderr


def find_python(version: str) -> str:
    """Return the path of another Python that starts, or skip the test."""
    kept = Path.home().glob(f".pyenv/versions/{version}*/bin/python")
    for python in [shutil.which(f"python{version}"), *map(str, sorted(kept))]:
        if python and starts(python):
            return python
    pytest.skip(f"Python {version} is not there")


def starts(python: str) -> bool:
    """Tell a Python from a launcher without the Python that it should launch."""
    return subprocess.run([python, "-V"], capture_output=True).returncode == 0


def test_event_types_and_topics_are_enumerations() -> None:
    module = load("orders_events")
    assert module.OrdersEventType.ORDER_PLACED == "order.placed"
    assert list(module.OrdersEventType.__members__) == [
        topic.name for topic in module.OrdersTopic
    ]
    topic = module.OrdersTopic.ORDER_PLACED.format(namespace="dev")
    assert topic == "dev.orders.order.placed.v1"


def test_the_namespace_of_the_contract_belongs_to_the_source() -> None:
    assert load("orders_events")._SOURCE.namespace == "prod"
    assert load("effect_events")._SOURCE.namespace is None


def test_everything_exported_is_there() -> None:
    for path in MODULES:
        module = load(path.stem)
        for name in getattr(module, "__all__", []):
            assert hasattr(module, name)


@pytest.mark.parametrize("version", VERSIONS)
def test_modules_import_in_every_python(version: str) -> None:
    python = sys.executable
    if not sys.version.startswith(version):
        python = find_python(version)
    modules = [path.stem for path in MODULES if is_importable(path, python)]
    program = f"import conftest, {', '.join(modules)}"
    path = os.pathsep.join([str(GOLDEN), str(Path(__file__).parent)])
    run(python, "-W", "error", "-c", program, PYTHONPATH=path)


def is_importable(module: Path, python: str) -> bool:
    """Tell whether this Python has what the module imports."""
    text = module.read_text("utf-8")
    needs_pydantic = "from pydantic" in text or "herald.runtime.models" in text
    return python == sys.executable or not needs_pydantic


def test_ruff_finds_nothing() -> None:
    ruff = tool("HERALD_RUFF", "ruff")
    rules = "E,F,W,I,UP,B,SIM,RUF"
    target = ["--target-version", "py311"]
    run(
        ruff,
        "check",
        "--no-cache",
        "--isolated",
        "--select",
        rules,
        # Methods to paste have the spelling of `Optional` that existing code looks for.
        "--per-file-ignores",
        "one_call.py:UP045,own_class.py:UP045",
        *target,
        # Beside the modules is the service's own code.
        "--config",
        f"src = [{str(GOLDEN)!r}]",
        str(GOLDEN),
    )
    run(ruff, "format", "--no-cache", "--isolated", "--check", str(GOLDEN))


USES = """
from decimal import Decimal
from typing import assert_never
from uuid import UUID

from herald.runtime import (
    EventClient,
    MetricRecordedEvent,
    OperationCompletedEvent,
    OperationFailedEvent,
    OperationStartedEvent,
    StateChangedEvent,
    UnknownEvent,
)
from orders_events import (
    OrderPlaced,
    OrderPlacedEvent,
    OrdersEventPublisher,
    OrdersState,
    SyncOrdersEventPublisher,
    WarehouseStockReservationRequestedEvent,
    parse,
)


class Client:
    @property
    def is_connected(self) -> bool:
        return True

    async def publish_with_envelope(
        self,
        event_type: str,
        source_node_id: str,
        payload: dict[str, object],
        topic: str,
        correlation_id: UUID | None = None,
        metadata: dict[str, object] | None = None,
    ) -> bool:
        return True


class Orders(OrdersEventPublisher):
    def __init__(self, node_id: UUID, client: Client) -> None:
        self.node_id = node_id
        self.kafka_client = client

    async def place(self, correlation_id: UUID) -> None:
        await self._publish_order_placed_event(correlation_id, {"order_id": "1"})


client: EventClient = Client()


async def publish(orders: Orders, sync: SyncOrdersEventPublisher) -> None:
    placed = OrderPlaced(order_id=UUID(int=1), total=Decimal(1), email="a@b.c")
    first = await orders.publish_order_placed(placed, correlation_id=UUID(int=1))
    await orders.publish_order_placed(
        order_id=UUID(int=1), total=Decimal(1), email="a@b.c"
    )
    await orders.publish_order_placed(order_id=1)  # type: ignore[call-overload]
    await orders.publish_order_placed({"total": 1})  # type: ignore[call-overload]
    second = sync.publish_order_placed(placed)
    print(first.is_delivered, second.is_delivered)


async def logged(orders: Orders) -> None:
    request = UUID(int=1)
    await orders._publish_ship_started_event(request, input_data={"order_id": 1})
    await orders._publish_ship_failed_event(request, ValueError("no"), 2.5)
    started = orders._publish_order_place_started_event
    await started(request, 1)  # type: ignore[arg-type]
    await orders._publish_metric_recorded_event("place_latency", 2.5, "ms")
    await orders.state_machine.transition(OrdersState.PAID, "paid")


def total(message: object) -> Decimal | None:
    event = parse(message)
    match event:
        case OrderPlacedEvent(payload=placed):
            return placed.total
        case OperationStartedEvent() | OperationCompletedEvent():
            print(event.payload.operation)
        case OperationFailedEvent(payload=failed):
            print(failed.error_type)
        case StateChangedEvent() | MetricRecordedEvent():
            print(event.payload.node_type)
        case WarehouseStockReservationRequestedEvent() | UnknownEvent():
            print(event.payload["reason"])
        case _:
            assert_never(event)
    return None
"""


@pytest.mark.parametrize("version", VERSIONS)
def test_mypy_finds_nothing(version: str, tmp_path: Path) -> None:
    mypy = tool("HERALD_MYPY", "mypy")
    use = tmp_path / "use.py"
    use.write_text(USES, "utf-8")
    options = ["--strict", "--no-error-summary", "--python-version", version]
    cache = ["--cache-dir", str(tmp_path / "cache")]
    files = [*map(str, MODULES), str(use)]
    path = os.pathsep.join([str(GOLDEN), str(PACKAGES)])
    run(mypy, *options, *cache, *files, MYPYPATH=path)


PRESENT = {
    "enums/enum_log_level.pyi": """
        from enum import Enum

        class EnumLogLevel(str, Enum):
            DEBUG = "debug"
            INFO = "info"
            WARNING = "warning"
            ERROR = "error"
    """,
    "logging/logging_structured.pyi": """
        from typing import Any
        from omnibase_core.enums.enum_log_level import EnumLogLevel

        def emit_log_event_sync(
            level: EnumLogLevel, message: str, context: Any = None
        ) -> None: ...
    """,
}


@pytest.mark.parametrize("name", ["logging_structured", "structured"])
def test_mypy_finds_nothing_where_omnibase_core_is_installed(
    name: str, tmp_path: Path
) -> None:
    mypy = tool("HERALD_MYPY", "mypy")
    for path, text in PRESENT.items():
        file = tmp_path / "omnibase_core" / path.replace("logging_structured", name)
        file.parent.mkdir(parents=True, exist_ok=True)
        (file.parent / "__init__.pyi").touch()
        lines = [line.removeprefix("        ") for line in text.splitlines()]
        file.write_text("\n".join(lines), "utf-8")
    (tmp_path / "omnibase_core" / "__init__.pyi").touch()
    cache = ["--cache-dir", str(tmp_path / "cache")]
    run(
        mypy,
        "--strict",
        *cache,
        *map(str, MODULES),
        MYPYPATH=os.pathsep.join([str(tmp_path), str(PACKAGES)]),
    )
