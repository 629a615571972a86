"""Expected events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from types import EllipsisType
from uuid import UUID

from herald.testing._events import PublishedEvent
from herald.testing._matching import differences, formatted


@dataclass(frozen=True, slots=True)
class Expectation:
    """Expected fields of an event; `...` matches anything."""

    event_type: str | EllipsisType = ...
    topic: str | EllipsisType = ...
    key: bytes | str | EllipsisType | None = ...
    correlation_id: UUID | str | EllipsisType | None = ...
    payload: object = ...
    metadata: object = ...

    def differences(self, event: PublishedEvent) -> list[str]:
        """Returns the differences from an event, the event type first."""
        return [
            line
            for name, expected in self._set()
            for line in differences(expected, getattr(event, name), name)
        ]

    def lines(self) -> list[str]:
        """Returns the expectation as text."""
        return [f"{name} {formatted(expected)}" for name, expected in self._set()]

    def _set(self) -> Iterator[tuple[str, object]]:
        """Returns the fields that are set, in the form that events have."""
        for field in fields(self):
            expected = getattr(self, field.name)
            if expected is ...:
                continue
            if field.name == "key" and isinstance(expected, str):
                expected = expected.encode()
            if field.name == "correlation_id" and isinstance(expected, str):
                expected = _uuid(expected)
            yield field.name, expected


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        message = f"correlation_id must be a UUID or None, not {text!r}"
        raise ValueError(message) from None
