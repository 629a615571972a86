//! Profile `onex-event-envelope`: `ModelEventEnvelope` 2.x, the envelope of the ONEX platform since
//! 2026, with the headers, topics and dead letters of its bus.
//!
//! Its model refuses members that it does not define. So fields without a member of their own are
//! tags of its metadata, and members without a value are left out.

use std::borrow::Cow;
use std::str::FromStr as _;

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Description, HeaderSink, Place, Received, Row};
use crate::envelope::{EVENT_VERSION, Envelope};
use crate::error::{Code, Error};
use crate::event::Event;
use crate::field::Field;
use crate::headers::{self, HeaderSet};
use crate::json as text;
use crate::members::{self, Members};
use crate::names::names;
use crate::trace::TraceParent;
use crate::{id, key, time};

pub static ROW: Row = Row {
    name: "onex-event-envelope",
    title: "ModelEventEnvelope 2.x of the ONEX platform, with the headers of its bus",
    by_headers: |received| {
        let is_there = |name| received.header(name).is_some();
        is_there(MESSAGE_ID) && is_there(SCHEMA_VERSION)
    },
    by_value: |value| {
        let name = NAMES[ENVELOPE_ID];
        super::starts_with_member(value, name) || members::has_member(value, name)
    },
    write,
    headers: write_headers,
    optional_headers: &[headers::TRACEPARENT],
    key: key::of_event,
    topic_pattern: "onex.evt.{service_name}.{event_type}.v{major}",
    dead_letter_topic,
    parse,
    describe,
};

const CONTENT_TYPE: &str = "application/json";

/// Version of the envelope that is written, the usual version of payloads, and the last major
/// version of the envelope that is read.
const VERSION: &str = r#"{"major":2,"minor":3,"patch":0}"#;
const FIRST_VERSION: &str = r#"{"major":1,"minor":0,"patch":0}"#;
const MAX_MAJOR: u32 = 2;

// Members that have a field of the event.
const PAYLOAD: usize = 0;
const ENVELOPE_ID: usize = 1;
const TIMESTAMP: usize = 2;
const CORRELATION_ID: usize = 3;
const PARENT_ID: usize = 4;
const SOURCE_TOOL: usize = 5;
const METADATA: usize = 6;
const EVENT_TYPE: usize = 7;
const PAYLOAD_VERSION: usize = 8;
const PRODUCER: usize = 9;
const ENVELOPE_VERSION: usize = 10;

static NAMES: [&str; 11] = [
    "payload",
    "envelope_id",
    "envelope_timestamp",
    "correlation_id",
    "parent_envelope_id",
    "source_tool",
    "metadata",
    "event_type",
    "payload_schema_version",
    "producer",
    "envelope_version",
];

/// Other members of the model, which are unknown fields of the event.
static OTHER_NAMES: [&str; 11] = [
    "target_tool",
    "security_context",
    "payload_type",
    "priority",
    "timeout_seconds",
    "retry_count",
    "request_id",
    "trace_id",
    "span_id",
    "tenant_id",
    "onex_version",
];

// Members of the metadata.
const TAGS: usize = 0;
const TRACE_ID: usize = 1;
const SPAN_ID: usize = 2;
const REQUEST_ID: usize = 3;
const METADATA_HEADERS: usize = 5;

static METADATA_NAMES: [&str; 6] = [
    "tags",
    "trace_id",
    "span_id",
    "request_id",
    "parent_span_id",
    "headers",
];

/// Fields that are tags.
static TAG_FIELDS: [Field; 9] = [
    Field::SourceService,
    Field::SourceVersion,
    Field::SourceInstance,
    Field::Environment,
    Field::Region,
    Field::PartitionKey,
    Field::CausationId,
    Field::EventVersion,
    Field::Metadata,
];

static TAG_NAMES: [&str; TAG_FIELDS.len()] =
    names!(TAG_FIELDS, field => crate::field::NAMES[*field as usize]);

const MESSAGE_ID: &str = "message_id";
const SCHEMA_VERSION: &str = "schema_version";

