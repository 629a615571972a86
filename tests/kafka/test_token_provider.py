"""Logins with the tokens of a function, at a real Kafka."""

import asyncio
import base64
import json
import os
import time
from collections.abc import Callable

import herald
import pytest

from broker import Broker

SERVERS = os.environ.get("KAFKA_SASL_SSL_SERVERS", "")
pytestmark = pytest.mark.skipif(
    not SERVERS, reason="needs a listener with logins: `scripts/kafka run` with OpenSSL"
)

Token = str | tuple[str, float]


def token(seconds: float) -> str:
    """Token of `alice` that nobody has signed."""
    now = time.time()
    claims = {"sub": "alice", "iat": now, "exp": now + seconds}
    parts = [{"alg": "none"}, claims]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()) for part in parts]
    return ".".join(part.decode().rstrip("=") for part in encoded) + "."


def client(provider: Callable[[], Token], **settings: object) -> herald.KafkaClient:
    properties = {
        "security.protocol": "sasl_ssl",
        "sasl.mechanism": "OAUTHBEARER",
        "ssl.ca.location": f"{os.environ['KAFKA_CERTIFICATES']}/ca.pem",
        **settings,
    }
    return herald.KafkaClient(
        SERVERS,
        service="shop",
        properties=properties,
        token_provider=provider,
        close_timeout=1,
    )


async def publish(client: herald.KafkaClient, topic: str) -> herald.Receipt:
    return await client.publish_with_envelope("order.placed", "orders-1", {}, topic)


@pytest.mark.parametrize("transport", ["native", "librdkafka"])
def test_a_function_gives_the_tokens(broker: Broker, transport: str) -> None:
    topic = f"{broker.namespace}.orders"
    broker.create([topic])
    calls = []

    def provider() -> Token:
        calls.append(time.time())
        return token(3_600), time.time() + (4 if len(calls) == 1 else 3_600)

    async def main() -> None:
        async with client(provider, transport=transport) as connected:
            assert (await publish(connected, topic)).is_delivered
            # The session of the broker ends after 5 seconds.
            await asyncio.sleep(6)
            assert (await publish(connected, topic)).is_delivered

    asyncio.run(main())
    assert len(calls) == 2


def milliseconds() -> Token:
    return token(3_600), (time.time() + 3_600) * 1000


def bytes_instead() -> Token:
    return token(3_600).encode()  # type: ignore[return-value]


def broken() -> Token:
    raise PermissionError("the role may not be assumed")


@pytest.mark.parametrize(
    ("provider", "part"),
    [
        (broken, "PermissionError: the role may not be assumed"),
        (bytes_instead, "since 1970, not bytes"),
        (milliseconds, "in milliseconds"),
        (lambda: "", "is empty"),
    ],
)
def test_without_a_token_events_are_spooled_and_the_reason_is_logged(
    broker: Broker,
    caplog: pytest.LogCaptureFixture,
    provider: Callable[[], Token],
    part: str,
) -> None:
    topic = f"{broker.namespace}.orders"
    broker.create([topic])

    async def main() -> None:
        async with client(provider) as connected:
            assert not (await publish(connected, topic)).is_delivered

    with caplog.at_level("WARNING"):
        asyncio.run(main())
    assert part in caplog.text


def test_an_async_function_is_refused() -> None:
    async def provider() -> str:
        return ""

    with pytest.raises(herald.SettingsError, match="a coroutine function"):
        client(provider)  # type: ignore[arg-type]


def test_the_mechanism_is_needed() -> None:
    refused = client(lambda: "", **{"sasl.mechanism": "PLAIN"})

    async def main() -> None:
        await refused.connect()

    with pytest.raises(herald.SettingsError, match=r"sasl\.mechanism=OAUTHBEARER"):
        asyncio.run(main())
