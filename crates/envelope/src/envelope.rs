//! Envelope of an event.

use std::borrow::Cow;

use jiff::Timestamp;
use uuid::Uuid;

use crate::error::Error;
use crate::event::WriteJson;
use crate::json::Json;
use crate::profiles::{Profile, Received};
use crate::trace::TraceParent;

/// Version of `OnexEnvelopeV1` that this crate writes and reads.
pub const ENVELOPE_VERSION: &str = "1.0";

/// Default version of an event.
pub const EVENT_VERSION: &str = "1.0";

/// Field that the format does not define: name and value as read.
pub type Extra<'a> = (Cow<'a, str>, Json<'a>);

/// Event with all of its fields, to be written or as read, in any [`Profile`](crate::Profile).
///
/// [`Origin::envelope`](crate::Origin::envelope) builds one around a payload of any type that
/// serialises as a JSON object; nothing is copied until a profile writes all of it at once.
/// [`Envelope::of_record`] parses one that borrows from the bytes and does not look into payload
/// and metadata.
///
/// The methods that name no profile are those of the default one, `OnexEnvelopeV1`.
///
/// The fields are public; the rules of the format are checked when the envelope is written. The
/// size is not limited here: Kafka's limit depends on the topic and is checked by the publisher.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope<'a, P = Json<'a>, M = Json<'a>> {
    /// Id of the event. Herald writes UUIDs of version 4, like the original, because readers may
    /// require it (pydantic's `UUID4`) and the time is in the envelope anyway. Any version is read.
    pub event_id: Uuid,
    /// Event type, such as `orchestrator.routing.started`; not empty.
    pub event_type: Cow<'a, str>,
    /// Version of the payload, such as `1.0`.
    pub event_version: Cow<'a, str>,
    /// Creation time, written with microseconds.
    pub event_timestamp: Timestamp,
    /// Node that publishes the event.
    pub source_node_id: Cow<'a, str>,
    /// Service of the node. Null is read as the empty text.
    pub source_service: Cow<'a, str>,
    /// Version of the service. Null is read as the empty text.
    pub source_version: Cow<'a, str>,
    /// Instance of the service, such as the name of a pod.
    pub source_instance: Option<Cow<'a, str>>,
    /// Correlation id, which the events of one request share.
    pub correlation_id: Option<Uuid>,
    /// Id of the event that caused this one. Text and not a UUID, as in the original's model.
    pub causation_id: Option<Cow<'a, str>>,
    /// Environment of the service, such as `production`.
    pub environment: Cow<'a, str>,
    /// Region of the service.
    pub region: Option<Cow<'a, str>>,
    /// Partition key that overrides the default of [`Envelope::key`]. Empty means unset.
    pub partition_key: Option<Cow<'a, str>>,
    /// Payload; a JSON object.
    pub payload: P,
    /// Metadata for observation and routing; a JSON object.
    pub metadata: M,
    /// Fields that the format does not define, in order; written after all others.
    pub extra: Vec<Extra<'a>>,
    /// Trace context. It is written to the header `traceparent`, and to the metadata unless they
    /// have a `traceparent` already. It is not a field of the envelope: parsing leaves it unset,
    /// because the transport's headers contain it.
    pub trace: Option<TraceParent>,
}

impl<'a, P, M> Envelope<'a, P, M> {
    /// Sets the version of the payload; [`EVENT_VERSION`] by default.
    #[must_use]
    pub fn with_event_version(mut self, version: impl Into<Cow<'a, str>>) -> Self {
        self.event_version = version.into();
        self
    }

    /// Sets the correlation id.
    #[must_use]
    pub fn with_correlation_id(mut self, id: Uuid) -> Self {
        self.correlation_id = Some(id);
        self
    }

    /// Sets the id of the event that caused this one.
    #[must_use]
    pub fn with_causation_id(mut self, id: impl Into<Cow<'a, str>>) -> Self {
        self.causation_id = Some(id.into());
        self
    }

    /// Sets the partition key.
    #[must_use]
    pub fn with_partition_key(mut self, key: impl Into<Cow<'a, str>>) -> Self {
        self.partition_key = Some(key.into());
        self
    }

    /// Sets the trace context.
    #[must_use]
    pub fn with_trace(mut self, trace: TraceParent) -> Self {
        self.trace = Some(trace);
        self
    }

    /// Replaces the metadata, which must serialise as a JSON object.
    #[must_use]
    pub fn with_metadata<N>(self, metadata: N) -> Envelope<'a, P, N> {
        Envelope {
            event_id: self.event_id,
            event_type: self.event_type,
            event_version: self.event_version,
            event_timestamp: self.event_timestamp,
            source_node_id: self.source_node_id,
            source_service: self.source_service,
            source_version: self.source_version,
            source_instance: self.source_instance,
            correlation_id: self.correlation_id,
            causation_id: self.causation_id,
            environment: self.environment,
            region: self.region,
            partition_key: self.partition_key,
            payload: self.payload,
            metadata,
            extra: self.extra,
            trace: self.trace,
        }
    }
}

impl<P: WriteJson, M: WriteJson> Envelope<'_, P, M> {
    /// Appends the envelope in the default profile, see [`Profile::write`].
    ///
    /// # Errors
    /// See [`Profile::write`].
    pub fn write(&self, buffer: &mut Vec<u8>) -> Result<(), Error> {
        Profile::default().write(&self.as_event(), buffer)
    }

    /// Writes the envelope in the default profile to a new buffer.
    ///
    /// # Errors
    /// See [`Profile::write`].
    pub fn to_vec(&self) -> Result<Vec<u8>, Error> {
        let mut buffer = Vec::with_capacity(1024);
        self.write(&mut buffer)?;
        Ok(buffer)
    }
}

impl<'a> Envelope<'a> {
    /// Parses an envelope of the default profile. It borrows from the bytes;
    /// [`Envelope::into_owned`] copies them.
    ///
    /// # Errors
    /// See [`Profile::parse`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        Profile::default().parse(&Received::of_value(bytes))
    }
}

impl Envelope<'_> {
    /// Converts to an envelope that owns its content.
    pub fn into_owned(self) -> Envelope<'static> {
        Envelope {
            event_id: self.event_id,
            event_type: owned(self.event_type),
            event_version: owned(self.event_version),
            event_timestamp: self.event_timestamp,
            source_node_id: owned(self.source_node_id),
            source_service: owned(self.source_service),
            source_version: owned(self.source_version),
            source_instance: self.source_instance.map(owned),
            correlation_id: self.correlation_id,
            causation_id: self.causation_id.map(owned),
            environment: owned(self.environment),
            region: self.region.map(owned),
            partition_key: self.partition_key.map(owned),
            payload: self.payload.into_owned(),
            metadata: self.metadata.into_owned(),
            extra: self
                .extra
                .into_iter()
                .map(|(name, value)| (owned(name), value.into_owned()))
                .collect(),
            trace: self.trace,
        }
    }
}

fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}
