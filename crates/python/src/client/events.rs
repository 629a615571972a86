//! Conversion of Python events and raw messages to publisher messages.

use std::cell::Cell;

use herald_envelope::headers::HeaderSet;
use herald_envelope::{Envelope, Origin, Profile, Stamp, TraceParent, Uuid, WriteJson};
use herald_publish::{Message, Publisher};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyBytes, PyString};
use serde::ser::Error as _;

use crate::errors;
use crate::payload;
use crate::python_refs::{self, name};

/// Arguments of `publish_with_envelope`, and attributes of an `Event`.
#[derive(FromPyObject)]
#[expect(
    clippy::struct_field_names,
    reason = "they are the field names of the envelope"
)]
pub struct Event<'py> {
    pub event_type: Bound<'py, PyAny>,
    pub source_node_id: Bound<'py, PyAny>,
    pub payload: Bound<'py, PyAny>,
    pub topic: Option<Bound<'py, PyAny>>,
    pub correlation_id: Option<Bound<'py, PyAny>>,
    pub metadata: Option<Bound<'py, PyAny>>,
    pub partition_key: Option<Bound<'py, PyAny>>,
    pub causation_id: Option<Bound<'py, PyAny>>,
    pub event_version: Option<Bound<'py, PyAny>>,
    pub event_id: Option<Bound<'py, PyAny>>,
    pub source_service: Option<Bound<'py, PyAny>>,
    pub traceparent: Option<Bound<'py, PyAny>>,
    pub envelope: Option<Bound<'py, PyAny>>,
    pub headers: Option<Bound<'py, PyAny>>,
}

impl Event<'_> {
    /// Builds the message, and returns it with the event id.
    pub fn message(
        &self,
        py: Python<'_>,
        publisher: &Publisher,
        origin: &Origin,
    ) -> PyResult<(Message, Uuid)> {
        let mut stamp = Stamp::now();
        if let Some(id) = &self.event_id {
            stamp.event_id = uuid(id, "event_id")?;
        }
        let event_type = text(&self.event_type, "event_type")?;
        let node = id(&self.source_node_id, "source_node_id")?;
        let error = Cell::new(None);
        let payload = Object::new(&self.payload, "payload", &error);
        let (event_type, node) = (event_type.to_str()?, node.to_str()?);
        let mut envelope = origin.stamped(stamp, event_type, node, payload);
        if let Some(id) = &self.correlation_id {
            envelope.correlation_id = Some(uuid(id, "correlation_id")?);
        }
        let causation = self.causation_id.as_ref();
        let causation = causation
            .map(|given| id(given, "causation_id"))
            .transpose()?;
        if let Some(id) = &causation {
            envelope.causation_id = Some(id.to_str()?.into());
        }
        if let Some(version) = &self.event_version {
            envelope.event_version = text(version, "event_version")?.to_str()?.into();
        }
        if let Some(service) = &self.source_service {
            envelope.source_service = text(service, "source_service")?.to_str()?.into();
        }
        if let Some(key) = &self.partition_key {
            envelope.partition_key = Some(text(key, "partition_key")?.to_str()?.into());
        }
        envelope.trace = self.traceparent.as_ref().map(trace).transpose()?;
        let message = match &self.metadata {
            None => self.to_message(publisher, envelope),
            Some(metadata) => {
                let metadata = Object::new(metadata, "metadata", &error);
                self.to_message(publisher, envelope.with_metadata(metadata))
            }
        };
        let message =
            message?.map_err(|other| error.take().unwrap_or_else(|| errors::publish(py, &other)));
        Ok((message?, stamp.event_id))
    }

    fn to_message<M: WriteJson>(
        &self,
        publisher: &Publisher,
        envelope: Envelope<'_, Object<'_, '_>, M>,
    ) -> PyResult<Result<Message, herald_publish::PublishError>> {
        let profile = self.profile()?.unwrap_or_else(|| publisher.profile());
        let headers = self.headers()?.unwrap_or_else(|| publisher.headers());
        Ok(match &self.topic {
            None => publisher.message_in(profile, headers, None, envelope),
            Some(topic) => {
                let topic = text(topic, "topic")?.to_str()?;
                publisher.message_in(profile, headers, Some(topic), envelope)
            }
        })
    }

    /// Envelope profile of the event, if it has one of its own.
    pub fn profile(&self) -> PyResult<Option<Profile>> {
        let Some(name) = &self.envelope else {
            return Ok(None);
        };
        let profile = text(name, "envelope")?.to_str()?.parse::<Profile>();
        let profile = profile.map_err(|error| PyValueError::new_err(format!("envelope: {error}")));
        profile.map(Some)
    }

    /// Headers of the event, if it has its own.
    pub fn headers(&self) -> PyResult<Option<HeaderSet>> {
        let Some(given) = &self.headers else {
            return Ok(None);
        };
        let expected = "a list of names";
        let Ok(items) = given.extract::<Vec<Bound<'_, PyAny>>>() else {
            return Err(unexpected(given, "headers", expected)?);
        };
        let mut names = Vec::with_capacity(items.len());
        for item in &items {
            let Ok(name) = item.extract::<PyBackedStr>() else {
                return Err(unexpected(item, "headers", expected)?);
            };
            names.push(name);
        }
        let headers = HeaderSet::of(names.iter().map(|name| &**name));
        let headers = headers.map_err(|error| PyValueError::new_err(format!("headers: {error}")));
        headers.map(Some)
    }
}

