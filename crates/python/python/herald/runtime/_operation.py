"""Operations and their lifecycle events."""

from asyncio import CancelledError
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Concatenate, Generic, Literal, overload
from uuid import UUID

from herald.runtime._clock import now
from herald.runtime._fields import kept_input
from herald.runtime._generics import InputT, P, ResultT, SelfT, T
from herald.runtime._instrument import instrumented
from herald.runtime._log import LogLevel
from herald.runtime._models import is_own
from herald.runtime._outgoing import EventKind, Outgoing, request_context
from herald.runtime._prepared import Slots
from herald.runtime._privacy import PublicFields, public_fields, published_model
from herald.runtime._private_input import OMITTED
from herald.runtime._received import ReceivedEvent
from herald.runtime._received_events import (
    OperationCompletedEvent,
    OperationFailedEvent,
    OperationStartedEvent,
)
from herald.runtime._run import Run
from herald.runtime._secrets import redact_secrets
from herald.runtime._sending import publish_event
from herald.runtime._source import EventSource
from herald.runtime._wrapping import F

if TYPE_CHECKING:
    from herald.runtime._publisher import EventPublisher

Published = Literal["all", "outcomes", "failures"]
ErrorText = Literal["masked", "omitted"]


class BaseOperation(Generic[InputT, ResultT]):
    """Operation of a node, which publishes that it started, completed or failed.

    It decorates methods of the node's class, `@instrument_place`, and other functions,
    `@instrument_place.on(publisher)`: functions, coroutine functions, and generator
    functions of both kinds. The arguments are the input; of a single argument that is a
    mapping, a model or a dataclass, its fields are. For other code there is a scope:
    `with` or `async with instrument_place.run(publisher, input) as run:
    run.result = ...`.

    Args:
        name: Name in the contract.
        source: The node.
        started: Event type of a run that starts.
        completed: Event type of a run that completes.
        failed: Event type of a run that fails.
        topics: Topics of these, unless the source has them.
        input: Model of the input; the values of its public fields are published, for
            all others the name of the type is. Without a model nothing is public, nor
            of a class to which a contract refers: it does not say what is private.
        result: Model of the result.
        publish: Events of instrumented operations: "all", "outcomes" (no started
            events), or "failures".
        sample_started: Share of requests whose started events are published. The
            choice depends on the correlation id, so that a request has all or none.
        fields: Added to the metadata of each payload.
        error_text: Texts of errors in failed events and in the log: "masked" (private
            values of the input are replaced), or "omitted" (only the type).
        version: Version of the events.
    """

    # Whether classes of the service's own code say which of their fields are private.
    _marks_own_classes = False

    def __init__(
        self,
        name: str,
        source: EventSource,
        started: str,
        completed: str,
        failed: str,
        *,
        topics: tuple[str, str, str] | tuple[None, None, None] = (None, None, None),
        input: type | None = None,
        result: type | None = None,
        publish: Published = "all",
        sample_started: float = 1.0,
        fields: Mapping[str, Any] | None = None,
        error_text: ErrorText = "masked",
        version: int = 1,
    ) -> None:
        self.name = name
        self._version = version
        self.publishes = publish
        self.sample_started = sample_started
        self.error_text = error_text
        self._input = input
        self._result = result
        self._fields = dict(fields or {})
        self.started_kind, self.completed_kind, self.failed_kind = (
            EventKind(
                source,
                str(event),
                source.topic(event, topic),
                f"{name} {stage}",
                level,
                source.metadata(operation=name, lifecycle_stage=stage),
                version,
            )
            for event, topic, (stage, level) in zip(
                (started, completed, failed), topics, _STAGES, strict=True
            )
        )

    @cached_property
    def public_input(self) -> PublicFields | None:
        """Public fields of the input."""
        # Not at import: models may have types in them that the module defines later.
        return self._public_fields(self._input)

    @cached_property
    def public_result(self) -> PublicFields | None:
        """Public fields of the result."""
        return self._public_fields(self._result)

    def published_input(self, value: object) -> dict[Any, Any]:
        """Returns the published fields of an input."""
        return _summary(value, self._input, self.public_input)

    def published_result(self, value: object) -> dict[Any, Any]:
        """Returns the published fields of a result."""
        return _summary(value, self._result, self.public_result)

    def _public_fields(self, model: type | None) -> PublicFields:
        if model is None or (is_own(model) and not self._marks_own_classes):
            return {}
        return public_fields(model)

    def received(self) -> "list[tuple[str, int, type[ReceivedEvent[Any]]]]":
        """Returns the event types, their version, and classes of received events."""
        return [
            (kind.event_type, self._version, of)
            for kind, of in (
                (self.started_kind, OperationStartedEvent),
                (self.completed_kind, OperationCompletedEvent),
                (self.failed_kind, OperationFailedEvent),
            )
        ]

    def on(
        self, publisher: "EventPublisher | Callable[[], EventPublisher]"
    ) -> Callable[[F], F]:
        """Decorates a function that publishes through the given publisher.

        Args:
            publisher: The publisher, or a function that returns it for each call.
        """
        return lambda function: instrumented(self, function, publisher)

    def run(
        self,
        publisher: "EventPublisher",
        input: object = None,
        correlation_id: UUID | None = None,
        causation_id: UUID | str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Run:
        """Returns a scope that is one run of the operation; set its result as
        `run.result`.

        Args:
            publisher: Publisher of the events.
            input: A mapping, a model or a dataclass; anything else becomes the field
                `input`.
            correlation_id: By default that of the surrounding scope, or a new one.
            causation_id: Event that caused the run; by default that of the surrounding
                scope.
            metadata: Published unchanged with each event of the run.
        """
        data: object = {}
        if input is not None:
            fields = kept_input(input)
            data = {"input": input} if fields is None else fields
        return Run(self, publisher, data, correlation_id, causation_id, metadata)

    async def started(
        self,
        publisher: "EventPublisher",
        correlation_id: UUID,
        input_data: InputT | Mapping[str, Any],
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Publishes that it started, and waits for the receipt. Never raises."""
        await publish_event(
            publisher,
            self.started_kind,
            request_context(correlation_id),
            lambda: self.start(
                publisher, correlation_id, str(correlation_id), input_data, metadata
            ),
        )

    async def completed(
        self,
        publisher: "EventPublisher",
        correlation_id: UUID,
        result_data: ResultT | Mapping[str, Any],
        execution_time_ms: float,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Publishes that it completed, and waits for the receipt. Never raises."""
        await publish_event(
            publisher,
            self.completed_kind,
            request_context(correlation_id),
            lambda: self.completion(
                publisher,
                correlation_id,
                str(correlation_id),
                result_data,
                execution_time_ms,
                metadata,
            ),
        )

    async def failed(
        self,
        publisher: "EventPublisher",
        correlation_id: UUID,
        error: BaseException,
        execution_time_ms: float,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Publishes that it failed, and waits for the receipt. Never raises."""
        await publish_event(
            publisher,
            self.failed_kind,
            request_context(correlation_id),
            lambda: self.failure(
                publisher,
                correlation_id,
                str(correlation_id),
                error,
                execution_time_ms,
                metadata,
            ),
        )

    def start(
        self,
        publisher: "EventPublisher",
        correlation_id: UUID,
        request: str,
        input_data: object,
        metadata: Mapping[str, Any] | None,
    ) -> Outgoing:
        """Creates the started event; `request` is the text of the correlation id."""
        summary = self.published_input(input_data)
        return self._started(
            publisher, correlation_id, request, now(), summary, metadata
        )

    def started_sample(self, publisher: "EventPublisher", slots: Slots) -> Outgoing:
        """Creates a started event with placeholders."""
        return self._started(
            publisher, None, slots.correlation_id, slots.time, slots.fields, None
        )

    def _started(
        self,
        publisher: "EventPublisher",
        correlation_id: UUID | None,
        request: str,
        time: str,
        summary: object,
        metadata: Mapping[str, Any] | None,
    ) -> Outgoing:
        return self._event(
            publisher,
            self.started_kind,
            correlation_id,
            {
                "operation": self.name,
                "correlation_id": request,
                "node_id": str(publisher.node_id),
                "started_at": time,
                "input_summary": summary,
            },
            None,
            metadata,
        )

    def completion(
        self,
        publisher: "EventPublisher",
        correlation_id: UUID,
        request: str,
        result_data: object,
        execution_time_ms: float,
        metadata: Mapping[str, Any] | None,
    ) -> Outgoing:
        """Creates the completed event."""
        event = self._completed(
            publisher,
            correlation_id,
            request,
            now(),
            execution_time_ms,
            self.published_result(result_data),
            metadata,
        )
        event.log_fields = {"execution_time_ms": execution_time_ms}
        return event

    def completed_sample(self, publisher: "EventPublisher", slots: Slots) -> Outgoing:
        """Creates a completed event with placeholders."""
        return self._completed(
            publisher,
            None,
            slots.correlation_id,
            slots.time,
            slots.milliseconds,
            slots.fields,
            None,
        )

    def _completed(
        self,
        publisher: "EventPublisher",
        correlation_id: UUID | None,
        request: str,
        time: str,
        execution_time_ms: float | str,
        summary: object,
        metadata: Mapping[str, Any] | None,
    ) -> Outgoing:
        return self._event(
            publisher,
            self.completed_kind,
            correlation_id,
            {
                "operation": self.name,
                "correlation_id": request,
                "node_id": str(publisher.node_id),
                "completed_at": time,
                "execution_time_ms": execution_time_ms,
                "result_summary": summary,
                "success": True,
            },
            {"execution_time_ms": execution_time_ms},
            metadata,
        )

    def failure(
        self,
        publisher: "EventPublisher",
        correlation_id: UUID,
        request: str,
        error: BaseException,
        execution_time_ms: float,
        metadata: Mapping[str, Any] | None,
    ) -> Outgoing:
        """Creates the failed event."""
        error_type = type(error).__name__
        if self.error_text == "omitted":
            error_message = OMITTED
        else:
            error_message = redact_secrets(error, publisher.redactions)
        is_failure = isinstance(error, Exception)
        if not error_message and not is_failure:
            is_cancelled = isinstance(error, CancelledError)
            error_message = "cancelled" if is_cancelled else error_type
        event = self._event(
            publisher,
            self.failed_kind,
            correlation_id,
            {
                "operation": self.name,
                "correlation_id": request,
                "node_id": str(publisher.node_id),
                "failed_at": now(),
                "execution_time_ms": execution_time_ms,
                "error_type": error_type,
                "error_message": error_message,
                "success": False,
            },
            {"error_type": error_type, "execution_time_ms": execution_time_ms},
            metadata,
        )
        event.log_fields = {"error": error_message}
        if not is_failure:  # cancelled, or the program ends
            event.level = LogLevel.INFO
        return event

    def _event(
        self,
        publisher: "EventPublisher",
        kind: EventKind,
        correlation_id: UUID | None,
        payload: dict[str, Any],
        metadata: Mapping[str, Any] | None,
        more: Mapping[str, Any] | None,
    ) -> Outgoing:
        if self._fields:
            more = {**self._fields, **(more or {})}
        metadata = {**kind.metadata, **metadata} if metadata else kind.metadata
        return Outgoing(publisher, kind, correlation_id, payload, metadata, more)


class Operation(BaseOperation[Mapping[str, Any], Mapping[str, Any]]):
    """Operation without a declared input: it decorates functions of any type."""

    # Written by hand, beside its classes.
    _marks_own_classes = True

    def __call__(self, function: F) -> F:
        """Decorates a method whose first argument is the publisher."""
        return instrumented(self, function, None)


class ResultOperation(BaseOperation[Mapping[str, Any], ResultT]):
    """Operation whose result alone is declared by the contract: it decorates functions
    of any type.
    """

    def __init__(self, *args: Any, result: type[ResultT], **settings: Any) -> None:
        super().__init__(*args, result=result, **settings)

    def __call__(self, function: F) -> F:
        """Decorates a method whose first argument is the publisher."""
        return instrumented(self, function, None)


class InputOperation(BaseOperation[InputT, Mapping[str, Any]]):
    """Operation whose input is declared by the contract: it decorates methods that take
    the model of the input as their first argument.
    """

    def __init__(self, *args: Any, input: type[InputT], **settings: Any) -> None:
        super().__init__(*args, input=input, **settings)

    def __call__(
        self, function: Callable[Concatenate[SelfT, InputT, P], T]
    ) -> Callable[Concatenate[SelfT, InputT, P], T]:
        """Decorates a method whose first argument is the publisher."""
        return instrumented(self, function, None)


class TypedOperation(BaseOperation[InputT, ResultT]):
    """Operation whose input and result are declared by the contract: it decorates
    methods that take the model of the input, and return the model of the result.
    """

    def __init__(
        self, *args: Any, input: type[InputT], result: type[ResultT], **settings: Any
    ) -> None:
        super().__init__(*args, input=input, result=result, **settings)

    @overload
    def __call__(
        self,
        function: Callable[Concatenate[SelfT, InputT, P], Coroutine[Any, Any, ResultT]],
    ) -> Callable[Concatenate[SelfT, InputT, P], Coroutine[Any, Any, ResultT]]: ...

    @overload
    def __call__(
        self, function: Callable[Concatenate[SelfT, InputT, P], AsyncIterator[T]]
    ) -> Callable[Concatenate[SelfT, InputT, P], AsyncIterator[T]]: ...

    @overload
    def __call__(
        self, function: Callable[Concatenate[SelfT, InputT, P], Iterator[T]]
    ) -> Callable[Concatenate[SelfT, InputT, P], Iterator[T]]: ...

    @overload
    def __call__(
        self, function: Callable[Concatenate[SelfT, InputT, P], ResultT]
    ) -> Callable[Concatenate[SelfT, InputT, P], ResultT]: ...

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Decorates a method whose first argument is the publisher."""
        return instrumented(self, function, None)


_STAGES = (
    ("started", LogLevel.DEBUG),
    ("completed", LogLevel.INFO),
    ("failed", LogLevel.ERROR),
)


def _summary(data: object, model: Any, public: PublicFields | None) -> dict[Any, Any]:
    summary = published_model(data, model, public)
    if summary is None:
        found = type(data).__name__
        raise TypeError(f"expected a mapping, a model or a dataclass, not {found}")
    return summary