/// Headers of the bus with constant values: the defaults of its model.
const CONSTANT_HEADERS: [(&str, &str); 5] = [
    ("content_type", CONTENT_TYPE),
    (SCHEMA_VERSION, "1.0.0"),
    ("priority", "normal"),
    ("retry_count", "0"),
    ("max_retries", "3"),
];

fn write(event: &Event<'_>, buffer: &mut Vec<u8>) -> Result<(), Error> {
    super::check_event_type(event)?;
    let time = time::text(event.event_timestamp).ok_or_else(super::invalid_year)?;
    buffer.extend_from_slice(b"{\"payload\":");
    super::write_object(Field::Payload, event.payload, buffer)?;
    plain(",\"envelope_id\":\"", &id::text(event.event_id), buffer);
    plain(",\"envelope_timestamp\":\"", &time, buffer);
    if let Some(id) = event.correlation_id {
        plain(",\"correlation_id\":\"", &id::text(id), buffer);
    }
    if let Some(id) = parent(event) {
        plain(",\"parent_envelope_id\":\"", &id::text(id), buffer);
    }
    if !event.source_node_id.is_empty() {
        buffer.extend_from_slice(b",\"source_tool\":");
        text::write_text(event.source_node_id, buffer);
    }
    write_metadata(event, buffer)?;
    buffer.extend_from_slice(b",\"event_type\":");
    text::write_text(event.event_type, buffer);
    if let Some(version) = Version::parse(event.event_version) {
        version.write(buffer);
    }
    for (name, value) in event.extra {
        check_extra(name)?;
        buffer.push(b',');
        text::write_member(name, value, buffer);
    }
    buffer.extend_from_slice(b",\"envelope_version\":");
    buffer.extend_from_slice(VERSION.as_bytes());
    buffer.push(b'}');
    Ok(())
}

/// Appends a member whose value needs no escapes. `lead` ends with the quote.
fn plain(lead: &str, value: &[u8], buffer: &mut Vec<u8>) {
    buffer.extend_from_slice(lead.as_bytes());
    buffer.extend_from_slice(value);
    buffer.push(b'"');
}

/// Returns the causation as the id of an envelope, if it is one.
fn parent(event: &Event<'_>) -> Option<Uuid> {
    let text = event.causation_id?;
    let id = id::read(text)?;
    (id != event.event_id && id::text(id) == text.as_bytes()).then_some(id)
}

/// Appends the metadata: tags, and the ids of the trace. Without content they are left out.
fn write_metadata(event: &Event<'_>, buffer: &mut Vec<u8>) -> Result<(), Error> {
    let start = buffer.len();
    buffer.extend_from_slice(b",\"metadata\":{");
    if let Some(trace) = event.trace {
        let text = trace.text();
        let (trace_id, span_id) = ids_of(text.as_str());
        plain("\"trace_id\":\"", trace_id.as_bytes(), buffer);
        plain(",\"span_id\":\"", span_id.as_bytes(), buffer);
        buffer.push(b',');
    }
    buffer.extend_from_slice(b"\"tags\":{");
    let first = buffer.len();
    for field in &TAG_FIELDS {
        let value = match field {
            Field::SourceService => Some(event.source_service),
            Field::SourceVersion => Some(event.source_version),
            Field::SourceInstance => event.source_instance,
            Field::Environment => Some(event.environment),
            Field::Region => event.region,
            Field::PartitionKey => event.partition_key,
            Field::CausationId => event.causation_id.filter(|_| parent(event).is_none()),
            Field::EventVersion => Some(event.event_version).filter(|text| !is_canonical(text)),
            _ => None,
        };
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            buffer.extend_from_slice(field.row().lead.as_bytes());
            text::write_text(value, buffer);
        }
    }
    let lead = Field::Metadata.row().lead;
    super::write_object_as_text(lead, Field::Metadata, event.metadata, buffer)?;
    if buffer.len() > first {
        // The lead of the first tag begins with a comma.
        buffer.remove(first);
    } else if event.trace.is_none() {
        buffer.truncate(start);
        return Ok(());
    }
    buffer.extend_from_slice(b"}}");
    Ok(())
}

