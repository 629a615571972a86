"""Kafka client for asyncio."""

from __future__ import annotations

import asyncio
import concurrent.futures.thread  # noqa: F401 - not lazily, while a thread may fork
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Self, overload

from herald import _client_registry, _settings
from herald._base import Client, raw, receipts, traced
from herald._completion_queues import CompletionQueues
from herald._herald import Receipt
from herald._trace import current_traceparent

if TYPE_CHECKING:
    from uuid import UUID

    from herald._herald import CompletionQueue
    from herald.errors import PublishError
    from herald.events import Event

__all__ = ["KafkaClient"]


class KafkaClient(Client):
    """Publishes events to Kafka, and gives a receipt for each: for asyncio.

    A client may be used from several event loops and threads. A loop without
    `add_reader`, such as asyncio's on Windows, is woken by a thread. A forked child has
    to connect the client again, or to create one of its own.
    """

    _completion_queues: CompletionQueues

    async def connect(self) -> None:
        """Opens the spool and the connection. The cluster need not be reachable.

        Raises `SettingsError`. Does nothing if the client is connected. A forked child
        may connect the client of its parent, and has a connection of its own then.
        """
        if not self._has_publisher():
            opened = await asyncio.to_thread(self._new_publisher)
            if not self._has_publisher():
                self._completion_queues = CompletionQueues()
                self._publisher = opened
                _client_registry.add(self)
            else:
                await asyncio.to_thread(opened.close, 0)

    async def publish_with_envelope(
        self,
        event_type: str,
        source_node_id: str | UUID,
        payload: object,
        topic: str | None = None,
        correlation_id: UUID | str | None = None,
        metadata: object | None = None,
    ) -> Receipt:
        """Publishes an event in the envelope of the client, and waits until it is safe.

        Payload and metadata are mappings, dataclasses or pydantic models. Without a
        topic it goes to `{namespace}.{service}.{event_type}.v1`, or the topic of
        `topic_pattern`. Events of one topic and key reach the cluster in call order.
        Cancelling does not withdraw an event in flight.

        Raises `PublishError`, and `PayloadError` for values that are not JSON.
        """
        return await self._open_publisher().publish(
            self._completion_queues.current(),
            event_type,
            source_node_id,
            payload,
            topic,
            correlation_id,
            metadata,
            current_traceparent(),
        )

    async def publish(self, event: Event) -> Receipt:
        """Publishes an `Event`, and waits until it is safe."""
        return await self._open_publisher().publish_event(
            self._completion_queues.current(), traced(event)
        )

    @overload
    async def publish_many(
        self, events: Iterable[Event], *, return_errors: Literal[False] = False
    ) -> list[Receipt]: ...

    @overload
    async def publish_many(
        self, events: Iterable[Event], *, return_errors: Literal[True]
    ) -> list[Receipt | PublishError]: ...

    async def publish_many(
        self, events: Iterable[Event], *, return_errors: bool = False
    ) -> list[Receipt] | list[Receipt | PublishError]:
        """Publishes events in order, and waits until all are safe.

        All are checked before the first is sent. If some get no receipt, the first
        error is raised once all have ended; with `return_errors` errors are in the list
        instead.
        """
        outcomes = await self._open_publisher().publish_many(
            self._completion_queues.current(), [traced(event) for event in events]
        )
        return receipts(outcomes, return_errors)

    async def publish_raw(
        self,
        topic: str,
        value: bytes,
        *,
        key: bytes | None = None,
        headers: Mapping[str, bytes] | Sequence[tuple[str, bytes]] = (),
    ) -> Receipt:
        """Publishes a message that is not an event, with the same guarantees."""
        message = raw(topic, value, key, headers)
        return await self._open_publisher().publish_raw(
            self._completion_queues.current(), message
        )

    async def flush(self, timeout: float | None = None) -> int:
        """Waits until the cluster has acknowledged all events, including spooled ones.

        Returns the number of events not acknowledged after the timeout: 0, or those in
        flight and in the spool.
        """
        timeout = _settings.seconds("timeout", timeout)
        began, pause = time.monotonic(), 0.001
        while left := self._open_publisher().undelivered():
            if timeout is not None and time.monotonic() - began >= timeout:
                return left
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.05)
        return 0

    async def close(self, timeout: float | None = None) -> int:
        """Accepts no more events, waits until all are delivered, and closes the client.

        After `timeout` seconds (`close_timeout` unless given) what the cluster has not
        acknowledged stays in the spool; the result is the number of these events. While
        the cluster is unreachable, it does not wait. Called again, it returns 0.
        """
        seconds = self._timeout(timeout)
        publisher = self._take_publisher()
        if publisher is None:
            return 0
        spooled, dead, failed = await asyncio.to_thread(publisher.close, seconds)
        _client_registry.discard(self)
        self._completion_queues.release()
        _client_registry.log_close(spooled, dead, failed)
        return spooled

    def _queue_of_loop(self) -> CompletionQueue | None:
        return self._completion_queues.existing()

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
