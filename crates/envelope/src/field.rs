//! Table of the fields of an event, in the form of the profile `onex-v1`.

use crate::envelope::ENVELOPE_VERSION;
use crate::names::names;

/// Presence of a field in an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Always, with a value.
    Always,
    /// Always written, as null if unset. A missing field is read as null.
    NullWhenUnset,
    /// Written only if set. Null is read as a missing field.
    LeftOutWhenUnset,
}

/// Shape of a field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Exactly this text.
    Exactly(&'static str),
    /// Text with at least one character.
    NonEmptyText,
    /// Text, which may be empty.
    Text,
    /// Text. The original's model allows null, which is read as the empty text.
    TextOrNull,
    /// A UUID with hyphens; lowercase where Herald writes it.
    Uuid,
    /// Timestamp, see [`crate::time`].
    Timestamp,
    /// A JSON object.
    Object,
}

pub(crate) struct Row {
    pub field: Field,
    pub name: &'static str,
    /// Comma before the field, name in quotes, and colon.
    pub lead: &'static str,
    pub presence: Presence,
    pub kind: Kind,
    pub doc: &'static str,
}

macro_rules! fields {
    ($($variant:ident $name:literal $presence:ident $kind:expr, $doc:literal;)*) => {
        /// Field of the format, in the order of the wire.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Field {
            $(#[doc = $doc] $variant,)*
        }

        pub(crate) static TABLE: [Row; [$(Field::$variant),*].len()] = [$(Row {
            field: Field::$variant,
            name: $name,
            lead: concat!(",\"", $name, "\":"),
            presence: Presence::$presence,
            kind: $kind,
            doc: $doc,
        }),*];
    };
}

fields! {
    EnvelopeVersion "envelope_version" Always Kind::Exactly(ENVELOPE_VERSION),
        "Version of the envelope format.";
    EventId "event_id" Always Kind::Uuid,
        "Id of the event. Duplicates of an event have the same id.";
    EventType "event_type" Always Kind::NonEmptyText,
        "Event type, such as `orchestrator.routing.started`.";
    EventVersion "event_version" Always Kind::Text,
        "Version of the payload.";
    EventTimestamp "event_timestamp" Always Kind::Timestamp,
        "Creation time of the event. Written in UTC with microseconds.";
    SourceNodeId "source_node_id" Always Kind::Text,
        "Node that publishes the event.";
    SourceService "source_service" Always Kind::TextOrNull,
        "Service of the node.";
    SourceVersion "source_version" Always Kind::TextOrNull,
        "Version of the service.";
    SourceInstance "source_instance" LeftOutWhenUnset Kind::Text,
        "Instance of the service, such as the name of a pod.";
    CorrelationId "correlation_id" NullWhenUnset Kind::Uuid,
        "Correlation id, which the events of one request share.";
    CausationId "causation_id" LeftOutWhenUnset Kind::Text,
        "Id of the event that caused this one.";
    Environment "environment" Always Kind::Text,
        "Environment of the service, such as `production`.";
    Region "region" LeftOutWhenUnset Kind::Text,
        "Region of the service.";
    PartitionKey "partition_key" LeftOutWhenUnset Kind::Text,
        "Partition key that overrides the default key.";
    Payload "payload" Always Kind::Object,
        "Payload of the event, as its event type defines it.";
    Metadata "metadata" Always Kind::Object,
        "Metadata for observation and routing.";
}

/// Names on the wire, in the order of the table.
pub(crate) static NAMES: [&str; TABLE.len()] = names!(TABLE, row => row.name);

impl Field {
    /// Returns all fields, in the order of the wire.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.field)
    }

    /// Returns the field with this name on the wire.
    pub fn named(name: &str) -> Option<Self> {
        let row = TABLE.iter().find(|row| row.name == name)?;
        Some(row.field)
    }

    /// Returns the name on the wire.
    pub fn as_str(self) -> &'static str {
        self.row().name
    }

    pub(crate) fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}
