"""Namespace of topics, and service of events: each comes from one place."""

import asyncio
import logging
from typing import Any

import pytest
from herald import KafkaClient, PublishError
from herald.lifecycle import Lifecycle, LifecycleError
from herald.runtime import (
    EventPublisher,
    EventSource,
    OpenEvent,
    PublishMethod,
    logged_method,
)
from herald.testing import RecordingClient

from shop import REQUEST, AsyncClient

_NOTED = OpenEvent(
    "noted",
    EventSource("orders", namespace="contract"),
    topic="{namespace}.noted.v1",
)
_OPEN = OpenEvent("open", EventSource("orders"), topic="{namespace}.open.v1")


class Orders(EventPublisher):
    publish_noted = PublishMethod(_NOTED)
    publish_open = PublishMethod(_OPEN)
    _publish_noted_event = logged_method(_NOTED.publish)

    def __init__(self, client: Any) -> None:
        self.node_id = "orders-1"
        self.kafka_client = client


async def topics(namespace: str | None, own: str | None = None) -> list[str]:
    async with RecordingClient(namespace=namespace) as client:
        orders = Orders(client)
        if own is not None:
            orders.default_namespace = own
        await orders.publish_noted({})
        await orders.publish_open({})
        return [event.topic.partition(".")[0] for event in client.events]


@pytest.mark.asyncio
async def test_the_namespace_is_that_of_the_client_else_of_the_contract(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("HERALD_NAMESPACE", raising=False)
    assert await topics("client") == ["client", "client"]
    assert await topics(None) == ["contract", "dev"]
    assert await topics(None, own="own") == ["own", "own"]
    assert await topics("same", own="same") == ["same", "same"]
    monkeypatch.setenv("HERALD_NAMESPACE", "env")
    assert await topics(None) == ["env", "env"]
    assert await topics("client") == ["client", "client"]


@pytest.mark.asyncio
async def test_other_clients_have_no_namespace() -> None:
    client = AsyncClient()
    vars(client)["namespace"] = "of something else"
    await Orders(client)._publish_noted_event(REQUEST, {})
    assert client.published[0]["topic"] == "contract.noted.v1"


def test_contradicting_namespaces_are_an_error_at_the_start() -> None:
    client = KafkaClient("127.0.0.1:1", namespace="prod", spool=None)
    with pytest.raises(PublishError, match=r"'dev'.*'prod'") as caught:
        Orders.with_client(client, node_id="n", namespace="dev")
    assert caught.value.code == "namespace_conflict"
    orders = Orders(client)
    orders.default_namespace = "dev"
    with pytest.raises(LifecycleError, match=r"'dev'.*'prod'"):
        asyncio.run(Lifecycle(orders).start())


@pytest.mark.asyncio
async def test_contradicting_namespaces_publish_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with RecordingClient(namespace="prod") as client:
        orders = Orders(client)
        orders.default_namespace = "dev"
        with pytest.raises(PublishError, match="set one of them"):
            await orders.publish_noted({})
        await orders._publish_noted_event(REQUEST, {})
        assert client.events == []
    [line] = [r for r in caplog.records if r.name == "herald.events"]
    assert (line.levelno, "'prod'" in line.getMessage()) == (logging.WARNING, True)


@pytest.mark.asyncio
async def test_the_service_is_that_of_the_contract() -> None:
    async with RecordingClient(service="other") as client:
        orders = Orders(client)
        await orders.publish_noted({})
        await orders._publish_noted_event(REQUEST, {})
        await client.publish_with_envelope("x.y", "n", {})
    services = [event.envelope["source_service"] for event in client.events]
    assert services == ["orders", "orders", "other"]
