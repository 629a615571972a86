"""Every generated method, in every situation that a client can bring it into."""

import asyncio
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from types import ModuleType
from typing import Any

import pytest
from herald.runtime import json_value as runtime_json_value

from cases import CASES, Case
from harness import (
    CORRELATION_ID,
    NODE_ID,
    Client,
    Line,
    load,
    publisher,
    record_log,
    replace_log,
)

every_method = pytest.mark.parametrize(
    "case", CASES, ids=[f"{case.module}{case.method}" for case in CASES]
)


def call(
    case: Case, client: Client | None, **more: Any
) -> tuple[ModuleType, list[Line]]:
    """Call the method; return its module and what it logged."""
    module = load(case.module)
    lines = record_log(module)
    method = getattr(publisher(module, case.class_name, client), case.method)
    asyncio.run(method(**{**case.arguments, **more}))
    return module, lines


def without_clock(case: Case, payload: dict[str, Any]) -> dict[str, Any]:
    """Return the payload without its time, which must be now, in UTC."""
    payload = dict(payload)
    if case.clock is not None:
        at = datetime.fromisoformat(payload.pop(case.clock))
        assert at.utcoffset() == UTC.utcoffset(None)
        assert abs((datetime.now(UTC) - at).total_seconds()) < 60
    return payload


def about(case: Case) -> dict[str, Any]:
    """Return the log message about every event that a client received."""
    return {
        "correlation_id": str(CORRELATION_ID),
        "event_type": case.event_type,
        "topic": case.topic,
    }


def failure(case: Case, reason: str) -> Line:
    """Return the log message about an event that could not be published."""
    message = f"Failed to publish {case.label} event: {reason}"
    context = {**case.subject, "event_type": case.event_type, "error": reason}
    return Line("WARNING", message, context)


def test_there_is_a_case_for_every_method() -> None:
    for module in {case.module for case in CASES}:
        class_name = next(c.class_name for c in CASES if c.module == module)
        methods = vars(getattr(load(module), class_name))
        generated = {name for name in methods if name.startswith("_publish_")}
        assert generated == {case.method for case in CASES if case.module == module}


@every_method
def test_an_event_is_published_and_logged(case: Case) -> None:
    client = Client()
    _, lines = call(case, client)
    [event] = client.published
    assert without_clock(case, event["payload"]) == case.payload
    del event["payload"]
    assert event == {
        "event_type": case.event_type,
        "source_node_id": str(NODE_ID),
        "topic": case.topic,
        "correlation_id": CORRELATION_ID,
        "metadata": case.metadata,
    }
    assert lines == [Line(case.level, case.message, {**about(case), **case.context})]


@every_method
def test_metadata_of_the_caller_goes_into_the_payload(case: Case) -> None:
    client = Client()
    call(case, client, metadata={"tenant": "a"})
    payload = client.published[0]["payload"]
    assert without_clock(case, payload) == {**case.payload, "metadata": {"tenant": "a"}}
    assert client.published[0]["metadata"] == case.metadata


@every_method
@pytest.mark.parametrize("client", [None, Client(is_connected=False)])
def test_without_kafka_the_event_is_logged(case: Case, client: Client | None) -> None:
    _, [line] = call(case, client)
    assert client is None or client.published == []
    assert line.level == "DEBUG"
    assert line.message == f"Kafka unavailable, logging {case.label} event"
    payload = line.context.pop("payload")
    assert without_clock(case, payload) == case.payload
    assert line.context == case.subject


@every_method
@pytest.mark.parametrize("answer", [False, None])
def test_what_the_client_does_not_accept_is_a_warning(case: Case, answer: Any) -> None:
    _, lines = call(case, Client(answer))
    message = f"Kafka client did not accept {case.label} event"
    assert lines == [Line("WARNING", message, about(case))]


@every_method
def test_an_exception_is_a_warning_without_its_secrets(case: Case) -> None:
    error = RuntimeError("SASL failed for sasl.password='hunter 2' at kafka:9092")
    _, lines = call(case, Client(error))
    reason = "RuntimeError: SASL failed for sasl.password=*** at kafka:9092"
    assert lines == [failure(case, reason)]


@every_method
def test_an_exception_with_an_empty_text_has_a_name(case: Case) -> None:
    _, lines = call(case, Client(TimeoutError()))
    assert lines == [failure(case, "TimeoutError")]


@every_method
@pytest.mark.parametrize("error", [asyncio.CancelledError, KeyboardInterrupt])
def test_cancellation_passes(case: Case, error: type[BaseException]) -> None:
    with pytest.raises(error):
        call(case, Client(error()))


