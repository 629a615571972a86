"""Background publishing of lifecycle states as events, in their order."""

import asyncio
import logging
from collections.abc import Mapping
from contextvars import Context
from typing import Any
from uuid import uuid4

from herald.lifecycle._state import State
from herald.runtime import reason_of

log = logging.getLogger("herald.lifecycle")

ORDER_TIMEOUT = 0.2
"""Seconds that a change waits for the previous one. Herald's clients keep the call
order; one that hangs must not prevent the last state from being published.
"""

Names = Mapping[State, str]


class StatePublisher:
    """Publishes lifecycle states through a publisher.

    A publisher with a state machine makes transitions to the states that the contract
    has; others publish `state.changed` events.

    Args:
        publisher: A generated publisher, or None.
        names: Names of the states in the contract; omitted states are not published.
            None: the names of `State`, as far as the contract has them.
    """

    def __init__(self, publisher: object | None, names: Names | None) -> None:
        self._publisher: Any = publisher
        self._machine: Any = getattr(publisher, "state_machine", None)
        if names is None:
            names = {state: state.value for state in State}
            if self._machine is not None:
                states: Any = type(self._machine.state)
                known = {str(state) for state in states}
                names = {here: name for here, name in names.items() if name in known}
        if not hasattr(publisher, "_publish_state_changed_event"):
            names = {}
        self._names = names
        self._correlation_id = uuid4()
        self._last: asyncio.Task[None] | None = None

    def publish(self, old: State, new: State, reason: str) -> None:
        """Publishes a change after the previous ones."""
        before, after = self._names.get(old), self._names.get(new)
        if after is None or before == after:
            return
        self._last = asyncio.get_running_loop().create_task(
            self._publish(self._last, before or old.value, after, reason),
            context=Context(),
        )

    async def flush(self, timeout: float) -> None:
        """Waits until all changes are published. What is in flight after the timeout is
        left to the client, which spools it.
        """
        if self._last is not None:
            await asyncio.wait([self._last], timeout=timeout)

    async def _publish(
        self, earlier: asyncio.Task[None] | None, old: str, new: str, reason: str
    ) -> None:
        if earlier is not None:
            await asyncio.wait([earlier], timeout=ORDER_TIMEOUT)
        try:
            if self._machine is not None:
                await self._machine.transition(new, reason, self._correlation_id)
            else:
                await self._publisher._publish_state_changed_event(
                    self._correlation_id, old, new, reason
                )
        except Exception as error:
            log.warning("state %s was not published: %s", new, reason_of(error))
