"""Sending of events through a Kafka client. Raises nothing but cancellation."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from inspect import isawaitable, iscoroutine, iscoroutinefunction
from typing import TYPE_CHECKING, Any, Final, cast

from herald.runtime._client import HeraldClient, KafkaClient, is_herald_client
from herald.runtime._outgoing import EventKind, Outgoing, log_failure
from herald.runtime._send_queue import Send, running_loop, send_queue_of

if TYPE_CHECKING:
    from herald.runtime._publisher import EventPublisher

MakeEvent = Callable[[], Outgoing]


async def publish_event(
    publisher: "EventPublisher",
    kind: EventKind,
    log_context: Mapping[str, Any],
    make_event: MakeEvent,
) -> None:
    """Creates an event, publishes it, and waits for the client's answer."""
    try:
        event = make_event()
        client = publisher.kafka_client
        if client and client.is_connected:
            await deliver(client, event)
        else:
            event.log_only()
    except Exception as error:
        log_failure(publisher, kind, log_context, error)


async def deliver(client: KafkaClient, event: Outgoing) -> None:
    """Publishes an event, and waits for the client's answer."""
    try:
        await _outcome(call_client(client, event), event)
    except Exception as error:
        event.failed(error)


def dispatch(
    event: Outgoing, *, may_wait: bool, in_order: bool = False
) -> Awaitable[None] | None:
    """Passes an event to the client without waiting.

    Args:
        event: The event.
        may_wait: Whether the caller awaits the returned value, if any: the in-flight
            limit of Herald's client, or the answer of another client.
        in_order: Whether the event must be sent behind all earlier ones, of any task
            or thread.
    """
    try:
        publisher = event.publisher
        client = publisher.kafka_client
        of_type: Any = type(client)
        if is_herald_client(of_type) and not (may_wait and publisher.wait_for_receipts):
            herald_client = cast(HeraldClient, client)
            if _is_enqueued(herald_client, event):
                return None
            return _send_in_order(herald_client, event, may_wait, in_order)
        if not (client and client.is_connected):
            event.log_only()
        elif may_wait:
            return _send_in_order(client, event, may_wait, in_order)
        else:
            _send_from_sync(client, event)
    except Exception as error:
        event.failed(error)
    return None


def _is_enqueued(client: HeraldClient, event: Outgoing) -> bool:
    """Enqueues an event in a Herald client, unless the in-flight limit is reached or
    other events wait for it.
    """
    queue = send_queue_of(event.publisher)
    try:
        if queue.is_busy or not client.try_enqueue(event, queue.error_callback(event)):
            return False
    except Exception:
        # Checked only after a failure: a check before would slow down every event.
        if client.is_connected:
            raise
        event.log_only()
    else:
        event.accepted()
    return True


def _send_in_order(
    client: KafkaClient, event: Outgoing, may_wait: bool, in_order: bool
) -> Awaitable[None] | None:
    """Sends an event that can't be enqueued at once: in the caller's task, or behind
    the events that wait already.
    """
    queue = send_queue_of(event.publisher)
    send = partial(deliver, client, event)
    if may_wait and not in_order and not queue.is_busy:
        queue.loop = asyncio.get_running_loop()
        return send()
    loop = running_loop()
    if loop is None and is_herald_client(type(client)):
        _enqueue_blocking(cast(HeraldClient, client), event)
        return None
    sent = queue.put(send, event)
    if sent is None:
        event.failed(NoEventLoop(_NO_LOOP))
        return None
    return asyncio.wrap_future(sent) if may_wait else None


def _enqueue_blocking(client: HeraldClient, event: Outgoing) -> None:
    """Enqueues an event from a thread without an event loop, which may block."""
    on_error = send_queue_of(event.publisher).error_callback(event)
    if client.try_enqueue(event, on_error, block=True):
        event.accepted()
    else:
        event.rejected()


def _send_from_sync(client: KafkaClient, event: Outgoing) -> None:
    """Sends an event from synchronous code: at once through a synchronous client, else
    from the event loop.
    """
    send: Send = partial(deliver, client, event)
    outcome: object = None
    if not iscoroutinefunction(client.publish_with_envelope):
        outcome = call_client(client, event)
        if not isawaitable(outcome):
            event.accepted() if outcome else event.rejected()
            return
        send = partial(_outcome_or_failure, outcome, event)
    if send_queue_of(event.publisher).put(send, event) is None:
        if iscoroutine(outcome):
            outcome.close()
        event.failed(NoEventLoop(_NO_LOOP))


_NO_LOOP: Final = "the asyncio client needs an event loop, and none is known"


class NoEventLoop(Exception):
    """A synchronous operation has an asyncio client, and no event loop is known."""


async def _outcome(outcome: object, event: Outgoing) -> None:
    if isawaitable(outcome):
        outcome = await outcome
    event.accepted() if outcome else event.rejected()


async def _outcome_or_failure(outcome: object, event: Outgoing) -> None:
    try:
        await _outcome(outcome, event)
    except Exception as error:
        event.failed(error)


def call_client(client: KafkaClient, event: Outgoing) -> object:
    """Calls the client. Fields that `publish_with_envelope` does not have are passed to
    Herald's clients in a `herald.Event`.
    """
    extra = event.event_id, event.causation_id, event.partition_key
    if extra == (None, None, None) or not is_herald_client(type(client)):
        return client.publish_with_envelope(**event.keywords())
    event_class = sys.modules["herald.events"].Event
    return cast(HeraldClient, client).publish(
        event_class(
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
