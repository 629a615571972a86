"""The generator of metrics: what it takes, and that what it gives counts."""

from __future__ import annotations

import asyncio
import copy
import inspect
import pickle
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from herald.codegen.patterns import (
    BusinessMetric,
    MetricsPatternGenerator,
    generate_business_metrics_tracking,
    generate_complete_metrics_class,
    generate_metrics_decorator,
    generate_metrics_initialization,
    generate_metrics_publishing,
    generate_operation_metrics_tracking,
    generate_resource_metrics_collection,
)
from herald.metrics import NodeMetrics, measured_method
from herald.testing import RecordingClient

from generated import imported, methods, nothing_is_found, parameters
from places import GOLDEN

needed = inspect.Parameter.empty
DEFAULTS = {
    "business_metrics": None,
    "publish_interval_ops": 100,
    "publish_interval_seconds": 60.0,
    "include_resource_metrics": True,
}
NODE = {"node_type": "effect", "service_name": "orders", "operations": ["place"]}
OPTIONS = "Valid options: compute, effect, orchestrator, reducer"
KINDS = "Valid options: counter, distribution, gauge"
BUSINESS = [
    BusinessMetric("orders.placed"),
    BusinessMetric("order.total", "distribution", "EUR"),
    BusinessMetric("in stock", "gauge", "items"),
]


def generator(**changed: Any) -> MetricsPatternGenerator:
    return MetricsPatternGenerator(**{**NODE, **changed})


def of_kind(kind: Any = "counter", unit: Any = "count") -> BusinessMetric:
    return BusinessMetric("a", kind, unit)


def test_the_signatures() -> None:
    all_of_them = {**dict.fromkeys(NODE, needed), **DEFAULTS}
    for function in (MetricsPatternGenerator, generate_complete_metrics_class):
        assert list(parameters(function).items()) == list(all_of_them.items())
    names = list(DEFAULTS)[1:]
    assert list(parameters(generate_metrics_initialization)) == names
    for of_operations in (
        generate_operation_metrics_tracking,
        generate_metrics_decorator,
    ):
        assert parameters(of_operations) == {"operations": needed}
    assert parameters(generate_business_metrics_tracking) == {
        "business_metrics": needed
    }
    assert not parameters(generate_resource_metrics_collection)
    assert not parameters(generate_metrics_publishing)


def test_arguments_are_attributes() -> None:
    node = MetricsPatternGenerator("Effect", "orders", ["place"])
    assert vars(node) == {
        **NODE,
        **DEFAULTS,
        "node_type": "Effect",
        "business_metrics": [],
    }
    node = generator(business_metrics=BUSINESS, publish_interval_ops=7)
    assert node.business_metrics == BUSINESS
    assert node.publish_interval_ops == 7


