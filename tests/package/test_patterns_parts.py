"""Generators of metrics and lifecycles: what they print is checked and run."""

import ast
import asyncio
import inspect
import os
import signal
import subprocess
import sys
import types
from contextlib import suppress
from pathlib import Path
from typing import Any

import herald.codegen.patterns as patterns
import pytest
from herald.codegen.patterns import (
    BusinessMetric,
    EventPublishingPatternGenerator,
    LifecyclePatternGenerator,
    MetricsPatternGenerator,
    generate_complete_lifecycle_class,
    generate_complete_metrics_class,
)
from herald.testing import RecordingClient
from hypothesis import given
from hypothesis import strategies as st

BUSINESS = [
    BusinessMetric("orders.placed"),
    BusinessMetric("queue.depth", "messages", "gauge"),
    BusinessMetric("order.total", "EUR", "distribution"),
]
METRICS = MetricsPatternGenerator("effect", "orders", ["place", "cancel"], BUSINESS)
LIFECYCLE = LifecyclePatternGenerator("effect", "orders", ["database"], ["refresh"])

LONG = "a_name_as_long_as_a_name_may_be_50_characters_long"

COMPLETE = {
    "metrics": METRICS.generate_complete_metrics_class(),
    "metrics_bare": generate_complete_metrics_class(
        "reducer", "s", ["a"], include_resource_metrics=False
    ),
    "metrics_long": generate_complete_metrics_class(
        "orchestrator",
        LONG,
        [LONG, "b"],
        [BusinessMetric(LONG, "µ" * 60, "distribution")],
    ),
    "lifecycle": LIFECYCLE.generate_complete_lifecycle_class(),
    "lifecycle_bare": generate_complete_lifecycle_class("compute", "s"),
    "lifecycle_long": generate_complete_lifecycle_class(
        "compute", LONG, [LONG, "b"], [LONG]
    ),
}


def one_class() -> str:
    """All three patterns, pasted into one class as their docs say."""
    events = EventPublishingPatternGenerator("effect", "orders", ["place"])
    head = METRICS.generate_imports() + LIFECYCLE.generate_imports()
    init = '''
class Orders:
    """All three patterns."""

    def __init__(self, kafka_client: Any) -> None:
        self.node_id = "orders-1"
        self.kafka_client = kafka_client
        self.default_namespace = "dev"
        self._initialize_metrics()
        self._initialize_lifecycle()

'''
    use = '''
    @measure_place
    async def place(self) -> None:
        """An operation of the node."""
'''
    return "\n\n".join(
        (
            head,
            events.generate_imports(),
            METRICS.generate_metrics_decorator(),
            init
            + events.generate_all_event_methods()
            + "\n"
            + METRICS.generate_all_metrics_methods()
            + "\n"
            + LIFECYCLE.generate_all_lifecycle_methods()
            + use,
        )
    )


def loaded(source: str, name: str = "generated") -> Any:
    module = types.ModuleType(name)
    exec(compile(source, name, "exec"), vars(module))
    return module


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("modules")
    for name, source in COMPLETE.items():
        (folder / f"{name}.py").write_text(source)
    return folder


