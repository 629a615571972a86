"""Events declared by a contract."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic
from uuid import UUID

from herald.runtime._context import CURRENT, new_correlation_id
from herald.runtime._errors import PayloadError
from herald.runtime._generics import M, P
from herald.runtime._log import LogLevel
from herald.runtime._models import is_own
from herald.runtime._outgoing import EventKind, Outgoing, request_context
from herald.runtime._own_models import own_instance, own_json
from herald.runtime._privacy import (
    PublicFields,
    has_private,
    public_fields,
    published_model,
)
from herald.runtime._sending import publish_event
from herald.runtime._source import EventSource
from herald.runtime._validation import validated

if TYPE_CHECKING:
    from herald.runtime._publisher import EventPublisher


class DeclaredEvent(Generic[P, M]):
    """Event declared by a contract.

    Args:
        event_type: Event type.
        source: The node.
        topic: Topic, unless the source has it.
        model: Model of the payload, by which it is validated. The values of its public
            fields are published, for private ones the name of the type is. A class
            of the service's own code without private fields is published as its
            library serializes it.
            Without a model any mapping is published as it is.
        partition_key: Field whose value is the key, if it is public.
        fields: Added to the metadata of the payload.
        version: Version of the event.
    """

    def __init__(
        self,
        event_type: str,
        source: EventSource,
        *,
        topic: str | None = None,
        model: Callable[P, M] | None = None,
        partition_key: str | None = None,
        fields: Mapping[str, Any] | None = None,
        version: int = 1,
    ) -> None:
        self.event_type = str(event_type)
        self.version = version
        self._kind = EventKind(
            source,
            self.event_type,
            source.topic(event_type, topic),
            self.event_type,
            LogLevel.INFO,
            source.metadata(event_category="declared"),
            version,
        )
        self._model: Any = model
        self._is_own = is_own(model)
        self._fields = dict(fields or {})
        self._key = partition_key

    async def publish(
        self,
        publisher: "EventPublisher",
        correlation_id: UUID,
        event_data: M | Mapping[str, Any],
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Publishes an event, and waits for the receipt. Never raises."""
        await publish_event(
            publisher,
            self._kind,
            request_context(correlation_id),
            lambda: self.outgoing(
                publisher, event_data, correlation_id=correlation_id, metadata=metadata
            ),
        )

    def outgoing(
        self,
        publisher: "EventPublisher",
        payload: object,
        *,
        correlation_id: UUID | None = None,
        causation_id: UUID | str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Outgoing:
        """Creates an event. Correlation and causation come from the current scope
        unless they are given.

        Raises:
            PayloadError: The payload does not match the contract.
        """
        if self._is_own:
            payload = own_instance(self._model, payload, self.event_type)
        elif self._model is not None:
            payload = validated(self._model, payload, self.event_type)
        if self._is_own and self._public is None:
            shown = own_json(payload)
        else:
            shown = published_model(payload, self._model, self._public)
        if shown is None:
            found = type(payload).__name__
            raise PayloadError(
                f"payload: expected a mapping, a model or a dataclass, not {found}"
            )
        of_event = dict(self._kind.metadata)
        key = self._partition_key and shown.get(self._partition_key)
        if key is not None:
            of_event["partition_key"] = str(key)
        if correlation_id is None:
            correlation_id = CURRENT.get().correlation_id or new_correlation_id()
        event = Outgoing(
            publisher,
            self._kind,
            correlation_id,
            shown,
            of_event,
            {**self._fields, **(metadata or {})} if self._fields else metadata,
        )
        event.partition_key = of_event.get("partition_key")
        if causation_id is not None:
            event.causation_id = causation_id
        return event

    @cached_property
    def _public(self) -> PublicFields | None:
        # Not at import: models may have types in them that the module defines later.
        if self._model is None or (self._is_own and not has_private(self._model)):
            return None
        return public_fields(self._model)

    @cached_property
    def _partition_key(self) -> str | None:
        """The key, if its value is public."""
        is_public = self._public is None or self._key in self._public
        return self._key if is_public else None


class OpenEvent(DeclaredEvent[..., Mapping[str, Any]]):
    """Event declared without a payload: any mapping is published as it is."""
