"""Private values of the input of an operation stay out of the texts of its errors."""

import asyncio
import json
import logging
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from herald.metrics import NodeMetrics
from herald.runtime import Operation, Private, Uuid
from herald.runtime.models import EventModel
from herald.testing import SyncRecordingClient
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter

from shop import SOURCE, Orders, SyncClient, operation

CARD = "4111-1111-1111-1111"
ANN = "ann.smith@example.com"


class Payment(EventModel):
    order: str
    card: Private[str]
    email: Private[str] = ANN
    at: Private[dict[str, list[object]] | None] = None


def failing(of: Operation, error: BaseException, node: Orders, payment: Any) -> None:
    """Runs an operation that raises."""

    @of
    def work(node: Orders, payment: Any) -> None:
        raise error

    with pytest.raises(type(error)):
        work(node, payment)


def pay(error_text: Any = "masked") -> Operation:
    return Operation(
        "pay",
        SOURCE,
        "effect.pay.started",
        "effect.pay.completed",
        "effect.pay.failed",
        topics=("dev.started", "dev.completed", "dev.failed"),
        input=Payment,
        error_text=error_text,
    )


def failed_event(client: SyncClient) -> dict[str, Any]:
    payload: dict[str, Any] = client.published[-1]["payload"]
    assert payload["success"] is False
    return payload


def message_of(error: BaseException, payment: Any) -> str:
    """Text of the failed event of an operation with this input."""
    client = SyncClient()
    failing(pay(), error, Orders(client), payment)
    text: str = failed_event(client)["error_message"]
    return text


def test_an_error_that_quotes_a_private_value_is_published_without_it() -> None:
    payment = Payment(order="A-1", card=CARD)
    text = message_of(KeyError(ANN), payment)
    assert text == "'***'"
    text = message_of(RuntimeError(f"card {CARD} of order A-1 was declined"), payment)
    assert text == "card *** of order A-1 was declined"


@pytest.mark.parametrize(
    "quoted",
    [
        "4111111111111111", "4111 1111 1111 1111", "4111-1111-1111-1111",
        "ANN.SMITH@EXAMPLE.COM", "ann.smith%40example.com",
    ],
)  # fmt: skip
def test_other_spellings_of_a_private_value_are_masked_too(quoted: str) -> None:
    text = message_of(RuntimeError(f"for {quoted}!"), Payment(order="A-1", card=CARD))
    assert text == "for ***!"


def test_a_part_of_a_long_private_value_is_masked() -> None:
    note = "the customer told us that he is ill, and cannot leave his house"
    payment = Payment(order="A-1", card=CARD, email=note)
    text = message_of(ValueError(f"bad note: {note[:40]!r}..."), payment)
    assert text == "bad note: '***'..."


def test_a_short_private_value_is_masked_as_a_word() -> None:
    payment = Payment(order="A-1", card="7", email="")
    assert message_of(ValueError("card 7 of 17"), payment) == "card *** of 17"


def test_values_that_the_operation_has_removed_are_masked() -> None:
    client = SyncClient()

    @pay()
    def work(_: Orders, payment: dict[str, Any]) -> None:
        raise KeyError(payment.pop("card"))

    with pytest.raises(KeyError):
        work(Orders(client), {"order": "A-1", "card": CARD})
    assert failed_event(client)["error_message"] == "'***'"


def test_values_of_a_function_with_any_arguments_are_masked() -> None:
    client = SyncClient()

    @pay()
    def work(*_: Any) -> None:
        raise KeyError(CARD)

    with pytest.raises(KeyError):
        work(Orders(client), CARD)
    assert failed_event(client)["error_message"] == "'***'"


def test_an_error_that_passes_through_an_outer_operation_is_masked_there() -> None:
    client = SyncClient()

    @operation("reserve")
    def outer(node: Orders, order_id: int) -> None:
        failing(pay(), KeyError(CARD), node, Payment(order="A-1", card=CARD))
        raise LookupError(f"card {CARD}")

    with pytest.raises(LookupError):
        outer(Orders(client), 7)
    assert failed_event(client)["error_message"] == "card ***"


def test_the_log_and_the_metrics_have_no_private_value(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "herald.events")
    node = Orders(SyncClient())
    node.node_metrics = metrics = NodeMetrics()
    failing(pay(), KeyError(CARD), node, Payment(order="A-1", card=CARD))
    assert "KeyError" not in caplog.text or CARD not in caplog.text
    assert "***" in caplog.text
    [measured] = metrics.snapshot().operations.values()
    assert measured.last_error is not None
    assert measured.last_error.text == "'***'"


def test_a_validation_error_is_published_as_places_and_types() -> None:
    class Strict(BaseModel):
        amount: int
        lines: list[int]

    with pytest.raises(ValueError) as caught:
        Strict.model_validate({"amount": "lots", "lines": [1, "two"]})
    text = message_of(caught.value, Payment(order="A-1", card=CARD))
    assert text == ("2 errors for Strict: amount: int_parsing; lines.1: int_parsing")


