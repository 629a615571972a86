"""Kafka client for programs without asyncio."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Self, overload

from herald import _client_registry, _settings
from herald._base import Client, raw, receipts, traced
from herald._herald import PendingReceipt, Receipt
from herald.events import Event

if TYPE_CHECKING:
    from uuid import UUID

    from herald.errors import PublishError

__all__ = ["SyncKafkaClient"]


class SyncKafkaClient(Client):
    """Publishes events to Kafka, and gives a receipt for each: for programs without
    asyncio. All methods may be called from any thread; blocking ones let other threads
    run.
    """

    def connect(self) -> None:
        """Opens the spool and the connection. The cluster need not be reachable.

        Raises `SettingsError`. Does nothing if the client is connected. A forked child
        may connect the client of its parent, and has a connection of its own then.
        """
        if not self._has_publisher():
            self._publisher = self._new_publisher()
            _client_registry.add(self)

    def publish_with_envelope(
        self,
        event_type: str,
        source_node_id: str | UUID,
        payload: object,
        topic: str | None = None,
        correlation_id: UUID | str | None = None,
        metadata: object | None = None,
    ) -> Receipt:
        """Publishes an event in the envelope of the client, and waits until it is safe.

        See `KafkaClient.publish_with_envelope`.
        """
        event = Event(
            event_type, source_node_id, payload, topic, correlation_id, metadata
        )
        return self.publish(event)

    def publish(self, event: Event) -> Receipt:
        """Publishes an `Event`, and waits until it is safe."""
        return self.enqueue(event).result()

    def enqueue(self, event: Event) -> PendingReceipt:
        """Enqueues an event, and returns its pending receipt. Blocks only at the
        in-flight limit.
        """
        return self._open_publisher().enqueue(traced(event))

    @overload
    def publish_many(
        self, events: Iterable[Event], *, return_errors: Literal[False] = False
    ) -> list[Receipt]: ...

    @overload
    def publish_many(
        self, events: Iterable[Event], *, return_errors: Literal[True]
    ) -> list[Receipt | PublishError]: ...

    def publish_many(
        self, events: Iterable[Event], *, return_errors: bool = False
    ) -> list[Receipt] | list[Receipt | PublishError]:
        """Publishes events in order, and waits until all are safe.

        See `KafkaClient.publish_many`.
        """
        outcomes = self._open_publisher().send_many([traced(event) for event in events])
        return receipts(outcomes, return_errors)

    def publish_raw(
        self,
        topic: str,
        value: bytes,
        *,
        key: bytes | None = None,
        headers: Mapping[str, bytes] | Sequence[tuple[str, bytes]] = (),
    ) -> Receipt:
        """Publishes a message that is not an event, with the same guarantees."""
        return (
            self._open_publisher().enqueue_raw(raw(topic, value, key, headers)).result()
        )

    def flush(self, timeout: float | None = None) -> int:
        """Waits until the cluster has acknowledged all events, including spooled ones.

        Returns the number of events not acknowledged after the timeout: 0, or those in
        flight and in the spool.
        """
        timeout = _settings.seconds("timeout", timeout)
        began, pause = time.monotonic(), 0.001
        while left := self._open_publisher().undelivered():
            if timeout is not None and time.monotonic() - began >= timeout:
                return left
            time.sleep(pause)
            pause = min(pause * 1.5, 0.05)
        return 0

    def close(self, timeout: float | None = None) -> int:
        """Accepts no more events, waits until all are delivered, and closes the client.

        See `KafkaClient.close`.
        """
        seconds = self._timeout(timeout)
        publisher = self._take_publisher()
        if publisher is None:
            return 0
        spooled, dead, failed = publisher.close(seconds)
        _client_registry.discard(self)
        _client_registry.log_close(spooled, dead, failed)
        return spooled

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
