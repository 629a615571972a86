"""Envelope profiles: the forms in which a received event is read.

A profile is a function that reads an event from a message, and a row in `_BY_HEADERS`
or `_BY_VALUE`. `crates/envelope/src/profiles` writes the same forms.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote
from uuid import NAMESPACE_URL, UUID, uuid5

from herald.runtime._reader import EnvelopeError, Reader
from herald.runtime._received import UnknownEvent

Headers = Mapping[str, bytes | str | None]

_SCHEMA_ID: Final = "__value_schema_id"
"""Header with the schema id of the value, which is not text."""


class Message:
    """Message as a profile reads it.

    Args:
        value: The value: bytes, text, or the parsed object; None is a tombstone.
        headers: Headers by name.
        time: Milliseconds since 1970 at which the record was created, if known.
    """

    def __init__(
        self, value: object, headers: Headers | None = None, time: object = None
    ) -> None:
        self.value = without_schema_id(value)
        self.headers = headers or {}
        self.time = time

    def parsed(self) -> object:
        """Returns the parsed value."""
        if self.value is None:
            raise EnvelopeError("value", "the message has no value")
        return parse_json(self.value, "envelope")

    def text_headers(self) -> dict[str, str]:
        """Returns the headers that are text."""
        found = {}
        for name, value in self.headers.items():
            if name == _SCHEMA_ID:
                continue
            if isinstance(value, bytes):
                try:
                    value = value.decode()
                except UnicodeDecodeError:
                    raise EnvelopeError(name, "not valid UTF-8") from None
            if isinstance(value, str):
                found[name] = value
        return found

    def record_time(self) -> datetime | None:
        """Returns the time of the record, if it is known."""
        if not isinstance(self.time, int) or self.time < 0:
            return None
        return datetime.fromtimestamp(self.time / 1000, UTC)


def without_schema_id(value: object) -> object:
    """Returns a value without the five bytes of a schema id, with which clients of
    schema registries begin it. JSON never begins with the byte zero.
    """
    if isinstance(value, memoryview):
        value = bytes(value)
    if isinstance(value, bytes | bytearray) and value[:1] == b"\0":
        return value[5:]
    return value


def read_event(message: Message) -> UnknownEvent:
    """Reads an event of any profile."""
    if message.headers:
        for shows, read in _BY_HEADERS:
            if shows(message.headers):
                return read(message)
    fields = message.parsed()
    if isinstance(fields, Mapping):
        for shows, read_fields in _BY_VALUE:
            if shows(fields):
                return read_fields(fields, message)
    return _onex_v1(fields, message)


def parse_json(value: object, name: str) -> object:
    """Parses bytes and text; other values are parsed already."""
    if isinstance(value, memoryview):
        value = bytes(value)
    if not isinstance(value, str | bytes | bytearray):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError as error:
        reason = f"not valid JSON at line {error.lineno}, column {error.colno}"
    except UnicodeDecodeError:
        reason = "not valid UTF-8"
    except RecursionError:
        reason = "nested too deeply"
    except ValueError:  # CPython refuses integers of more than 4,300 digits
        reason = "a number has too many digits"
    raise EnvelopeError(name, reason)


def _onex_v1(fields: object, _: Message) -> UnknownEvent:
    reader = Reader(fields)
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


def _onex_event_envelope(fields: object, message: Message) -> UnknownEvent:
    headers = message.text_headers()
    reader = Reader(fields)
    metadata = reader.optional("metadata", reader.mapping) or {}
    of_metadata = Reader(metadata)
    tags = Reader(of_metadata.optional("tags", of_metadata.mapping) or {})
    version = reader.optional("envelope_version", reader.mapping)
    if version is not None and _numbers(version, "envelope_version")[0] > 2:
        raise EnvelopeError("envelope_version", "expected version 2 or lower")
    producer = reader.optional("producer", reader.text)
    node = reader.optional("source_tool", reader.text)
    service = tags.optional("source_service", tags.text)
    payload_version = reader.optional("payload_schema_version", reader.mapping)
    event_version = tags.optional("event_version", tags.text)
    if event_version is None:
        event_version = _version_text(payload_version)
    tag = parse_json(tags.optional("metadata", tags.text), "metadata")
    environment = tags.optional("environment", tags.text)
    event = UnknownEvent(
        envelope_version=_version_text(version),
        event_id=reader.uuid("envelope_id"),
        event_type=reader.optional("event_type", reader.text)
        or _event_type_of_topic(headers.get("event_type", "")),
        event_version=event_version,
        event_timestamp=_time(reader, "envelope_timestamp", message),
        source_node_id=node or producer or "",
        source_service=service or producer or "",
        source_version=tags.text_or_null("source_version"),
        environment=environment or headers.get("source", ""),
        correlation_id=reader.optional("correlation_id", reader.uuid),
        causation_id=reader.optional("parent_envelope_id", reader.text)
        or tags.optional("causation_id", tags.text),
        source_instance=tags.optional("source_instance", tags.text),
        region=tags.optional("region", tags.text),
        partition_key=tags.optional("partition_key", tags.text),
        payload=reader.mapping("payload"),
        metadata=_metadata_of(tag, metadata, tags.extra),
        extra=reader.extra,
    )
    for name in [name for name, value in reader.extra.items() if value is None]:
        del reader.extra[name]
    return event


def _metadata_of(
    tag: object, metadata: Mapping[str, Any], other_tags: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Returns the metadata in a tag, else the whole, if not only Herald wrote it."""
    if tag is not None:
        return _object(tag, "metadata")
    is_foreign = other_tags or metadata.get("headers") or metadata.get("request_id")
    return metadata if is_foreign else {}


