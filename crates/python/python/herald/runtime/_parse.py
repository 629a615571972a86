"""Parsing of consumed messages to typed events."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from herald.runtime._envelope import envelope_of
from herald.runtime._reader import EnvelopeError
from herald.runtime._received import ReceivedEvent


def parse_message(
    message: object,
    payload_readers: Mapping[str, Callable[[Mapping[str, Any]], Any]],
) -> ReceivedEvent[Any]:
    """Parses the event in a message, with a payload of the event's type.

    Args:
        message: An envelope as mapping, bytes or text, or an object that has it as
            `value`, as a consumer of aiokafka or confluent-kafka gives.
        payload_readers: What reads the payload, by event type. That of another type
            stays as it came.

    Raises:
        EnvelopeError: It is no envelope, or the payload is not what its type says.
    """
    event = envelope_of(message)
    read = payload_readers.get(event.event_type)
    if read is None:
        return event
    try:
        payload = read(event.payload)
    except EnvelopeError:
        raise
    except Exception as error:
        raise _unreadable(event.event_type, error) from None
    return replace(event, payload=payload)


def _unreadable(event_type: str, error: Exception) -> EnvelopeError:
    """Converts an error of a payload reader. The values that pydantic's errors print
    are left out.
    """
    first: Any = {}
    with suppress(Exception):
        details: Any = error
        first = details.errors()[0]
    path = ".".join(["payload", *(str(part) for part in first.get("loc", ()))])
    reason = first.get("type", type(error).__name__)
    return EnvelopeError(path, f"not what {event_type} says of it ({reason})")
