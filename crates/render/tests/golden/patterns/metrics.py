# `node_metrics` is more here than `EventPublisher` needs.
# pyright: reportIncompatibleVariableOverride=false

from collections.abc import Callable, Mapping
from typing import Final, Literal, TypeVar
from uuid import UUID

from herald.metrics import NodeMetrics, OperationSnapshot, Track, measured_method
from herald.runtime import (
    EventClient,
    EventPublisher,
    EventSource,
    MetricEvent,
    logged_method,
)

_SOURCE: Final = EventSource(
    "orders",
    node_type="effect",
)

_METRIC_RECORDED: Final = MetricEvent(
    "effect.metric.recorded",
    _SOURCE,
    topic="{namespace}.orders.effect.metric.recorded.v1",
)

_Method = TypeVar("_Method", bound=Callable[..., object])


def track_metrics(
    operation: Literal["place"],
) -> Callable[[_Method], _Method]:
    """Measure every call of a method: `@track_metrics(…)`.

    It may be a function, a coroutine function or a generator. The metrics are recorded
    in the `node_metrics` of its object.
    """
    return measured_method(operation)


class OrdersMetricsPublisher(EventPublisher):
    """Measures the node `orders`.

    Attributes:
        node_id: The node, as source of its events.
        kafka_client: Events are only logged while it is None or not connected.
        default_namespace: First part of the topics, such as `dev`.
    """

    def __init__(
        self,
        node_id: UUID | str,
        kafka_client: EventClient | None = None,
        default_namespace: str = "dev",
    ) -> None:
        self.node_id = node_id
        self.kafka_client = kafka_client
        self.default_namespace = default_namespace
        self._initialize_metrics()

    _publish_metric_recorded_event = logged_method(_METRIC_RECORDED.publish)

    def _initialize_metrics(self) -> None:
        """Create `node_metrics`; call it in `__init__`.

        Metrics are published by `_publish_metric_recorded_event` in the background:
        after a number of operations or seconds, and at the end.
        """
        self.node_metrics: NodeMetrics = NodeMetrics(
            self,
            publish_interval_ops=100,
            publish_interval_seconds=60.0,
            resources=True,
        )

    def _track_operation(
        self,
        operation: Literal["place"],
    ) -> Track:
        """Measure one run of an operation: `with self._track_operation(…):`.

        An exception in the block is counted as an error and re-raised.
        """
        return self.node_metrics.track(operation)

    def _record_operation_metrics(
        self,
        operation: Literal["place"],
        duration_ms: float,
        error: BaseException | None = None,
    ) -> None:
        """Record a run that was timed elsewhere.

        Args:
            operation: Name of the operation.
            duration_ms: Duration in milliseconds.
            error: Exception, if the run failed.
        """
        self.node_metrics.record(operation, duration_ms / 1000, error)

    def _get_operation_metrics(self) -> Mapping[str, OperationSnapshot]:
        """Return the metrics of each operation that ran."""
        return self.node_metrics.snapshot().operations

    def _watch_resource(
        self,
        metric_name: str,
        metric_unit: str,
        read: Callable[[], float],
    ) -> None:
        """Publish the value of a function whenever metrics are published.

        Args:
            metric_name: Name of the metric, such as `queue.depth`.
            metric_unit: Unit of the value, such as `count`.
            read: Returns the value, such as `queue.qsize`.
        """
        self.node_metrics.gauge(metric_name, unit=metric_unit, read=read)

    def _get_resource_metrics(self) -> dict[str, float]:
        """Return memory, processor time, files and sockets of the process."""
        resources = self.node_metrics.snapshot().resources
        return {reading.name: reading.value for reading in resources}

    def _record_order_total_metric(
        self,
        value: float,
    ) -> None:
        """Record a value of `order.total`, in `EUR`.

        Args:
            value: What was measured, from 0.
        """
        distribution = self.node_metrics.distribution(
            "order.total",
            unit="EUR",
        )
        distribution.record(value)

    def _get_business_metrics(self) -> dict[str, float]:
        """Return the business metrics."""
        business = self.node_metrics.snapshot().business
        return {reading.name: reading.value for reading in business}

    async def _start_metrics(self) -> None:
        """Start to publish metrics, in a task of the running loop."""
        await self.node_metrics.start()

    async def _publish_metrics(self) -> None:
        """Publish changed metrics now, and wait for the receipts."""
        await self.node_metrics.flush()

    async def _stop_metrics(self) -> None:
        """Publish all metrics once more, and stop."""
        await self.node_metrics.stop()
