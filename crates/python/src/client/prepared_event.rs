//! Events of one kind, prepared for one client: what all of them share is written once.

use std::cell::Cell;
use std::sync::Arc;

use herald_envelope::headers::HeaderSet;
use herald_envelope::{Profile, Stamp, Timestamp, Uuid, WriteJson, write_time};
use herald_publish::PublishError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use serde::ser::Error as _;

use super::events::{Event, id, text, trace, uuid};
use super::fifo;
use super::fire_and_forget::{self, OnError};
use super::publisher::Publisher;
use crate::errors;
use crate::payload;

/// Placeholders in the payload and metadata of a sample event, in the order of [`SLOTS`]: texts that
/// occur nowhere else.
pub type Slots = (String, String, String, String);

const SLOTS: [Slot; 4] = [
    Slot::CorrelationId,
    Slot::Time,
    Slot::Milliseconds,
    Slot::Fields,
];

/// JSON text with slots.
struct Template(Vec<Part>);

enum Part {
    Text(Vec<u8>),
    Slot(Slot),
}

#[derive(Clone, Copy)]
enum Slot {
    CorrelationId,
    Time,
    Milliseconds,
    Fields,
}

impl Template {
    fn new(sample: &Bound<'_, PyAny>, name: &str, slots: &Slots) -> PyResult<Self> {
        let slots = [&slots.0, &slots.1, &slots.2, &slots.3];
        let slots = slots.map(|text| format!("\"{text}\"").into_bytes());
        let mut json = Vec::new();
        payload::write_object(sample, name, &mut json)?;
        let mut parts = Vec::new();
        let mut rest = json.as_slice();
        let mut end = 0;
        while end < rest.len() {
            let mut slots = slots.iter().zip(SLOTS);
            let found = slots.find(|(text, _)| rest[end..].starts_with(text));
            let Some((text, slot)) = found else {
                end += 1;
                continue;
            };
            parts.push(Part::Text(rest[..end].to_vec()));
            parts.push(Part::Slot(slot));
            rest = &rest[end + text.len()..];
            end = 0;
        }
        parts.push(Part::Text(rest.to_vec()));
        Ok(Self(parts))
    }
}

/// Publication of the fields of inputs and results.
pub struct Publication {
    /// Public fields, if each is public as a whole.
    pub public: Option<Py<PyDict>>,
    /// Converts a value to JSON types.
    pub json_value: Py<PyAny>,
    /// Returns the published fields of any value.
    pub published: Py<PyAny>,
}

impl Publication {
    fn write(&self, value: &Bound<'_, PyAny>, buffer: &mut Vec<u8>) -> PyResult<()> {
        let py = value.py();
        if let (Some(public), Ok(fields)) = (&self.public, value.cast_exact::<PyDict>()) {
            let json_value = self.json_value.bind(py);
            return payload::write_public(fields, public.bind(py), json_value, buffer);
        }
        let shown = self.published.bind(py).call1((value,))?;
        payload::write_object(&shown, "payload", buffer)
    }
}

/// Event of one kind, with slots for what differs. See `Publisher.prepare`.
#[pyclass(frozen, module = "herald._herald")]
pub struct PreparedEvent {
    publisher: Py<Publisher>,
    event_type: String,
    node: String,
    topic: String,
    version: Option<String>,
    service: Option<String>,
    profile: Option<Profile>,
    headers: Option<HeaderSet>,
    payload: Template,
    metadata: Template,
    publication: Publication,
    /// Returns the current trace context.
    traceparent: Py<PyAny>,
    on_error: Arc<Py<PyAny>>,
}

impl PreparedEvent {
    pub fn new(
        publisher: Py<Publisher>,
        sample: &Event<'_>,
        slots: &Slots,
        publication: Publication,
        traceparent: Py<PyAny>,
        on_error: Py<PyAny>,
    ) -> PyResult<Self> {
        let owned = |value: &Option<Bound<'_, PyAny>>, name| -> PyResult<Option<String>> {
            let value = value.as_ref().map(|value| text(value, name)).transpose()?;
            value.map(|text| Ok(text.to_str()?.to_owned())).transpose()
        };
        let metadata = sample.metadata.as_ref();
        Ok(Self {
            publisher,
            event_type: text(&sample.event_type, "event_type")?.to_str()?.to_owned(),
            node: id(&sample.source_node_id, "source_node_id")?
                .to_str()?
                .to_owned(),
            topic: owned(&sample.topic, "topic")?
                .ok_or_else(|| errors::internal("a prepared event has a topic"))?,
            version: owned(&sample.event_version, "event_version")?,
            service: owned(&sample.source_service, "source_service")?,
            profile: sample.profile()?,
            headers: sample.headers()?,
            payload: Template::new(&sample.payload, "payload", slots)?,
            metadata: Template::new(
                metadata.ok_or_else(|| errors::internal("a prepared event has metadata"))?,
                "metadata",
                slots,
            )?,
            publication,
            traceparent,
            on_error: Arc::new(on_error),
        })
    }
}