def _numbers(version: Mapping[str, Any], name: str) -> list[int]:
    numbers = [version.get(part) for part in ("major", "minor", "patch")]
    found = [number for number in numbers if type(number) is int]
    if len(found) != 3:
        raise EnvelopeError(name, "expected an object of three numbers")
    return found


def _version_text(version: Mapping[str, Any] | None) -> str:
    if version is None:
        return "1.0"
    major, minor, patch = _numbers(version, "payload_schema_version")
    return f"{major}.{minor}.{patch}" if patch else f"{major}.{minor}"


def _event_type_of_topic(topic: str) -> str:
    """Returns the event type of an envelope without one: `PRODUCER.NAME`."""
    parts = topic.split(".")
    if parts[0] == "onex" and len(parts) >= 5:
        return f"{parts[2]}.{parts[3]}"
    if not topic:
        raise EnvelopeError("event_type", "missing")
    return topic


def _onex_event_envelope_message(message: Message) -> UnknownEvent:
    return _onex_event_envelope(message.parsed(), message)


def _none(message: Message) -> UnknownEvent:
    headers = message.text_headers()
    reader = Reader(headers)
    metadata = parse_json(headers.get("metadata", "{}"), "metadata")
    extra = parse_json(headers.get("extra", "{}"), "extra")
    return UnknownEvent(
        envelope_version="",
        event_id=reader.uuid("event_id"),
        event_type=_non_empty(reader, "event_type"),
        event_version=reader.text("event_version"),
        event_timestamp=_time(reader, "event_timestamp", message),
        source_node_id=reader.text_or_null("source_node_id"),
        source_service=reader.text_or_null("source_service"),
        source_version=reader.text_or_null("source_version"),
        environment=reader.text_or_null("environment"),
        correlation_id=reader.optional("correlation_id", reader.uuid),
        causation_id=reader.optional("causation_id", reader.text),
        source_instance=reader.optional("source_instance", reader.text),
        region=reader.optional("region", reader.text),
        partition_key=reader.optional("partition_key", reader.text),
        payload=_object(message.parsed(), "payload"),
        metadata=_object(metadata, "metadata"),
        extra=_object(extra, "extra"),
    )


def _cloudevents(fields: object, message: Message) -> UnknownEvent:
    members = dict(_object(fields, "envelope"))
    if members.get("data_base64") is not None:
        raise EnvelopeError("data_base64", "a binary payload can't be read")
    payload = members.pop("data", None)
    members.pop("data_base64", None)
    return _cloudevent(
        members, {} if payload is None else _object(payload, "data"), message
    )


def _cloudevents_structured(message: Message) -> UnknownEvent:
    return _cloudevents(message.parsed(), message)


def _cloudevents_binary(message: Message) -> UnknownEvent:
    headers = message.text_headers()
    attributes: dict[str, Any] = {
        name.removeprefix("ce_"): value
        for name, value in headers.items()
        if name.startswith("ce_")
    }
    if (content_type := headers.get("content-type")) is not None:
        attributes["datacontenttype"] = content_type
    payload: object = {} if message.value in (None, b"") else message.parsed()
    return _cloudevent(attributes, _object(payload, "payload"), message)


