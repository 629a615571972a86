"""Sending of events through a Kafka client. Raises nothing but cancellation."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from inspect import isawaitable, iscoroutine, iscoroutinefunction
from typing import TYPE_CHECKING, Any, Final, cast

from herald.runtime._client import EventClient, HeraldClient, is_herald_client
from herald.runtime._errors import PublishError
from herald.runtime._log import is_debug_logged
from herald.runtime._outgoing import EventKind, Outgoing
from herald.runtime._report_log import REPORT_LOG
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
    """Creates an event, publishes it, and waits for the client's answer, with the log
    of methods that never raise.
    """
    try:
        event = make_event()
        event.log = REPORT_LOG
        client = publisher.kafka_client
        if client and client.is_connected:
            await deliver(client, event)
        else:
            event.log_only()
    except Exception as error:
        REPORT_LOG.failed(publisher, kind, log_context, error)


async def deliver(client: EventClient, event: Outgoing) -> None:
    """Publishes an event, waits for the client's answer, and logs it."""
    await _log_outcome(partial(answer_of, client, event), event)


async def _log_outcome(send: Callable[[], Awaitable[object]], event: Outgoing) -> None:
    try:
        event.accepted(await send())
    except NotAccepted:
        event.rejected()
    except Exception as error:
        event.failed(error)


def connected_client(publisher: "EventPublisher") -> EventClient:
    """Returns the client of a publisher.

    Raises:
        PublishError: It has none, or the client is not connected.
    """
    client = publisher.kafka_client
    if client is None:
        raise PublishError(
            "the publisher has no client: set `kafka_client`", "not_connected"
        )
    if not client.is_connected:
        raise PublishError(
            "the client is not connected: call `connect` or use `with`",
            "not_connected",
        )
    return client


async def answer_of(client: EventClient, event: Outgoing) -> object:
    """Publishes an event, and returns the client's answer: a receipt of Herald's.

    Raises:
        PublishError: The event is not safe.
    """
    return _accepted(await _awaited(call_client(client, event)), event)


def answer_of_sync(client: EventClient, event: Outgoing) -> object:
    """Publishes an event from synchronous code; see `answer_of`."""
    outcome = call_client(client, event)
    if isawaitable(outcome):
        if iscoroutine(outcome):
            outcome.close()
        raise PublishError(
            "a synchronous publisher needs a synchronous client, such as "
            "`herald.SyncKafkaClient`",
            "wrong_client",
        )
    return _accepted(outcome, event)


async def _awaited(outcome: object) -> object:
    return await outcome if isawaitable(outcome) else outcome


def _accepted(outcome: object, event: Outgoing) -> object:
    if not outcome:
        raise NotAccepted(
            f"the Kafka client did not accept the {event.kind.label} event",
            "not_accepted",
        )
    return outcome


class NotAccepted(PublishError):
    """The client of somebody else answered that it did not accept an event."""


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
        event.is_accepted = True
        if is_debug_logged():
            event.accepted()
    return True


def _send_in_order(
    client: EventClient, event: Outgoing, may_wait: bool, in_order: bool
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


def _send_from_sync(client: EventClient, event: Outgoing) -> None:
    """Sends an event from synchronous code: at once through a synchronous client, else
    from the event loop.
    """
    send: Send = partial(deliver, client, event)
    outcome: object = None
    if not iscoroutinefunction(client.publish_with_envelope):
        outcome = call_client(client, event)
        if not isawaitable(outcome):
            event.accepted(outcome) if outcome else event.rejected()
            return
        send = partial(_log_outcome, partial(_answer, outcome, event), event)
    if send_queue_of(event.publisher).put(send, event) is None:
        if iscoroutine(outcome):
            outcome.close()
        event.failed(NoEventLoop(_NO_LOOP))


_NO_LOOP: Final = "the asyncio client needs an event loop, and none is known"


class NoEventLoop(Exception):
    """A synchronous operation has an asyncio client, and no event loop is known."""


async def _answer(outcome: object, event: Outgoing) -> object:
    return _accepted(await _awaited(outcome), event)


def call_client(client: EventClient, event: Outgoing) -> object:
    """Calls the client. Herald's clients get a `herald.Event`, which has fields that
    `publish_with_envelope` does not have.
    """
    if not is_herald_client(type(client)):
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
            event_version=event.event_version,
            source_service=event.source_service,
            envelope=event.envelope,
            headers=event.headers,
        )
    )
