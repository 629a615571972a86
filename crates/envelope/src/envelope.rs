//! The envelope itself.

use std::borrow::Cow;

use jiff::Timestamp;
use uuid::Uuid;

use crate::json::Json;
use crate::trace::TraceParent;

/// Version of the format that this crate writes and reads.
pub const ENVELOPE_VERSION: &str = "1.0";

/// Version of an event whose builder names no other.
pub const EVENT_VERSION: &str = "1.0";

/// A field that the format does not define, as it was read: its name and its value.
pub type Extra<'a> = (Cow<'a, str>, Json<'a>);

/// An event on its way, or as it arrived.
///
/// [`Origin::envelope`](crate::Origin::envelope) builds one around a payload of any type that
/// serialises as a JSON object; nothing is copied until [`Envelope::write`] writes all of it at
/// once. [`Envelope::parse`] gives one that borrows from the bytes and does not look into
/// payload and metadata.
///
/// The fields are open. What the format demands of them is checked when the envelope is
/// written. There is no limit to the size: Kafka's depends on the topic, so the
/// transport checks it.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope<'a, P = Json<'a>, M = Json<'a>> {
    /// Identity of the event. Herald makes version 4, as the original does, because readers may
    /// ask for it (pydantic's `UUID4`) and the time is in the envelope anyway. Any version is
    /// read.
    pub event_id: Uuid,
    /// Type of the event, such as `orchestrator.routing.started`; not empty.
    pub event_type: Cow<'a, str>,
    /// Version of the payload, such as `1.0`.
    pub event_version: Cow<'a, str>,
    /// When the event was made. What is finer than a microsecond is not written.
    pub event_timestamp: Timestamp,
    /// The node that publishes the event.
    pub source_node_id: Cow<'a, str>,
    /// The service that the node belongs to. Null is read as the empty text.
    pub source_service: Cow<'a, str>,
    /// Version of that service. Null is read as the empty text.
    pub source_version: Cow<'a, str>,
    /// The running instance of the service, such as a pod's name.
    pub source_instance: Option<Cow<'a, str>>,
    /// Id that all events of one request share.
    pub correlation_id: Option<Uuid>,
    /// The event that caused this one. Text and not a UUID, as in the original's model.
    pub causation_id: Option<Cow<'a, str>>,
    /// Environment of the service, such as `production`.
    pub environment: Cow<'a, str>,
    /// Geographic region of the service.
    pub region: Option<Cow<'a, str>>,
    /// Key for Kafka where the choice of [`Envelope::key`] does not fit. Empty is unset.
    pub partition_key: Option<Cow<'a, str>>,
    /// Data of the event, as its type defines it; a JSON object.
    pub payload: P,
    /// Data to observe and route the event; a JSON object.
    pub metadata: M,
    /// Fields that the format does not define, in their order; written after all others.
    pub extra: Vec<Extra<'a>>,
    /// The trace that the event belongs to. It goes into the header `traceparent`, and into the
    /// metadata unless they have a `traceparent` already. It is not a field of the envelope:
    /// parsing leaves it unset, because the headers of the transport have it.
    pub trace: Option<TraceParent>,
}

impl<'a, P, M> Envelope<'a, P, M> {
    /// Sets the version of the payload; without it, it is [`EVENT_VERSION`].
    #[must_use]
    pub fn with_event_version(mut self, version: impl Into<Cow<'a, str>>) -> Self {
        self.event_version = version.into();
        self
    }

    /// Sets what events of one request have in common.
    #[must_use]
    pub fn with_correlation_id(mut self, id: Uuid) -> Self {
        self.correlation_id = Some(id);
        self
    }

    /// Sets the event that led to this one.
    #[must_use]
    pub fn with_causation_id(mut self, id: impl Into<Cow<'a, str>>) -> Self {
        self.causation_id = Some(id.into());
        self
    }

    /// Sets Kafka's key.
    #[must_use]
    pub fn with_partition_key(mut self, key: impl Into<Cow<'a, str>>) -> Self {
        self.partition_key = Some(key.into());
        self
    }

    /// Sets the trace.
    #[must_use]
    pub fn with_trace(mut self, trace: TraceParent) -> Self {
        self.trace = Some(trace);
        self
    }

    /// Replaces the metadata. They have to serialise as a JSON object.
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

impl Envelope<'_> {
    /// Returns an envelope that does not borrow the bytes it was read from.
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