@pytest.mark.parametrize(
    ("argument", "value", "error", "message"),
    [
        ("node_type", "", ValueError, f"must be a non-empty string. {OPTIONS}"),
        ("node_type", 3, ValueError, f"{OPTIONS}; got int"),
        ("node_type", "query", ValueError, f"Invalid node_type 'query'. {OPTIONS}"),
        ("service_name", " ", ValueError, "service_name must be a non-empty string"),
        ("service_name", None, ValueError, "service_name must be a non-empty string"),
        ("operations", [], ValueError, "operations must contain at least one"),
        ("operations", "a", TypeError, "operations must be a list of strings; got str"),
        ("operations", [1], ValueError, "All operations must be non-empty strings"),
        ("operations", ["a b"], ValueError, "Kafka does not accept the topic"),
        ("operations", ["a-b", "a_b"], ValueError, "both become the identifier `a_b`"),
        ("business_metrics", "x", TypeError, "must be a list of BusinessMetric"),
        ("business_metrics", ["x"], TypeError, "BusinessMetric; got one with str"),
        (
            "business_metrics",
            [BusinessMetric("")],
            ValueError,
            "All business_metrics must be non-empty strings",
        ),
        (
            "business_metrics",
            [BusinessMetric(3)],  # type: ignore[arg-type]
            ValueError,
            "All business_metrics must be non-empty strings; got int",
        ),
        ("business_metrics", [of_kind("sum")], ValueError, f"kind 'sum'. {KINDS}"),
        ("business_metrics", [of_kind(None)], ValueError, f"{KINDS}; got None"),
        ("business_metrics", [of_kind(unit="")], ValueError, "the unit of `a` must be"),
        ("business_metrics", [of_kind(unit=1)], ValueError, "a non-empty string; got"),
        ("business_metrics", [of_kind()] * 2, ValueError, "`a` is listed twice"),
        (
            "business_metrics",
            [BusinessMetric("a b"), BusinessMetric("a-b")],
            ValueError,
            "business_metrics: `a b` and `a-b` both become the identifier `a_b`",
        ),
        (
            "business_metrics",
            [BusinessMetric("日本")],
            ValueError,
            "no letter or digit",
        ),
        ("business_metrics", [BusinessMetric("\ud800")], ValueError, "lone surrogate"),
        ("publish_interval_ops", "9", TypeError, "ops must be a whole number; got str"),
        ("publish_interval_ops", 1.5, TypeError, "a whole number; got float"),
        ("publish_interval_ops", True, TypeError, "a whole number; got bool"),
        ("publish_interval_ops", 0, ValueError, "must be a number above 0, not 0"),
        ("publish_interval_ops", -1, ValueError, "must be a number above 0, not -1"),
        ("publish_interval_ops", 2**70, ValueError, "above 0, not 1180591620717411303"),
        ("publish_interval_seconds", None, TypeError, "must be a number; got None"),
        ("publish_interval_seconds", True, TypeError, "must be a number; got bool"),
        ("publish_interval_seconds", 0, ValueError, "seconds must be a number above 0"),
        ("publish_interval_seconds", float("nan"), ValueError, "above 0, not NaN"),
        ("publish_interval_seconds", 10**400, ValueError, "above 0, not inf"),
        (
            "include_resource_metrics",
            1,
            TypeError,
            "include_resource_metrics must be a boolean, True or False; got int",
        ),
    ],
)
def test_an_invalid_argument_is_named(
    argument: str, value: object, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as raised:
        generator(**{argument: value})
    assert type(raised.value) is error
    assert message in str(raised.value)
    parts: dict[str, list[Callable[..., str]]] = {
        "operations": [generate_operation_metrics_tracking, generate_metrics_decorator],
        "business_metrics": [generate_business_metrics_tracking],
    }
    part = parts.get(argument, [])
    if argument in parameters(generate_metrics_initialization):
        part = [generate_metrics_initialization]
    for function in part:
        with pytest.raises(error) as same:
            function(**{argument: value})
        assert message in str(same.value)
    with pytest.raises(error) as same:
        generate_complete_metrics_class(**{**NODE, argument: value})  # type: ignore[arg-type]
    assert str(same.value) == str(raised.value)


def test_a_huge_integer_is_refused() -> None:
    with pytest.raises(ValueError, match="publish_interval_ops must be a number above"):
        generator(publish_interval_ops=10**5000)


def test_parts_are_the_same_alone() -> None:
    node = generator(business_metrics=BUSINESS)
    parts = [
        (node.generate_metrics_initialization(), generate_metrics_initialization()),
        (
            node.generate_operation_metrics_tracking(),
            generate_operation_metrics_tracking(["place"]),
        ),
        (
            node.generate_resource_metrics_collection(),
            generate_resource_metrics_collection(),
        ),
        (
            node.generate_business_metrics_tracking(),
            generate_business_metrics_tracking(BUSINESS),
        ),
        (node.generate_metrics_publishing(), generate_metrics_publishing()),
    ]
    for of_class, alone in parts:
        assert of_class == alone
        assert methods(of_class)
    joined = "\n".join(part for part, _ in parts)
    assert node.generate_all_metrics_methods() == joined
    decorator = node.generate_metrics_decorator()
    assert decorator == generate_metrics_decorator(["place"])
    module = node.generate_complete_metrics_class()
    assert decorator in module
    assert joined in module
    assert module == generate_complete_metrics_class(
        "effect", "orders", ["place"], BUSINESS
    )


def test_disabled_parts_are_left_out() -> None:
    node = generator(include_resource_metrics=False)
    assert "resources=False" in node.generate_metrics_initialization()
    assert methods(node.generate_all_metrics_methods()) == [
        "_initialize_metrics",
        "_track_operation",
        "_record_operation_metrics",
        "_get_operation_metrics",
        "_start_metrics",
        "_publish_metrics",
        "_stop_metrics",
    ]


def test_changed_attributes_are_used_and_validated() -> None:
    node, business = generator(), list(BUSINESS)
    node.business_metrics = business
    node.publish_interval_seconds = 5
    code = node.generate_all_metrics_methods()
    assert "_record_in_stock_metric" in code
    assert "publish_interval_seconds=5.0" in code
    node.publish_interval_ops = 0
    with pytest.raises(ValueError, match="publish_interval_ops"):
        node.generate_all_metrics_methods()


def test_the_callers_lists_are_not_changed() -> None:
    operations, business = ["place"], list(BUSINESS)
    node = generator(operations=operations, business_metrics=business)
    operations.append("cancel")
    business.clear()
    assert node.operations == ["place"]
    assert node.business_metrics == BUSINESS


def test_a_generator_supports_repr_copy_and_pickle() -> None:
    node = generator(business_metrics=BUSINESS)
    for other in (copy.deepcopy(node), pickle.loads(pickle.dumps(node))):
        assert other.generate_complete_metrics_class() == (
            node.generate_complete_metrics_class()
        )
    assert "publish_interval_ops=100" in repr(node)


def test_one_call_gives_the_golden_module() -> None:
    golden = (GOLDEN / "patterns" / "metrics.py").read_text("utf-8")
    business = [BusinessMetric("order.total", "distribution", "EUR")]
    code = generate_complete_metrics_class("effect", "orders", ["place"], business)
    assert code == golden


LONG = [f"operation.{'x' * 20}.{i}" for i in range(6)]


@pytest.mark.parametrize("operations", [["place"], ["a", "b"], LONG])
@pytest.mark.parametrize("business", [[], BUSINESS])
def test_ruff_and_mypy_find_nothing(
    tmp_path: Path, operations: list[str], business: list[BusinessMetric]
) -> None:
    code = generate_complete_metrics_class("reducer", "a-b.c", operations, business)
    nothing_is_found(code, tmp_path)


def test_the_generated_class_publishes_its_metrics(tmp_path: Path) -> None:
    code = generate_complete_metrics_class("effect", "orders", ["place"], BUSINESS)
    module = imported(code, tmp_path)

    class Orders(module.OrdersMetricsPublisher):  # type: ignore[misc,name-defined]
        @module.track_metrics("place")  # type: ignore[untyped-decorator,unused-ignore]
        async def place(self, total: float) -> None:
            self._record_orders_placed_metric()
            self._record_order_total_metric(total)
            if total < 0:
                raise ValueError("password=hunter2")

    async def main(client: RecordingClient) -> None:
        orders = Orders("orders-1", client)
        await orders._start_metrics()
        await orders.place(9.5)
        with pytest.raises(ValueError):
            await orders.place(-1)
        with orders._track_operation("place"):
            pass
        orders._record_operation_metrics("place", 2000.0)
        orders._record_in_stock_metric(3)
        orders._watch_resource("queue.depth", "count", lambda: 42)
        assert orders._get_operation_metrics()["place"].count == 4
        assert orders._get_business_metrics()["in stock"] == 3
        assert orders._get_resource_metrics()["process.memory_rss"] > 0
        await orders._publish_metrics()
        await orders._stop_metrics()

    with RecordingClient(service="orders") as client:
        asyncio.run(main(client))
        for name, value, unit in [
            ("place.count", 4, "count"),
            ("place.errors", 1, "count"),
            ("place.latency_max", 2000.0, "ms"),
            ("orders.placed", 2, "count"),
            ("order.total.count", 1, "count"),
            ("order.total.max", 9.5, "EUR"),
            ("in stock", 3, "items"),
            ("queue.depth", 42, "count"),
            ("process.memory_rss", float, "bytes"),
        ]:
            client.assert_published(
                "effect.metric.recorded",
                topic="dev.orders.effect.metric.recorded.v1",
                payload={
                    "node_id": "orders-1",
                    "metric_name": name,
                    "metric_value": value,
                    "metric_unit": unit,
                },
            )
        assert all(b"hunter2" not in str(e.payload).encode() for e in client.events)


def test_methods_of_all_kinds_are_measured() -> None:
    class Node:
        def __init__(self, metrics: NodeMetrics | None) -> None:
            self.node_metrics = metrics

        @measured_method("function")
        def function(self) -> int:
            return 1

        @measured_method("generator")
        def generator(self) -> Iterator[int]:
            yield 1

        @measured_method("async generator")
        async def steps(self) -> AsyncIterator[int]:
            yield 1

    async def run(node: Node) -> list[int]:
        return [node.function(), *node.generator(), *[i async for i in node.steps()]]

    metrics = NodeMetrics()
    assert asyncio.run(run(Node(metrics))) == [1, 1, 1]
    counted = {name: each.count for name, each in metrics.snapshot().operations.items()}
    assert counted == {"function": 1, "generator": 1, "async generator": 1}
    assert asyncio.run(run(Node(None))) == [1, 1, 1]
