"""Messages as events."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from herald.runtime import (
    EnvelopeError,
    MetricRecorded,
    OperationCompleted,
    OperationFailed,
    OperationStarted,
    ReceivedEvent,
    StateChanged,
    parse_message,
)
from herald.testing import RecordingClient
from pydantic import BaseModel

from shop import REQUEST, Orders


class Placed(BaseModel):
    order_id: UUID
    total: float


READERS: dict[str, Any] = {
    "effect.place.started": OperationStarted.read,
    "effect.place.completed": OperationCompleted.read,
    "effect.place.failed": OperationFailed.read,
    "effect.state.changed": StateChanged.read,
    "effect.metric.recorded": MetricRecorded.read,
    "order.placed": Placed.model_validate,
}


@pytest.mark.asyncio
async def test_what_publishers_write_is_read() -> None:
    async with RecordingClient(service="shop", region="eu") as client:
        node = Orders(client)
        await node._publish_place_started_event(REQUEST, {"order_id": 7}, {"n": 1})
        await node._publish_place_completed_event(REQUEST, {"reserved": True}, 2.5)
        await node._publish_place_failed_event(REQUEST, ValueError("no"), 3)
        await node._publish_state_changed_event(REQUEST, "idle", "busy", "order")
        await node._publish_metric_recorded_event("latency", 2.5, "ms")
        await node._publish_order_placed_event(
            REQUEST, {"order_id": REQUEST, "total": 9.5}
        )
        events = [parse_message(e.envelope, READERS) for e in client.events]
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
    assert placed == Placed(order_id=REQUEST, total=9.5)
    assert events[0].source_service == "shop"
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
    event = parse_message(message, READERS)
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


def test_a_received_event_is_parsed_again() -> None:
    event: ReceivedEvent[Any] = parse_message(envelope(), {})
    assert parse_message(event, READERS).payload.total == 1.5


@pytest.mark.parametrize(
    ("message", "field", "says"),
    [
        (b"{", "envelope", "no JSON at line 1, column 2"),
        (b"\xff{}", "envelope", "no UTF-8"),
        ("[]", "envelope", "found a list"),
        (7, "value", "the message has none"),
        (envelope(envelope_version="2.0"), "envelope_version", "1.0 only"),
        (envelope(event_id="hunter2"), "event_id", "expected a UUID"),
        (envelope(event_timestamp="hunter2"), "event_timestamp", "ISO 8601"),
        (envelope(payload="hunter2"), "payload", "expected an object, found a text"),
        (envelope(correlation_id=7), "correlation_id", "expected a UUID"),
        ({"envelope_version": "1.0"}, "event_id", "it is missing"),
        (
            envelope(payload={"order_id": "hunter2", "total": 1}),
            "payload.order_id",
            "uuid_parsing",
        ),
        (
            envelope(event_type="effect.place.started", payload={"operation": True}),
            "payload.operation",
            "expected a text, found true or false",
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
    message: Any, field: str, says: str
) -> None:
    with pytest.raises(EnvelopeError) as caught:
        parse_message(message, READERS)
    assert caught.value.field == field
    assert says in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert isinstance(caught.value, ValueError)
    if isinstance(message, dict):
        with pytest.raises(EnvelopeError, match=says):
            parse_message(json.dumps(message), READERS)


def test_a_reader_that_fails_otherwise_tells_no_value() -> None:
    def read(payload: object) -> None:
        raise RuntimeError("hunter2")

    with pytest.raises(EnvelopeError, match="RuntimeError") as caught:
        parse_message(envelope(), {"order.placed": read})
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__
