//! Profile `onex-v1`: `OnexEnvelopeV1`, one JSON object with all fields of the event.

use std::collections::BTreeMap;

use serde::de::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::{Description, HeaderSink, Place, Row, starts_with_member};
use crate::envelope::{ENVELOPE_VERSION, Envelope, Extra};
use crate::error::{Code, Error};
use crate::event::{Event, WriteJson};
use crate::field::{self, Field, Kind, Presence, TABLE};
use crate::headers::{self, HeaderSet};
use crate::members::Members;
use crate::topic::DEFAULT_PATTERN;
use crate::trace::TraceParent;
use crate::{id, json as text, key, time};

pub static ROW: Row = Row {
    name: "onex-v1",
    title: "OnexEnvelopeV1: one JSON object with all fields of the event",
    by_headers: |_| false,
    by_value: |value| starts_with_member(value, Field::EnvelopeVersion.as_str()),
    write,
    headers: write_headers,
    optional_headers: &headers::NAMES,
    key: key::of_event,
    topic_pattern: DEFAULT_PATTERN,
    dead_letter_topic: super::suffixed_dead_letter_topic,
    parse: |received| parse(received.value),
    describe,
};

/// Content type of the value.
const CONTENT_TYPE: &str = "application/json";

fn write(event: &Event<'_>, buffer: &mut Vec<u8>) -> Result<(), Error> {
    super::check_event_type(event)?;
    buffer.push(b'{');
    // `lead` begins with a comma, which the first field does not have.
    buffer.extend_from_slice(&Field::EnvelopeVersion.row().lead.as_bytes()[1..]);
    text::write_text(ENVELOPE_VERSION, buffer);
    write_id(Field::EventId, event.event_id, buffer);
    write_field(Field::EventType, event.event_type, buffer);
    write_field(Field::EventVersion, event.event_version, buffer);
    write_timestamp(event, buffer)?;
    write_field(Field::SourceNodeId, event.source_node_id, buffer);
    write_field(Field::SourceService, event.source_service, buffer);
    write_field(Field::SourceVersion, event.source_version, buffer);
    write_if_set(Field::SourceInstance, event.source_instance, buffer);
    if let Some(id) = event.correlation_id {
        write_id(Field::CorrelationId, id, buffer);
    } else {
        write_lead(Field::CorrelationId, buffer);
        buffer.extend_from_slice(b"null");
    }
    write_if_set(Field::CausationId, event.causation_id, buffer);
    write_field(Field::Environment, event.environment, buffer);
    write_if_set(Field::Region, event.region, buffer);
    write_if_set(Field::PartitionKey, event.partition_key, buffer);
    write_object(Field::Payload, event.payload, buffer)?;
    let metadata = write_object(Field::Metadata, event.metadata, buffer)?;
    if let Some(trace) = event.trace {
        add_trace(trace, metadata, buffer);
    }
    for extra in event.extra {
        write_extra(extra, buffer)?;
    }
    buffer.push(b'}');
    Ok(())
}

fn write_timestamp(event: &Event<'_>, buffer: &mut Vec<u8>) -> Result<(), Error> {
    write_lead(Field::EventTimestamp, buffer);
    buffer.push(b'"');
    if !time::write(event.event_timestamp, buffer) {
        return Err(super::invalid_year());
    }
    buffer.push(b'"');
    Ok(())
}

fn write_lead(field: Field, buffer: &mut Vec<u8>) {
    buffer.extend_from_slice(field.row().lead.as_bytes());
}

fn write_field(field: Field, value: &str, buffer: &mut Vec<u8>) {
    write_lead(field, buffer);
    text::write_text(value, buffer);
}

fn write_if_set(field: Field, value: Option<&str>, buffer: &mut Vec<u8>) {
    if let Some(value) = value {
        write_field(field, value, buffer);
    }
}

fn write_id(field: Field, value: uuid::Uuid, buffer: &mut Vec<u8>) {
    write_lead(field, buffer);
    buffer.push(b'"');
    buffer.extend_from_slice(&id::text(value));
    buffer.push(b'"');
}

/// Returns the offset of the object in the buffer.
fn write_object(field: Field, value: &dyn WriteJson, buffer: &mut Vec<u8>) -> Result<usize, Error> {
    write_lead(field, buffer);
    super::write_object(field, value, buffer)
}

fn write_extra((name, value): &Extra<'_>, buffer: &mut Vec<u8>) -> Result<(), Error> {
    if let Some(field) = Field::named(name) {
        return Err(Error::of(
            field,
            Code::ReservedField,
            "an extra field can't have this name",
        ));
    }
    buffer.push(b',');
    text::write_member(name, value, buffer);
    Ok(())
}

/// Adds the trace context to the object at the end of the buffer, unless it has one.
fn add_trace(trace: TraceParent, object: usize, buffer: &mut Vec<u8>) {
    if has_trace(&buffer[object..]) {
        return;
    }
    buffer.pop();
    let inside = buffer[object + 1..].trim_ascii_end().len();
    buffer.truncate(object + 1 + inside);
    if inside > 0 {
        buffer.push(b',');
    }
    text::write_text(headers::TRACEPARENT, buffer);
    buffer.push(b':');
    text::write_text(trace.text().as_str(), buffer);
    buffer.push(b'}');
}

fn has_trace(object: &[u8]) -> bool {
    serde_json::from_slice::<BTreeMap<String, &RawValue>>(object)
        .is_ok_and(|members| members.contains_key(headers::TRACEPARENT))
}