/// Returns trace id and span id of a `traceparent`.
fn ids_of(traceparent: &str) -> (&str, &str) {
    (&traceparent[3..35], &traceparent[36..52])
}

fn check_extra(name: &str) -> Result<(), Error> {
    if NAMES.contains(&name) {
        let message = "an extra field can't have this name";
        return Err(Error::new(Code::ReservedField, message).in_field(name));
    }
    if !OTHER_NAMES.contains(&name) {
        let message = "the envelope of the ONEX platform has no such member";
        return Err(Error::new(Code::InvalidExtension, message).in_field(name));
    }
    Ok(())
}

/// Semantic version of a payload.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Version([u32; 3]);

impl Version {
    /// Parses one to three numbers; anything behind the third is ignored.
    fn parse(text: &str) -> Option<Self> {
        if text == EVENT_VERSION {
            return Some(Self([1, 0, 0]));
        }
        let numbers = text.split(['-', '+']).next()?;
        let mut parts = [0; 3];
        let mut given = numbers.split('.');
        parts[0] = given.next()?.parse().ok()?;
        for part in &mut parts[1..] {
            if let Some(number) = given.next() {
                *part = number.parse().ok()?;
            }
        }
        Some(Self(parts))
    }

    fn write(self, buffer: &mut Vec<u8>) {
        buffer.extend_from_slice(b",\"payload_schema_version\":");
        let [major, minor, patch] = self.0;
        if self.0 == [1, 0, 0] {
            buffer.extend_from_slice(FIRST_VERSION.as_bytes());
        } else {
            let version = format!(r#"{{"major":{major},"minor":{minor},"patch":{patch}}}"#);
            buffer.extend_from_slice(version.as_bytes());
        }
    }

    /// Returns the text without a patch of 0, as events have it.
    fn as_text(self) -> Cow<'static, str> {
        match self.0 {
            [1, 0, 0] => EVENT_VERSION.into(),
            [major, minor, 0] => format!("{major}.{minor}").into(),
            [major, minor, patch] => format!("{major}.{minor}.{patch}").into(),
        }
    }
}

/// Returns whether the text follows from the numbers, so that no tag is needed.
fn is_canonical(text: &str) -> bool {
    text == EVENT_VERSION || Version::parse(text).is_some_and(|version| version.as_text() == text)
}

/// All headers of the bus are written: it creates new ids for those that are missing.
fn write_headers(
    event: &Event<'_>,
    set: HeaderSet,
    sink: &mut HeaderSink<'_>,
) -> Result<(), Error> {
    let time = time::text(event.event_timestamp).ok_or_else(super::invalid_year)?;
    for (name, value) in CONSTANT_HEADERS {
        sink(name.into(), value.as_bytes());
    }
    sink(MESSAGE_ID.into(), &id::text(event.event_id));
    sink("timestamp".into(), &time);
    sink("source".into(), event.environment.as_bytes());
    let event_type = event.topic.unwrap_or(event.event_type);
    sink(headers::EVENT_TYPE.into(), event_type.as_bytes());
    if let Some(id) = event.correlation_id {
        sink(headers::CORRELATION_ID.into(), &id::text(id));
    }
    if let Some(id) = parent(event) {
        sink("parent_message_id".into(), &id::text(id));
    }
    if let Some(key) = event.partition_key.filter(|key| !key.is_empty()) {
        sink("partition_key".into(), key.as_bytes());
    }
    if let Some(trace) = event.trace {
        let text = trace.text();
        let (trace_id, span_id) = ids_of(text.as_str());
        sink("trace_id".into(), trace_id.as_bytes());
        sink("span_id".into(), span_id.as_bytes());
        if set.contains(headers::TRACEPARENT) {
            sink(headers::TRACEPARENT.into(), text.as_str().as_bytes());
        }
    }
    Ok(())
}