#[pymethods]
impl PreparedEvent {
    /// Enqueues an event whose receipt nobody awaits. Returns its id, or `None` at the in-flight
    /// limit, or while events of an event loop wait for it.
    #[pyo3(signature = (correlation_id, causation_id, fields, milliseconds, /))]
    fn enqueue<'py>(
        &self,
        py: Python<'py>,
        correlation_id: &Bound<'py, PyAny>,
        causation_id: Option<&Bound<'py, PyAny>>,
        fields: &Bound<'py, PyAny>,
        milliseconds: f64,
    ) -> PyResult<Option<Bound<'py, PyString>>> {
        if fifo::has_tickets() {
            return Ok(None);
        }
        let of_client = self.publisher.get();
        let publisher = of_client.open_publisher(py)?;
        let correlation_id = uuid(correlation_id, "correlation_id")?;
        let stamp = Stamp::now();
        let values = Values {
            correlation_id,
            time: stamp.event_timestamp,
            milliseconds,
            fields,
            publication: &self.publication,
            error: Cell::new(None),
        };
        let filled = |template| Filled {
            template,
            values: &values,
        };
        let mut envelope = of_client
            .origin
            .stamped(stamp, &*self.event_type, &*self.node, filled(&self.payload))
            .with_metadata(filled(&self.metadata));
        envelope.correlation_id = Some(correlation_id);
        let causation_id = causation_id
            .map(|given| id(given, "causation_id"))
            .transpose()?;
        if let Some(id) = &causation_id {
            envelope.causation_id = Some(id.to_str()?.into());
        }
        if let Some(version) = &self.version {
            envelope.event_version = version.as_str().into();
        }
        if let Some(service) = &self.service {
            envelope.source_service = service.as_str().into();
        }
        let traceparent = self.traceparent.bind(py).call0()?;
        if !traceparent.is_none() {
            envelope.trace = Some(trace(&traceparent)?);
        }
        let profile = self.profile.unwrap_or_else(|| publisher.profile());
        let headers = self.headers.unwrap_or_else(|| publisher.headers());
        let message = publisher.message_in(profile, headers, Some(&self.topic), envelope);
        let message = message.map_err(|other| {
            let error = values.error.take();
            error.unwrap_or_else(|| errors::publish(py, &other))
        })?;
        let pending = match publisher.try_enqueue(message) {
            Err(PublishError::Busy) => return Ok(None),
            other => other.map_err(|error| errors::publish(py, &error))?,
        };
        let on_error = OnError::OfRequest(self.on_error.clone(), correlation_id);
        fire_and_forget::track(pending, on_error);
        let mut buffer = Uuid::encode_buffer();
        let event_id = stamp.event_id.hyphenated().encode_lower(&mut buffer);
        Ok(Some(PyString::new(py, event_id)))
    }
}

/// Values for the slots of one event.
struct Values<'a, 'py> {
    correlation_id: Uuid,
    time: Timestamp,
    milliseconds: f64,
    fields: &'a Bound<'py, PyAny>,
    publication: &'a Publication,
    /// Error of Python while the fields were written.
    error: Cell<Option<PyErr>>,
}

struct Filled<'a, 'py> {
    template: &'a Template,
    values: &'a Values<'a, 'py>,
}

impl WriteJson for Filled<'_, '_> {
    fn write_json(&self, buffer: &mut Vec<u8>) -> serde_json::Result<()> {
        let values = self.values;
        for part in &self.template.0 {
            match part {
                Part::Text(text) => buffer.extend_from_slice(text),
                Part::Slot(Slot::CorrelationId) => {
                    let mut text = Uuid::encode_buffer();
                    let text = values.correlation_id.hyphenated().encode_lower(&mut text);
                    buffer.push(b'"');
                    buffer.extend_from_slice(text.as_bytes());
                    buffer.push(b'"');
                }
                Part::Slot(Slot::Time) => {
                    buffer.push(b'"');
                    // Of a time that can't be written, the envelope has the error.
                    write_time(values.time, buffer);
                    buffer.push(b'"');
                }
                Part::Slot(Slot::Milliseconds) => {
                    serde_json::to_writer(&mut *buffer, &values.milliseconds)?;
                }
                Part::Slot(Slot::Fields) => {
                    let written = values.publication.write(values.fields, buffer);
                    written.map_err(|error| {
                        values.error.set(Some(error));
                        serde_json::Error::custom("the fields can't be written as JSON")
                    })?;
                }
            }
        }
        Ok(())
    }
}
