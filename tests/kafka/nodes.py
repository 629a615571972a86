"""The three nodes of the golden files, each of their events, and what must arrive."""

import importlib.util
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

GOLDEN = Path(__file__).parents[2] / "crates" / "render" / "tests" / "golden"

INPUT = {"prompt": "très secret", "tokens": 7, "tags": ["a"]}
INPUT_TYPES = {"prompt": "str", "tokens": "int", "tags": "list"}
NOTE = {"note": "größer → kleiner"}
SECRET = "hunter2"


@dataclass(frozen=True)
class Call:
    """One call of a publisher's method, and the event that it makes."""

    method: str
    arguments: dict[str, Any]
    event_type: str
    time_field: str
    payload: dict[str, Any]
    metadata: dict[str, Any]
    correlation_id: UUID | None


@dataclass(frozen=True)
class Node:
    name: str
    operations: tuple[str, ...]

    @cached_property
    def module(self) -> Any:
        path = GOLDEN / f"{self.name}_events.py"
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def enumeration(self, suffix: str) -> Any:
        return getattr(self.module, f"{self.name.capitalize()}{suffix}")

    @property
    def event_types(self) -> list[str]:
        stages = ("started", "completed", "failed")
        lifecycle = [f"{op}.{stage}" for op in self.operations for stage in stages]
        return [
            f"{self.name}.{event}"
            for event in (*lifecycle, "state.changed", "metric.recorded")
        ]

    def topic(self, event_type: str, namespace: str) -> str:
        return f"{namespace}.{self.name}.{event_type}.v1"

    def topics(self, namespace: str) -> list[str]:
        return [self.topic(event_type, namespace) for event_type in self.event_types]

    def publisher(self, node_id: UUID, client: object, namespace: str) -> Any:
        publisher = getattr(self.module, f"{self.name.capitalize()}EventPublisher")()
        publisher.node_id = node_id
        publisher.kafka_client = client
        publisher.default_namespace = namespace
        return publisher

    def calls(self, node_id: UUID, correlation_id: UUID) -> list[Call]:
        ids = {"node_id": str(node_id), "correlation_id": str(correlation_id)}
        return [
            *(
                call
                for operation in self.operations
                for call in self._lifecycle(operation, ids, correlation_id)
            ),
            self._state_changed(ids, correlation_id),
            self._metric_recorded(ids, correlation_id),
            self._metric_recorded({"node_id": str(node_id)}, None),
        ]

    def _lifecycle(
        self, operation: str, ids: dict[str, str], correlation_id: UUID
    ) -> list[Call]:
        def call(
            stage: str,
            arguments: dict[str, Any],
            payload: dict[str, Any],
            metadata: dict[str, Any],
        ) -> Call:
            return Call(
                method=f"_publish_{operation}_{stage}_event",
                arguments={"correlation_id": correlation_id, **arguments},
                event_type=f"{self.name}.{operation}.{stage}",
                time_field=f"{stage}_at",
                payload={"operation": operation, **ids, **payload},
                metadata={
                    "node_type": self.name,
                    "service_name": self.name,
                    "operation": operation,
                    "lifecycle_stage": stage,
                    **metadata,
                },
                correlation_id=correlation_id,
            )

        took = {"execution_time_ms": 12.5}
        return [
            call(
                "started",
                {"input_data": INPUT, "metadata": NOTE},
                {"input_summary": INPUT_TYPES, "metadata": NOTE},
                {},
            ),
            call(
                "completed",
                {"result_data": INPUT, **took},
                {"result_summary": INPUT_TYPES, "success": True, **took},
                took,
            ),
            call(
                "failed",
                {"error": ValueError(f"no login: password={SECRET}"), **took},
                {
                    "error_type": "ValueError",
                    "error_message": "no login: password=***",
                    "success": False,
                    **took,
                },
                {"error_type": "ValueError", **took},
            ),
        ]

    def _state_changed(self, ids: dict[str, str], correlation_id: UUID) -> Call:
        states = {"old_state": "idle", "new_state": "busy"}
        change = {**states, "transition_reason": "work came"}
        return Call(
            method="_publish_state_changed_event",
            arguments={"correlation_id": correlation_id, **change},
            event_type=f"{self.name}.state.changed",
            time_field="changed_at",
            payload={"node_type": self.name, **ids, **change},
            metadata={
                "node_type": self.name,
                "service_name": self.name,
                "event_category": "state_transition",
                **states,
            },
            correlation_id=correlation_id,
        )

    def _metric_recorded(
        self, ids: dict[str, str], correlation_id: UUID | None
    ) -> Call:
        metric = {"metric_name": "latency", "metric_unit": "ms"}
        measured = {**metric, "metric_value": 0.25}
        return Call(
            method="_publish_metric_recorded_event",
            arguments={"correlation_id": correlation_id, **measured},
            event_type=f"{self.name}.metric.recorded",
            time_field="recorded_at",
            payload={"node_type": self.name, **ids, **measured},
            metadata={
                "node_type": self.name,
                "service_name": self.name,
                "event_category": "metric",
                **metric,
            },
            correlation_id=correlation_id,
        )


EFFECT = Node("effect", ("process",))
REDUCER = Node("reducer", ("aggregation", "state_snapshot"))
ORCHESTRATOR = Node("orchestrator", ("orchestration", "routing", "intelligence_query"))
NODES = [EFFECT, REDUCER, ORCHESTRATOR]
