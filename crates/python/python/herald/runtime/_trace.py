"""Current trace id, if OpenTelemetry is installed."""

from collections.abc import Callable
from typing import Final


def _finder() -> Callable[[], int | None]:
    try:
        from opentelemetry.context import (  # type: ignore[import-not-found, unused-ignore]
            get_current,
        )
        from opentelemetry.trace import (  # type: ignore[import-not-found, unused-ignore]
            get_current_span,
        )
    except ImportError:
        return lambda: None

    def found() -> int | None:
        if not get_current():  # which is most frequent: there is no span
            return None
        span = get_current_span().get_span_context()
        return span.trace_id if span.is_valid else None

    return found


trace_id: Final = _finder()
"""Returns the 128-bit trace id of OpenTelemetry's current span."""
