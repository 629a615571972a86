//! A record with its parsed envelope.

use std::fmt;

use herald_envelope::{Envelope, Received};
use herald_publish::kafka::ConsumerRecord;

/// A record and the envelope in its value.
pub struct ParsedRecord<'a> {
    pub record: &'a ConsumerRecord,
    pub envelope: Result<Envelope<'a>, NotAnEnvelope>,
}

/// Reason for which a record is not an envelope.
#[derive(Debug)]
pub enum NotAnEnvelope {
    /// It has no value: a compacted topic deletes its key.
    Tombstone,
    /// Its value does not parse.
    Invalid(herald_envelope::Error),
}

impl<'a> ParsedRecord<'a> {
    pub fn of(record: &'a ConsumerRecord) -> Self {
        let envelope = match &record.payload {
            None => Err(NotAnEnvelope::Tombstone),
            Some(bytes) => {
                let received = Received {
                    value: bytes,
                    headers: &record.header_pairs(),
                    timestamp: record.timestamp.and_then(|time| time.try_into().ok()),
                };
                Envelope::of_record(&received).map_err(NotAnEnvelope::Invalid)
            }
        };
        Self { record, envelope }
    }
}

impl NotAnEnvelope {
    /// Stable code for machine formats.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Tombstone => "tombstone",
            Self::Invalid(error) => error.code().as_str(),
        }
    }
}

impl fmt::Display for NotAnEnvelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tombstone => f.write_str("it has no value (a tombstone)"),
            Self::Invalid(error) => error.fmt(f),
        }
    }
}
