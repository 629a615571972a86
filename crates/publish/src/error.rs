//! Errors of publishing.

use std::fmt;
use std::time::Duration;

use herald_envelope::topic::InvalidTopic;
use herald_process::Forked;
use herald_spool::{SpoolError, SpoolErrorCode};

use crate::failure::{Failure, FailureCode};
use crate::receipt::Receipt;

/// Error of a publish without a receipt, or of opening a publisher.
///
/// The event is not safe, except that [`PublishError::Rejected`] names a dead letter that holds it.
/// No message shows a payload, a key or a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The envelope can't be written.
    #[error("the envelope can't be written: {0}")]
    Envelope(herald_envelope::Error),
    /// The name of the topic is not valid.
    #[error("{topic:?} is not a valid topic: {reason}")]
    InvalidTopic {
        /// Name of the topic.
        topic: String,
        /// Reason.
        reason: InvalidTopic,
    },
    /// The message alone is larger than the in-flight limit.
    #[error("the message has {bytes} bytes, but the in-flight limit is {max} bytes")]
    TooLargeForFlight {
        /// Size of the message in bytes.
        bytes: usize,
        /// In-flight limit in bytes.
        max: usize,
    },
    /// The cluster rejected the message permanently.
    #[error("the cluster refuses the event: {failure}; {}", kept_in(dead_letter.as_ref()))]
    Rejected {
        /// Failure reported by the cluster.
        failure: Failure,
        /// Dead letter that holds the event: on the dead letter topic, or in the spool. `None` if
        /// neither could be written; then only the caller has the event.
        dead_letter: Option<Receipt>,
    },
    /// The in-flight limit is reached, and the caller did not want to wait any longer.
    #[error("in-flight limit reached; retry later")]
    Busy,
    /// No acknowledgement came in time, and there is no spool. The event may still arrive.
    #[error(
        "no acknowledgement within {} ms, and there is no spool; the event may still arrive{}",
        after.as_millis(),
        because(cause.as_ref())
    )]
    Deadline {
        /// Time waited.
        after: Duration,
        /// Reason why no broker can be reached, if that is so.
        cause: Option<Failure>,
    },
    /// The cluster did not accept the event, and there is no spool.
    #[error("the cluster did not accept the event, and there is no spool: {0}")]
    Unavailable(Failure),
    /// Neither the cluster nor the spool accepted the event.
    #[error("the cluster did not accept the event, and neither did the spool: {0}")]
    Spool(SpoolError),
    /// The publisher can't start with these settings.
    #[error("the publisher can't start: {0}")]
    Settings(Failure),
    /// This process is a fork of the one that opened the publisher: its threads and connections
    /// do not exist here. Open a publisher after forking.
    #[error(
        "the publisher belongs to process {owner}, and this is a fork of it: open a publisher \
         after forking"
    )]
    Forked {
        /// Process that opened the publisher.
        owner: u32,
    },
    /// The publisher is closed or closing.
    #[error("the publisher is closed")]
    Closed,
}

/// Code of a [`PublishError`], for logs, metrics and other languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PublishErrorCode {
    /// The envelope can't be written.
    InvalidEnvelope,
    /// The name of the topic is not valid.
    InvalidTopic,
    /// The message alone is larger than the in-flight limit.
    TooLargeForFlight,
    /// The in-flight limit is reached.
    Busy,
    /// No acknowledgement came in time.
    Deadline,
    /// The process is a fork of the one that opened the publisher.
    Forked,
    /// The publisher is closed.
    Closed,
    /// Failure of the cluster, or of the settings.
    Failure(FailureCode),
    /// Error of the spool.
    Spool(SpoolErrorCode),
}

impl PublishErrorCode {
    /// Returns the name, such as `too_large`, which is the same in all versions.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidEnvelope => "invalid_envelope",
            Self::InvalidTopic => "invalid_topic",
            Self::TooLargeForFlight => "too_large_for_flight",
            Self::Busy => "busy",
            Self::Deadline => "deadline",
            Self::Forked => "forked",
            Self::Closed => "closed",
            Self::Failure(code) => code.as_str(),
            Self::Spool(code) => code.as_str(),
        }
    }
}

impl fmt::Display for PublishErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Compares with the name.
impl PartialEq<&str> for PublishErrorCode {
    fn eq(&self, name: &&str) -> bool {
        self.as_str() == *name
    }
}

impl PublishError {
    /// Returns the code of the error.
    pub fn code(&self) -> PublishErrorCode {
        match self {
            Self::Envelope(_) => PublishErrorCode::InvalidEnvelope,
            Self::InvalidTopic { .. } => PublishErrorCode::InvalidTopic,
            Self::TooLargeForFlight { .. } => PublishErrorCode::TooLargeForFlight,
            Self::Rejected { failure, .. }
            | Self::Unavailable(failure)
            | Self::Settings(failure) => PublishErrorCode::Failure(failure.code),
            Self::Busy => PublishErrorCode::Busy,
            Self::Deadline { .. } => PublishErrorCode::Deadline,
            Self::Spool(error) => PublishErrorCode::Spool(error.code()),
            Self::Forked { .. } => PublishErrorCode::Forked,
            Self::Closed => PublishErrorCode::Closed,
        }
    }

    /// Returns whether the same event may get a receipt if it is published again later.
    pub fn is_retriable(&self) -> bool {
        match self {
            Self::Busy | Self::Deadline { .. } | Self::Unavailable(_) => true,
            Self::Spool(error) => error.is_retriable(),
            Self::Envelope(_)
            | Self::InvalidTopic { .. }
            | Self::TooLargeForFlight { .. }
            | Self::Rejected { .. }
            | Self::Settings(_)
            | Self::Forked { .. }
            | Self::Closed => false,
        }
    }
}

impl From<herald_envelope::Error> for PublishError {
    fn from(error: herald_envelope::Error) -> Self {
        Self::Envelope(error)
    }
}

impl From<Forked> for PublishError {
    fn from(Forked { owner }: Forked) -> Self {
        Self::Forked { owner }
    }
}

fn because(cause: Option<&Failure>) -> String {
    cause.map_or_else(String::new, |cause| format!(": {cause}"))
}

fn kept_in(dead_letter: Option<&Receipt>) -> String {
    match dead_letter {
        Some(Receipt::Delivered {
            topic,
            partition,
            offset,
        }) => format!("it is kept in {topic}, partition {partition}, offset {offset}"),
        Some(Receipt::Spooled { sequence }) => {
            format!("it is kept in the spool as dead letter {sequence}")
        }
        None => "no dead letter could be written either".to_owned(),
    }
}
