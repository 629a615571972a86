"""The Kafka client of generated code, for asyncio."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Self, overload

from herald import _running, _settings
from herald._base import Client, raw, receipts, traced
from herald._herald import Publisher, Receipt
from herald._mailboxes import Mailboxes
from herald._trace import current_traceparent

if TYPE_CHECKING:
    from uuid import UUID

    from herald._herald import Mailbox
    from herald.errors import PublishError
    from herald.events import Event

__all__ = ["KafkaClient"]


class KafkaClient(Client):
    """Publishes events to Kafka, and gives a receipt for each: for asyncio.

    A client may be used from several event loops and threads; what it needs of a loop
    is `add_reader`, which those of Unix have. A forked child needs a client of its own.
    """

    _mailboxes: Mailboxes

    async def connect(self) -> None:
        """Opens the spool and the connection. The cluster need not be reachable.

        Raises `SettingsError`. Called again, it changes nothing.
        """
        if self._publisher is None:
            opened = await asyncio.to_thread(Publisher, self._settings)
            if self._publisher is None:
                self._mailboxes = Mailboxes()
                self._publisher = opened
                _running.started(self)
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
        """Publishes an event in an OnexEnvelopeV1, and waits until it is safe.

        Payload and metadata are mappings, dataclasses or pydantic models. Without a
        topic it goes to `{namespace}.{service}.{event_type}.v1`, or what
        `topic_pattern` says. Events of one topic and key reach the cluster in the order
        of the calls. Cancelling does not take back an event that is on its way.

        Raises `PublishError`, and `PayloadError` for what is not JSON.
        """
        return await self._running().publish(
            self._mailboxes.here(),
            event_type,
            source_node_id,
            payload,
            topic,
            correlation_id,
            metadata,
            current_traceparent(),
        )

    async def publish(self, event: Event) -> Receipt:
        """The same for an event of which more is to be said."""
        return await self._running().publish_event(
            self._mailboxes.here(), traced(event)
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
        """Publishes events in their order, and waits until all are safe.

        All are checked before the first is sent. When some get no receipt, the first
        error is raised once all have ended; with `return_errors` each stands in the
        list instead.
        """
        outcomes = await self._running().publish_many(
            self._mailboxes.here(), [traced(event) for event in events]
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
        """Publishes bytes as they are, with the same promises."""
        message = raw(topic, value, key, headers)
        return await self._running().publish_raw(self._mailboxes.here(), message)

    async def flush(self, timeout: float | None = None) -> int:
        """Waits until the cluster has everything, also what waits in the spool.

        Gives how many events it has not got when the time is over: 0, or what is in
        flight and in the spool.
        """
        timeout = _settings.seconds("timeout", timeout)
        began, pause = time.monotonic(), 0.001
        while left := self._running().undelivered():
            if timeout is not None and time.monotonic() - began >= timeout:
                return left
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.05)
        return 0

    async def close(self, timeout: float | None = None) -> int:
        """Takes no more events, waits until all are delivered, and ends.

        After `timeout` seconds (`close_timeout` unless given) what the cluster has not
        acknowledged is in the spool; the result says how many. While the cluster is
        unreachable there is nothing to wait for. Called again, it gives 0.
        """
        seconds = self._timeout(timeout)
        publisher, self._publisher = self._publisher, None
        if publisher is None:
            return 0
        spooled, dead, failed = await asyncio.to_thread(publisher.close, seconds)
        _running.ended(self)
        self._mailboxes.leave()
        _running.report(spooled, dead, failed)
        return spooled

    def _line(self) -> Mailbox | None:
        return self._mailboxes.known()

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
