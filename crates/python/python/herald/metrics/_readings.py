"""Readings of operations for publishing."""

from collections.abc import Iterator

from herald.metrics._instruments import SUFFIXES
from herald.metrics._snapshot import OperationSnapshot, Reading


def readings_of(operation: OperationSnapshot, window: float) -> Iterator[Reading]:
    """Returns readings such as `place.count` and `place.latency_p95`."""
    name = operation.operation
    about: dict[str, object] = {"operation": name}
    yield Reading(f"{name}.count", operation.count, "count", "counter", about)
    failed = operation.last_error
    yield Reading(
        f"{name}.errors",
        operation.errors,
        "count",
        "counter",
        about
        if failed is None
        else {
            **about,
            "last_error_type": failed.type,
            "last_error": failed.text,
            "last_error_at": failed.at.isoformat(),
        },
    )
    yield Reading(f"{name}.in_flight", operation.in_flight, "count", "gauge", about)
    if (latency := operation.latency) is not None:
        about = {**about, "window_seconds": window, "window_count": latency.count}
        for attribute, suffix in SUFFIXES:
            value = round(getattr(latency, attribute) * 1e3, 4)
            yield Reading(f"{name}.latency_{suffix}", value, "ms", "gauge", about)
