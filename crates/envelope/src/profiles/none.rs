//! Profile `none`: the value is the payload, and headers have all other fields of the event.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::{Description, HeaderSink, Place, Received, Row};
use crate::envelope::{EVENT_VERSION, Envelope, Extra};
use crate::error::{Code, Error};
use crate::event::Event;
use crate::field::Field;
use crate::headers::{self, HeaderSet};
use crate::json as text;
use crate::members::Members;
use crate::topic::DEFAULT_PATTERN;
use crate::{id, key, time};

pub static ROW: Row = Row {
    name: "none",
    title: "the payload alone; all other fields are in headers",
    // `onex-v1` writes the other two as well.
    by_headers: |received| {
        [Field::EventVersion, Field::EventId, Field::EventType]
            .iter()
            .all(|field| received.header(field.as_str()).is_some())
    },
    by_value: |_| false,
    write: super::write_payload,
    headers: write_headers,
    optional_headers: &[headers::CONTENT_TYPE],
    key: key::of_event,
    topic_pattern: DEFAULT_PATTERN,
    dead_letter_topic: super::suffixed_dead_letter_topic,
    parse,
    describe,
};

/// Content type of the value.
const CONTENT_TYPE: &str = "application/json";

/// Header with the fields that the format does not define, as a JSON object.
const EXTRA: &str = "extra";

/// Only the content type can be left out: all other headers are the only place of their field.
fn write_headers(
    event: &Event<'_>,
    set: HeaderSet,
    sink: &mut HeaderSink<'_>,
) -> Result<(), Error> {
    if set.contains(headers::CONTENT_TYPE) {
        sink(headers::CONTENT_TYPE.into(), CONTENT_TYPE.as_bytes());
    }
    let mut put = |field: Field, value: &[u8]| sink(field.as_str().into(), value);
    put(Field::EventId, &id::text(event.event_id));
    put(Field::EventType, event.event_type.as_bytes());
    put(Field::EventVersion, event.event_version.as_bytes());
    let time = time::text(event.event_timestamp).ok_or_else(super::invalid_year)?;
    put(Field::EventTimestamp, &time);
    put(Field::SourceNodeId, event.source_node_id.as_bytes());
    put(Field::SourceService, event.source_service.as_bytes());
    put(Field::SourceVersion, event.source_version.as_bytes());
    put(Field::Environment, event.environment.as_bytes());
    if let Some(id) = event.correlation_id {
        put(Field::CorrelationId, &id::text(id));
    }
    for (field, value) in [
        (Field::CausationId, event.causation_id),
        (Field::SourceInstance, event.source_instance),
        (Field::Region, event.region),
        (Field::PartitionKey, event.partition_key),
    ] {
        if let Some(value) = value {
            put(field, value.as_bytes());
        }
    }
    if let Some(metadata) = super::object_text(Field::Metadata, event.metadata)? {
        put(Field::Metadata, &metadata);
    }
    super::write_trace(event, sink);
    if !event.extra.is_empty() {
        sink(EXTRA.into(), &object_of(event.extra));
    }
    Ok(())
}

fn object_of(members: &[Extra<'_>]) -> Vec<u8> {
    let mut object = b"{".to_vec();
    for (name, value) in members {
        if object.len() > 1 {
            object.push(b',');
        }
        text::write_member(name, value, &mut object);
    }
    object.push(b'}');
    object
}

fn parse<'a>(received: &Received<'_, 'a>) -> Result<Envelope<'a>, Error> {
    let optional = |field: Field| received.text(field.as_str());
    let text_or_empty = |field| optional(field).map(|text| Cow::Borrowed(text.unwrap_or_default()));
    let event_type = optional(Field::EventType)?.ok_or_else(|| missing(Field::EventType))?;
    if event_type.is_empty() {
        return Err(Error::of(
            Field::EventType,
            Code::EmptyText,
            "must not be empty",
        ));
    }
    Ok(Envelope {
        event_id: uuid_of(received, Field::EventId)?.ok_or_else(|| missing(Field::EventId))?,
        event_type: event_type.into(),
        event_version: optional(Field::EventVersion)?
            .unwrap_or(EVENT_VERSION)
            .into(),
        event_timestamp: match optional(Field::EventTimestamp)? {
            Some(text) => time::read(text).ok_or_else(|| {
                Error::of(
                    Field::EventTimestamp,
                    Code::InvalidTimestamp,
                    time::EXPECTED,
                )
            })?,
            None => (received.timestamp).ok_or_else(|| missing(Field::EventTimestamp))?,
        },
        source_node_id: text_or_empty(Field::SourceNodeId)?,
        source_service: text_or_empty(Field::SourceService)?,
        source_version: text_or_empty(Field::SourceVersion)?,
        source_instance: optional(Field::SourceInstance)?.map(Into::into),
        correlation_id: uuid_of(received, Field::CorrelationId)?,
        causation_id: optional(Field::CausationId)?.map(Into::into),
        environment: text_or_empty(Field::Environment)?,
        region: optional(Field::Region)?.map(Into::into),
        partition_key: optional(Field::PartitionKey)?.map(Into::into),
        payload: super::object_of(received.value, Field::Payload)?,
        metadata: match received.header(Field::Metadata.as_str()) {
            Some(bytes) => super::object_of(bytes, Field::Metadata)?,
            None => super::empty_object(),
        },
        extra: match received.header(EXTRA) {
            Some(bytes) => Members::of_bytes(bytes, &[])?.extra,
            None => Vec::new(),
        },
        trace: received
            .text(headers::TRACEPARENT)?
            .and_then(|text| text.parse().ok()),
    })
}

fn missing(field: Field) -> Error {
    Error::of(field, Code::MissingField, "is missing among the headers")
}

fn uuid_of(received: &Received<'_, '_>, field: Field) -> Result<Option<uuid::Uuid>, Error> {
    let Some(text) = received.text(field.as_str())? else {
        return Ok(None);
    };
    let id = id::read(text)
        .ok_or_else(|| Error::of(field, Code::InvalidUuid, "must be a UUID with hyphens"))?;
    Ok(Some(id))
}

fn describe() -> Description {
    let text = json!({"type": "string"});
    let uuid = json!({"type": "string", "format": "uuid"});
    let mut properties = Map::new();
    properties.insert(
        headers::CONTENT_TYPE.to_owned(),
        json!({"const": CONTENT_TYPE}),
    );
    for field in Field::all() {
        let schema = match field {
            Field::EnvelopeVersion | Field::Payload => continue,
            Field::EventId | Field::CorrelationId => uuid.clone(),
            Field::EventTimestamp => json!({"type": "string", "format": "date-time"}),
            Field::Metadata => json!({"type": "string", "contentMediaType": CONTENT_TYPE}),
            _ => text.clone(),
        };
        properties.insert(field.as_str().to_owned(), schema);
    }
    properties.insert(headers::TRACEPARENT.to_owned(), super::trace_schema());
    let required: Vec<Value> = [Field::EventId, Field::EventType, Field::EventVersion]
        .iter()
        .map(|field| json!(field.as_str()))
        .collect();
    Description {
        name: "EventHeaders",
        content_type: CONTENT_TYPE,
        value: None,
        headers: json!({"type": "object", "properties": properties, "required": required}),
        payload: None,
        event_type: Place::Header(Field::EventType.as_str()),
        event_version: Place::Header(Field::EventVersion.as_str()),
        correlation_id: Place::Header(Field::CorrelationId.as_str()),
        version_schema: super::version_text_schema,
    }
}
