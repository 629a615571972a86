"""Generators of methods that a node's class consists of."""

from herald.codegen.patterns.event_publishing import (
    EventPublishingPatternGenerator,
    generate_event_publishing_methods,
    generate_operation_completed_event,
    generate_operation_failed_event,
    generate_operation_started_event,
    get_event_type_catalog,
)
from herald.codegen.patterns.lifecycle import (
    LifecyclePatternGenerator,
    generate_complete_lifecycle_class,
    generate_lifecycle_helpers,
    generate_lifecycle_initialization,
    generate_runtime_monitoring,
    generate_shutdown,
    generate_startup,
)
from herald.codegen.patterns.metrics import (
    BusinessMetric,
    MetricsPatternGenerator,
    generate_business_metrics,
    generate_complete_metrics_class,
    generate_metrics_decorator,
    generate_metrics_initialization,
    generate_metrics_publishing,
    generate_operation_tracking,
    generate_resource_metrics,
)

__all__ = [
    "BusinessMetric",
    "EventPublishingPatternGenerator",
    "LifecyclePatternGenerator",
    "MetricsPatternGenerator",
    "generate_business_metrics",
    "generate_complete_lifecycle_class",
    "generate_complete_metrics_class",
    "generate_event_publishing_methods",
    "generate_lifecycle_helpers",
    "generate_lifecycle_initialization",
    "generate_metrics_decorator",
    "generate_metrics_initialization",
    "generate_metrics_publishing",
    "generate_operation_completed_event",
    "generate_operation_failed_event",
    "generate_operation_started_event",
    "generate_operation_tracking",
    "generate_resource_metrics",
    "generate_runtime_monitoring",
    "generate_shutdown",
    "generate_startup",
    "get_event_type_catalog",
]
