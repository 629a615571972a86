"""Parsing of consumed messages to typed events."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from herald.runtime._envelope import envelope_of
from herald.runtime._reader import EnvelopeError
from herald.runtime._received import ReceivedEvent

PayloadReader = Callable[[Mapping[str, Any]], Any]
PayloadReaders = Mapping[tuple[str, int], PayloadReader]


def payload_readers(*readers: tuple[str, int, PayloadReader]) -> PayloadReaders:
    """Returns payload readers by event type and version."""
    return {(event_type, version): read for event_type, version, read in readers}


def parse_message(
    message: object,
    payload_readers: PayloadReaders,
) -> ReceivedEvent[Any]:
    """Parses the event in a message, with a payload of the event's type.

    Args:
        message: The envelope as a mapping, bytes or text, or an object with one of
            these as `value`, such as a message of aiokafka or confluent-kafka.
        payload_readers: Payload readers by event type and version. Payloads of other
            events are left unparsed.

    Raises:
        EnvelopeError: The message is not a valid envelope, or the payload does not
            match its event type.
    """
    event = envelope_of(message)
    read = payload_readers.get((event.event_type, _major(event.event_version)))
    if read is None:
        return event
    try:
        payload = read(event.payload)
    except EnvelopeError:
        raise
    except Exception as error:
        raise _unreadable(event.event_type, error) from None
    return replace(event, payload=payload)


def _major(version: str) -> int:
    """Returns the number that a version begins with; -1 if there is none."""
    number = version.partition(".")[0]
    return int(number) if number.isascii() and number.isdecimal() else -1


def _unreadable(event_type: str, error: Exception) -> EnvelopeError:
    """Converts an error of a payload reader. The values that pydantic's errors print
    are left out.
    """
    path, reason = "payload", type(error).__name__
    with suppress(Exception):  # only pydantic's and Herald's errors have `errors`
        details: Any = error
        first = details.errors()[0]
        path = ".".join([path, *(str(part) for part in first["loc"])])
        reason = str(first["type"])
    return EnvelopeError(path, f"not a valid payload of {event_type} ({reason})")
