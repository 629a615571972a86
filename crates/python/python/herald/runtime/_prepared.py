"""Started and completed events of operations, prepared once for each publisher.
Herald's client fills in what differs, without objects of Python for each event.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeAlias, cast

from herald.runtime._client import is_herald_client
from herald.runtime._ids import new_id_text
from herald.runtime._json import json_value
from herald.runtime._log import is_debug_logged
from herald.runtime._outgoing import Outgoing
from herald.runtime._privacy import PublicFields
from herald.runtime._send_queue import SendQueue, send_queue_of

if TYPE_CHECKING:
    from herald.runtime._operation import BaseOperation
    from herald.runtime._publisher import EventPublisher


class Slots(NamedTuple):
    """Placeholders in sample events for what differs: texts that occur nowhere else."""

    correlation_id: str
    time: str
    milliseconds: str
    fields: str
    """Input or result."""


class PreparedEvent(Protocol):
    """Events of one kind, prepared by Herald's client."""

    def enqueue(
        self,
        correlation_id: object,
        causation_id: object,
        fields: object,
        milliseconds: float,
        /,
    ) -> str | None:
        """Enqueues an event, and returns its id; None if the in-flight limit is
        reached, or other events wait for it.
        """


class PreparingClient(Protocol):
    """Protocol of Herald's clients that prepare events."""

    def _prepare(
        self,
        sample: Outgoing,
        slots: Slots,
        public: dict[str, None] | None,
        json_value: Callable[[Any], Any],
        published: Callable[[object], dict[Any, Any]],
        on_error: Callable[[str, Exception], object],
    ) -> PreparedEvent: ...


class PreparedOperation:
    """Prepared events of an operation and a publisher."""

    __slots__ = ("_client", "_namespace", "_node_id", "_queue", "completed", "started")

    def __init__(
        self,
        operation: "BaseOperation[Any, Any]",
        publisher: "EventPublisher",
        client: PreparingClient,
        queue: SendQueue,
    ) -> None:
        self._client = client
        self._queue = queue
        self._node_id = publisher.node_id
        self._namespace = getattr(publisher, "default_namespace", None)
        slots = Slots(*(new_id_text() for _ in Slots._fields))

        def prepared(
            sample: Outgoing,
            public: PublicFields | None,
            published: Callable[[object], dict[Any, Any]],
        ) -> PreparedEvent:
            return client._prepare(
                sample,
                slots,
                _whole_fields(public),
                json_value,
                published,
                queue.shared_error_callback(publisher, sample.kind),
            )

        self.started: Final = prepared(
            operation.started_sample(publisher, slots),
            operation.public_input,
            operation.published_input,
        )
        self.completed: Final = prepared(
            operation.completed_sample(publisher, slots),
            operation.public_result,
            operation.published_result,
        )

    def is_usable(self, publisher: "EventPublisher") -> bool:
        """Whether nothing that is in the events has changed, and no event waits."""
        node_id, own, queue = publisher.node_id, self._node_id, self._queue
        client: object = publisher.kafka_client
        return (
            client is self._client
            and (node_id is own or node_id == own)
            and getattr(publisher, "default_namespace", None) == self._namespace
            # Not `is_busy`: a call would take as long as the rest.
            and not queue.waiting
            and queue.task is None
        )


Prepared: TypeAlias = dict["BaseOperation[Any, Any]", PreparedOperation]


def _whole_fields(public: PublicFields | None) -> dict[str, None] | None:
    """Returns the public fields, if each of them is public as a whole."""
    if public is None or "*" in public or any(p is not None for p in public.values()):
        return None
    return dict.fromkeys(public)


def prepared_operation(
    operation: "BaseOperation[Any, Any]", publisher: "EventPublisher"
) -> PreparedOperation | None:
    """Returns the prepared events of an operation, whose receipts nobody awaits. None
    if they must be created one by one: with other clients, or because each is logged.
    """
    if is_debug_logged():
        return None
    attributes = vars(publisher)
    prepared: Prepared | None = attributes.get("_herald_prepared")
    if prepared is None:
        prepared = attributes.setdefault("_herald_prepared", {})
    elif (found := prepared.get(operation)) is not None and found.is_usable(publisher):
        return found
    client: Any = publisher.kafka_client
    of_type: Any = type(client)
    if not is_herald_client(of_type) or not client.is_connected:
        return None
    queue = send_queue_of(publisher)
    if queue.is_busy:
        return None
    made = PreparedOperation(operation, publisher, cast(PreparingClient, client), queue)
    prepared[operation] = made
    return made


def forget_prepared(
    operation: "BaseOperation[Any, Any]", publisher: "EventPublisher"
) -> None:
    """Has the events prepared again: the client may have been connected again."""
    vars(publisher).get("_herald_prepared", {}).pop(operation, None)
