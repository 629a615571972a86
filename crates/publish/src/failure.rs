//! Why a transport did not deliver.

use std::fmt;

/// What follows from a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The same message may be delivered later.
    Retriable,
    /// The same message will fail again, whenever it is tried: it is a dead letter.
    Permanent,
    /// The connection is broken for good; a new one may deliver the message.
    Fatal,
    /// The transport has no room for more messages at this moment.
    Full,
    /// The connection was closed before the message was acknowledged.
    Abandoned,
}

/// A failure: what follows from it, a code for programs, and words for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What follows from it.
    pub kind: FailureKind,
    /// A short name that stays the same in all versions, such as `too_large`: what logs, metrics
    /// and the headers of dead letters show.
    pub code: &'static str,
    /// What happened. No payload, no key, no secret.
    pub detail: String,
}

impl Failure {
    /// A failure of this kind.
    pub fn new(kind: FailureKind, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind,
            code,
            detail: detail.into(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.detail, self.code)
    }
}

impl std::error::Error for Failure {}
