"""Messages as events."""

import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from herald.runtime import (
    DeclaredEvent,
    EnvelopeError,
    EventSource,
    MetricEvent,
    MetricRecorded,
    MetricRecordedEvent,
    Operation,
    OperationCompleted,
    OperationCompletedEvent,
    OperationFailed,
    OperationFailedEvent,
    OperationStarted,
    OperationStartedEvent,
    ReceivedEvent,
    StateChanged,
    StateChangedEvent,
    StateEvent,
    UnknownEvent,
    event_classes,
    parse_message,
)
from herald.testing import RecordingClient
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, model_validator

from shop import REQUEST, Orders


class Placed(BaseModel):
    order_id: UUID
    total: float


class PlacedEvent(ReceivedEvent[Placed]):
    pass


class OpenEvent(ReceivedEvent[Mapping[str, Any]]):
    pass


EVENTS: dict[tuple[str, int], Any] = event_classes(
    ("effect.place.started", 1, OperationStartedEvent),
    ("effect.place.completed", 1, OperationCompletedEvent),
    ("effect.place.failed", 1, OperationFailedEvent),
    ("effect.state.changed", 1, StateChangedEvent),
    ("effect.metric.recorded", 1, MetricRecordedEvent),
    ("order.placed", 1, PlacedEvent),
)


def test_definitions_of_events_have_the_classes_of_their_events() -> None:
    source = EventSource("orders")
    place = Operation("place", source, "a", "b", "c", topics=("x", "y", "z"), version=2)
    state = StateEvent("order.state", source, topic="s", version=3)
    metric = MetricEvent("order.metric", source, topic="m")
    placed: DeclaredEvent[Any, Any] = DeclaredEvent(
        "order.placed", source, topic="p", version=4
    )
    row = ("order.shipped", 1, OpenEvent)
    assert event_classes(place, state, metric, (placed, PlacedEvent), row) == {
        ("a", 2): OperationStartedEvent,
        ("b", 2): OperationCompletedEvent,
        ("c", 2): OperationFailedEvent,
        ("order.state", 3): StateChangedEvent,
        ("order.metric", 1): MetricRecordedEvent,
        ("order.placed", 4): PlacedEvent,
        ("order.shipped", 1): OpenEvent,
    }


@pytest.mark.asyncio
async def test_parses_published_events() -> None:
    async with RecordingClient(service="shop", region="eu") as client:
        node = Orders(client)
        await node._publish_place_started_event(REQUEST, {"order_id": 7}, {"n": 1})
        await node._publish_place_completed_event(REQUEST, {"reserved": True}, 2.5)
        await node._publish_place_failed_event(REQUEST, ValueError("no"), 3)
        await node._publish_state_changed_event(REQUEST, "idle", "busy", "order")
        await node._publish_metric_recorded_event("latency", 2.5, "ms")
        await node._publish_order_placed_event(
            REQUEST, {"order_id": 7, "total": Decimal("9.5")}
        )
        classes = {**EVENTS, ("order.placed", 1): OpenEvent}
        events = [parse_message(e.envelope, classes) for e in client.events]
    started, completed, failed, changed, metric, placed = (e.payload for e in events)
    assert isinstance(started, OperationStarted)
    assert started.operation == "place"
    assert started.correlation_id == REQUEST
    assert started.started_at.utcoffset() == timedelta(0)
    assert started.input_summary == {"order_id": 7}
    assert started.metadata == {"n": 1}
    assert started.extra == {}
    assert isinstance(completed, OperationCompleted)
    assert completed.result_summary == {"reserved": True}
    assert isinstance(failed, OperationFailed)
    assert (failed.error_type, failed.error_message) == ("ValueError", "no")
    assert isinstance(changed, StateChanged)
    assert (changed.old_state, changed.new_state) == ("idle", "busy")
    assert isinstance(metric, MetricRecorded)
    assert metric.metric_value == 2.5
    assert metric.correlation_id is None
    assert placed == {"order_id": 7, "total": "9.5", "email": "NoneType"}
    assert events[0].source_service == "orders"
    assert events[0].region == "eu"
    assert events[0].correlation_id == REQUEST


def envelope(**changed: Any) -> dict[str, Any]:
    return {
        "envelope_version": "1.0",
        "event_id": str(uuid4()),
        "event_type": "order.placed",
        "event_version": "1.0",
        "event_timestamp": "2026-11-23T23:00:00.123456Z",
        "source_node_id": "n",
        "source_service": "s",
        "source_version": "1.0.0",
        "correlation_id": None,
        "environment": "test",
        "payload": {"order_id": str(REQUEST), "total": 1.5},
        "metadata": {},
        **changed,
    }


def test_an_unknown_type_keeps_its_payload() -> None:
    message = envelope(event_type="x.y", payload={"a": [1]}, new=1)
    event = parse_message(message, EVENTS)
    assert event.payload == {"a": [1]}
    assert event.extra == {"new": 1}


def test_unknown_keys_of_a_payload_are_kept() -> None:
    started = OperationStarted.read(
        {
            "operation": "o",
            "correlation_id": str(REQUEST),
            "node_id": "n",
            "started_at": "2026-11-23T23:00:00+00:00",
            "input_summary": {},
            "later": 1,
        }
    )
    assert started.extra == {"later": 1}


def test_an_event_has_the_class_of_its_type() -> None:
    event = parse_message(envelope(), EVENTS)
    assert type(event) is PlacedEvent
    assert event.payload == Placed(order_id=REQUEST, total=1.5)
    assert event == parse_message({**envelope(event_id=str(event.event_id))}, EVENTS)
    assert type(parse_message(envelope(event_type="x.y"), EVENTS)) is UnknownEvent


