"""Current trace context, if OpenTelemetry is installed."""

from __future__ import annotations

from collections.abc import Callable


def _finder() -> Callable[[], str | None]:
    try:
        from opentelemetry.context import get_current
        from opentelemetry.trace import get_current_span
    except ImportError:
        return lambda: None

    def traceparent() -> str | None:
        if not get_current():  # which is most frequent: there is no span
            return None
        span = get_current_span().get_span_context()
        if not span.is_valid:
            return None
        return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"

    return traceparent


current_traceparent = _finder()
"""Returns the W3C trace context of OpenTelemetry's current span."""
