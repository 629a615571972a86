"""Messages of failed assertions."""

from __future__ import annotations

from difflib import get_close_matches

from herald.testing._events import PublishedEvent
from herald.testing._expectation import Expectation

MAX_LISTED_EVENTS = 30
"""Most events listed."""

MAX_LISTED_DIFFERENCES = 10
"""Most differences listed."""


def missing(
    expected: Expectation,
    times: int | None,
    matching: int,
    events: list[PublishedEvent],
    in_flight: int,
) -> str:
    """Returns the message for an event that was not published, or not as often."""
    often = "at least once" if times is None else _times(times)
    heading = f"{expected.event_type} was not published as expected"
    if matching:
        heading = f"{expected.event_type} was published {_times(matching)}"
    lines = [heading, f"expected, {often}:", *_indented(expected.lines())]
    if times is None or matching < times:
        lines += _nearest(expected, events)
    lines += _published(events)
    if in_flight:
        lines.append(
            f"still in flight: {in_flight}; await them, or flush the client, first"
        )
    return "\n".join(lines)


def unwanted(
    expected: Expectation, matching: list[PublishedEvent], events: list[PublishedEvent]
) -> str:
    """Returns the message for an event that should not have been published."""
    what = "an event" if expected.event_type is ... else str(expected.event_type)
    heading = f"{what} was published {_times(len(matching))}, but should not have been"
    lines = [heading]
    if wanted := expected.lines():
        lines += ["not expected:", *_indented(wanted)]
    return "\n".join([*lines, *_published(events)])


def _nearest(expected: Expectation, events: list[PublishedEvent]) -> list[str]:
    candidates = [
        (len(found), number, found)
        for number, event in enumerate(events, start=1)
        if event.event_type == expected.event_type
        and (found := expected.differences(event))
    ]
    if candidates:
        _, number, found = min(candidates)
        formatted = found[:MAX_LISTED_DIFFERENCES]
        if len(found) > len(formatted):
            formatted.append(f"and {len(found) - len(formatted)} more differences")
        return [f"nearest is event {number}:", *_indented(formatted)]
    types = {event.event_type for event in events} - {expected.event_type}
    close = get_close_matches(str(expected.event_type), types, 1)
    return [f"did you mean {close[0]!r}?"] if close else []


def _published(events: list[PublishedEvent]) -> list[str]:
    if not events:
        return ["nothing was published"]
    width = max(len(event.event_type) for event in events)
    lines = [
        f"{number:>4}. {event.event_type:{width}}  on {event.topic}"
        for number, event in enumerate(events, start=1)
    ]
    if len(lines) > MAX_LISTED_EVENTS:
        lines[MAX_LISTED_EVENTS:] = [f"      and {len(lines) - MAX_LISTED_EVENTS} more"]
    return ["published:", *lines]


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]
