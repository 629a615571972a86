//! Table of the envelope's fields, used by writer, parser and schema.

use crate::envelope::ENVELOPE_VERSION;

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
        "Version of the envelope's format.";
    EventId "event_id" Always Kind::Uuid,
        "Identity of the event; duplicates of an event carry the same.";
    EventType "event_type" Always Kind::NonEmptyText,
        "What happened, such as `orchestrator.routing.started`.";
    EventVersion "event_version" Always Kind::Text,
        "Version of the event's payload.";
    EventTimestamp "event_timestamp" Always Kind::Timestamp,
        "When the event was made. Written in UTC with microseconds.";
    SourceNodeId "source_node_id" Always Kind::Text,
        "The node that publishes the event.";
    SourceService "source_service" Always Kind::TextOrNull,
        "The service that the node belongs to.";
    SourceVersion "source_version" Always Kind::TextOrNull,
        "Version of that service.";
    SourceInstance "source_instance" LeftOutWhenUnset Kind::Text,
        "The running instance of the service, such as a pod's name.";
    CorrelationId "correlation_id" NullWhenUnset Kind::Uuid,
        "What events of one request have in common.";
    CausationId "causation_id" LeftOutWhenUnset Kind::Text,
        "The event that led to this one.";
    Environment "environment" Always Kind::Text,
        "Where the service runs, such as `production`.";
    Region "region" LeftOutWhenUnset Kind::Text,
        "Where on earth it runs.";
    PartitionKey "partition_key" LeftOutWhenUnset Kind::Text,
        "Key for Kafka where the rule's own choice does not fit.";
    Payload "payload" Always Kind::Object,
        "Data of the event, as its type defines it.";
    Metadata "metadata" Always Kind::Object,
        "What helps to observe and route the event.";
}

impl Field {
    /// Number of fields.
    pub(crate) const COUNT: usize = TABLE.len();

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