/// Returns the topic of dead letters: that of the category of the topic, for topics that are named
/// by the rule of the platform.
fn dead_letter_topic(topic: &str) -> String {
    let kind = topic
        .strip_prefix("onex.")
        .and_then(|rest| rest.split('.').next());
    let category = match kind {
        Some("evt") => "events",
        Some("cmd") => "commands",
        Some("intent") => "intents",
        _ => return super::suffixed_dead_letter_topic(topic),
    };
    format!("onex.dlq.omnibase-infra.{category}.v1")
}

fn parse<'a>(received: &Received<'_, 'a>) -> Result<Envelope<'a>, Error> {
    let mut members = Members::of_bytes(received.value, &NAMES)?;
    members.optional(ENVELOPE_VERSION, version)?;
    let written = members.optional(METADATA, Members::object)?;
    let mut metadata = match members.raw(METADATA) {
        Some(raw) if raw.get() != "null" => Metadata::parse(raw)?,
        _ => Metadata::default(),
    };
    let event_version = match (
        metadata.tag(Field::EventVersion),
        members.raw(PAYLOAD_VERSION),
    ) {
        (Some(text), _) => text,
        (None, Some(raw)) if raw.get() != "null" => {
            version(&members, PAYLOAD_VERSION, raw)?.as_text()
        }
        _ => EVENT_VERSION.into(),
    };
    let producer = members.optional(PRODUCER, Members::text)?;
    let node = members.optional(SOURCE_TOOL, Members::text)?;
    let event_type = match members.optional(EVENT_TYPE, Members::non_empty_text)? {
        Some(event_type) => event_type,
        None => event_type_of_topic(received, &members)?,
    };
    let event_timestamp = match members.optional(TIMESTAMP, Members::timestamp)? {
        Some(time) => time,
        None => (received.timestamp)
            .ok_or_else(|| members.error_of(TIMESTAMP, Code::MissingField, "is missing"))?,
    };
    let causation_id = match members.optional(PARENT_ID, Members::text)? {
        Some(id) => Some(id),
        None => metadata.tag(Field::CausationId),
    };
    let source = received.text("source")?.map(Cow::Borrowed);
    Ok(Envelope {
        event_id: members.required(ENVELOPE_ID, Members::id)?,
        event_type,
        event_version,
        event_timestamp,
        source_node_id: node.or_else(|| producer.clone()).unwrap_or_default(),
        source_service: metadata
            .tag(Field::SourceService)
            .or(producer)
            .unwrap_or_default(),
        source_version: metadata.tag(Field::SourceVersion).unwrap_or_default(),
        source_instance: metadata.tag(Field::SourceInstance),
        correlation_id: members.optional(CORRELATION_ID, Members::id)?,
        causation_id,
        environment: metadata
            .tag(Field::Environment)
            .or(source)
            .unwrap_or_default(),
        region: metadata.tag(Field::Region),
        partition_key: metadata.tag(Field::PartitionKey),
        payload: members.required(PAYLOAD, Members::object)?,
        metadata: match (metadata.tag(Field::Metadata), written) {
            (Some(text), _) => super::object_of_text(text).ok_or_else(|| {
                let message = "the tag of this name must be a JSON object as text";
                Error::of(Field::Metadata, Code::WrongType, message)
            })?,
            (None, Some(written)) if metadata.is_foreign => written,
            _ => super::empty_object(),
        },
        trace: match received.text(headers::TRACEPARENT)? {
            Some(text) => text.parse().ok(),
            None => metadata.trace,
        },
        extra: {
            members.extra.retain(|(_, value)| value.get() != "null");
            members.extra
        },
    })
}

/// Metadata of the envelope.
#[derive(Default)]
struct Metadata<'a> {
    /// The tags of [`TAG_FIELDS`].
    tags: [Option<Cow<'a, str>>; TAG_FIELDS.len()],
    trace: Option<TraceParent>,
    /// Whether there is content that Herald does not write.
    is_foreign: bool,
}