def test_a_received_event_is_parsed_again() -> None:
    event = parse_message(envelope(), {})
    assert type(event) is UnknownEvent
    placed: Any = parse_message(event, EVENTS)
    assert placed.payload.total == 1.5
    assert parse_message(placed, EVENTS) is placed
    assert type(parse_message(placed, {})) is UnknownEvent


@pytest.mark.parametrize(
    ("message", "field", "expected"),
    [
        (b"{", "envelope", "not valid JSON at line 1, column 2"),
        (b"\xff{}", "envelope", "not valid UTF-8"),
        ("[]", "envelope", "found a list"),
        (7, "value", "the message has no value"),
        (envelope(envelope_version="2.0"), "envelope_version", "expected version 1.0"),
        (envelope(event_id="hunter2"), "event_id", "expected a UUID"),
        (envelope(event_timestamp="hunter2"), "event_timestamp", "ISO 8601"),
        (envelope(payload="hunter2"), "payload", "expected an object, found text"),
        (envelope(correlation_id=7), "correlation_id", "expected a UUID"),
        ({"envelope_version": "1.0"}, "event_id", "missing"),
        (
            envelope(payload={"order_id": "hunter2", "total": 1}),
            "payload.order_id",
            "uuid_parsing",
        ),
        (
            envelope(event_type="effect.place.started", payload={"operation": True}),
            "payload.operation",
            "expected text, found true or false",
        ),
        (
            envelope(
                event_type="effect.metric.recorded",
                payload={
                    "node_id": "n",
                    "node_type": "t",
                    "recorded_at": "2026-11-23",
                    "metric_name": "n",
                    "metric_value": True,
                },
            ),
            "payload.metric_value",
            "expected a number",
        ),
    ],
)
def test_errors_name_the_field_and_no_value(
    message: Any, field: str, expected: str
) -> None:
    with pytest.raises(EnvelopeError) as caught:
        parse_message(message, EVENTS)
    assert caught.value.field == field
    assert expected in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert isinstance(caught.value, ValueError)
    if isinstance(message, dict):
        with pytest.raises(EnvelopeError, match=expected):
            parse_message(json.dumps(message), EVENTS)


class Message:
    """A consumer's message whose `value` runs code."""

    def __init__(self, value: Any) -> None:
        self._value = value

    @property
    def value(self) -> Any:
        if isinstance(self._value, Exception):
            raise self._value
        return self._value


class Broken(Mapping[str, Any]):
    def __getitem__(self, name: str) -> Any:
        raise LookupError("hunter2")

    def __iter__(self) -> Any:
        raise LookupError("hunter2")

    def __len__(self) -> int:
        return 1


def released() -> memoryview:
    view = memoryview(b"{}")
    view.release()
    return view


HOSTILE = {
    "deep list": b"[" * 100_000,
    "deep object": b'{"a":' * 100_000,
    "deep payload": json.dumps(envelope(payload={"a": 0})).replace(
        '{"a": 0}', '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}"
    ),
    "long integer": b"9" * 5_000,
    "long integer in the payload": json.dumps(envelope(payload={"total": 0})).replace(
        '"total": 0', '"total": ' + "9" * 5_000
    ),
    "lone surrogate": "\ud800",
    "utf-16": '"'.encode("utf-16") + b"\0",
    "released view": released(),
    "raising value": Message(LookupError("hunter2")),
    "raising mapping": Broken(),
    "number": 7,
    "class": Message,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_messages_are_envelope_errors(name: str) -> None:
    with pytest.raises(EnvelopeError) as caught:
        parse_message(HOSTILE[name], EVENTS)
    assert len(str(caught.value)) < 200
    assert "hunter2" not in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
CHANGED = st.dictionaries(st.sampled_from([*envelope(), "extra"]), JSON, max_size=3)


@settings(max_examples=200, deadline=None)
@given(
    message=st.one_of(
        st.binary(max_size=200),
        st.text(max_size=200),
        JSON,
        JSON.map(Message),
        CHANGED.map(lambda changed: envelope(**changed)),
        CHANGED.map(lambda changed: json.dumps(envelope(**changed)).encode()),
        st.tuples(CHANGED, st.integers(0, 400)).map(
            lambda cut: json.dumps(envelope(**cut[0])).encode()[: cut[1]]
        ),
    ),
    event_type=st.sampled_from(list(EVENTS)),
)
def test_any_message_is_an_event_or_an_envelope_error(
    message: Any, event_type: str
) -> None:
    if isinstance(message, dict):
        message = {**message, "event_type": event_type}
    try:
        event = parse_message(message, EVENTS)
    except EnvelopeError as error:
        assert error.field
    else:
        assert isinstance(event.event_id, UUID)


class Raising(BaseModel):
    @model_validator(mode="before")
    @classmethod
    def read(cls, payload: object) -> object:
        raise RuntimeError("hunter2")


class RaisingEvent(ReceivedEvent[Raising]):
    pass


def test_other_model_errors_have_no_values() -> None:
    events = event_classes(("order.placed", 1, RaisingEvent))
    with pytest.raises(EnvelopeError, match="RuntimeError") as caught:
        parse_message(envelope(), events)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_the_payload_is_that_of_the_version() -> None:
    events = event_classes(
        ("order.placed", 1, PlacedEvent), ("order.placed", 2, OpenEvent)
    )
    payload = envelope()["payload"]
    assert parse_message(envelope(), events).payload == Placed.model_validate(payload)
    assert parse_message(envelope(event_version="2.3"), events).payload == payload
    for unknown in ("3.0", "x", "", "²"):
        event = parse_message(envelope(event_version=unknown), events)
        assert type(event) is UnknownEvent
        assert event.payload == payload