class Hostile(Exception):
    """An exception without a text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


@every_method
def test_an_exception_without_text_does_not_reach_the_caller(case: Case) -> None:
    _, [line] = call(case, Client(Hostile()))
    assert line.context["error"] == "Hostile: <unprintable Hostile>"


@every_method
@pytest.mark.parametrize("client", [None, Client(), Client(False), Client(OSError())])
def test_a_log_that_raises_does_not_reach_the_caller(
    case: Case, client: Client | None
) -> None:
    module = load(case.module)

    def emit(*_: object) -> None:
        raise RuntimeError("disk full")

    replace_log(module, emit)
    node = publisher(module, case.class_name, client)
    asyncio.run(getattr(node, case.method)(**case.arguments))


@every_method
def test_invalid_arguments_do_not_raise(case: Case) -> None:
    class Nonsense:
        def __str__(self) -> str:
            raise RuntimeError("no text")

        def __bool__(self) -> bool:
            raise RuntimeError("neither")

    call(case, Client(), **dict.fromkeys(case.arguments, Nonsense()))


def test_a_metric_need_not_belong_to_a_request() -> None:
    case = next(c for c in CASES if "metric_name" in c.arguments)
    client = Client()
    _, [line] = call(case, client, correlation_id=None)
    assert client.published[0]["correlation_id"] is None
    assert "correlation_id" not in client.published[0]["payload"]
    assert line.context["correlation_id"] is None


def test_public_fields_are_published_with_their_values() -> None:
    case = next(c for c in CASES if c.method == "_publish_order_place_started_event")
    client = Client()
    given = {"customer_id": NODE_ID, "total": Decimal("9.90"), "currency": "EUR"}
    call(case, client, input_data=given)
    assert client.published[0]["payload"]["input_summary"] == {
        "customer_id": "UUID",
        "total": "9.90",
        "currency": "EUR",
    }


ORDER = {"order_id": NODE_ID, "total": "9.99", "email": "a@b.c"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({**ORDER, "iban": "DE02"}, "payload.iban: order.placed has no such field"),
        ({**ORDER, "total": "lots"}, "payload.total: expected a decimal number"),
        ({"total": "9.99", "email": "a@b.c"}, "payload.order_id: Field required"),
        ({**ORDER, "order_id": None}, "payload.order_id: expected a UUID"),
        ("a@b.c", "payload: order.placed needs OrderPlaced or a mapping, not str"),
    ],
)
def test_an_invalid_payload_is_logged_and_not_published(data: Any, reason: str) -> None:
    case = next(c for c in CASES if c.method == "_publish_order_placed_event")
    client = Client()
    _, [line] = call(case, client, event_data=data)
    assert client.published == []
    assert line.level == "WARNING"
    assert line.context["error"].startswith(f"PayloadError: {reason}")
    assert "a@b.c" not in str(line)


class Color(Enum):
    """Not JSON by itself."""

    RED = "red"


VALUES = {
    "uuid": (NODE_ID, str(NODE_ID)),
    "decimal": (Decimal("9.90"), "9.90"),
    "datetime": (
        datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC),
        "2024-05-06T07:08:09+00:00",
    ),
    "date": (date(2024, 5, 6), "2024-05-06"),
    "time": (time(7, 8, 9), "07:08:09"),
    "bytes": (b"\x00\xff", "AP8="),
    "enum": (Color.RED, "red"),
    "nested": ({NODE_ID: [(Color.RED, {1})]}, {str(NODE_ID): [("red", [1])]}),
    "others": ([None, True, 1, 0.5, "x"], [None, True, 1, 0.5, "x"]),
}


@every_method
def test_values_are_published_as_json_has_them(case: Case) -> None:
    given = {key: value for key, (value, _) in VALUES.items()}
    expected = {key: value for key, (_, value) in VALUES.items()}
    client = Client()
    call(case, client, metadata=given)
    assert client.published[0]["payload"]["metadata"] == expected


def test_values_of_payloads_are_published_as_json_has_them() -> None:
    case = next(c for c in CASES if "stock_reservation" in c.method)
    for given, expected in VALUES.values():
        client = Client()
        call(case, client, event_data={"order_id": given})
        payload = client.published[0]["payload"]
        assert payload == {"order_id": expected}


def test_passes_unknown_types_to_the_client() -> None:
    value = object()
    for json_value in (load("own_class").json_value, runtime_json_value):
        assert json_value({"x": [value]}) == {"x": [value]}


def test_does_not_change_the_callers_arguments() -> None:
    for case in (c for c in CASES if "event_data" in c.arguments):
        data = dict(ORDER)
        call(case, Client(), event_data=data, metadata={"tenant": "a"})
        assert data == ORDER
