"""Parsing of consumed messages to envelopes."""

import json
from collections.abc import Mapping
from typing import Any

from herald.runtime._reader import EnvelopeError, Reader
from herald.runtime._received import ReceivedEvent, UnknownEvent


def envelope_of(message: object) -> ReceivedEvent[Any]:
    """Parses an envelope, and leaves its payload unparsed.

    Args:
        message: The envelope as a mapping, bytes or text, or an object with one of
            these as `value`, such as a message of aiokafka or confluent-kafka.

    Raises:
        EnvelopeError: The message is not a valid envelope. The error names the field,
            never a value.
    """
    if isinstance(message, ReceivedEvent):
        return message
    try:
        return _read_envelope(message)
    except EnvelopeError:
        raise
    except Exception as error:  # messages and mappings may run any code
        name = type(error).__name__
        raise EnvelopeError("envelope", f"reading it raised {name}") from None


def _read_envelope(message: object) -> UnknownEvent:
    reader = Reader(_content(message))
    if (version := reader.text("envelope_version")) != "1.0":
        raise EnvelopeError("envelope_version", "expected version 1.0")
    return UnknownEvent(
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
    """Returns the parsed message."""
    if not isinstance(message, Mapping | str | bytes | bytearray | memoryview):
        value = getattr(message, "value", None)
        message = value() if callable(value) else value
        if message is None:
            raise EnvelopeError("value", "the message has no value")
    if isinstance(message, memoryview):
        message = bytes(message)
    if not isinstance(message, str | bytes | bytearray):
        return message
    try:
        return json.loads(message)
    except json.JSONDecodeError as error:
        reason = f"not valid JSON at line {error.lineno}, column {error.colno}"
    except UnicodeDecodeError:
        reason = "not valid UTF-8"
    except RecursionError:
        reason = "nested too deeply"
    except ValueError:  # CPython refuses integers of more than 4,300 digits
        reason = "a number has too many digits"
    raise EnvelopeError("envelope", reason)
