//! Kinds of problems, and what is kept of them.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// Kind of a problem of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The record is not an envelope.
    Envelope,
    /// No contract declares the event type.
    EventType,
    /// The payload does not have the declared fields.
    Payload,
    /// The event is on another topic than declared.
    Topic,
    /// The key is not that of the envelope, or not the declared field.
    Key,
    /// The record is in another partition than that of its key.
    Partition,
    /// The time of the event can't be right.
    Time,
    /// A run ended without a start, or started without an end.
    Lifecycle,
    /// The state is unknown, or the transition is not declared.
    State,
    /// The event has no correlation id.
    Correlation,
    /// An event with the same id was there before.
    Duplicate,
    /// The payload looks as if it contained a secret.
    Secret,
}

impl Kind {
    /// All kinds, in the order of reports.
    pub const ALL: [Self; 12] = [
        Self::Envelope,
        Self::EventType,
        Self::Payload,
        Self::Topic,
        Self::Key,
        Self::Partition,
        Self::Time,
        Self::Lifecycle,
        Self::State,
        Self::Correlation,
        Self::Duplicate,
        Self::Secret,
    ];

    /// Stable name of its rule, for code scanning.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Envelope => "verify.envelope",
            Self::EventType => "verify.event_type",
            Self::Payload => "verify.payload",
            Self::Topic => "verify.topic",
            Self::Key => "verify.key",
            Self::Partition => "verify.partition",
            Self::Time => "verify.time",
            Self::Lifecycle => "verify.lifecycle",
            Self::State => "verify.state",
            Self::Correlation => "verify.correlation",
            Self::Duplicate => "verify.duplicate",
            Self::Secret => "verify.secret",
        }
    }

    /// Title of a problem of this kind.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Envelope => "Record that is not an envelope",
            Self::EventType => "Event type that no contract declares",
            Self::Payload => "Payload that does not have the declared fields",
            Self::Topic => "Event on another topic than declared",
            Self::Key => "Key that is not that of the envelope or of the declared field",
            Self::Partition => "Record in another partition than that of its key",
            Self::Time => "Timestamp that can't be right",
            Self::Lifecycle => "Run without a start or without an end",
            Self::State => "State or transition that is not declared",
            Self::Correlation => "Event without a correlation id",
            Self::Duplicate => "Event whose id was there before",
            Self::Secret => "Payload that looks as if it contained a secret",
        }
    }

    /// The word on the command line and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Envelope => "envelope",
            Self::EventType => "event-type",
            Self::Payload => "payload",
            Self::Topic => "topic",
            Self::Key => "key",
            Self::Partition => "partition",
            Self::Time => "time",
            Self::Lifecycle => "lifecycle",
            Self::State => "state",
            Self::Correlation => "correlation",
            Self::Duplicate => "duplicate",
            Self::Secret => "secret",
        }
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut all = Self::ALL.into_iter();
        all.find(|kind| kind.as_str() == text).ok_or_else(|| {
            let words = Self::ALL.map(Self::as_str).join(", ");
            format!("`{text}` is not a kind of problem; use {words}")
        })
    }
}

/// A problem, and how often it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its kind.
    pub kind: Kind,
    /// Event type that it is about; empty if that is not known.
    pub event_type: String,
    /// One sentence without a full stop, and without values of events.
    pub message: String,
    /// Number of events.
    pub count: u64,
    /// The first ones.
    pub samples: Vec<Sample>,
}

/// An event with a problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// Place of the record, such as a line or an offset.
    pub place: String,
    /// Id of the event, if it has one.
    pub event_id: Option<String>,
}
