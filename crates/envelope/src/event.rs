//! Event to write, without the types of its payload and metadata.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Serializer;
use uuid::Uuid;

use crate::envelope::{Envelope, Extra};
use crate::json;
use crate::trace::TraceParent;

/// Initial capacity for metadata: enough for those of generated publishers.
pub(crate) const METADATA_CAPACITY: usize = 256;

/// Value that writes itself as JSON: anything that serde serializes, and types of other crates that write
/// JSON without serde.
pub trait WriteJson {
    /// Appends the value to a buffer, whose end is removed if this fails.
    ///
    /// # Errors
    /// The reason why JSON can't represent it.
    fn write_json(&self, buffer: &mut Vec<u8>) -> serde_json::Result<()>;

    /// Appends the value as JSON inside of a JSON text: with quotes and backslashes escaped, and
    /// without control characters.
    ///
    /// # Errors
    /// See [`WriteJson::write_json`].
    fn write_json_in_text(&self, buffer: &mut Vec<u8>) -> serde_json::Result<()> {
        let mut json = Vec::with_capacity(METADATA_CAPACITY);
        self.write_json(&mut json)?;
        json::write_in_text(&json, buffer).map_err(serde_json::Error::io)
    }
}

impl<T: Serialize> WriteJson for T {
    fn write_json(&self, buffer: &mut Vec<u8>) -> serde_json::Result<()> {
        serde_json::to_writer(buffer, self)
    }

    fn write_json_in_text(&self, buffer: &mut Vec<u8>) -> serde_json::Result<()> {
        self.serialize(&mut Serializer::with_formatter(buffer, json::InText))
    }
}

/// Event to write: the fields of an [`Envelope`], borrowed. A [`Profile`](crate::Profile) encodes
/// it.
#[derive(Clone, Copy)]
#[expect(clippy::struct_field_names, reason = "they are those on the wire")]
pub struct Event<'e> {
    pub(crate) event_id: Uuid,
    pub(crate) event_type: &'e str,
    pub(crate) event_version: &'e str,
    pub(crate) event_timestamp: Timestamp,
    pub(crate) source_node_id: &'e str,
    pub(crate) source_service: &'e str,
    pub(crate) source_version: &'e str,
    pub(crate) source_instance: Option<&'e str>,
    pub(crate) correlation_id: Option<Uuid>,
    pub(crate) causation_id: Option<&'e str>,
    pub(crate) environment: &'e str,
    pub(crate) region: Option<&'e str>,
    pub(crate) partition_key: Option<&'e str>,
    pub(crate) payload: &'e dyn WriteJson,
    pub(crate) metadata: &'e dyn WriteJson,
    pub(crate) extra: &'e [Extra<'e>],
    pub(crate) trace: Option<TraceParent>,
    /// Topic that the event is published to, if it is known.
    pub(crate) topic: Option<&'e str>,
}

impl<'e> Event<'e> {
    /// Sets the topic, which some profiles have in a header.
    #[must_use]
    pub fn on_topic(mut self, topic: &'e str) -> Self {
        self.topic = Some(topic);
        self
    }
}

impl<P: WriteJson, M: WriteJson> Envelope<'_, P, M> {
    /// Returns the event for a [`Profile`](crate::Profile).
    #[inline]
    pub fn as_event(&self) -> Event<'_> {
        Event {
            event_id: self.event_id,
            event_type: &self.event_type,
            event_version: &self.event_version,
            event_timestamp: self.event_timestamp,
            source_node_id: &self.source_node_id,
            source_service: &self.source_service,
            source_version: &self.source_version,
            source_instance: self.source_instance.as_deref(),
            correlation_id: self.correlation_id,
            causation_id: self.causation_id.as_deref(),
            environment: &self.environment,
            region: self.region.as_deref(),
            partition_key: self.partition_key.as_deref(),
            payload: &self.payload,
            metadata: &self.metadata,
            extra: &self.extra,
            trace: self.trace,
            topic: None,
        }
    }
}
