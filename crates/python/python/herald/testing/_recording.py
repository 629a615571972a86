"""Clients that publish to an in-memory cluster and expose its events."""

from __future__ import annotations

from types import EllipsisType
from typing import TYPE_CHECKING, Self

from herald import _client_registry
from herald._base import Client
from herald._completion_queues import CompletionQueues
from herald._herald import MemoryCluster, Publisher
from herald.client import KafkaClient
from herald.sync import SyncKafkaClient
from herald.testing import _events, _messages
from herald.testing._events import PublishedEvent
from herald.testing._expectation import Expectation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from herald._settings import PathLike


class Recording(Client):
    """Base class of recording clients."""

    cluster: MemoryCluster
    """Cluster that the client publishes to; it fails on demand."""

    def __init__(
        self,
        *,
        service: str | None = None,
        service_version: str | None = None,
        environment: str | None = None,
        instance: str | None = None,
        region: str | None = None,
        namespace: str | None = None,
        topic_pattern: str | None = None,
        envelope: str | None = None,
        headers: Sequence[str] | None = None,
        spool: PathLike | None = None,
        deadline: float | None = None,
        config: PathLike | None = None,
        cluster: MemoryCluster | None = None,
    ) -> None:
        self.cluster = MemoryCluster() if cluster is None else cluster
        self._cleared = len(self.cluster.written())
        super().__init__(
            service=service,
            service_version=service_version,
            environment=environment,
            instance=instance,
            region=region,
            namespace=namespace,
            topic_pattern=topic_pattern,
            envelope=envelope,
            headers=headers,
            spool=spool,
            deadline=deadline,
            close_timeout=1.0,
            config=config,
            cluster=self.cluster,
        )

    @property
    def events(self) -> list[PublishedEvent]:
        """All published events in order, also after `close`.

        Messages of `publish_raw` are in `cluster.messages(topic)`.
        """
        return _events.events(self.cluster, self._cleared)

    def of_type(self, event_type: str) -> list[PublishedEvent]:
        """Returns the events of a type."""
        return [event for event in self.events if event.event_type == event_type]

    def clear(self) -> None:
        """Forgets the events published so far."""
        self._cleared = len(self.cluster.written())

    def assert_published(
        self,
        event_type: str,
        *,
        payload: object = ...,
        metadata: object = ...,
        correlation_id: UUID | str | EllipsisType | None = ...,
        topic: str | EllipsisType = ...,
        key: bytes | str | EllipsisType | None = ...,
        times: int | None = None,
    ) -> PublishedEvent:
        """Asserts that an event was published, or exactly `times` such events, and
        returns the first one.

        In `payload` and `metadata` a mapping matches any mapping that contains it, at
        any depth. A `UUID`, a `Decimal` and the like match their JSON; a type matches
        its instances, a function the values it returns true for. Omitted arguments
        match anything.
        """
        __tracebackhide__ = True
        if times is not None and times < 1:
            raise ValueError("times must be 1 or more; see assert_not_published")
        expected = Expectation(
            event_type, topic, key, correlation_id, payload, metadata
        )
        events = self.events
        matching = [event for event in events if not expected.differences(event)]
        if not matching or times not in (None, len(matching)):
            in_flight = self.stats().in_flight if self.is_connected else 0
            raise AssertionError(
                _messages.missing(expected, times, len(matching), events, in_flight)
            )
        return matching[0]

    def assert_not_published(
        self,
        event_type: str | EllipsisType = ...,
        *,
        payload: object = ...,
        metadata: object = ...,
        correlation_id: UUID | str | EllipsisType | None = ...,
        topic: str | EllipsisType = ...,
        key: bytes | str | EllipsisType | None = ...,
    ) -> None:
        """Asserts that no such event was published; without arguments, none at all."""
        __tracebackhide__ = True
        expected = Expectation(
            event_type, topic, key, correlation_id, payload, metadata
        )
        events = self.events
        matching = [event for event in events if not expected.differences(event)]
        if matching:
            raise AssertionError(_messages.unwanted(expected, matching, events))

    def __repr__(self) -> str:
        state = "connected" if self.is_connected else "not connected"
        return f"<{type(self).__name__} {len(self.events)} events, {state}>"


class RecordingClient(Recording, KafkaClient):
    """`KafkaClient` with an in-memory cluster of its own, for tests: payloads, topics,
    keys and errors are those of production.

    There is no spool by default, so an event that the cluster does not acknowledge
    within `deadline` seconds is an error. Connect with `async with`, or with `with` if
    there is no event loop.
    """

    async def connect(self) -> None:
        """Connects to the in-memory cluster."""
        self._open()

    def _open(self) -> None:
        if not self._has_publisher():
            self._completion_queues = CompletionQueues()
            self._publisher = Publisher(self._settings, [])
            _client_registry.add(self)

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(self, *_: object) -> None:
        publisher = self._take_publisher()
        if publisher is not None:
            _client_registry.log_close(*publisher.close(self._close_timeout))
            _client_registry.discard(self)
            self._completion_queues.release_all()


class SyncRecordingClient(Recording, SyncKafkaClient):
    """`SyncKafkaClient` with an in-memory cluster of its own, for tests."""
