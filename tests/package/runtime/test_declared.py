"""Declared events: validated before they are published, with a receipt."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID, uuid4

import pytest
from herald import Event, PayloadError, PublishError, Receipt
from herald.runtime import (
    DateTime,
    DecimalText,
    DeclaredEvent,
    EventDataclass,
    EventPublisher,
    EventSource,
    Integer,
    Limits,
    OpenEvent,
    Private,
    PublishMethod,
    SyncPublishMethod,
    Uuid,
    correlation,
    json_value,
)
from herald.runtime._fields import fields_of
from herald.runtime._privacy import public_fields, published, published_model
from herald.runtime.models import EventModel
from herald.testing import RecordingClient, SyncRecordingClient
from pydantic import BaseModel

from shop import _PLACED, REQUEST, SOURCE, AsyncClient, OrderPlaced, Orders, SyncClient


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Moved(EventDataclass):
    order_id: Uuid
    place: Private[str]
    count: Annotated[Integer, Limits(ge=1)] = 1


_MOVED = DeclaredEvent(
    "order.moved",
    SOURCE,
    topic="shop.order.moved.v1",
    model=Moved,
    partition_key="order_id",
)
_MOVED_V2 = DeclaredEvent(
    "order.moved",
    SOURCE,
    topic="shop.order.moved.v2",
    model=Moved,
    version=2,
)
_NOTED = OpenEvent("noted", EventSource("orders"), topic="shop.noted.v1")


class Shop(Orders):
    publish_order_moved = PublishMethod(_MOVED)
    publish_order_moved_v2 = PublishMethod(_MOVED_V2)
    publish_noted = PublishMethod(_NOTED)


class SyncShop(EventPublisher):
    publish_order_placed = SyncPublishMethod(_PLACED)
    publish_order_moved = SyncPublishMethod(_MOVED)


class Other(BaseModel):
    """A model of somebody else."""


INVALID = [
    {"order_id": "five"},
    {"order_id": 5, "total": "lots"},
    {},
    OrderPlaced.model_construct(order_id="five"),
    OrderPlaced(order_id=5).model_copy(update={"order_id": "five"}),
    Other(),
    Moved(order_id=REQUEST, place="x"),
    "text",
    None,
]


@pytest.mark.parametrize("payload", INVALID, ids=repr)
def test_an_invalid_payload_is_not_published(
    payload: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client = SyncClient()
    with pytest.raises(PayloadError):
        asyncio.run(Orders(client).publish_order_placed(payload))
    asyncio.run(Orders(client)._publish_order_placed_event(REQUEST, payload))
    assert client.published == []
    [line] = caplog.records
    assert line.levelno == logging.WARNING
    assert line.getMessage().startswith("Failed to publish order.placed event: Payload")


def refusal(event: Any, payload: object) -> str:
    """Text of the error of an invalid payload."""
    with pytest.raises(PayloadError) as caught:
        event.outgoing(Orders(None), payload)
    assert caught.value.__context__ is None
    return str(caught.value)


def test_the_error_names_paths_and_rules_but_no_value() -> None:
    secret = "ann.smith@example.com"
    text = refusal(_PLACED, {"order_id": secret, "total": secret, "email": [secret]})
    assert text == (
        "payload.order_id: expected a whole number; payload.total: expected a decimal "
        'number as text, such as "12.50"; payload.email: Input should be a valid string'
        " (payload of order.placed)"
    )
    assert refusal(_PLACED, {"order_id": 5, "ttal": 4}) == (
        "payload.ttal: order.placed has no such field in its contract"
    )
    assert refusal(_PLACED, Other()) == (
        "payload: order.placed needs OrderPlaced or a mapping, not Other"
    )
    assert refusal(_MOVED, {"order_id": uuid4(), "place": "x", "count": 0}) == (
        "payload.count: expected 1 or more (payload of order.moved)"
    )


def test_a_generated_dataclass_is_validated_when_it_is_made() -> None:
    key = str(uuid4())
    moved = Moved(order_id=key, place="Berlin")  # type: ignore[arg-type]
    assert moved.order_id == UUID(key)
    assert repr(moved) == f"Moved(order_id={UUID(key)!r}, count=1)"
    with pytest.raises(ValueError, match="order_id: expected a UUID"):
        Moved(order_id=5, place="Berlin")  # type: ignore[arg-type]


@pytest.mark.asyncio
async def test_a_public_method_returns_the_receipt() -> None:
    async with RecordingClient() as client:
        shop = Shop(client)
        placed = OrderPlaced(order_id=5, total=Decimal("9.50"), email="a@b.c")
        receipts = [
            await shop.publish_order_placed(placed, correlation_id=REQUEST),
            await shop.publish_order_placed(order_id=6, email="a@b.c"),
            await shop.publish_order_moved(order_id=REQUEST, place="Berlin"),
            await shop.publish_noted({"anything": [1]}),
        ]
    assert all(isinstance(each, Receipt) and each.is_delivered for each in receipts)
    first, second, third, fourth = client.events
    assert first.payload == {"order_id": 5, "total": "9.50", "email": "str"}
    assert first.envelope["correlation_id"] == str(REQUEST)
    assert first.key == b"5"
    assert second.payload == {"order_id": 6, "total": None, "email": "str"}
    assert third.payload == {"order_id": str(REQUEST), "place": "str", "count": 1}
    assert fourth.payload == {"anything": [1]}


@pytest.mark.asyncio
async def test_correlation_and_causation_come_from_the_scope() -> None:
    cause = uuid4()
    async with RecordingClient() as client:
        with correlation(REQUEST, cause):
            await Shop(client).publish_order_placed(order_id=5)
        await Shop(client).publish_order_placed(
            OrderPlaced(order_id=5), causation_id=cause, metadata={"tenant": "a"}
        )
    inside, outside = client.events
    assert inside.envelope["correlation_id"] == str(REQUEST)
    assert inside.envelope["causation_id"] == str(cause)
    assert outside.envelope["correlation_id"] != str(REQUEST)
    assert outside.envelope["causation_id"] == str(cause)
    assert outside.payload["metadata"] == {"tenant": "a"}


def test_a_synchronous_publisher_has_the_same_methods() -> None:
    with SyncRecordingClient() as client:
        shop = SyncShop.with_client(client, node_id="orders-1", namespace="dev")
        receipt = shop.publish_order_placed(OrderPlaced(order_id=5))
        assert receipt.is_delivered
        assert shop.publish_order_moved(order_id=REQUEST, place="x").is_delivered
        with pytest.raises(PayloadError):
            shop.publish_order_placed(order_id="five")  # type: ignore[call-overload]
    assert [event.event_type for event in client.events] == [
        "order.placed",
        "order.moved",
    ]


def test_there_is_no_receipt_without_a_connected_client() -> None:
    for client in (None, SyncClient(is_connected=False)):
        shop = SyncShop.with_client(client, node_id="orders-1")
        with pytest.raises(PublishError) as caught:
            shop.publish_order_placed(order_id=5)
        assert caught.value.code == "not_connected"


def test_what_another_client_does_not_accept_is_an_error() -> None:
    shop = SyncShop.with_client(SyncClient(answer=False), node_id="orders-1")
    with pytest.raises(PublishError) as caught:
        shop.publish_order_placed(order_id=5)
    assert caught.value.code == "not_accepted"


def test_a_synchronous_publisher_refuses_an_asyncio_client() -> None:
    shop = SyncShop.with_client(AsyncClient(), node_id="orders-1")
    with pytest.raises(PublishError) as caught:
        shop.publish_order_placed(order_id=5)
    assert caught.value.code == "wrong_client"


def test_too_many_or_unknown_arguments_are_type_errors() -> None:
    shop: Any = SyncShop.with_client(SyncClient(), node_id="orders-1")
    placed = OrderPlaced(order_id=5)
    with pytest.raises(TypeError):
        shop.publish_order_placed(placed, placed)
    with pytest.raises(TypeError):
        shop.publish_order_placed(placed, order_id=5)


class Nested(BaseModel):
    """A model of somebody else with a generated one in it."""

    placed: OrderPlaced


@dataclass
class NestedData:
    placed: OrderPlaced
    moved: Moved


PRIVATE = OrderPlaced(order_id=5, email="ann@example.com")
MOVED = Moved(order_id=REQUEST, place="ann's house")


@pytest.mark.parametrize(
    "payload",
    [
        PRIVATE,
        MOVED,
        {"inner": [PRIVATE, MOVED]},
        Nested(placed=PRIVATE),
        NestedData(PRIVATE, MOVED),
    ],
    ids=["model", "dataclass", "mapping", "other model", "other dataclass"],
)
def test_a_client_publishes_no_private_field_of_a_generated_model(
    payload: object,
) -> None:
    with SyncRecordingClient() as client:
        client.publish(Event("order.placed", "orders-1", payload, "shop.placed.v1"))
        metadata: Mapping[str, object] = {"payload": payload}
        client.publish_with_envelope("other", "orders-1", {}, "t", metadata=metadata)
    assert len(client.events) == 2
    assert "ann" not in str([(e.payload, e.metadata) for e in client.events])


class WithoutContext(BaseModel):
    """A model whose `model_dump` has fewer parameters, as in early pydantic 2."""

    number: int

    def model_dump(self, *, mode: str = "python", by_alias: bool = False) -> Any:  # type: ignore[override]
        return super().model_dump(mode=mode, by_alias=by_alias)


def test_a_model_need_not_know_the_context_of_a_publication() -> None:
    with SyncRecordingClient() as client:
        client.publish(Event("numbered", "orders-1", WithoutContext(number=7), "t"))
    assert client.events[0].payload == {"number": 7}
    assert json_value(WithoutContext(number=7)) == {"number": 7}


@pytest.mark.asyncio
async def test_the_version_of_an_event_is_on_the_wire() -> None:
    moved = Moved(order_id=REQUEST, place="Bonn")
    async with RecordingClient() as client:
        shop = Shop(client)
        await shop.publish_order_moved(moved)
        await shop.publish_order_moved_v2(moved)
        published = [
            (event.envelope["event_version"], event.topic) for event in client.events
        ]
    assert published == [
        ("1.0", "shop.order.moved.v1"),
        ("2.0", "shop.order.moved.v2"),
    ]


@pytest.mark.asyncio
async def test_other_clients_get_the_version_in_the_metadata() -> None:
    client = AsyncClient()
    moved = Moved(order_id=REQUEST, place="Bonn")
    await _MOVED_V2.publish(Shop(client), REQUEST, moved)
    (call,) = client.published
    assert call["metadata"]["event_version"] == "2.0"


class Line(EventModel):
    sku: str
    price: DecimalText
    at: DateTime | None = None


class Packed(EventModel):
    order_id: Uuid
    lines: list[Line]
    by_sku: dict[str, Line]
    first: Line | None = None


class SecretLine(Line):
    note: Private[str]


class Sealed(EventModel):
    lines: list[SecretLine]


def test_a_model_with_nested_models_is_published_as_its_fields_are() -> None:
    line = Line.model_validate({"sku": "L", "price": "9.90"})
    packed = Packed(order_id=REQUEST, lines=[line], by_sku={"L": line}, first=None)
    fields = fields_of(packed)
    assert fields is not None
    public = public_fields(Packed)
    assert published_model(packed, Packed, public) == published(fields, public)


def test_a_private_field_of_a_nested_model_is_not_published() -> None:
    line = {"sku": "L", "price": "9.90", "note": "secret"}
    sealed = Sealed.model_validate({"lines": [line]})
    event = DeclaredEvent("sealed", SOURCE, topic="shop.sealed.v1", model=Sealed)
    payload = event.outgoing(Orders(RecordingClient()), sealed).payload
    assert payload["lines"] == [
        {"sku": "L", "price": "9.90", "at": None, "note": "str"}
    ]
    fields = fields_of(sealed)
    assert fields is not None
    public = public_fields(Sealed)
    assert published_model(sealed, Sealed, public) == published(fields, public)


def test_what_was_put_into_a_validated_model_later_stays_private() -> None:
    line = {"sku": "L", "price": "9.90", "note": "secret"}
    sealed = Sealed.model_validate({"lines": [line]})
    lines: list[Any] = sealed.lines  # pydantic freezes the fields, not their lists
    lines.append(line)
    shown = published_model(sealed, Sealed, public_fields(Sealed))
    assert shown is not None
    assert "secret" not in str(shown)
    assert shown["lines"][1]["note"] == "str"


def test_a_model_that_was_not_validated_keeps_its_private_values() -> None:
    line = {"sku": "L", "price": 9.9, "note": 5}
    sealed = Sealed.model_construct(lines=[line])
    shown = published_model(sealed, Sealed, public_fields(Sealed))
    assert shown == {"lines": [{"sku": "L", "price": 9.9, "note": "int"}]}


@dataclass
class Billed:
    """A class that is not generated, with a private field."""

    number: int
    card: Private[str]


def test_private_fields_of_other_classes_are_not_published() -> None:
    event = DeclaredEvent("billed", SOURCE, topic="shop.billed.v1", model=Billed)
    for given in (Billed(7, "4111-1111"), {"number": 7, "card": "4111-1111"}):
        payload = event.outgoing(Orders(RecordingClient()), given).payload
        assert payload == {"number": 7, "card": "str"}
