"""Expected events and log records of each method of the golden nodes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harness import CORRELATION_ID, NODE_ID


@dataclass(frozen=True)
class Case:
    """A call of one method, and all that follows from it."""

    module: str
    class_name: str
    method: str
    arguments: dict[str, Any]
    event_type: str
    topic: str
    clock: str | None  # the payload's key whose value is the time
    payload: dict[str, Any]
    metadata: dict[str, Any]
    label: str  # the event's name in the log
    level: str
    message: str
    context: dict[str, Any]  # of the log record, beyond correlation, type and topic

    @property
    def subject(self) -> dict[str, Any]:
        """Log message about an event that was not published."""
        if "metric_name" in self.arguments:
            return {"metric_name": self.arguments["metric_name"]}
        return {"correlation_id": str(CORRELATION_ID)}


def lifecycle(
    module: str,
    class_name: str,
    kind: str,
    service: str,
    operation: str,
    ident: str,
) -> Iterator[Case]:
    """Give the three events of an operation."""

    def case(
        stage: str,
        level: str,
        arguments: dict[str, Any],
        payload: dict[str, Any],
        metadata: dict[str, Any],
        context: dict[str, Any],
    ) -> Case:
        event_type = f"{kind}.{operation}.{stage}"
        return Case(
            module=module,
            class_name=class_name,
            method=f"_publish_{ident}_{stage}_event",
            arguments={"correlation_id": CORRELATION_ID, **arguments},
            event_type=event_type,
            topic=f"dev.{service}.{event_type}.v1",
            clock=f"{stage}_at",
            payload={
                "operation": operation,
                "correlation_id": str(CORRELATION_ID),
                "node_id": str(NODE_ID),
                **payload,
            },
            metadata={
                "node_type": kind,
                "service_name": service,
                "operation": operation,
                "lifecycle_stage": stage,
                **metadata,
            },
            label=f"{operation} {stage}",
            level=level,
            message=f"Published {operation} {stage} event",
            context=context,
        )

    yield case(
        "started",
        "DEBUG",
        {"input_data": {"path": "/etc/passwd", "depth": 3}},
        {"input_summary": {"path": "str", "depth": "int"}},
        {},
        {},
    )
    yield case(
        "completed",
        "INFO",
        {"result_data": {"rows": [1]}, "execution_time_ms": 12.5},
        {
            "execution_time_ms": 12.5,
            "result_summary": {"rows": "list"},
            "success": True,
        },
        {"execution_time_ms": 12.5},
        {"execution_time_ms": 12.5},
    )
    yield case(
        "failed",
        "ERROR",
        {
            "error": ValueError("no route for password=hunter2"),
            "execution_time_ms": 0.5,
        },
        {
            "execution_time_ms": 0.5,
            "error_type": "ValueError",
            "error_message": "no route for password=***",
            "success": False,
        },
        {"error_type": "ValueError", "execution_time_ms": 0.5},
        {"error": "no route for password=***"},
    )


def of_node(module: str, class_name: str, kind: str, service: str) -> Iterator[Case]:
    """Give the events of a node's state and of its metrics."""
    prefix = f"dev.{service}.{kind}"
    yield Case(
        module=module,
        class_name=class_name,
        method="_publish_state_changed_event",
        arguments={
            "correlation_id": CORRELATION_ID,
            "old_state": "idle",
            "new_state": "busy",
            "transition_reason": "work came in",
        },
        event_type=f"{kind}.state.changed",
        topic=f"{prefix}.state.changed.v1",
        clock="changed_at",
        payload={
            "node_id": str(NODE_ID),
            "node_type": kind,
            "correlation_id": str(CORRELATION_ID),
            "old_state": "idle",
            "new_state": "busy",
            "transition_reason": "work came in",
        },
        metadata={
            "node_type": kind,
            "service_name": service,
            "event_category": "state_transition",
            "old_state": "idle",
            "new_state": "busy",
        },
        label="state changed",
        level="INFO",
        message="Published state changed event: idle → busy",
        context={"transition": "idle → busy"},
    )
    yield Case(
        module=module,
        class_name=class_name,
        method="_publish_metric_recorded_event",
        arguments={
            "metric_name": "latency",
            "metric_value": 2.5,
            "metric_unit": "ms",
            "correlation_id": CORRELATION_ID,
        },
        event_type=f"{kind}.metric.recorded",
        topic=f"{prefix}.metric.recorded.v1",
        clock="recorded_at",
        payload={
            "node_id": str(NODE_ID),
            "node_type": kind,
            "correlation_id": str(CORRELATION_ID),
            "metric_name": "latency",
            "metric_value": 2.5,
            "metric_unit": "ms",
        },
        metadata={
            "node_type": kind,
            "service_name": service,
            "event_category": "metric",
            "metric_name": "latency",
            "metric_unit": "ms",
        },
        label="metric recorded",
        level="DEBUG",
        message="Published metric recorded event: latency=2.5ms",
        context={"metric": "latency=2.5ms"},
    )


def declared() -> Iterator[Case]:
    """Give the events that the contract of the orders declares itself."""
    module, class_name = "orders_events", "OrdersEventPublisher"
    metadata = {
        "node_type": "effect",
        "service_name": "orders",
        "event_category": "declared",
    }
    yield Case(
        module=module,
        class_name=class_name,
        method="_publish_order_placed_event",
        arguments={
            "correlation_id": CORRELATION_ID,
            "event_data": {"order_id": NODE_ID, "total": "9.99", "email": "a@b.c"},
        },
        event_type="order.placed",
        topic="dev.orders.order.placed.v1",
        clock=None,
        payload={
            "order_id": str(NODE_ID),
            "total": "9.99",
            "email": "str",
            "coupon": None,
            "delivery-class": "standard",
            "lines": [],
        },
        metadata={**metadata, "partition_key": str(NODE_ID)},
        label="order.placed",
        level="INFO",
        message="Published order.placed event",
        context={},
    )
    event_type = "warehouse.stock-reservation-requested"
    yield Case(
        module=module,
        class_name=class_name,
        method="_publish_warehouse_stock_reservation_requested_event",
        arguments={"correlation_id": CORRELATION_ID, "event_data": {"sku": "x"}},
        event_type=event_type,
        topic="onex.cmd.warehouse.stock-reservation-requested"
        "-by-the-orders-service-of-the-checkout-team.v1",
        clock=None,
        payload={"sku": "x"},
        metadata=metadata,
        label=event_type,
        level="INFO",
        message=f"Published {event_type} event",
        context={},
    )


def all_cases() -> Iterator[Case]:
    """Give one case for every method of every golden module."""
    for kind, operations in {
        "orchestrator": ["orchestration", "routing", "intelligence_query"],
        "reducer": ["aggregation", "state_snapshot"],
        "effect": ["process"],
    }.items():
        module, class_name = f"{kind}_events", f"{kind.title()}EventPublisher"
        for operation in operations:
            yield from lifecycle(module, class_name, kind, kind, operation, operation)
        yield from of_node(module, class_name, kind, kind)

    for module, class_name in {
        "own_class": "Node",
        "one_call": "EffectEventPublisher",
    }.items():
        effect = (module, class_name, "effect", "effect")
        yield from lifecycle(*effect, "process", "process")
        yield from of_node(*effect)

    orders = ("orders_events", "OrdersEventPublisher", "effect", "orders")
    yield from lifecycle(*orders, "order.place", "order_place")
    yield from lifecycle(*orders, "ship", "ship")
    yield from of_node(*orders)
    yield from declared()


CASES = list(all_cases())
