"""Metric events."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from herald.runtime._clock import now
from herald.runtime._context import CURRENT
from herald.runtime._log import LogLevel
from herald.runtime._outgoing import EventKind, Outgoing
from herald.runtime._received_events import MetricRecordedEvent
from herald.runtime._sending import publish_event
from herald.runtime._source import EventSource

if TYPE_CHECKING:
    from herald.runtime._publisher import EventPublisher


class MetricEvent:
    """Event that publishes a metric.

    Args:
        event_type: Event type.
        source: The node.
        topic: Topic, unless the source has it.
        version: Version of the event.
    """

    def __init__(
        self,
        event_type: str,
        source: EventSource,
        *,
        topic: str | None = None,
        version: int = 1,
    ) -> None:
        self._version = version
        self._node_type = source.node_type
        self._kind = EventKind(
            source,
            str(event_type),
            source.topic(event_type, topic),
            "metric recorded",
            LogLevel.DEBUG,
            source.metadata(event_category="metric"),
            version,
        )

    def received(self) -> tuple[tuple[str, int, type[MetricRecordedEvent]]]:
        """Returns the event type, its version, and the class of received events."""
        return ((self._kind.event_type, self._version, MetricRecordedEvent),)

    async def publish(
        self,
        publisher: "EventPublisher",
        metric_name: str,
        metric_value: float,
        metric_unit: str,
        correlation_id: UUID | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Publishes an event, and waits for the receipt. Never raises."""

        if correlation_id is None:
            correlation_id = CURRENT.get().correlation_id

        def event() -> Outgoing:
            payload: dict[str, Any] = {
                "node_id": str(publisher.node_id),
                "node_type": self._node_type,
                "recorded_at": now(),
                "metric_name": metric_name,
                "metric_value": metric_value,
                "metric_unit": metric_unit,
            }
            if correlation_id is not None:
                payload["correlation_id"] = str(correlation_id)
            names = {"metric_name": metric_name, "metric_unit": metric_unit}
            outgoing = Outgoing(
                publisher,
                self._kind,
                correlation_id,
                payload,
                {**self._kind.metadata, **names},
                metadata,
            )
            metric = f"{metric_name}={metric_value}{metric_unit}"
            outgoing.log_context = log_context
            outgoing.summary = f": {metric}"
            outgoing.log_fields = {"metric": metric}
            return outgoing

        log_context = {"metric_name": metric_name}
        await publish_event(publisher, self._kind, log_context, event)
