"""Payloads of lifecycle, state and metric events for consumers.

Printed from the table of stages, by `HERALD_BLESS=1 cargo test -p herald-render`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from herald.runtime._reader import Reader


@dataclass(frozen=True, slots=True)
class OperationStarted:
    """Payload of an event that an operation started."""

    operation: str
    correlation_id: UUID
    node_id: str
    started_at: datetime
    input_summary: Mapping[str, Any]
    """Input; private fields are replaced by the names of their types."""
    metadata: Mapping[str, Any]
    extra: Mapping[str, Any]
    """Unknown fields of the payload."""

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> Self:
        """Parses the payload of an envelope; raises `EnvelopeError`."""
        fields = Reader(payload, "payload.")
        return cls(
            fields.text("operation"),
            fields.uuid("correlation_id"),
            fields.text("node_id"),
            fields.time("started_at"),
            fields.mapping("input_summary"),
            fields.optional("metadata", fields.mapping) or {},
            fields.extra,
        )


@dataclass(frozen=True, slots=True)
class OperationCompleted:
    """Payload of an event that an operation completed."""

    operation: str
    correlation_id: UUID
    node_id: str
    completed_at: datetime
    execution_time_ms: float
    result_summary: Mapping[str, Any]
    """Result; private fields are replaced by the names of their types."""
    success: bool
    metadata: Mapping[str, Any]
    extra: Mapping[str, Any]
    """Unknown fields of the payload."""

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> Self:
        """Parses the payload of an envelope; raises `EnvelopeError`."""
        fields = Reader(payload, "payload.")
        return cls(
            fields.text("operation"),
            fields.uuid("correlation_id"),
            fields.text("node_id"),
            fields.time("completed_at"),
            fields.number("execution_time_ms"),
            fields.mapping("result_summary"),
            fields.flag("success"),
            fields.optional("metadata", fields.mapping) or {},
            fields.extra,
        )


@dataclass(frozen=True, slots=True)
class OperationFailed:
    """Payload of an event that an operation failed."""

    operation: str
    correlation_id: UUID
    node_id: str
    failed_at: datetime
    execution_time_ms: float
    error_type: str
    error_message: str
    success: bool
    metadata: Mapping[str, Any]
    extra: Mapping[str, Any]
    """Unknown fields of the payload."""

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> Self:
        """Parses the payload of an envelope; raises `EnvelopeError`."""
        fields = Reader(payload, "payload.")
        return cls(
            fields.text("operation"),
            fields.uuid("correlation_id"),
            fields.text("node_id"),
            fields.time("failed_at"),
            fields.number("execution_time_ms"),
            fields.text("error_type"),
            fields.text("error_message"),
            fields.flag("success"),
            fields.optional("metadata", fields.mapping) or {},
            fields.extra,
        )


@dataclass(frozen=True, slots=True)
class StateChanged:
    """Payload of an event that the state of a node changed."""

    node_id: str
    node_type: str
    correlation_id: UUID
    changed_at: datetime
    old_state: str
    new_state: str
    transition_reason: str
    metadata: Mapping[str, Any]
    extra: Mapping[str, Any]
    """Unknown fields of the payload."""

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> Self:
        """Parses the payload of an envelope; raises `EnvelopeError`."""
        fields = Reader(payload, "payload.")
        return cls(
            fields.text("node_id"),
            fields.text("node_type"),
            fields.uuid("correlation_id"),
            fields.time("changed_at"),
            fields.text("old_state"),
            fields.text("new_state"),
            fields.text("transition_reason"),
            fields.optional("metadata", fields.mapping) or {},
            fields.extra,
        )


@dataclass(frozen=True, slots=True)
class MetricRecorded:
    """Payload of a metric event."""

    node_id: str
    node_type: str
    recorded_at: datetime
    metric_name: str
    metric_value: float
    metric_unit: str
    correlation_id: UUID | None
    metadata: Mapping[str, Any]
    extra: Mapping[str, Any]
    """Unknown fields of the payload."""

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> Self:
        """Parses the payload of an envelope; raises `EnvelopeError`."""
        fields = Reader(payload, "payload.")
        return cls(
            fields.text("node_id"),
            fields.text("node_type"),
            fields.time("recorded_at"),
            fields.text("metric_name"),
            fields.number("metric_value"),
            fields.text("metric_unit"),
            fields.optional("correlation_id", fields.uuid),
            fields.optional("metadata", fields.mapping) or {},
            fields.extra,
        )