def test_a_generated_model_shows_no_input_in_its_errors_and_its_repr() -> None:
    with pytest.raises(ValueError) as caught:
        Payment.model_validate({"order": 5, "card": ["4111"]})
    assert "4111" not in str(caught.value)
    assert "input_value" not in str(caught.value)
    payment = Payment(order="A-1", card=CARD)
    assert repr(payment) == "Payment(order='A-1')"
    assert CARD not in str(payment)


def test_a_contract_may_omit_the_texts_of_errors() -> None:
    client = SyncClient()
    payment = Payment(order="A-1", card=CARD)
    failing(pay("omitted"), KeyError("A-1"), Orders(client), payment)
    event = failed_event(client)
    assert event["error_type"] == "KeyError"
    assert event["error_message"] == "omitted by the contract"


def test_a_method_called_inside_of_the_operation_masks_its_values() -> None:
    client = SyncClient()
    node = Orders(client)

    @pay()
    def work(node: Orders, payment: Payment) -> None:
        publish = node._publish_place_failed_event(UUID(int=1), KeyError(CARD), 1.0)
        asyncio.run(publish)

    work(node, Payment(order="A-1", card=CARD))
    failed = client.published[1]["payload"]
    assert failed["error_message"] == "'***'"


def test_a_cancelled_operation_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "herald.events")
    client = SyncClient()
    node = Orders(client)
    node.node_metrics = metrics = NodeMetrics()
    payment = Payment(order="A-1", card=CARD)
    failing(pay(), asyncio.CancelledError(), node, payment)
    assert failed_event(client)["error_message"] == "cancelled"
    assert [line for line in caplog.records if line.levelno > logging.INFO] == []
    [measured] = metrics.snapshot().operations.values()
    assert (measured.errors, measured.cancelled) == (0, 1)


# Any private value, any error that quotes it.

texts = st.text(min_size=1, max_size=60)
scalars = st.one_of(
    texts,
    st.emails(),
    st.integers(min_value=10),
    st.uuids(),
    st.dates(date(1900, 1, 1)),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.binary(min_size=4, max_size=30),
)
private_values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3),
        st.dictionaries(st.text(min_size=1, max_size=9), inner, min_size=1, max_size=3),
    ),
    max_leaves=4,
)


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for item in [*value, *value.values()] for leaf in leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


QUOTES: list[Callable[[Any], BaseException]] = [
    KeyError,
    lambda value: ValueError(f"invalid literal: {value!r}"),
    lambda value: RuntimeError(f"no {value} here"),
    lambda value: OSError(f"at https://host/{value}?a=b"),
    lambda value: LookupError(json.dumps({"input": value}, default=str)),
    lambda value: ValueError({"nested": [value]}, value),
    lambda value: validation_error(value),
    lambda value: AssertionError(f"assert {str(value).upper()} == 1"),
]


def validation_error(value: Any) -> Exception:
    try:
        TypeAdapter(dict[str, Uuid]).validate_python({str(value): value})
    except ValueError as error:
        return error
    return ValueError(value)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(value=private_values, quote=st.sampled_from(QUOTES), place=st.data())
def test_no_private_value_leaves_whatever_raises(
    value: Any, quote: Callable[[Any], BaseException], place: st.DataObject
) -> None:
    found = leaves(value)
    quoted = place.draw(st.sampled_from([value, *found]))
    client = SyncClient()
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("herald.events")
    logger.addHandler(handler)
    try:
        failing(pay(), quote(quoted), Orders(client), {"order": "A-1", "card": value})
    finally:
        logger.removeHandler(handler)
    message = failed_event(client)["error_message"]
    wrapper = str(quote(""))
    for leaf in found:
        for text in (str(leaf), repr(leaf)):
            # The rest of the text may have the same letters.
            assume("*" not in text and text not in wrapper)
            if len(text) >= 4:
                assume(text.lower() not in f"{wrapper} nested".lower())
                assert text not in message
                assert not any(text in line for line in lines if "error" in line)


def test_declared_dates_and_decimals_are_masked_in_their_forms() -> None:
    day, price = date(1980, 2, 29), Decimal("1234.50")
    payment = Payment(order="A-1", card="x-1", at={"d": [day, price]})
    text = message_of(ValueError(f"{day!r} {day} {price!r} {price}"), payment)
    assert text == "*** *** *** ***"


def test_events_of_a_recording_client_have_no_private_value() -> None:
    with SyncRecordingClient() as client:
        payment = Payment(order="A-1", card=CARD)
        failing(pay(), KeyError(CARD), Orders(client), payment)
        assert client.flush(20) == 0
        assert CARD not in json.dumps([event.payload for event in client.events])