def _cloudevent(
    attributes: dict[str, Any], payload: Mapping[str, Any], message: Message
) -> UnknownEvent:
    reader = Reader(attributes)
    if (version := reader.text("specversion")) != "1.0":
        raise EnvelopeError("specversion", "expected version 1.0")
    content_type = reader.optional("datacontenttype", reader.text)
    if content_type is not None and not _is_json(content_type):
        raise EnvelopeError("datacontenttype", "the payload must be JSON")
    source = _non_empty(reader, "source")
    own_id = _non_empty(reader, "id")
    event_id = _uuid(own_id) or uuid5(NAMESPACE_URL, f"{source}\n{own_id}")
    own_correlation = reader.optional("correlationid", reader.text) or ""
    metadata = parse_json(reader.optional("metadata", reader.text) or {}, "metadata")
    service, node = _source_parts(source)
    event = UnknownEvent(
        envelope_version=version,
        event_id=event_id,
        event_type=_non_empty(reader, "type"),
        event_version=reader.optional("eventversion", reader.text) or "1.0",
        event_timestamp=_time(reader, "time", message),
        source_node_id=node,
        source_service=service,
        source_version=reader.text_or_null("sourceversion"),
        environment=reader.text_or_null("environment"),
        correlation_id=_uuid(own_correlation),
        causation_id=reader.optional("causationid", reader.text),
        source_instance=reader.optional("sourceinstance", reader.text),
        region=reader.optional("region", reader.text),
        partition_key=reader.optional("partitionkey", reader.text),
        payload=payload,
        metadata=_object(metadata, "metadata"),
        extra=reader.extra,
    )
    reader.optional("traceparent", reader.text)
    # Ids that are not UUIDs are kept.
    if _uuid(own_id) is None:
        reader.extra["id"] = own_id
    if own_correlation and event.correlation_id is None:
        reader.extra["correlationid"] = own_correlation
    return event


def _source_parts(source: str) -> tuple[str, str]:
    """Returns service and node of `/SERVICE/NODE`. Any other form is a service."""
    parts = source.split("/")
    if len(parts) == 3 and parts[0] == "":
        return unquote(parts[1]), unquote(parts[2])
    return source, ""


def _is_json(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type in ("application/json", "text/json") or media_type.endswith(
        "+json"
    )


def _time(reader: Reader, name: str, message: Message) -> datetime:
    """Reads the time of an event, else takes that of the record."""
    found = reader.optional(name, reader.time) or message.record_time()
    if found is None:
        raise EnvelopeError(name, "missing")
    return found


def _non_empty(reader: Reader, name: str) -> str:
    text = reader.text(name)
    if not text:
        raise EnvelopeError(name, "must not be empty")
    return text


def _object(value: object, name: str) -> Mapping[str, Any]:
    return Reader({name: value}).mapping(name)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) == 36 else None
    except ValueError:
        return None


def _has_content_type(headers: Headers) -> bool:
    found = headers.get("content-type") or b""
    text = found.decode("latin-1") if isinstance(found, bytes) else found
    return text.lower().startswith("application/cloudevents+json")


def _has_bus_headers(headers: Headers) -> bool:
    return "message_id" in headers and "schema_version" in headers


def _has_identity(headers: Headers) -> bool:
    return all(name in headers for name in ("event_version", "event_id", "event_type"))


_BY_HEADERS: Final[
    tuple[
        tuple[Callable[[Headers], bool], Callable[[Message], UnknownEvent]],
        ...,
    ]
] = (
    (_has_content_type, _cloudevents_structured),
    (_has_bus_headers, _onex_event_envelope_message),
    (lambda headers: "ce_specversion" in headers, _cloudevents_binary),
    (_has_identity, _none),
)
"""Profiles that the headers of a message show."""

_BY_VALUE: Final[
    tuple[
        tuple[
            Callable[[Mapping[str, Any]], bool],
            Callable[[Mapping[str, Any], Message], UnknownEvent],
        ],
        ...,
    ]
] = (
    (lambda fields: isinstance(fields.get("envelope_version"), str), _onex_v1),
    (lambda fields: "envelope_id" in fields, _onex_event_envelope),
    (lambda fields: "specversion" in fields, _cloudevents),
)
"""Profiles that the value alone shows."""