@pytest.mark.parametrize(
    "command",
    [
        ["mypy", "--strict", "."],
        ["ruff", "format", "--isolated", "--check", "."],
        [
            *("ruff", "check", "--isolated", "--target-version", "py311"),
            *("--select", "E,F,W,I,UP,B,SIM,RUF", "."),
        ],
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_modules_are_clean(folder: Path, command: list[str]) -> None:
    tool = os.environ.get(f"HERALD_{command[0].upper()}", command[0])
    beside = Path(sys.executable).with_name(command[0])
    program = str(beside) if beside.exists() else tool
    done = subprocess.run(
        [program, *command[1:]], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_complete_metrics_class_publishes_what_it_counted(
    herald_client: RecordingClient,
) -> None:
    module = loaded(COMPLETE["metrics"])

    class Orders(module.OrdersMetrics):  # type: ignore[misc, name-defined]
        @module.measure_cancel  # type: ignore[untyped-decorator, unused-ignore]
        async def cancel(self) -> None:
            raise ValueError("no such order")

    async def main() -> None:
        orders = Orders("orders-1", herald_client)
        await orders._start_metrics()
        for _ in range(3):
            with orders._track_place():
                orders._count_orders_placed()
        with pytest.raises(ValueError, match="no such order"):
            await orders.cancel()
        orders._set_queue_depth(7)
        orders._record_order_total(99.5)
        assert orders._collect_resource_metrics()["process.memory_rss"] > 1e6
        await orders._publish_metrics()
        await orders._stop_metrics()
        await herald_client.flush()

    asyncio.run(main())
    last = {
        event.payload["metric_name"]: event.payload["metric_value"]
        for event in herald_client.of_type("effect.metric.recorded")
    }
    expected = {
        "place.count": 3,
        "place.errors": 0,
        "cancel.count": 1,
        "cancel.errors": 1,
        "orders.placed": 3,
        "queue.depth": 7,
    }
    assert {name: last[name] for name in expected} == expected
    assert any(name.startswith("order.total") for name in last)


def test_a_complete_lifecycle_class_starts_and_stops(
    herald_client: RecordingClient,
) -> None:
    module = loaded(COMPLETE["lifecycle"])
    seen: list[str] = []

    class Orders(module.OrdersLifecycle):  # type: ignore[misc, name-defined]
        async def _start_database(self) -> None:
            seen.append("start")

        async def _stop_database(self) -> None:
            seen.append("stop")

        async def _run_refresh(self) -> None:
            seen.append("refresh")

    async def main() -> None:
        orders = Orders("orders-1", herald_client)
        await orders.startup()
        assert (await orders.readiness()).is_ok
        assert (await orders.liveness()).is_ok
        async with orders.working():
            await asyncio.sleep(0)
        report = await orders.shutdown("enough")
        assert report.reason == "enough"

    asyncio.run(main())
    assert seen == ["start", "refresh", "stop"]
    states = [
        event.payload["new_state"]
        for event in herald_client.of_type("effect.state.changed")
    ]
    assert states == ["starting", "ready", "stopping", "stopped"]


def test_a_lifecycle_module_is_a_program_that_ends_with_sigterm(folder: Path) -> None:
    program = subprocess.Popen(
        [sys.executable, "-u", folder / "lifecycle.py"],
        env={
            **os.environ,
            "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
            "HERALD_SPOOL": str(folder / "spool.db"),
        },
        stderr=subprocess.PIPE,
        text=True,
    )
    # It takes signals as soon as its spool is there.
    for _ in range(300):
        if (folder / "spool.db").exists():
            break
        assert program.poll() is None
        asyncio.run(asyncio.sleep(0.1))
    program.send_signal(signal.SIGTERM)
    _, errors = program.communicate(timeout=60)
    assert program.returncode in (0, -signal.SIGTERM), errors
    assert "Traceback" not in errors, errors


def test_all_patterns_stand_in_one_class(herald_client: RecordingClient) -> None:
    source = "from typing import Any\n" + one_class()
    module = loaded(source)

    async def main() -> None:
        orders = module.Orders(herald_client)
        await orders.startup()
        await orders.place()
        await orders.shutdown()

    asyncio.run(main())
    herald_client.assert_published(
        "effect.metric.recorded",
        payload={"metric_name": "place.count", "metric_value": 1},
    )
    herald_client.assert_published(
        "effect.state.changed", payload={"new_state": "stopped"}
    )


def test_parts_are_those_of_the_module() -> None:
    for part in (
        METRICS.generate_metrics_initialization(),
        METRICS.generate_operation_tracking(),
        METRICS.generate_resource_metrics(),
        METRICS.generate_business_metrics(),
        METRICS.generate_metrics_publishing(),
        METRICS.generate_metrics_decorator(),
    ):
        assert part.strip("\n") in COMPLETE["metrics"], part
    for part in (
        LIFECYCLE.generate_lifecycle_initialization(),
        LIFECYCLE.generate_startup(),
        LIFECYCLE.generate_shutdown(),
        LIFECYCLE.generate_runtime_monitoring(),
        LIFECYCLE.generate_lifecycle_helpers(),
    ):
        assert part.strip("\n") in COMPLETE["lifecycle"], part


def test_functions_print_what_the_classes_do() -> None:
    operations = METRICS.operations
    assert patterns.generate_metrics_initialization(
        "effect", "orders", operations, BUSINESS
    ) == (METRICS.generate_metrics_initialization())
    assert patterns.generate_operation_tracking(operations) == (
        METRICS.generate_operation_tracking()
    )
    assert patterns.generate_resource_metrics() == METRICS.generate_resource_metrics()
    assert patterns.generate_business_metrics(BUSINESS) == (
        METRICS.generate_business_metrics()
    )
    assert patterns.generate_metrics_publishing() == (
        METRICS.generate_metrics_publishing()
    )
    assert patterns.generate_metrics_decorator(operations) == (
        METRICS.generate_metrics_decorator()
    )
    names = (["database"], ["refresh"])
    assert patterns.generate_lifecycle_initialization(*names) == (
        LIFECYCLE.generate_lifecycle_initialization()
    )
    assert patterns.generate_startup(names[0]) == LIFECYCLE.generate_startup()
    assert patterns.generate_shutdown(names[0]) == LIFECYCLE.generate_shutdown()
    assert patterns.generate_runtime_monitoring(names[1]) == (
        LIFECYCLE.generate_runtime_monitoring()
    )
    assert patterns.generate_lifecycle_helpers() == (
        LIFECYCLE.generate_lifecycle_helpers()
    )


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"node_type": ""}, ValueError, "node_type must be a non-empty string"),
        ({"node_type": "query"}, ValueError, "Invalid node_type 'query'"),
        ({"service_name": " "}, ValueError, "service_name must be a non-empty string"),
        ({"service_name": "s" * 51}, ValueError, "service_name: a name has at most 50"),
        ({"operations": "place"}, TypeError, "operations must be a list"),
        ({"operations": []}, ValueError, "operations must contain at least one"),
        ({"operations": [""]}, ValueError, "All operations must be non-empty strings"),
        ({"business_metrics": "x"}, TypeError, "business_metrics must be a list"),
        ({"business_metrics": ["x"]}, TypeError, "got one of str"),
        ({"business_metrics": [("a", "b", "c")]}, ValueError, "Valid options: counter"),
        ({"business_metrics": [BusinessMetric("")]}, ValueError, "non-empty strings"),
        ({"business_metrics": [BusinessMetric("***")]}, ValueError, "an identifier"),
        ({"business_metrics": [BusinessMetric("a" * 51)]}, ValueError, "at most 50"),
        (
            {"business_metrics": [BusinessMetric("a.b"), BusinessMetric("a_b")]},
            ValueError,
            "are both `a_b`",
        ),
        ({"include_resource_metrics": 1}, TypeError, "must be a boolean"),
    ],
)
def test_metrics_are_refused(
    change: dict[str, Any], error: type[Exception], message: str
) -> None:
    arguments = {"node_type": "effect", "service_name": "s", "operations": ["a"]}
    with pytest.raises(error, match=message):
        MetricsPatternGenerator(**{**arguments, **change})


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"node_type": None}, ValueError, "node_type must be a non-empty string"),
        ({"service_name": ""}, ValueError, "service_name must be a non-empty string"),
        ({"dependencies": "db"}, TypeError, "dependencies must be a list of strings"),
        ({"dependencies": ["a", "A"]}, ValueError, "are both `a`"),
        ({"background_tasks": [1]}, ValueError, "background_tasks must be non-empty"),
        ({"background_tasks": [" "]}, ValueError, "must be non-empty strings"),
    ],
)
def test_lifecycles_are_refused(
    change: dict[str, Any], error: type[Exception], message: str
) -> None:
    arguments = {"node_type": "effect", "service_name": "s"}
    with pytest.raises(error, match=message):
        LifecyclePatternGenerator(**{**arguments, **change})


