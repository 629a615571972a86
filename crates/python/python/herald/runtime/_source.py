"""Source of events: the node of a generated module, and the namespace of its topics."""

from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Protocol
from weakref import WeakSet

from herald.runtime._errors import PublishError

if TYPE_CHECKING:
    from herald.runtime._publisher import EventPublisher

DEFAULT_NAMESPACE: Final = "dev"


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
        namespace: First part of the topics, unless the client or the publisher has one.
        envelope: Envelope profile of the events, unless that of the client is used.
        headers: Names of the headers to write, among those that repeat the envelope,
            unless those of the client are used.
    """

    def __init__(
        self,
        service_name: str,
        topics: Topics | None = None,
        *,
        node_type: str | None = None,
        namespace: str | None = None,
        envelope: str | None = None,
        headers: Sequence[str] | None = None,
    ) -> None:
        self.envelope = envelope
        self.headers = headers
        self.service_name = service_name
        self.node_type = node_type
        self.namespace = namespace
        self._topics = topics
        _sources.add(self)

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


_sources: WeakSet[EventSource] = WeakSet()


def known_topics(namespace: str | None) -> list[str]:
    """Returns the topics of all generated modules that this process has imported.
    Without a namespace, those that contain one are left out: publishers may have their
    own.
    """
    found = set()
    for source in list(_sources):
        # Those of an enumeration; a function of topics can't be listed.
        members = getattr(source._topics, "__members__", {})
        found |= {str(topic) for topic in members.values()}
    if namespace is not None:
        found = {topic.replace("{namespace}", namespace) for topic in found}
    return sorted(topic for topic in found if "{" not in topic)


def namespace_of(publisher: "EventPublisher", of_contract: str | None = None) -> str:
    """Returns the namespace of the topics of a publisher: that of the publisher itself,
    or of its client, else of the contract.

    Raises:
        PublishError: Those of the publisher and the client differ.
    """
    client = getattr(publisher, "kafka_client", None)
    of_client = None
    if hasattr(type(client), "try_enqueue"):
        of_client = getattr(client, "namespace", None)
    own = getattr(publisher, "default_namespace", None)
    if own is None:
        return of_client or of_contract or DEFAULT_NAMESPACE
    if of_client is not None and of_client != own:
        raise PublishError(
            f"the publisher's namespace is {own!r} (`default_namespace`), and that of "
            f"its client is {of_client!r} (`namespace` or HERALD_NAMESPACE): set one "
            "of them, or both to the same",
            "namespace_conflict",
        )
    return str(own)
