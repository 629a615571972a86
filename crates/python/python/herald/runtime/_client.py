"""What a publisher needs of a client for Kafka."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol
from uuid import UUID


class KafkaClient(Protocol):
    """What a publisher needs of a client for Kafka."""

    @property
    def is_connected(self) -> bool:
        """Whether publishing has a chance."""
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
        """Wrap a payload in an envelope and publish it; false if it was not taken.

        It may be a coroutine.
        """


class HeraldClient(KafkaClient, Protocol):
    """Herald's own clients, which can do more."""

    def publish(self, event: Any) -> object:
        """Publish an event of which all is said."""

    def try_enqueue(
        self,
        event: Any,
        on_error: Callable[[Exception], object] | None = None,
        *,
        wait_for_room: bool = False,
    ) -> bool:
        """Put an event on its way if there is room; errors come later."""
        ...


@lru_cache(maxsize=256)
def is_heralds(client_type: type) -> bool:
    """Whether the client is one of Herald's, and events may bypass
    `publish_with_envelope`: not where somebody wrote another one.
    """
    if not hasattr(client_type, "try_enqueue"):
        return False
    method = getattr(client_type, "publish_with_envelope", None)
    module = str(getattr(method, "__module__", ""))
    return module.partition(".")[0] == "herald"
