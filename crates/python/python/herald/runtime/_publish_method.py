"""Public methods of publishers, which publish declared events and return receipts."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, overload
from uuid import UUID

from herald.runtime._declared import DeclaredEvent
from herald.runtime._generics import M, M_contra, P
from herald.runtime._outgoing import Outgoing
from herald.runtime._sending import answer_of, answer_of_sync, connected_client

if TYPE_CHECKING:
    from herald import Receipt
    from herald.runtime._publisher import EventPublisher


class AsyncPublish(Protocol[P, M_contra]):
    """Publishes an event, and waits until it is safe."""

    @overload
    async def __call__(
        self,
        payload: M_contra,
        /,
        *,
        correlation_id: UUID | None = None,
        causation_id: UUID | str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> "Receipt": ...

    @overload
    async def __call__(self, *args: P.args, **fields: P.kwargs) -> "Receipt": ...


class SyncPublish(Protocol[P, M_contra]):
    """Publishes an event, and blocks until it is safe."""

    @overload
    def __call__(
        self,
        payload: M_contra,
        /,
        *,
        correlation_id: UUID | None = None,
        causation_id: UUID | str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> "Receipt": ...

    @overload
    def __call__(self, *args: P.args, **fields: P.kwargs) -> "Receipt": ...


class PublishMethod(Generic[P, M]):
    """Method that publishes a declared event and returns its receipt.

    It takes the payload, with the correlation id, the causation id and metadata if they
    are not those of the current scope; or the fields of the payload as keywords.

    Raises:
        PayloadError: The payload does not match the contract.
        PublishError: There is no receipt: the event is not safe.
    """

    def __init__(self, event: DeclaredEvent[P, M]) -> None:
        self._event = event

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(
        self, instance: "EventPublisher", owner: type
    ) -> AsyncPublish[P, M]: ...

    def __get__(self, instance: "EventPublisher | None", owner: type) -> Any:
        if instance is None:
            return self
        event, publisher = self._event, instance

        async def publish(*payload: Any, **options: Any) -> Any:
            outgoing = _outgoing(event, publisher, payload, options)
            answer = await answer_of(connected_client(publisher), outgoing)
            return _receipt(outgoing, answer)

        return _named(publish, event)


class SyncPublishMethod(Generic[P, M]):
    """Method of a synchronous publisher that publishes a declared event and returns its
    receipt. See `PublishMethod`.
    """

    def __init__(self, event: DeclaredEvent[P, M]) -> None:
        self._event = event

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: "EventPublisher", owner: type) -> SyncPublish[P, M]: ...

    def __get__(self, instance: "EventPublisher | None", owner: type) -> Any:
        if instance is None:
            return self
        event, publisher = self._event, instance

        def publish(*payload: Any, **options: Any) -> Any:
            outgoing = _outgoing(event, publisher, payload, options)
            answer = answer_of_sync(connected_client(publisher), outgoing)
            return _receipt(outgoing, answer)

        return _named(publish, event)


def _outgoing(
    event: DeclaredEvent[Any, Any],
    publisher: "EventPublisher",
    payload: tuple[Any, ...],
    options: dict[str, Any],
) -> Outgoing:
    if not payload:
        return event.outgoing(publisher, options)
    if len(payload) > 1:
        raise TypeError(f"expected one payload of {event.event_type}, or its fields")
    return event.outgoing(publisher, *payload, **options)


def _receipt(outgoing: Outgoing, answer: object) -> Any:
    outgoing.accepted(answer)
    return answer


def _named(function: Callable[..., Any], event: DeclaredEvent[Any, Any]) -> Any:
    function.__doc__ = f"Publishes `{event.event_type}`, and returns its receipt."
    return function
