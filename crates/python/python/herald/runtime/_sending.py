"""The ways to a client for Kafka. Nothing here raises but cancellation."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from inspect import isawaitable, iscoroutine, iscoroutinefunction
from typing import TYPE_CHECKING, Any, cast

from herald.runtime._client import HeraldClient, KafkaClient, is_heralds
from herald.runtime._courier import Send, courier_of, running_loop
from herald.runtime._outgoing import EventKind, Outgoing, log_failure

if TYPE_CHECKING:
    from herald.runtime._publisher import EventPublisher

Make = Callable[[], Outgoing]


async def publish_event(
    publisher: "EventPublisher", kind: EventKind, about: Mapping[str, Any], make: Make
) -> None:
    """Publishes an event, and waits for what the client says."""
    try:
        event = make()
        client = publisher.kafka_client
        if client and client.is_connected:
            await deliver(client, event)
        else:
            event.is_only_logged()
    except Exception as error:
        log_failure(publisher, kind, about, error)


async def deliver(client: KafkaClient, event: Outgoing) -> None:
    """The same for an event that is made."""
    try:
        await _outcome(call(client, event), event)
    except Exception as error:
        event.has_failed(error)


def hand_over(
    event: Outgoing, *, may_wait: bool, in_turn: bool = False
) -> Awaitable[None] | None:
    """Gives an event to the client, and waits for nothing.

    Args:
        event: It.
        may_wait: Whether the caller waits for what comes back, if that is not None:
            until Herald's client has room, or for what another client says.
        in_turn: Whether its place is behind all that was handed over before, from
            whatever task or thread.
    """
    try:
        publisher = event.publisher
        client = publisher.kafka_client
        of_type: Any = type(client)
        if is_heralds(of_type) and not (may_wait and publisher.wait_for_receipts):
            heralds = cast(HeraldClient, client)
            if _is_enqueued(heralds, event):
                return None
            return _behind(heralds, event, may_wait, in_turn)
        if not (client and client.is_connected):
            event.is_only_logged()
        elif may_wait:
            return _behind(client, event, may_wait, in_turn)
        else:
            _send_aside(client, event)
    except Exception as error:
        event.has_failed(error)
    return None


def _is_enqueued(client: HeraldClient, event: Outgoing) -> bool:
    """Herald's clients take an event at once where there is room and nobody waits."""
    courier = courier_of(event.publisher)
    try:
        if courier.is_busy or not client.try_enqueue(event, courier.watch(event)):
            return False
    except Exception:
        # Asking before would take a part of the time that it takes to publish.
        if client.is_connected:
            raise
        event.is_only_logged()
    else:
        event.was_taken()
    return True


def _behind(
    client: KafkaClient, event: Outgoing, may_wait: bool, in_turn: bool
) -> Awaitable[None] | None:
    """What can't go at once waits: in its own task, unless others wait already."""
    courier = courier_of(event.publisher)
    send = partial(deliver, client, event)
    if may_wait and not in_turn and not courier.is_busy:
        courier.loop = asyncio.get_running_loop()
        return send()
    loop = running_loop()
    if loop is None and is_heralds(type(client)):
        _wait_for_room(cast(HeraldClient, client), event)
        return None
    sent = courier.take(send, event)
    if sent is None:
        event.has_failed(NoLoop("its client needs an event loop, and none is known"))
        return None
    return asyncio.wrap_future(sent) if may_wait else None


def _wait_for_room(client: HeraldClient, event: Outgoing) -> None:
    """In a thread without a loop."""
    lost = courier_of(event.publisher).watch(event)
    if client.try_enqueue(event, lost, wait_for_room=True):
        event.was_taken()
    else:
        event.was_refused()


def _send_aside(client: KafkaClient, event: Outgoing) -> None:
    """From where nothing can be awaited, an event goes at once through a client that
    needs no loop, and through others when the loop gets to it.
    """
    send: Send = partial(deliver, client, event)
    outcome: object = None
    if not iscoroutinefunction(client.publish_with_envelope):
        outcome = call(client, event)
        if not isawaitable(outcome):
            event.was_taken() if outcome else event.was_refused()
            return
        send = partial(_outcome_or_failure, outcome, event)
    if courier_of(event.publisher).take(send, event) is None:
        if iscoroutine(outcome):
            outcome.close()
        event.has_failed(NoLoop("its client needs an event loop, and none is known"))


class NoLoop(Exception):
    """A synchronous operation has a client for asyncio, and no event loop."""


async def _outcome(outcome: object, event: Outgoing) -> None:
    if isawaitable(outcome):
        outcome = await outcome
    event.was_taken() if outcome else event.was_refused()


async def _outcome_or_failure(outcome: object, event: Outgoing) -> None:
    try:
        await _outcome(outcome, event)
    except Exception as error:
        event.has_failed(error)


def call(client: KafkaClient, event: Outgoing) -> object:
    """What `publish_with_envelope` can't say needs an event of Herald's own."""
    said = event.event_id, event.causation_id, event.partition_key
    if said == (None, None, None) or not is_heralds(type(client)):
        return client.publish_with_envelope(**event.keywords())
    of_herald = sys.modules["herald.events"].Event
    return cast(HeraldClient, client).publish(
        of_herald(
            event.event_type,
            event.source_node_id,
            event.payload,
            event.topic,
            event.correlation_id,
            event.metadata,
            partition_key=event.partition_key,
            causation_id=event.causation_id,
            event_id=event.event_id,
        )
    )
