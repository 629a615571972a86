//! Writer of envelopes.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::envelope::{ENVELOPE_VERSION, Envelope, Extra};
use crate::error::{Code, Error};
use crate::field::Field;
use crate::headers;
use crate::id;
use crate::time;
use crate::trace::TraceParent;

impl<P: Serialize, M: Serialize> Envelope<'_, P, M> {
    /// Appends the envelope as JSON, with the fields in the order of the wire, and without
    /// spaces except those of a [`Json`](crate::Json). Reusing a cleared buffer saves the
    /// allocation.
    ///
    /// # Errors
    /// [`Code::EmptyText`] for an empty event type, [`Code::InvalidTimestamp`] for a year
    /// outside 1000 to 2999, [`Code::WrongType`] for payload or metadata that are not objects,
    /// [`Code::Unserialisable`] for values that JSON can't represent, [`Code::ReservedField`] for
    /// an extra field with the name of a field of the format. The buffer is unchanged then.
    pub fn write(&self, buffer: &mut Vec<u8>) -> Result<(), Error> {
        let start = buffer.len();
        self.write_fields(buffer)
            .inspect_err(|_| buffer.truncate(start))
    }

    /// Writes the envelope to a new buffer. Errors are those of [`Envelope::write`].
    pub fn to_vec(&self) -> Result<Vec<u8>, Error> {
        let mut buffer = Vec::with_capacity(1024);
        self.write(&mut buffer)?;
        Ok(buffer)
    }

    fn write_fields(&self, buffer: &mut Vec<u8>) -> Result<(), Error> {
        if self.event_type.is_empty() {
            return Err(Error::of(
                Field::EventType,
                Code::EmptyText,
                "must not be empty",
            ));
        }
        buffer.push(b'{');
        // `lead` begins with a comma, which the first field does not have.
        buffer.extend_from_slice(&Field::EnvelopeVersion.row().lead.as_bytes()[1..]);
        write_text(ENVELOPE_VERSION, buffer);
        write_id(Field::EventId, self.event_id, buffer);
        write_field(Field::EventType, &self.event_type, buffer);
        write_field(Field::EventVersion, &self.event_version, buffer);
        self.write_timestamp(buffer)?;
        write_field(Field::SourceNodeId, &self.source_node_id, buffer);
        write_field(Field::SourceService, &self.source_service, buffer);
        write_field(Field::SourceVersion, &self.source_version, buffer);
        write_if_set(
            Field::SourceInstance,
            self.source_instance.as_deref(),
            buffer,
        );
        if let Some(id) = self.correlation_id {
            write_id(Field::CorrelationId, id, buffer);
        } else {
            write_lead(Field::CorrelationId, buffer);
            buffer.extend_from_slice(b"null");
        }
        write_if_set(Field::CausationId, self.causation_id.as_deref(), buffer);
        write_field(Field::Environment, &self.environment, buffer);
        write_if_set(Field::Region, self.region.as_deref(), buffer);
        write_if_set(Field::PartitionKey, self.partition_key.as_deref(), buffer);
        write_object(Field::Payload, &self.payload, buffer)?;
        let metadata = write_object(Field::Metadata, &self.metadata, buffer)?;
        if let Some(trace) = self.trace {
            add_trace(trace, metadata, buffer);
        }
        for extra in &self.extra {
            write_extra(extra, buffer)?;
        }
        buffer.push(b'}');
        Ok(())
    }

    fn write_timestamp(&self, buffer: &mut Vec<u8>) -> Result<(), Error> {
        write_lead(Field::EventTimestamp, buffer);
        buffer.push(b'"');
        if !time::write(self.event_timestamp, buffer) {
            return Err(Error::of(
                Field::EventTimestamp,
                Code::InvalidTimestamp,
                "the year is not in 1000 to 2999",
            ));
        }
        buffer.push(b'"');
        Ok(())
    }
}

fn write_lead(field: Field, buffer: &mut Vec<u8>) {
    buffer.extend_from_slice(field.row().lead.as_bytes());
}

fn write_text(text: &str, buffer: &mut Vec<u8>) {
    serde_json::to_writer(buffer, text).expect("text is JSON, and memory takes it");
}

fn write_field(field: Field, text: &str, buffer: &mut Vec<u8>) {
    write_lead(field, buffer);
    write_text(text, buffer);
}

fn write_if_set(field: Field, text: Option<&str>, buffer: &mut Vec<u8>) {
    if let Some(text) = text {
        write_field(field, text, buffer);
    }
}

fn write_id(field: Field, value: Uuid, buffer: &mut Vec<u8>) {
    write_lead(field, buffer);
    buffer.push(b'"');
    buffer.extend_from_slice(&id::text(value));
    buffer.push(b'"');
}

/// Returns the offset of the object in the buffer.
fn write_object(
    field: Field,
    value: &impl Serialize,
    buffer: &mut Vec<u8>,
) -> Result<usize, Error> {
    write_lead(field, buffer);
    let start = buffer.len();
    serde_json::to_writer(&mut *buffer, value)
        .map_err(|error| Error::of(field, Code::Unserialisable, error.to_string()))?;
    if buffer.get(start) == Some(&b'{') {
        Ok(start)
    } else {
        Err(Error::of(field, Code::WrongType, "must be a JSON object"))
    }
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
    write_text(name, buffer);
    buffer.push(b':');
    buffer.extend_from_slice(value.get().as_bytes());
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
    write_text(headers::TRACEPARENT, buffer);
    buffer.push(b':');
    write_text(trace.text().as_str(), buffer);
    buffer.push(b'}');
}

fn has_trace(object: &[u8]) -> bool {
    serde_json::from_slice::<BTreeMap<String, &RawValue>>(object)
        .is_ok_and(|members| members.contains_key(headers::TRACEPARENT))
}
