"""Source of events: the node of a generated module."""

from enum import Enum
from typing import Any, Protocol


class Topics(Protocol):
    """Topics by the names of event types, such as an enumeration of topics."""

    def __getitem__(self, name: str, /) -> str:
        """Returns the topic of an event type."""


class EventSource:
    """Node that publishes events, as its contract describes it.

    Args:
        service_name: The node's service.
        topics: Topics by the names of event types; `{namespace}` stands for the
            publisher's.
        node_type: Kind of the node, if any.
    """

    def __init__(
        self,
        service_name: str,
        topics: Topics | None = None,
        *,
        node_type: str | None = None,
    ) -> None:
        self.service_name = service_name
        self.node_type = node_type
        self._topics = topics

    def topic(self, event_type: str, topic: str | None) -> str:
        """Returns the given topic, else that of the event type."""
        if topic is None:
            if self._topics is None or not isinstance(event_type, Enum):
                raise TypeError(f"the topic of {event_type} is missing: pass `topic`")
            topic = self._topics[event_type.name]
        return str(topic)

    def metadata(self, **more: Any) -> dict[str, Any]:
        """Returns the metadata that all events of the node have, with more behind."""
        metadata = {"service_name": self.service_name, **more}
        if self.node_type is None:
            return metadata
        return {"node_type": self.node_type, **metadata}
