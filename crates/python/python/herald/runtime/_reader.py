"""Reader for untrusted JSON objects."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from herald.runtime._generics import T


class EnvelopeError(ValueError):
    """A message that is not an envelope, or whose payload does not match its event
    type.

    Attributes:
        field: Path to the field, such as `event_id` or `payload.started_at`.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


class Reader:
    """Reads fields of an object, and leaves the others in `extra`. Errors name the
    field, never its value, which may be a secret.
    """

    def __init__(self, fields: object, path: str = "") -> None:
        if not isinstance(fields, Mapping):
            found = _json_type(fields)
            name = path.removesuffix(".") or "envelope"
            raise EnvelopeError(name, f"expected an object, found {found}")
        self.extra: dict[str, Any] = dict(fields)
        self._path = path

    def text(self, name: str) -> str:
        return self._take(name, str, "text")

    def text_or_null(self, name: str) -> str:
        """Reads text; null or a missing field is the empty text."""
        return self.optional(name, self.text) or ""

    def number(self, name: str) -> float:
        if isinstance(self.extra.get(name), bool):
            raise self._unexpected(name, "a number", True)
        return self._take(name, (int, float), "a number")

    def flag(self, name: str) -> bool:
        return self._take(name, bool, "true or false")

    def mapping(self, name: str) -> Mapping[str, Any]:
        return self._take(name, Mapping, "an object")

    def uuid(self, name: str) -> UUID:
        found = self._take(name, str, "a UUID")
        return self._convert(name, UUID, found, "a UUID")

    def time(self, name: str) -> datetime:
        found = self._take(name, str, "a time")
        return self._convert(name, datetime.fromisoformat, found, "an ISO 8601 time")

    def optional(self, name: str, read: Callable[[str], T]) -> T | None:
        """Reads a field that may be null or missing."""
        if self.extra.get(name) is None:
            self.extra.pop(name, None)
            return None
        return read(name)

    def _take(self, name: str, kind: type[T] | tuple[type[T], ...], expected: str) -> T:
        try:
            found = self.extra.pop(name)
        except KeyError:
            raise EnvelopeError(self._path + name, "missing") from None
        if not isinstance(found, kind):
            raise self._unexpected(name, expected, found)
        return found

    def _convert(
        self, name: str, convert: Callable[[str], T], text: str, expected: str
    ) -> T:
        try:
            return convert(text)
        except ValueError:
            message = f"expected {expected}, found other text"
            raise EnvelopeError(self._path + name, message) from None

    def _unexpected(self, name: str, expected: str, found: object) -> EnvelopeError:
        return EnvelopeError(
            self._path + name, f"expected {expected}, found {_json_type(found)}"
        )


def _json_type(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case str():
            return "text"
        case int() | float():
            return "a number"
        case Mapping():
            return "an object"
        case list() | tuple():
            return "a list"
    return type(value).__name__
