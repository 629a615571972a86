"""The parts of all generators stand in one class."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from herald.codegen.patterns import (
    BusinessMetric,
    EventPublishingPatternGenerator,
    LifecyclePatternGenerator,
    MetricsPatternGenerator,
    join_imports,
)
from herald.testing import RecordingClient

from generated import imported, methods, nothing_is_found

NODE: tuple[str, str, list[str]] = ("effect", "orders", ["place", "cancel"])
EVENTS = EventPublishingPatternGenerator(*NODE)
METRICS = MetricsPatternGenerator(*NODE, [BusinessMetric("orders.placed")])
LIFECYCLE = LifecyclePatternGenerator(*NODE, ["database"], ["refresh"])

OWN = """\
class Orders:
    def __init__(self, node_id: UUID, kafka_client: Any, namespace: str) -> None:
        self.node_id = node_id
        self.kafka_client = kafka_client
        self.default_namespace = namespace
        self._initialize_metrics()
        self._initialize_lifecycle()

    @track_metrics("place")
    async def place(self, correlation_id: UUID) -> None:
        with self._accept_operation():
            await self._publish_place_started_event(correlation_id, {"total": 3})
            self._record_orders_placed_metric()
            await self._publish_place_completed_event(correlation_id, {}, 1.0)
"""


def pasted() -> str:
    """A module as somebody puts it together."""
    imports = [each.generate_imports() for each in (EVENTS, METRICS, LIFECYCLE)]
    parts = [
        EVENTS.generate_all_event_methods(),
        METRICS.generate_all_metrics_methods(),
        LIFECYCLE.generate_all_lifecycle_methods(),
    ]
    return "\n\n".join(
        [
            join_imports(*imports),
            METRICS.generate_metrics_decorator(),
            "\n".join([OWN, *parts]),
        ]
    )


def test_ruff_and_mypy_find_nothing(tmp_path: Path) -> None:
    nothing_is_found(pasted(), tmp_path)


def test_methods_are_not_duplicated() -> None:
    code = pasted()
    names = methods(code[code.index("    def __init__(") :])
    assert len(names) == len(set(names))


def test_the_combined_module_works(tmp_path: Path) -> None:
    module, request = imported(pasted(), tmp_path), uuid4()

    async def main(client: RecordingClient) -> None:
        orders = module.Orders(UUID(int=1), client, "prod")
        await orders.startup()
        await orders.place(request)
        await orders.shutdown()

    with RecordingClient(service="orders") as client:
        asyncio.run(main(client))
        for stage in ("started", "completed"):
            client.assert_published(
                f"effect.place.{stage}",
                topic=f"prod.orders.effect.place.{stage}.v1",
                correlation_id=request,
                times=1,
            )
        states: list[Any] = [
            event.payload["new_state"]
            for event in client.of_type("effect.state.changed")
        ]
        assert states == ["starting", "ready", "stopping", "stopped"]
        for name in ("place.count", "orders.placed"):
            client.assert_published(
                "effect.metric.recorded",
                topic="prod.orders.effect.metric.recorded.v1",
                payload={"metric_name": name, "metric_value": 1},
            )


@pytest.mark.parametrize("own", ["x = 1\n", "", "import os\n\n\nclass A:\n    a = 1\n"])
def test_join_imports_keeps_all_names(own: str) -> None:
    joined = join_imports(METRICS.generate_imports(), own)
    assert joined.startswith(
        "import os\n" if "import os" in own else "from collections"
    )
    assert own.removeprefix("import os\n").strip("\n") in joined
    assert join_imports() == "\n"
