"""Parsing of consumed messages to envelopes."""

import json
from collections.abc import Mapping
from typing import Any

from herald.runtime._reader import EnvelopeError, Reader
from herald.runtime._received import ReceivedEvent


def envelope_of(message: object) -> ReceivedEvent[Any]:
    """Parses an envelope, and leaves its payload unparsed.

    Args:
        message: It as mapping, bytes or text, or an object that has it as `value`, as a
            consumer of aiokafka or confluent-kafka gives.

    Raises:
        EnvelopeError: It is none. It names the field, and no values.
    """
    if isinstance(message, ReceivedEvent):
        return message
    reader = Reader(_content(message))
    if (version := reader.text("envelope_version")) != "1.0":
        raise EnvelopeError("envelope_version", "this reads version 1.0 only")
    return ReceivedEvent(
        envelope_version=version,
        event_id=reader.uuid("event_id"),
        event_type=reader.text("event_type"),
        event_version=reader.text("event_version"),
        event_timestamp=reader.time("event_timestamp"),
        source_node_id=reader.text("source_node_id"),
        source_service=reader.text_or_null("source_service"),
        source_version=reader.text_or_null("source_version"),
        environment=reader.text("environment"),
        correlation_id=reader.optional("correlation_id", reader.uuid),
        causation_id=reader.optional("causation_id", reader.text),
        source_instance=reader.optional("source_instance", reader.text),
        region=reader.optional("region", reader.text),
        partition_key=reader.optional("partition_key", reader.text),
        payload=reader.mapping("payload"),
        metadata=reader.mapping("metadata"),
        extra=reader.extra,
    )


def _content(message: object) -> object:
    if not isinstance(message, Mapping | str | bytes | bytearray | memoryview):
        value = getattr(message, "value", None)
        message = value() if callable(value) else value
        if message is None:
            raise EnvelopeError("value", "the message has none")
    if isinstance(message, memoryview):
        message = bytes(message)
    if not isinstance(message, str | bytes | bytearray):
        return message
    try:
        return json.loads(message)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise EnvelopeError("envelope", f"no JSON at {where}") from None
    except UnicodeDecodeError:
        raise EnvelopeError("envelope", "no UTF-8") from None
