//! A record, looked into.

use std::fmt;

use herald_envelope::Envelope;
use herald_publish::kafka::Received;

/// A record and the envelope in it.
pub struct Seen<'a> {
    pub record: &'a Received,
    pub envelope: Result<Envelope<'a>, NoEnvelope>,
}

/// Why a record is no envelope.
#[derive(Debug)]
pub enum NoEnvelope {
    /// It has no value: it deletes what its key stood for.
    Tombstone,
    /// What is wrong with the value.
    Invalid(herald_envelope::Error),
}

impl<'a> Seen<'a> {
    pub fn of(record: &'a Received) -> Self {
        let envelope = match &record.payload {
            None => Err(NoEnvelope::Tombstone),
            Some(bytes) => Envelope::parse(bytes).map_err(NoEnvelope::Invalid),
        };
        Self { record, envelope }
    }
}

impl NoEnvelope {
    /// A name that stays the same in all versions.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Tombstone => "tombstone",
            Self::Invalid(error) => error.code().as_str(),
        }
    }
}

impl fmt::Display for NoEnvelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tombstone => f.write_str("it has no value (a tombstone)"),
            Self::Invalid(error) => error.fmt(f),
        }
    }
}
