"""Base class of generated publishers."""

import re
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Protocol, Self
from uuid import UUID

from herald.runtime._client import EventClient
from herald.runtime._send_queue import send_queue_of
from herald.runtime._source import namespace_of


class OperationMetrics(Protocol):
    """Protocol for measuring operations, such as `herald.metrics.NodeMetrics`."""

    def track(self, operation: str, /) -> AbstractContextManager[object]:
        """Returns a scope that measures one run of an operation."""


class EventPublisher:
    """Publishes the events of one node.

    Inherit from a generated publisher beside the node's own base class; neither calls
    the other. Publishing never raises: failures are logged. Cancellation passes.

    Attributes:
        node_id: Id of the node, the source of its events.
        kafka_client: Events are only logged while it is None or not connected.
        default_namespace: First part of the topics, such as `dev`. Needed only if
            neither the client nor the contract has a namespace; else it must not
            contradict the client's.
        wait_for_receipts: Whether instrumented operations wait for the receipts of
            their events. By default they don't with Herald's clients, and the log
            reports "Published" once the client accepted an event; other clients are
            always awaited if possible.
        node_metrics: Counts and times instrumented operations: `OperationMetrics`.
        redactions: Patterns of secrets from the contract, in addition to the built-in
            ones.
    """

    node_id: UUID | str
    kafka_client: EventClient | None
    default_namespace: str
    wait_for_receipts: bool = False
    # Any: a class may declare it as its `NodeMetrics`, which no narrower type allows.
    node_metrics: Any = None
    redactions: ClassVar[tuple[re.Pattern[str], ...]] = ()

    @classmethod
    def with_client(
        cls,
        client: EventClient | None,
        *,
        node_id: UUID | str,
        namespace: str | None = None,
    ) -> Self:
        """Returns a publisher, for programs without a class of their own for the node.
        It does not call `__init__`.

        Args:
            client: Kafka client, such as `herald.KafkaClient`.
            node_id: Id of the node, the source of its events.
            namespace: First part of the topics; by default that of the client, else
                that of the contract.

        Raises:
            PublishError: The client has another namespace.
        """
        publisher = cls.__new__(cls)
        publisher.kafka_client = client
        publisher.node_id = node_id
        if namespace is not None:
            publisher.default_namespace = namespace
            namespace_of(publisher)
        return publisher

    @property
    def failed_events(self) -> int:
        """Number of events of instrumented operations that failed after a client
        accepted them; the log names them.
        """
        return send_queue_of(self).failed

    async def drain(self) -> None:
        """Waits for queued events of synchronous operations with an asyncio client
        other than Herald's.
        """
        await send_queue_of(self).drain()