/// Message that is not an event: its bytes are sent unchanged.
#[derive(FromPyObject)]
pub struct Raw<'py> {
    #[pyo3(item)]
    topic: Bound<'py, PyString>,
    #[pyo3(item)]
    value: Bound<'py, PyBytes>,
    #[pyo3(item)]
    key: Option<Bound<'py, PyBytes>>,
    #[pyo3(item)]
    headers: Vec<(Bound<'py, PyString>, Bound<'py, PyBytes>)>,
}

impl Raw<'_> {
    /// Builds the message.
    pub fn message(&self, py: Python<'_>) -> PyResult<Message> {
        let key = self.key.as_ref().map(PyBytesMethods::as_bytes);
        let value = self.value.as_bytes().to_vec();
        let mut message = Message::new(self.topic.to_str()?, key, value)
            .map_err(|error| errors::publish(py, &error))?;
        for (name, value) in &self.headers {
            message = message.with_header(name.to_str()?.to_owned(), value.as_bytes());
        }
        Ok(message)
    }
}

/// Returns a new version 4 UUID as a number, and its text.
#[pyfunction]
pub fn new_id(py: Python<'_>) -> (u128, Bound<'_, PyString>) {
    let mut buffer = Uuid::encode_buffer();
    let id = Stamp::now().event_id;
    let text = id.hyphenated().encode_lower(&mut buffer);
    (id.as_u128(), PyString::new(py, text))
}

/// Mapping, dataclass or model that is written into the envelope as a JSON object.
struct Object<'a, 'py> {
    value: &'a Bound<'py, PyAny>,
    name: &'static str,
    /// Error of Python while the object was written.
    error: &'a Cell<Option<PyErr>>,
}

impl<'a, 'py> Object<'a, 'py> {
    fn new(
        value: &'a Bound<'py, PyAny>,
        name: &'static str,
        error: &'a Cell<Option<PyErr>>,
    ) -> Self {
        Self { value, name, error }
    }
}

impl WriteJson for Object<'_, '_> {
    fn write_json(&self, buffer: &mut Vec<u8>) -> serde_json::Result<()> {
        payload::write_object(self.value, self.name, buffer).map_err(|error| {
            self.error.set(Some(error));
            serde_json::Error::custom(format_args!("{} can't be written as JSON", self.name))
        })
    }
}

pub fn text<'a, 'py>(
    value: &'a Bound<'py, PyAny>,
    name: &str,
) -> PyResult<&'a Bound<'py, PyString>> {
    let text = value.cast::<PyString>();
    text.or_else(|_| Err(unexpected(value, name, "str")?))
}

/// Reads a `str`, or a `uuid.UUID` as its text.
pub fn id<'py>(value: &Bound<'py, PyAny>, name: &str) -> PyResult<Bound<'py, PyString>> {
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(text.clone());
    }
    if is_uuid(value)? {
        return value.str();
    }
    Err(unexpected(value, name, "str or uuid.UUID")?)
}

fn unexpected(value: &Bound<'_, PyAny>, name: &str, expected: &str) -> PyResult<PyErr> {
    let found = value.get_type().name()?;
    let message = format!("{name} must be {expected}, not {found}");
    Ok(PyTypeError::new_err(message))
}

pub fn uuid(value: &Bound<'_, PyAny>, name: &str) -> PyResult<Uuid> {
    if let Ok(text) = value.cast::<PyString>() {
        return Uuid::parse_str(text.to_str()?).map_err(|_| {
            PyValueError::new_err(format!(
                "{name} must be a UUID, such as '7d1f7a52-5a0e-4a63-9d35-0d4cf1b8c7a4'"
            ))
        });
    }
    if is_uuid(value)? {
        let number: u128 = value.getattr(name!(value.py(), int))?.extract()?;
        return Ok(Uuid::from_u128(number));
    }
    Err(unexpected(value, name, "uuid.UUID or str")?)
}

/// Reads a W3C trace context.
pub fn trace(value: &Bound<'_, PyAny>) -> PyResult<TraceParent> {
    text(value, "traceparent")?.to_str()?.parse().map_err(|_| {
        PyValueError::new_err(
            "traceparent must be a W3C trace context, such as \
             '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'",
        )
    })
}

fn is_uuid(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = value.py();
    value.is_instance(python_refs::get(py).classes.uuid.bind(py))
}