impl<'a> Metadata<'a> {
    fn parse(raw: &'a RawValue) -> Result<Self, Error> {
        if let Some(own) = Self::parse_own(raw.get()) {
            return Ok(own);
        }
        let within = |error: Error| error.in_field(NAMES[METADATA]);
        let members = Members::of_bytes(raw.get().as_bytes(), &METADATA_NAMES).map_err(within)?;
        let own = |at| members.optional(at, Members::text).map_err(within);
        let trace = (own(TRACE_ID)?.zip(own(SPAN_ID)?))
            .and_then(|(trace_id, span_id)| trace_of(&trace_id, &span_id));
        let has_headers = members
            .raw(METADATA_HEADERS)
            .is_some_and(|raw| !matches!(raw.get(), "{}" | "null"));
        let mut metadata = Self {
            tags: Default::default(),
            trace,
            is_foreign: has_headers || members.has(REQUEST_ID),
        };
        if let Some(raw) = members.raw(TAGS).filter(|raw| raw.get() != "null") {
            let tags = Members::of_bytes(raw.get().as_bytes(), &TAG_NAMES).map_err(within)?;
            metadata.is_foreign |= !tags.extra.is_empty();
            for (at, tag) in metadata.tags.iter_mut().enumerate() {
                *tag = tags.optional(at, Members::text)?;
            }
        }
        Ok(metadata)
    }

    /// Parses metadata in exactly the form that [`write_metadata`] gives them, at a fifth of the cost of
    /// splitting objects in objects. `None` for any other form.
    fn parse_own(text: &'a str) -> Option<Self> {
        let mut metadata = Self::default();
        let mut rest = text.strip_prefix('{')?;
        if let Some(ids) = rest.strip_prefix("\"trace_id\":\"") {
            let (trace_id, after) = members::split_text(ids)?;
            let (span_id, after) = members::split_text(after.strip_prefix(",\"span_id\":\"")?)?;
            metadata.trace = Some(trace_of(trace_id, span_id)?);
            rest = after.strip_prefix(',')?;
        }
        rest = rest.strip_prefix("\"tags\":{")?;
        // The lead of the first tag has no comma.
        let mut skipped = 1;
        for (tag, field) in metadata.tags.iter_mut().zip(&TAG_FIELDS) {
            let after = rest.strip_prefix(&field.row().lead[skipped..]);
            if let Some(value) = after.and_then(|after| after.strip_prefix('"')) {
                let (inside, after) = members::split_text(value)?;
                *tag = Some(members::decode_text(inside)?);
                rest = after;
                skipped = 0;
            }
        }
        (rest == "}}").then_some(metadata)
    }

    /// Removes and returns a tag.
    fn tag(&mut self, field: Field) -> Option<Cow<'a, str>> {
        let at = TAG_FIELDS.iter().position(|known| *known == field);
        self.tags[at?].take()
    }
}

fn trace_of(trace_id: &str, span_id: &str) -> Option<TraceParent> {
    TraceParent::from_str(&format!("00-{trace_id}-{span_id}-01")).ok()
}

/// Decodes a version: an object of numbers.
fn version<'a>(members: &Members<'a>, at: usize, value: &'a RawValue) -> Result<Version, Error> {
    static PARTS: [&str; 3] = ["major", "minor", "patch"];
    // Most versions are one of these, and comparing is cheaper than decoding.
    match value.get() {
        VERSION => return Ok(Version([2, 3, 0])),
        FIRST_VERSION => return Ok(Version([1, 0, 0])),
        _ => {}
    }
    let message = "must be an object with `major`, `minor` and `patch`";
    let wrong = || members.error(at, Code::WrongType, message, value);
    let parts = Members::of_bytes(value.get().as_bytes(), &PARTS).map_err(|_| wrong())?;
    let mut numbers = [0; 3];
    for (at, number) in numbers.iter_mut().enumerate() {
        let raw = parts.raw(at).ok_or_else(wrong)?;
        *number = raw.get().parse().map_err(|_| wrong())?;
    }
    if at == ENVELOPE_VERSION && numbers[0] > MAX_MAJOR {
        let message = format!("this reader knows versions up to {MAX_MAJOR}");
        return Err(members.error(at, Code::UnsupportedVersion, &message, value));
    }
    Ok(Version(numbers))
}

