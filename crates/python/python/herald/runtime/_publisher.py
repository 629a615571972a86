"""What generated publishers inherit from."""

import re
from typing import ClassVar
from uuid import UUID

from herald.runtime._client import KafkaClient
from herald.runtime._courier import courier_of


class EventPublisher:
    """Publishes the events of one node.

    Inherit from a generated publisher beside the node's own base class; neither calls
    the other. Publishing never raises: what goes wrong is logged. Cancellation passes.

    Attributes:
        node_id: The node, as source of its events.
        kafka_client: Events are only logged while it is None or not connected.
        default_namespace: First part of the topics, such as `dev`.
        wait_for_receipts: Whether instrumented operations wait until their events are
            safe. With Herald's clients they do not unless this is set, and the log says
            "Published" of what the client took; other clients are always awaited where
            that is possible.
        redactions: What the contract calls a secret, beside what is one anywhere.
    """

    node_id: UUID | str
    kafka_client: KafkaClient | None
    default_namespace: str
    wait_for_receipts: bool = False
    redactions: ClassVar[tuple[re.Pattern[str], ...]] = ()

    @property
    def failed_events(self) -> int:
        """Events of instrumented operations that were on their way and got lost; the
        log says which.
        """
        return courier_of(self).failed

    async def drain(self) -> None:
        """Waits for events of synchronous operations that are on their way through a
        client for asyncio other than Herald's.
        """
        await courier_of(self).drain()
