"""Kafka client protocol of publishers."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol
from uuid import UUID


class EventClient(Protocol):
    """Protocol of the clients of publishers, such as `herald.KafkaClient`."""

    @property
    def is_connected(self) -> bool:
        """Whether the client accepts events."""
        ...

    def publish_with_envelope(
        self,
        *,
        event_type: str,
        source_node_id: str,
        payload: dict[str, Any],
        topic: str,
        correlation_id: UUID | None,
        metadata: dict[str, Any],
    ) -> object:
        """Wrap a payload in an envelope and publish it. Falsy if it was not accepted.

        It may be a coroutine.
        """


class HeraldClient(EventClient, Protocol):
    """Protocol of Herald's own clients."""

    def publish(self, event: Any) -> object:
        """Publish an event with all its fields."""

    def try_enqueue(
        self,
        event: Any,
        on_error: Callable[[Exception], object] | None = None,
        *,
        block: bool = False,
    ) -> bool:
        """Enqueue an event unless the in-flight limit is reached; errors are reported
        later.
        """
        ...


@lru_cache(maxsize=256)
def is_herald_client(client_type: type) -> bool:
    """Whether the client is one of Herald's and does not override
    `publish_with_envelope`, so that events may bypass that method.
    """
    if not hasattr(client_type, "try_enqueue"):
        return False
    method = getattr(client_type, "publish_with_envelope", None)
    module = str(getattr(method, "__module__", ""))
    return module.partition(".")[0] == "herald"