/// Returns the event type of an envelope without one: `PRODUCER.NAME` of its topic, which the bus
/// writes into the header.
fn event_type_of_topic<'a>(
    received: &Received<'_, 'a>,
    members: &Members<'a>,
) -> Result<Cow<'a, str>, Error> {
    let topic = received.text(headers::EVENT_TYPE)?.unwrap_or_default();
    let parts: Vec<_> = topic.split('.').collect();
    match parts[..] {
        ["onex", _, producer, name, _, ..] => Ok(format!("{producer}.{name}").into()),
        _ if !topic.is_empty() => Ok(topic.into()),
        _ => Err(members.error_of(EVENT_TYPE, Code::MissingField, "is missing")),
    }
}

fn describe() -> Description {
    let text = json!({"type": "string"});
    let uuid = json!({"type": "string", "format": "uuid"});
    let mut headers = Map::new();
    for (name, value) in CONSTANT_HEADERS {
        headers.insert(name.to_owned(), json!({"const": value}));
    }
    for name in [MESSAGE_ID, headers::CORRELATION_ID, "parent_message_id"] {
        headers.insert(name.to_owned(), uuid.clone());
    }
    headers.insert(
        "timestamp".to_owned(),
        json!({"type": "string", "format": "date-time"}),
    );
    for name in [
        "source",
        headers::EVENT_TYPE,
        "partition_key",
        "trace_id",
        "span_id",
    ] {
        headers.insert(name.to_owned(), text.clone());
    }
    headers.insert(headers::TRACEPARENT.to_owned(), super::trace_schema());
    Description {
        name: "ModelEventEnvelope",
        content_type: CONTENT_TYPE,
        value: Some(schema()),
        headers: json!({
            "type": "object",
            "properties": headers,
            "required": [MESSAGE_ID, SCHEMA_VERSION],
        }),
        payload: Some(NAMES[PAYLOAD]),
        event_type: Place::Member(NAMES[EVENT_TYPE]),
        event_version: Place::Member(NAMES[PAYLOAD_VERSION]),
        correlation_id: Place::Member(NAMES[CORRELATION_ID]),
        version_schema: |major| json!({"type": "object", "properties": {"major": {"const": major}}}),
    }
}

/// Returns the JSON Schema of the value.
fn schema() -> Value {
    let uuid = json!({"type": ["string", "null"], "format": "uuid"});
    let text = json!({"type": ["string", "null"]});
    let version = json!({
        "type": ["object", "null"],
        "properties": {
            "major": {"type": "integer", "minimum": 0},
            "minor": {"type": "integer", "minimum": 0},
            "patch": {"type": "integer", "minimum": 0},
        },
        "required": ["major", "minor", "patch"],
    });
    let texts = json!({"type": "object", "additionalProperties": {"type": "string"}});
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ModelEventEnvelope",
        "description": "An event in the envelope of the ONEX platform.",
        "type": "object",
        "properties": {
            "payload": {"type": "object"},
            "envelope_id": {"type": "string", "format": "uuid"},
            "envelope_timestamp": {"type": "string", "format": "date-time"},
            "correlation_id": uuid.clone(),
            "parent_envelope_id": uuid.clone(),
            "source_tool": text.clone(),
            "target_tool": text.clone(),
            "metadata": {
                "type": "object",
                "properties": {
                    "trace_id": text.clone(),
                    "request_id": text.clone(),
                    "span_id": text.clone(),
                    "parent_span_id": text.clone(),
                    "headers": texts.clone(),
                    "tags": texts,
                },
            },
            "security_context": {"type": ["object", "null"]},
            "event_type": text.clone(),
            "payload_type": text.clone(),
            "payload_schema_version": version.clone(),
            "priority": {"type": "integer", "minimum": 1, "maximum": 10},
            "timeout_seconds": {"type": ["integer", "null"], "exclusiveMinimum": 0},
            "retry_count": {"type": "integer", "minimum": 0},
            "request_id": uuid.clone(),
            "trace_id": uuid.clone(),
            "span_id": uuid,
            "tenant_id": text.clone(),
            "producer": text,
            "onex_version": version.clone(),
            "envelope_version": version,
        },
        "required": ["payload", "envelope_id"],
        "additionalProperties": false,
    })
}