/// Everything in a header is in the envelope too.
#[expect(
    clippy::unnecessary_wraps,
    reason = "headers of other profiles can fail"
)]
fn write_headers(
    event: &Event<'_>,
    set: HeaderSet,
    sink: &mut HeaderSink<'_>,
) -> Result<(), Error> {
    if set.contains(headers::CONTENT_TYPE) {
        sink(headers::CONTENT_TYPE.into(), CONTENT_TYPE.as_bytes());
    }
    if set.contains(headers::EVENT_ID) {
        sink(headers::EVENT_ID.into(), &id::text(event.event_id));
    }
    if set.contains(headers::EVENT_TYPE) {
        sink(headers::EVENT_TYPE.into(), event.event_type.as_bytes());
    }
    if let Some(id) = event.correlation_id
        && set.contains(headers::CORRELATION_ID)
    {
        sink(headers::CORRELATION_ID.into(), &id::text(id));
    }
    if set.contains(headers::TRACEPARENT) {
        super::write_trace(event, sink);
    }
    Ok(())
}

/// Parses an envelope of this profile. Errors contain the field, and the position of its value or of
/// the syntax error. A UUID or a timestamp in another notation, a missing field, a duplicate field,
/// and a version other than [`ENVELOPE_VERSION`] are errors; unknown fields are not.
fn parse(bytes: &[u8]) -> Result<Envelope<'_>, Error> {
    decode(Members::of_bytes(bytes, &field::NAMES)?)
}

fn decode(members: Members<'_>) -> Result<Envelope<'_>, Error> {
    let at = |field: Field| field as usize;
    members.required(at(Field::EnvelopeVersion), version)?;
    Ok(Envelope {
        event_id: members.required(at(Field::EventId), Members::id)?,
        event_type: members.required(at(Field::EventType), Members::non_empty_text)?,
        event_version: members.required(at(Field::EventVersion), Members::text)?,
        event_timestamp: members.required(at(Field::EventTimestamp), Members::timestamp)?,
        source_node_id: members.required(at(Field::SourceNodeId), Members::text)?,
        source_service: members.required(at(Field::SourceService), Members::text_or_null)?,
        source_version: members.required(at(Field::SourceVersion), Members::text_or_null)?,
        source_instance: members.optional(at(Field::SourceInstance), Members::text)?,
        correlation_id: members.optional(at(Field::CorrelationId), Members::id)?,
        causation_id: members.optional(at(Field::CausationId), Members::text)?,
        environment: members.required(at(Field::Environment), Members::text)?,
        region: members.optional(at(Field::Region), Members::text)?,
        partition_key: members.optional(at(Field::PartitionKey), Members::text)?,
        payload: members.required(at(Field::Payload), Members::object)?,
        metadata: members.required(at(Field::Metadata), Members::object)?,
        extra: members.extra,
        trace: None,
    })
}

fn version<'a>(members: &Members<'a>, at: usize, value: &'a RawValue) -> Result<(), Error> {
    if members.text(at, value)? == ENVELOPE_VERSION {
        return Ok(());
    }
    let message = format!("this reader knows version {ENVELOPE_VERSION}");
    Err(members.error(at, Code::UnsupportedVersion, &message, value))
}

/// For lines that contain an envelope of this profile. Errors have neither code nor position:
/// [`Envelope::parse`] reports more about the text of the envelope alone.
impl<'de> Deserialize<'de> for Envelope<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let members = Members::deserialize(deserializer, &field::NAMES)?;
        decode(members).map_err(serde::de::Error::custom)
    }
}

fn describe() -> Description {
    Description {
        name: "OnexEnvelopeV1",
        content_type: CONTENT_TYPE,
        value: Some(schema()),
        headers: super::usual_headers(CONTENT_TYPE),
        payload: Some(Field::Payload.as_str()),
        event_type: Place::Member(Field::EventType.as_str()),
        event_version: Place::Member(Field::EventVersion.as_str()),
        correlation_id: Place::Member(Field::CorrelationId.as_str()),
        version_schema: super::version_text_schema,
    }
}

/// Returns the JSON Schema of the value, generated from the table of fields.
fn schema() -> Value {
    let properties: Map<_, _> = TABLE
        .iter()
        .map(|row| (row.name.to_owned(), property(row)))
        .collect();
    let required: Vec<_> = TABLE
        .iter()
        .filter(|row| row.presence == Presence::Always)
        .map(|row| row.name)
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "OnexEnvelopeV1",
        "description": "An event on the wire. Readers take unknown fields and keep them.",
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": true,
    })
}

fn property(row: &field::Row) -> Value {
    let kind = match row.kind {
        Kind::Object => "object",
        _ => "string",
    };
    let nullable = row.presence != Presence::Always || row.kind == Kind::TextOrNull;
    let mut property = Map::new();
    let mut say = |keyword: &str, value| property.insert(keyword.to_owned(), value);
    say("description", json!(row.doc));
    say(
        "type",
        if nullable {
            json!([kind, "null"])
        } else {
            json!(kind)
        },
    );
    match row.kind {
        Kind::Exactly(text) => {
            say("const", json!(text));
        }
        Kind::NonEmptyText => {
            say("minLength", json!(1));
        }
        Kind::Uuid => {
            say("format", json!("uuid"));
            say("pattern", json!(id::PATTERN));
        }
        Kind::Timestamp => {
            say("format", json!("date-time"));
            say("pattern", json!(time::PATTERN));
        }
        Kind::Text | Kind::TextOrNull | Kind::Object => {}
    }
    Value::Object(property)
}
