"""Generators of methods for node classes."""

from herald.codegen.patterns.business import BusinessMetric
from herald.codegen.patterns.event_publishing import (
    EventPublishingPatternGenerator,
    generate_event_publishing_methods,
    generate_operation_completed_event,
    generate_operation_failed_event,
    generate_operation_started_event,
    get_event_type_catalog,
)
from herald.codegen.patterns.imports import join_imports
from herald.codegen.patterns.lifecycle import (
    LifecyclePatternGenerator,
    generate_complete_lifecycle_class,
    generate_helper_methods,
    generate_init_method,
    generate_runtime_monitoring,
    generate_shutdown_method,
    generate_startup_method,
)
from herald.codegen.patterns.metrics import (
    MetricsPatternGenerator,
    generate_business_metrics_tracking,
    generate_complete_metrics_class,
    generate_metrics_decorator,
    generate_metrics_initialization,
    generate_metrics_publishing,
    generate_operation_metrics_tracking,
    generate_resource_metrics_collection,
)

__all__ = [
    "BusinessMetric",
    "EventPublishingPatternGenerator",
    "LifecyclePatternGenerator",
    "MetricsPatternGenerator",
    "generate_business_metrics_tracking",
    "generate_complete_lifecycle_class",
    "generate_complete_metrics_class",
    "generate_event_publishing_methods",
    "generate_helper_methods",
    "generate_init_method",
    "generate_metrics_decorator",
    "generate_metrics_initialization",
    "generate_metrics_publishing",
    "generate_operation_completed_event",
    "generate_operation_failed_event",
    "generate_operation_metrics_tracking",
    "generate_operation_started_event",
    "generate_resource_metrics_collection",
    "generate_runtime_monitoring",
    "generate_shutdown_method",
    "generate_startup_method",
    "get_event_type_catalog",
    "join_imports",
]
