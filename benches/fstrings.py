"""The peer of the rendering benchmark: the same eleven methods from Python f-strings.

No checks, no escaping, no layout: the least that a generator in Python can do.
"""

import sys
import time
from collections.abc import Callable
from statistics import median

OPERATIONS = ["orchestration", "routing", "intelligence_query"]

TIMES = {"started": "started_at", "completed": "completed_at", "failed": "failed_at"}
LEVELS = {"started": "DEBUG", "completed": "INFO", "failed": "ERROR"}
ARGUMENTS = {
    "started": "input_data: dict[str, Any]",
    "completed": "result_data: dict[str, Any], execution_time_ms: float",
    "failed": "error: Exception, execution_time_ms: float",
    "state.changed": "old_state: str, new_state: str, transition_reason: str",
    "metric.recorded": "metric_name: str, metric_value: float, metric_unit: str",
}


def method(node_type: str, service: str, operation: str, stage: str) -> str:
    """One publishing method, about as long as those that Herald renders."""
    name = f"{operation}_{stage}".strip("_").replace(".", "_")
    label = name.replace("_", " ")
    event_type = ".".join(filter(None, [node_type, operation, stage]))
    stamp = TIMES.get(stage, "recorded_at")
    level = LEVELS.get(stage, "INFO")
    return f'''
    async def _publish_{name}_event(
        self,
        correlation_id: UUID,
        {ARGUMENTS[stage]},
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Publish {label} event.

        Args:
            correlation_id: Ties together the events of one request.
            metadata: More facts, published as they are.
        """
        try:
            payload: dict[str, Any] = {{
                "operation": "{operation}",
                "correlation_id": str(correlation_id),
                "node_id": str(self.node_id),
                "{stamp}": datetime.now(UTC).isoformat(),
            }}
            if metadata:
                payload["metadata"] = metadata

            if self.kafka_client and self.kafka_client.is_connected:
                topic_name = f"{{self.default_namespace}}.{service}.{event_type}.v1"
                event_metadata = {{
                    "node_type": "{node_type}",
                    "service_name": "{service}",
                    "operation": "{operation}",
                    "lifecycle_stage": "{stage}",
                }}
                success = await self.kafka_client.publish_with_envelope(
                    event_type="{event_type}",
                    source_node_id=str(self.node_id),
                    payload=payload,
                    topic=topic_name,
                    correlation_id=correlation_id,
                    metadata=event_metadata,
                )
                if success:
                    emit_log_event(
                        LogLevel.{level},
                        "Published {label} event",
                        {{
                            "correlation_id": str(correlation_id),
                            "event_type": "{event_type}",
                            "topic": topic_name,
                        }},
                    )
            else:
                emit_log_event(
                    LogLevel.DEBUG,
                    "Kafka unavailable, logging {label} event",
                    {{"correlation_id": str(correlation_id), "payload": payload}},
                )
        except Exception as e:
            emit_log_event(
                LogLevel.WARNING,
                f"Failed to publish {label} event: {{e}}",
                {{"correlation_id": str(correlation_id), "error": str(e)}},
            )
'''


def render() -> str:
    """All methods of the node."""
    methods = [
        method("orchestrator", "orchestrator", operation, stage)
        for operation in OPERATIONS
        for stage in ("started", "completed", "failed")
    ]
    methods += [
        method("orchestrator", "orchestrator", "", stage)
        for stage in ("state.changed", "metric.recorded")
    ]
    return "".join(methods)


def microseconds(work: Callable[[], object], rounds: int, calls: int) -> float:
    """Median time of one call, over several rounds."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        for _ in range(calls):
            work()
        times.append((time.perf_counter() - started) / calls)
    return median(times) * 1e6


if __name__ == "__main__":
    assert render().count("async def _publish_") == 11
    print(f"{microseconds(render, rounds=9, calls=2_000):.1f}", file=sys.stdout)
