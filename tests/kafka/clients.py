"""Clients that generated code can publish through: two as small as they can be, and
Herald's.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Protocol, Self
from uuid import UUID

from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]
from aiokafka.errors import KafkaError as AiokafkaError  # type: ignore[import-untyped]
from confluent_kafka import KafkaError, KafkaException, Message, Producer
from herald import KafkaClient

import envelope


class Client(Protocol):
    """Connects on entry, if it can."""

    @property
    def is_connected(self) -> bool: ...

    async def publish_with_envelope(
        self,
        *,
        event_type: str,
        source_node_id: str,
        payload: dict[str, Any],
        topic: str,
        correlation_id: UUID | None,
        metadata: dict[str, Any],
    ) -> object: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *_: object) -> None: ...


def herald(bootstrap: str) -> KafkaClient:
    """Herald's own client. HERALD_SPOOL sets its spool."""
    return KafkaClient(
        bootstrap,
        service=envelope.SOURCE_SERVICE,
        service_version=envelope.SOURCE_VERSION,
        environment=envelope.ENVIRONMENT,
    )


class HandWritten:
    """A client without a spool: each publish ends within `seconds`."""

    def __init__(self, bootstrap: str, seconds: float = 60) -> None:
        self.bootstrap = bootstrap
        self.seconds = seconds
        self.is_connected = False

    async def __aenter__(self) -> Self:
        self.is_connected = await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def publish_with_envelope(
        self,
        *,
        event_type: str,
        source_node_id: str,
        payload: dict[str, Any],
        topic: str,
        correlation_id: UUID | None,
        metadata: dict[str, Any],
    ) -> bool:
        message = envelope.seal(
            event_type=event_type,
            source_node_id=source_node_id,
            payload=payload,
            correlation_id=correlation_id,
            metadata=metadata,
        )
        await self.send(topic, message)
        return True

    async def connect(self) -> bool:
        raise NotImplementedError

    async def send(self, topic: str, message: envelope.Message) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError


class Aiokafka(HandWritten):
    async def connect(self) -> bool:
        self.producer = AIOKafkaProducer(
            bootstrap_servers=self.bootstrap, acks="all", enable_idempotence=True
        )
        try:
            await asyncio.wait_for(self.producer.start(), self.seconds)
        except (AiokafkaError, TimeoutError):
            return False
        return True

    async def send(self, topic: str, message: envelope.Message) -> None:
        sent = self.producer.send_and_wait(
            topic, message.value, key=message.key, headers=message.headers
        )
        await asyncio.wait_for(sent, self.seconds)

    async def close(self) -> None:
        # With the broker away it would wait for what can't be sent any more.
        with suppress(TimeoutError):
            await asyncio.wait_for(self.producer.stop(), self.seconds)


class Confluent(HandWritten):
    async def connect(self) -> bool:
        self.producer = Producer(
            {
                "bootstrap.servers": self.bootstrap,
                "enable.idempotence": True,
                "partitioner": "murmur2_random",
                "log_level": 0,
            }
        )
        try:
            await asyncio.to_thread(self.producer.list_topics, timeout=self.seconds)
        except KafkaException:
            return False
        return True

    async def send(self, topic: str, message: envelope.Message) -> None:
        await asyncio.to_thread(self._deliver, topic, message)

    def _deliver(self, topic: str, message: envelope.Message) -> None:
        outcome: Future[None] = Future()

        def report(error: KafkaError | None, _: Message) -> None:
            if error is None:
                outcome.set_result(None)
            else:
                outcome.set_exception(KafkaException(error))

        self.producer.produce(
            topic,
            message.value,
            key=message.key,
            headers=[*message.headers],
            on_delivery=report,
        )
        self.producer.flush(self.seconds)
        # The flush of another thread may be about to call `report`.
        outcome.result(self.seconds)

    async def close(self) -> None:
        await asyncio.to_thread(self.producer.flush, self.seconds)


HAND_WRITTEN: list[type[HandWritten]] = [Aiokafka, Confluent]
CLIENTS: list[Callable[[str], Client]] = [*HAND_WRITTEN, herald]
