"""The generator of lifecycles: what it takes, and that what it gives is a service."""

from __future__ import annotations

import asyncio
import copy
import inspect
import pickle
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from herald.codegen.patterns import (
    LifecyclePatternGenerator,
    generate_complete_lifecycle_class,
    generate_helper_methods,
    generate_init_method,
    generate_runtime_monitoring,
    generate_shutdown_method,
    generate_startup_method,
)
from herald.lifecycle import NotAccepting, StartError, StopReport
from herald.testing import RecordingClient

from generated import imported, methods, nothing_is_found, parameters
from places import GOLDEN

needed = inspect.Parameter.empty
NODE = {"node_type": "effect", "service_name": "orders", "operations": ["place"]}
LISTS = {"dependencies": None, "background_tasks": None}
SWITCHES = {"include_metrics": True, "include_health_checks": True}
TIMES = {
    "monitor_interval_seconds": 5.0,
    "heartbeat_interval_seconds": 30.0,
    "drain_timeout_seconds": 10.0,
}
DEPENDENCIES = ["database", "cache"]
TASKS = ["refresh"]
OPTIONS = "Valid options: compute, effect, orchestrator, reducer"


def generator(**changed: Any) -> LifecyclePatternGenerator:
    return LifecyclePatternGenerator(**{**NODE, **changed})


def test_the_signatures() -> None:
    options = {**LISTS, **SWITCHES, **TIMES}
    all_of_them = {**dict.fromkeys(NODE, needed), **options}
    for function in (LifecyclePatternGenerator, generate_complete_lifecycle_class):
        assert list(parameters(function).items()) == list(all_of_them.items())
    assert list(parameters(generate_init_method).items()) == list(options.items())
    assert parameters(generate_helper_methods) == {
        **LISTS,
        "include_health_checks": True,
    }
    for of_any in (
        generate_startup_method,
        generate_shutdown_method,
        generate_runtime_monitoring,
    ):
        assert not parameters(of_any)


def test_arguments_are_attributes() -> None:
    node = LifecyclePatternGenerator("effect", "orders", ["place"])
    lists: dict[str, list[str]] = {name: [] for name in LISTS}
    assert vars(node) == {**NODE, **lists, **SWITCHES, **TIMES}
    assert generator(dependencies=DEPENDENCIES).dependencies == DEPENDENCIES