def test_attributes_are_readable_and_count() -> None:
    generator = MetricsPatternGenerator("effect", "orders", ["place"], BUSINESS[:1])
    assert generator.business_metrics == BUSINESS[:1]
    generator.operations = ["ship"]
    assert "_track_ship" in generator.generate_operation_tracking()
    assert "business_metrics=[BusinessMetric(" in repr(generator)
    parameters = inspect.signature(LifecyclePatternGenerator).parameters
    assert list(parameters) == [
        *("node_type", "service_name", "dependencies", "background_tasks")
    ]


CALLED = {
    *("KafkaClient", "NodeMetrics", "MetricEvent", "StateEvent", "getattr", "measure")
}
"""What generated modules call by name, beside their own class."""

hostile = st.text(min_size=1, max_size=40)


@given(service=hostile, name=hostile, unit=hostile)
def test_no_text_becomes_code(service: str, name: str, unit: str) -> None:
    made = []
    with suppress(ValueError):
        metrics = [BusinessMetric(name, unit)]
        made.append(generate_complete_metrics_class("effect", service, [name], metrics))
    with suppress(ValueError):
        made.append(
            generate_complete_lifecycle_class("effect", service, [name], [name])
        )
    for source in made:
        called = {name for name in calls(source) if not name.endswith("Lifecycle")}
        assert called <= CALLED, source


def calls(source: str) -> set[str]:
    """Functions that are called by their names."""
    return {
        node.func.id
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
