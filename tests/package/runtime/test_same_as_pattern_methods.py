"""Publishers say on the wire and in the log what the methods of
`EventPublishingPatternGenerator` say.
"""

import asyncio
import logging
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from herald.codegen.patterns import EventPublishingPatternGenerator
from herald.runtime import redact_secrets

from shop import REQUEST, AsyncClient, Orders

CALLS: dict[str, tuple[Any, ...]] = {
    "place_started": (REQUEST, {"order_id": REQUEST, "card": 4711}),
    "place_completed": (REQUEST, {"total": Decimal("1.5")}, 12.5, {"try": 2}),
    "place_failed": (REQUEST, ValueError("password=x"), 3.0),
    "state_changed": (REQUEST, "idle", "busy", "order"),
    "metric_recorded": ("latency", 2.5, "ms"),
}
BAD_CALLS: dict[str, tuple[Any, ...]] = {
    "place_started": (REQUEST, None),
    "place_completed": (REQUEST, 7, 12.5),
}


def peer() -> type:
    """A class around the generated methods."""
    generator = EventPublishingPatternGenerator("effect", "orders", ["place"])
    module: dict[str, Any] = {}
    code = f"{generator.generate_imports()}\n\nfrom datetime import UTC, datetime\n"
    methods = generator.generate_all_event_methods()
    exec(f"{code}\n\nclass Node:\n{methods}", module)
    node: type = module["Node"]
    return node


def made(of_type: Callable[..., Any], client: Any) -> Any:
    node = of_type(client) if of_type is Orders else of_type()
    node.node_id = "orders-1"
    node.kafka_client = client
    node.default_namespace = "dev"
    return node


def said(
    node: Any, method: str, arguments: tuple[Any, ...], caplog: pytest.LogCaptureFixture
) -> list[Any]:
    """All that is sent and logged, but for the time."""
    caplog.clear()
    asyncio.run(getattr(node, f"_publish_{method}_event")(*arguments))
    lines = [
        (record.name, record.levelname, vars(record)["event_context"], text_of(record))
        for record in caplog.records
        if record.name == "herald.events"
    ]
    client = node.kafka_client
    found = [*(client.published if client else []), *lines]
    return [without_time(part) for part in found]


def text_of(record: logging.LogRecord) -> str:
    """The message without its fields."""
    return record.getMessage().partition(" {")[0]


def without_time(value: Any) -> Any:
    if isinstance(value, dict):
        # Their order is compared as well.
        return [
            (key, "now" if key.endswith("_at") else without_time(part))
            for key, part in value.items()
        ]
    if isinstance(value, tuple):
        return tuple(without_time(part) for part in value)
    return value


@pytest.mark.parametrize("answer", [True, False, None, OSError("token=abc")])
@pytest.mark.parametrize("method", CALLS)
def test_a_client_that_is_connected(
    method: str, answer: object, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "herald.events")
    ours, theirs = made(Orders, AsyncClient(answer)), made(peer(), AsyncClient(answer))
    arguments = CALLS[method]
    if method == "place_started":  # the peer knows no public fields
        arguments = (REQUEST, {"card": 4711, "address": None})
    expected = said(theirs, method, arguments, caplog)
    assert len(expected) == 2
    assert said(ours, method, arguments, caplog) == expected


@pytest.mark.parametrize("client", [None, AsyncClient(is_connected=False)])
@pytest.mark.parametrize("method", CALLS)
def test_no_connection(
    method: str, client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "herald.events")
    arguments = CALLS[method]
    if method == "place_started":
        arguments = (REQUEST, {"card": 4711})
    expected = said(made(peer(), client), method, arguments, caplog)
    assert len(expected) == 1
    if client is not None:
        client.published.clear()
    found = said(made(Orders, client), method, arguments, caplog)
    assert str(found) == str(expected)


@pytest.mark.parametrize("method", BAD_CALLS)
def test_arguments_that_do_not_fit_are_a_warning(
    method: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "herald.events")
    ours, theirs = made(Orders, AsyncClient()), made(peer(), AsyncClient())
    [expected] = said(theirs, method, BAD_CALLS[method], caplog)
    [found] = said(ours, method, BAD_CALLS[method], caplog)
    # The reason is Python's there, and names what is expected here.
    assert found[:2] == expected[:2] == ("herald.events", "WARNING")
    assert [key for key, _ in found[2]] == [key for key, _ in expected[2]]


def test_cancellation_passes() -> None:
    async def scenario() -> None:
        node = made(Orders, AsyncClient(seconds=60))
        task = asyncio.create_task(
            node._publish_state_changed_event(REQUEST, "a", "b", "c")
        )
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())


SECRETS = [
    "password=hunter2",
    "Authorization: Bearer abc.def",
    "postgres://bob:hunter2@db/x",
    "-----BEGIN RSA PRIVATE KEY-----\nabc",
    "nothing to hide",
    "x" * 5_000 + " token: abc",
    "token: abc" + "y" * 9_000,
    "('api_key', 'abc') and ghp_0123456789abcdefABCD",
]


def test_masks_the_same_secrets() -> None:
    generator = EventPublishingPatternGenerator("effect", "orders", ["place"])
    module: dict[str, Any] = {}
    exec(generator.generate_imports(), module)
    for text in SECRETS:
        assert redact_secrets(text) == module["redact_secrets"](text)
    assert redact_secrets(SECRETS[0]) == "password=***"


def test_a_contract_has_secrets_of_its_own() -> None:
    client = AsyncClient()
    error = ValueError("no credit for CUST-4711")
    asyncio.run(Orders(client)._publish_place_failed_event(REQUEST, error, 1.0))
    [event] = client.published
    assert event["payload"]["error_message"] == "no credit for ***"


def test_a_declared_event_has_its_key_and_hides_what_is_private(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "herald.events")
    client = AsyncClient()
    payload = {"order_id": 7, "total": Decimal("9.90"), "email": "a@b.c"}
    asyncio.run(Orders(client)._publish_order_placed_event(REQUEST, payload, {"n": 1}))
    assert client.published == [
        {
            "event_type": "order.placed",
            "source_node_id": "orders-1",
            "payload": {
                "order_id": 7,
                "total": "9.90",
                "email": "str",
                "metadata": {"n": 1},
            },
            "topic": "shop.order.placed.v1",
            "correlation_id": REQUEST,
            "metadata": {
                "node_type": "effect",
                "service_name": "orders",
                "event_category": "declared",
                "partition_key": "7",
            },
        }
    ]
    [line] = [r for r in caplog.records if r.name == "herald.events"]
    assert line.levelname == "INFO"
    assert line.getMessage().startswith("Published order.placed event {")
