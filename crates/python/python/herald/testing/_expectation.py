"""What a test expects of an event."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from types import EllipsisType
from uuid import UUID

from herald.testing._events import PublishedEvent
from herald.testing._matching import differences, shown


@dataclass(frozen=True, slots=True)
class Expectation:
    """What it must be. `...` is anything."""

    event_type: str | EllipsisType = ...
    topic: str | EllipsisType = ...
    key: bytes | str | EllipsisType | None = ...
    correlation_id: UUID | str | EllipsisType | None = ...
    payload: object = ...
    metadata: object = ...

    def differences(self, event: PublishedEvent) -> list[str]:
        """Where an event is another one, the event type first."""
        return [
            line
            for name, expected in self._set()
            for line in differences(expected, getattr(event, name), name)
        ]

    def lines(self) -> list[str]:
        """It for people."""
        return [f"{name} {shown(expected)}" for name, expected in self._set()]

    def _set(self) -> Iterator[tuple[str, object]]:
        """What is more than anything, as events have it."""
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
