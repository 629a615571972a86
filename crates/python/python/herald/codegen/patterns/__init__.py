"""Generators of methods that a node's class consists of."""

from herald.codegen.patterns.event_publishing import (
    EventPublishingPatternGenerator,
    generate_event_publishing_methods,
    generate_operation_completed_event,
    generate_operation_failed_event,
    generate_operation_started_event,
    get_event_type_catalog,
)

__all__ = [
    "EventPublishingPatternGenerator",
    "generate_event_publishing_methods",
    "generate_operation_completed_event",
    "generate_operation_failed_event",
    "generate_operation_started_event",
    "get_event_type_catalog",
]
