"""Parsing of consumed messages to envelopes."""

from collections.abc import Mapping
from typing import Any

from herald.runtime._profiles import Message, read_event
from herald.runtime._reader import EnvelopeError
from herald.runtime._received import ReceivedEvent, UnknownEvent


def envelope_of(message: object) -> ReceivedEvent[Any]:
    """Parses an envelope, and leaves its payload unparsed.

    Args:
        message: The envelope as a mapping, bytes or text, or an object with one of
            these as `value`, such as a message of aiokafka or confluent-kafka. Profiles
            that use headers need such an object.

    Raises:
        EnvelopeError: The message is not a valid envelope. The error names the field,
            never a value.
    """
    if isinstance(message, ReceivedEvent):
        return message
    try:
        return _read_envelope(message)
    except EnvelopeError:
        raise
    except Exception as error:  # messages and mappings may run any code
        name = type(error).__name__
        raise EnvelopeError("envelope", f"reading it raised {name}") from None


def _read_envelope(message: object) -> UnknownEvent:
    if isinstance(message, Mapping | str | bytes | bytearray | memoryview):
        return read_event(Message(message))
    return read_event(
        Message(
            _attribute(message, "value"),
            _headers(_attribute(message, "headers")),
            _milliseconds(_attribute(message, "timestamp")),
        )
    )


def _attribute(message: object, name: str) -> Any:
    """Returns an attribute, or what the method of this name returns."""
    found = getattr(message, name, None)
    return found() if callable(found) else found


def _headers(found: Any) -> dict[str, Any]:
    """Returns headers by name: the first, if a name is repeated."""
    if isinstance(found, Mapping):
        return dict(found)
    headers: dict[str, Any] = {}
    for name, value in found or ():
        headers.setdefault(name, value)
    return headers


def _milliseconds(found: Any) -> object:
    """Returns the time of a message; that of confluent-kafka comes with its type."""
    return found[1] if isinstance(found, tuple) and len(found) == 2 else found
