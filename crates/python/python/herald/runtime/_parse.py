"""Parsing of consumed messages to typed events."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from functools import lru_cache, partial
from typing import Any, Protocol, TypeAlias, TypeVar, get_args, get_origin

from herald.runtime._envelope import envelope_of
from herald.runtime._models import from_json, is_own, own_from_json
from herald.runtime._reader import EnvelopeError
from herald.runtime._received import ReceivedEvent, UnknownEvent
from herald.runtime._received_events import LIFECYCLE_PAYLOADS

EventT = TypeVar("EventT", bound=ReceivedEvent[Any])
PayloadReader = Callable[[Mapping[str, Any]], Any]
EventClass: TypeAlias = tuple[str, int, type[Any]]
"""Event type, version, and class of received events."""


class PublishedEvents(Protocol):
    """Protocol of what publishes events with classes of Herald, such as operations."""

    def received(self) -> Sequence[EventClass]:
        """Returns the classes of its events."""
        ...


class PublishedEvent(Protocol):
    """Protocol of what publishes events with a class of their own."""

    event_type: str
    version: int


def event_classes(
    *events: PublishedEvents | tuple[PublishedEvent, type[Any]] | EventClass,
) -> dict[tuple[str, int], type[Any]]:
    """Returns classes of received events by event type and version.

    Args:
        events: Operations, and other definitions of events with classes of Herald;
            events with their class; or event types and versions with their class.
    """
    rows: list[EventClass] = []
    for event in events:
        if not isinstance(event, tuple):
            rows += event.received()
        elif len(event) == 2:
            rows.append((event[0].event_type, event[0].version, event[1]))
        else:
            rows.append(event)
    return {(str(event_type), version): of for event_type, version, of in rows}


def parse_message(
    message: object,
    events: Mapping[tuple[str, int], type[EventT]],
) -> EventT | UnknownEvent:
    """Parses the event in a message, as the class of its event type.

    Args:
        message: The envelope as a mapping, bytes or text, or an object with one of
            these as `value`, such as a message of aiokafka or confluent-kafka.
        events: Classes of events by event type and version. Payloads of other events
            are left unparsed.

    Raises:
        EnvelopeError: The message is not a valid envelope, or the payload does not
            match its event type.
    """
    event = envelope_of(message)
    of_type: Any  # a class is hashable, which mypy does not know of `type[EventT]`
    known = of_type = events.get((event.event_type, _major(event.event_version)))
    if known is None:
        return event if isinstance(event, UnknownEvent) else _as(UnknownEvent, event)
    if isinstance(event, known):
        return event
    try:
        payload = _payload_reader(of_type)(event.payload)
    except EnvelopeError:
        raise
    except Exception as error:
        raise _unreadable(event.event_type, error) from None
    return _as(known, event, payload=payload)


def _as(known: type[EventT], event: ReceivedEvent[Any], **changed: Any) -> EventT:
    """Returns the event as another class of events."""
    return known(**{**{name: getattr(event, name) for name in _FIELDS}, **changed})


_FIELDS = tuple(field.name for field in fields(ReceivedEvent))


@lru_cache(maxsize=1_024)
def _payload_reader(event: type[ReceivedEvent[Any]]) -> PayloadReader:
    """Returns the function that reads the payloads of a class of events."""
    payload: Any = Mapping[str, Any]
    for base in vars(event).get("__orig_bases__", ()):
        payload = get_args(base)[0]
    if payload in LIFECYCLE_PAYLOADS:
        read: PayloadReader = payload.read
        return read
    if get_origin(payload) is not None:  # a mapping
        return dict
    return partial(own_from_json if is_own(payload) else from_json, payload)


def _major(version: str) -> int:
    """Returns the number that a version begins with; -1 if there is none."""
    number = version.partition(".")[0]
    return int(number) if number.isascii() and number.isdecimal() else -1


def _unreadable(event_type: str, error: Exception) -> EnvelopeError:
    """Converts an error of a payload's model. The values that pydantic's errors print
    are left out.
    """
    path, reason = "payload", type(error).__name__
    with suppress(Exception):  # only pydantic's and Herald's errors have `errors`
        details: Any = error
        first = details.errors()[0]
        path = ".".join([path, *(str(part) for part in first["loc"])])
        reason = str(first["type"])
    return EnvelopeError(path, f"not a valid payload of {event_type} ({reason})")
