//! Origin of events: the fields that all events of a running service share.

use std::borrow::Cow;

use jiff::Timestamp;
use uuid::Uuid;

use crate::envelope::{EVENT_VERSION, Envelope};
use crate::id;
use crate::json::EmptyObject;
use crate::time;

/// Origin of events. It is created once, and envelopes borrow from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Name of the service, such as `omninode-bridge`.
    pub service: String,
    /// Version of the service, such as `1.0.0`.
    pub version: String,
    /// Environment, such as `production`.
    pub environment: String,
    /// Instance, such as the name of a pod.
    pub instance: Option<String>,
    /// Region.
    pub region: Option<String>,
}

/// Id and time of a new event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Id of the event.
    pub event_id: Uuid,
    /// Creation time.
    pub event_timestamp: Timestamp,
}

impl Stamp {
    /// Creates a new id (UUID version 4) with the current time in microseconds.
    ///
    /// # Panics
    /// If the operating system has no random numbers; every Linux since 3.17 has.
    pub fn now() -> Self {
        Self {
            event_id: id::random(),
            event_timestamp: time::now(),
        }
    }
}

impl Origin {
    /// Creates an origin without instance and region.
    pub fn new(
        service: impl Into<String>,
        version: impl Into<String>,
        environment: impl Into<String>,
    ) -> Self {
        Self {
            service: service.into(),
            version: version.into(),
            environment: environment.into(),
            instance: None,
            region: None,
        }
    }

    /// Sets the instance.
    #[must_use]
    pub fn with_instance(mut self, instance: impl Into<String>) -> Self {
        self.instance = Some(instance.into());
        self
    }

    /// Sets the region.
    #[must_use]
    pub fn with_region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Creates an event of this origin, with a new id and the current time. The payload must
    /// serialise as a JSON object, or writing the envelope fails.
    pub fn envelope<'a, P>(
        &'a self,
        event_type: impl Into<Cow<'a, str>>,
        source_node_id: impl Into<Cow<'a, str>>,
        payload: P,
    ) -> Envelope<'a, P, EmptyObject> {
        self.stamped(Stamp::now(), event_type, source_node_id, payload)
    }

    /// Creates an event like [`Origin::envelope`], with an id and a time of the caller.
    pub fn stamped<'a, P>(
        &'a self,
        stamp: Stamp,
        event_type: impl Into<Cow<'a, str>>,
        source_node_id: impl Into<Cow<'a, str>>,
        payload: P,
    ) -> Envelope<'a, P, EmptyObject> {
        Envelope {
            event_id: stamp.event_id,
            event_type: event_type.into(),
            event_version: EVENT_VERSION.into(),
            event_timestamp: stamp.event_timestamp,
            source_node_id: source_node_id.into(),
            source_service: self.service.as_str().into(),
            source_version: self.version.as_str().into(),
            source_instance: self.instance.as_deref().map(Cow::Borrowed),
            correlation_id: None,
            causation_id: None,
            environment: self.environment.as_str().into(),
            region: self.region.as_deref().map(Cow::Borrowed),
            partition_key: None,
            payload,
            metadata: EmptyObject,
            extra: Vec::new(),
            trace: None,
        }
    }
}