@pytest.mark.parametrize(
    ("argument", "value", "error", "message"),
    [
        ("node_type", "", ValueError, f"must be a non-empty string. {OPTIONS}"),
        ("node_type", "query", ValueError, f"Invalid node_type 'query'. {OPTIONS}"),
        ("service_name", "", ValueError, "service_name must be a non-empty string"),
        ("operations", [], ValueError, "operations must contain at least one"),
        ("operations", ("a",), TypeError, "operations must be a list of strings"),
        ("dependencies", "x", TypeError, "dependencies must be a list of strings"),
        ("dependencies", [""], ValueError, "All dependencies must be non-empty strin"),
        ("dependencies", [3], ValueError, "dependencies must be non-empty strings; go"),
        ("dependencies", ["a", "a"], ValueError, "dependencies: `a` is listed twice"),
        (
            "dependencies",
            ["a b", "a.b"],
            ValueError,
            "both become the identifier `a_b`",
        ),
        (
            "dependencies",
            ["日本"],
            ValueError,
            "`日本` has no letter or digit of ASCII",
        ),
        ("background_tasks", {"x"}, TypeError, "background_tasks must be a list of st"),
        ("background_tasks", [" "], ValueError, "All background_tasks must be non-emp"),
        ("include_metrics", None, TypeError, "include_metrics must be a boolean"),
        ("include_health_checks", "no", TypeError, "health_checks must be a boolean"),
        ("monitor_interval_seconds", "5", TypeError, "must be a number; got str"),
        ("monitor_interval_seconds", None, TypeError, "must be a number; got None"),
        ("monitor_interval_seconds", 0, ValueError, "must be a number above 0, not 0"),
        ("heartbeat_interval_seconds", -1.5, ValueError, "above 0, not -1.5"),
        ("heartbeat_interval_seconds", "x", TypeError, "must be a number; got str"),
        ("drain_timeout_seconds", float("inf"), ValueError, "above 0, not inf"),
        ("drain_timeout_seconds", False, TypeError, "must be a number; got bool"),
    ],
)
def test_an_invalid_argument_is_named(
    argument: str, value: object, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as raised:
        generator(**{argument: value})
    assert type(raised.value) is error
    assert argument in str(raised.value)
    assert message in str(raised.value)
    with pytest.raises(error) as same:
        generate_complete_lifecycle_class(**{**NODE, argument: value})  # type: ignore[arg-type]
    assert str(same.value) == str(raised.value)
    for function in (generate_init_method, generate_helper_methods):
        if argument in parameters(function):
            with pytest.raises(error) as same:
                function(**{argument: value})  # type: ignore[arg-type]
            assert str(same.value) == str(raised.value)


def test_parts_are_the_same_alone() -> None:
    node = generator(dependencies=DEPENDENCIES, background_tasks=TASKS)
    parts = [
        (node.generate_init_method(), generate_init_method(DEPENDENCIES, TASKS)),
        (node.generate_startup_method(), generate_startup_method()),
        (node.generate_shutdown_method(), generate_shutdown_method()),
        (node.generate_runtime_monitoring(), generate_runtime_monitoring()),
        (node.generate_helper_methods(), generate_helper_methods(DEPENDENCIES, TASKS)),
    ]
    for of_class, alone in parts:
        assert of_class == alone
    joined = "\n".join(part for part, _ in parts)
    assert node.generate_all_lifecycle_methods() == joined
    assert methods(joined) == [
        "_initialize_lifecycle",
        "startup",
        "run",
        "shutdown",
        "request_shutdown",
        "readiness",
        "liveness",
        "get_runtime_status",
        "_accept_operation",
        *["_connect_database", "_disconnect_database", "_check_database"],
        *["_connect_cache", "_disconnect_cache", "_check_cache"],
        "_run_refresh",
    ]
    assert joined in node.generate_complete_lifecycle_class()


def test_disabled_parts_are_left_out() -> None:
    node = generator(
        dependencies=DEPENDENCIES, include_metrics=False, include_health_checks=False
    )
    node.heartbeat_interval_seconds = None
    code = node.generate_complete_lifecycle_class()
    for left_out in ("metrics=", "check=", "_check_", "track_metrics", "NodeMetrics"):
        assert left_out not in code
    assert "heartbeat_interval=None" in code


def test_changed_attributes_are_used_and_validated() -> None:
    names = ["database"]
    node = generator(dependencies=names)
    names.append("warehouse")
    node.background_tasks.append("refresh")
    code = node.generate_helper_methods()
    assert "warehouse" not in code
    assert "_run_refresh" in code
    node.drain_timeout_seconds = 0
    with pytest.raises(ValueError, match="drain_timeout_seconds"):
        node.generate_helper_methods()


def test_a_generator_supports_repr_copy_and_pickle() -> None:
    node = generator(dependencies=DEPENDENCIES)
    for other in (copy.deepcopy(node), pickle.loads(pickle.dumps(node))):
        assert other.generate_all_lifecycle_methods() == (
            node.generate_all_lifecycle_methods()
        )
    assert "dependencies=['database', 'cache']" in repr(node)


def test_one_call_gives_the_golden_module() -> None:
    golden = (GOLDEN / "patterns" / "service.py").read_text("utf-8")
    code = generate_complete_lifecycle_class(
        "effect", "orders", ["place"], ["database"], TASKS, include_metrics=False
    )
    assert code == golden


@pytest.mark.parametrize("metrics", [True, False])
@pytest.mark.parametrize(
    "names", [[], ["1st", "class", 'a"; import os'], ["x" * 80, "a b" * 40]]
)
def test_ruff_and_mypy_find_nothing(
    tmp_path: Path, metrics: bool, names: list[str]
) -> None:
    code = generate_complete_lifecycle_class(
        "compute", "prices", ["quote"], names, names, include_metrics=metrics
    )
    nothing_is_found(code, tmp_path)


def service(folder: Path, client: object, **hooks: Any) -> Any:
    """A service, some of whose methods are filled in."""
    code = generate_complete_lifecycle_class(
        "effect", "orders", ["place"], DEPENDENCIES, TASKS
    )
    of_type = type("Orders", (imported(code, folder).OrdersService,), hooks)
    return of_type("orders-1", client)


def states(client: RecordingClient) -> list[Any]:
    events = client.of_type("effect.state.changed")
    return [event.payload["new_state"] for event in events]


def test_a_service_starts_in_order_works_and_stops_in_the_reverse(
    tmp_path: Path,
) -> None:
    said: list[str] = []

    def saying(name: str) -> Any:
        async def hook(_: object) -> None:
            said.append(name)

        return hook

    async def refresh(_: object) -> None:
        said.append("refresh")
        await asyncio.Event().wait()

    async def main(client: RecordingClient) -> StopReport:
        orders = service(
            tmp_path,
            client,
            _connect_database=saying("database"),
            _connect_cache=saying("cache"),
            _disconnect_cache=saying("no cache"),
            _disconnect_database=saying("no database"),
            _run_refresh=refresh,
        )
        with pytest.raises(NotAccepting), orders._accept_operation():
            pass
        await orders.startup()
        assert (await orders.readiness()).is_ok
        assert (await orders.liveness()).is_ok
        async with orders._accept_operation():
            with orders._track_operation("place"):
                assert orders.get_runtime_status()["in_flight"] == 1
        assert orders.get_runtime_status()["state"] == "ready"
        report: StopReport = await orders.shutdown("the test ends")
        assert orders.get_runtime_status()["state"] == "stopped"
        return report

    with RecordingClient(service="orders") as client:
        report = asyncio.run(main(client))
        assert report.is_clean
        assert said == ["database", "cache", "refresh", "no cache", "no database"]
        assert states(client) == ["starting", "ready", "stopping", "stopped"]
        client.assert_published(
            "effect.state.changed",
            topic="dev.orders.effect.state.changed.v1",
            payload={"new_state": "stopped", "transition_reason": "the test ends"},
        )
        client.assert_published(
            "effect.metric.recorded",
            payload={"metric_name": "place.count", "metric_value": 1},
        )


def test_a_failing_start_is_named_and_a_failing_check_degrades(
    tmp_path: Path,
) -> None:
    async def refuse(_: object) -> None:
        raise OSError("password=hunter2")

    async def unwell(_: object) -> str:
        return "the disk is full"

    async def main(client: RecordingClient) -> None:
        orders = service(tmp_path, client, _check_cache=unwell)
        await orders.startup()
        health = await orders.readiness()
        assert not health.is_ok
        [wrong] = [each for each in health.checks if not each.is_ok]
        assert (wrong.name, wrong.detail) == ("cache", "the disk is full")
        orders.request_shutdown("asked")
        await orders.lifecycle.stop_requested()
        await orders.shutdown()
        refusing = service(tmp_path, None, _connect_cache=refuse)
        with pytest.raises(StartError, match=r"cache did not start: .*password=\*\*\*"):
            await refusing.startup()

    with RecordingClient(service="orders") as client:
        asyncio.run(main(client))
        assert states(client) == [
            *["starting", "ready", "degraded"],
            *["stopping", "stopped"],
        ]


PROGRAM = """
import asyncio
from herald import KafkaClient


class Orders(OrdersService):
    async def _disconnect_database(self) -> None:
        print("disconnected", flush=True)

    async def work(self) -> None:
        async with self._accept_operation():
            print("in flight", flush=True)
            await self.lifecycle.stop_requested()
            await asyncio.sleep(0.05)
            print("finished", flush=True)


client = KafkaClient("127.0.0.1:1", service="orders", spool="spool.db")
orders = Orders("orders-1", client)
orders.run(orders.work)
print(orders.get_runtime_status()["state"], orders.lifecycle.report.spooled > 0)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_operation_in_flight_finish(
    folder: Path, number: signal.Signals
) -> None:
    code = generate_complete_lifecycle_class(
        "effect", "orders", ["place"], ["database"]
    )
    (folder / "program.py").write_text(code + PROGRAM, "utf-8")
    program = subprocess.Popen(
        [sys.executable, "-W", "error", "program.py"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert program.stdout is not None
    assert program.stdout.readline() == "in flight\n"
    program.send_signal(number)
    output, errors = program.communicate(timeout=60)
    assert output.splitlines() == ["finished", "disconnected", "stopped True"], errors
    assert program.returncode == 0, errors
