"""States of a node, and their change events."""

import threading
from collections.abc import Awaitable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload
from uuid import UUID

from herald.runtime._clock import now
from herald.runtime._context import CURRENT, new_correlation_id
from herald.runtime._event_log import EVENT_LOG
from herald.runtime._log import LogLevel
from herald.runtime._outgoing import EventKind, Outgoing, request_context
from herald.runtime._received_events import StateChangedEvent
from herald.runtime._sending import dispatch, publish_event
from herald.runtime._source import EventSource

if TYPE_CHECKING:
    from herald.runtime._publisher import EventPublisher

S = TypeVar("S", bound=StrEnum)


class StateEvent:
    """Event that publishes a state change.

    Args:
        event_type: Event type.
        source: The node.
        topic: Topic, unless the source has it.
        version: Version of the event.
    """

    def __init__(
        self,
        event_type: str,
        source: EventSource,
        *,
        topic: str | None = None,
        version: int = 1,
    ) -> None:
        self._version = version
        self._node_type = source.node_type
        self.kind = EventKind(
            source,
            str(event_type),
            source.topic(event_type, topic),
            "state changed",
            LogLevel.INFO,
            source.metadata(event_category="state_transition"),
            version,
        )

    def received(self) -> tuple[tuple[str, int, type[StateChangedEvent]]]:
        """Returns the event type, its version, and the class of received events."""
        return ((self.kind.event_type, self._version, StateChangedEvent),)

    async def publish(
        self,
        publisher: "EventPublisher",
        correlation_id: UUID,
        old_state: str,
        new_state: str,
        transition_reason: str,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Publishes an event, and waits for the receipt. Never raises."""
        await publish_event(
            publisher,
            self.kind,
            request_context(correlation_id),
            lambda: self.event(
                publisher,
                correlation_id,
                old_state,
                new_state,
                transition_reason,
                metadata,
            ),
        )

    def event(
        self,
        publisher: "EventPublisher",
        correlation_id: UUID,
        old_state: str,
        new_state: str,
        transition_reason: str,
        metadata: Mapping[str, Any] | None = None,
    ) -> Outgoing:
        """Creates an event."""
        outgoing = Outgoing(
            publisher,
            self.kind,
            correlation_id,
            {
                "node_id": str(publisher.node_id),
                "node_type": self._node_type,
                "correlation_id": str(correlation_id),
                "changed_at": now(),
                "old_state": old_state,
                "new_state": new_state,
                "transition_reason": transition_reason,
            },
            {**self.kind.metadata, "old_state": old_state, "new_state": new_state},
            metadata,
        )
        transition = f"{old_state} → {new_state}"
        outgoing.summary = f": {transition}"
        outgoing.log_fields = {"transition": transition}
        return outgoing


class States(Generic[S]):
    """States and transitions of a node from its contract. As an attribute of a class of
    publishers it is the machine of each publisher.

    Args:
        event: Event that publishes a change.
        states: All states.
        initial: Initial state.
        transitions: For each state, the states that may follow.
        terminal: Terminal states.
    """

    def __init__(
        self,
        event: StateEvent,
        states: type[S],
        *,
        initial: S,
        transitions: Mapping[S, frozenset[S]],
        terminal: frozenset[S] = frozenset(),
    ) -> None:
        self.event = event
        self.states = states
        self.initial = initial
        self.transitions = dict(transitions)
        self.terminal = terminal

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: "EventPublisher", owner: type) -> "StateMachine[S]": ...

    def __get__(
        self, instance: "EventPublisher | None", owner: type
    ) -> "Self | StateMachine[S]":
        return self if instance is None else self.of(instance)

    def following(self, state: S) -> frozenset[S]:
        """Returns the states that may follow a state."""
        if state in self.terminal:
            return frozenset()
        return self.transitions.get(state, frozenset())

    def of(self, publisher: "EventPublisher") -> "StateMachine[S]":
        """Returns the state machine of a publisher."""
        attributes = vars(publisher)
        found: StateMachine[S] | None = attributes.get("_herald_states")
        if found is not None:
            return found
        outgoing: StateMachine[S] = attributes.setdefault(
            "_herald_states", StateMachine(self, publisher)
        )
        return outgoing


class TransitionError(ValueError):
    """A state change that the contract does not allow.

    Attributes:
        old_state: Current state, which the node keeps.
        new_state: Requested state.
        allowed: States that may follow.
    """

    def __init__(self, old_state: str, new_state: str, allowed: frozenset[str]) -> None:
        others = ", ".join(sorted(allowed)) or "none, it is a terminal state"
        super().__init__(
            f"{old_state} can't become {new_state}; it can become: {others}"
        )
        self.old_state = old_state
        self.new_state = new_state
        self.allowed = allowed


class StateMachine(Generic[S]):
    """State machine of one node, safe for tasks and threads. Events are published in
    the order of the changes.
    """

    def __init__(self, states: States[S], publisher: "EventPublisher") -> None:
        self._states = states
        self._publisher = publisher
        self._state = states.initial
        self._lock = threading.Lock()

    @property
    def state(self) -> S:
        """Current state."""
        return self._state

    @property
    def allowed(self) -> frozenset[S]:
        """States that may follow the current one."""
        return self._states.following(self._state)

    @property
    def is_over(self) -> bool:
        """Whether the current state is terminal."""
        return self._state in self._states.terminal

    async def transition(
        self,
        to: S,
        reason: str,
        correlation_id: UUID | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Changes the state, and publishes the change.

        Args:
            to: The new state.
            reason: Reason of the change.
            correlation_id: By default that of the surrounding scope, or a new one.
            metadata: Published unchanged.

        Raises:
            TransitionError: The contract does not allow the change; the state is kept.
        """
        sent = self._change(to, reason, correlation_id, metadata, may_wait=True)
        if sent is not None:
            await sent

    def transition_sync(
        self,
        to: S,
        reason: str,
        correlation_id: UUID | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Changes the state from synchronous code, and publishes the change."""
        self._change(to, reason, correlation_id, metadata, may_wait=False)

    def _change(
        self,
        to: S,
        reason: str,
        correlation_id: UUID | None,
        metadata: Mapping[str, Any] | None,
        *,
        may_wait: bool,
    ) -> Awaitable[None] | None:
        to = self._states.states(to)
        request = correlation_id or CURRENT.get().correlation_id or new_correlation_id()
        # An event loop never blocks with the lock held; a thread without a loop may, at
        # the in-flight limit.
        with self._lock:
            old, allowed = self._state, self.allowed
            if to not in allowed:
                raise TransitionError(old, to, frozenset(map(str, allowed)))
            self._state = to
            try:
                event = self._states.event.event(
                    self._publisher, request, old, to, reason, metadata
                )
            except Exception as error:
                log_context = request_context(request)
                EVENT_LOG.failed(
                    self._publisher, self._states.event.kind, log_context, error
                )
                return None
            return dispatch(event, may_wait=may_wait, in_order=True)
