//! Why there is no receipt.

use std::fmt;
use std::time::Duration;

use herald_envelope::topic::InvalidTopic;
use herald_spool::SpoolError;

use crate::failure::Failure;
use crate::receipt::Receipt;

/// Why a publish ended without a receipt, or a publisher could not start.
///
/// The event is not safe, with one exception that says so: [`PublishError::Rejected`] names the
/// dead letter that holds it. No message shows a payload, a key or a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublishError {
    /// The envelope can't be written.
    Envelope(herald_envelope::Error),
    /// Kafka takes no topic of this name.
    InvalidTopic {
        /// The name.
        topic: String,
        /// What is wrong with it.
        reason: InvalidTopic,
    },
    /// The message alone is larger than all that may be in flight.
    TooLargeForFlight {
        /// Its size in bytes.
        bytes: usize,
        /// The bound in bytes.
        most: usize,
    },
    /// The cluster will never take this message as it is.
    Rejected {
        /// What the cluster said.
        failure: Failure,
        /// Where the event is kept: on the dead letter topic, or among the dead letters of the
        /// spool. `None` where neither was to be had; then only the caller has the event.
        dead_letter: Option<Receipt>,
    },
    /// There is no room in flight now, and the caller did not want to wait.
    Busy,
    /// No acknowledgement came in time, and there is no spool. The event may still arrive.
    Deadline {
        /// How long was waited.
        after: Duration,
    },
    /// The cluster did not take the event, and there is no spool.
    Unavailable(Failure),
    /// The cluster did not take the event, and neither did the spool.
    Spool(SpoolError),
    /// The publisher could not start with these settings.
    Settings(Failure),
    /// This process is a fork of the one that opened the publisher: its threads and connections
    /// are not here. Open a publisher after forking.
    Forked {
        /// The process that opened it.
        owner: u32,
    },
    /// The publisher is closed or closing.
    Closed,
}

impl PublishError {
    /// A name that stays the same in all versions, for logs, metrics and callers of other
    /// languages.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Envelope(_) => "invalid_envelope",
            Self::InvalidTopic { .. } => "invalid_topic",
            Self::TooLargeForFlight { .. } => "too_large_for_flight",
            Self::Rejected { failure, .. }
            | Self::Unavailable(failure)
            | Self::Settings(failure) => failure.code.as_str(),
            Self::Busy => "busy",
            Self::Deadline { .. } => "deadline",
            Self::Spool(error) => error.code(),
            Self::Forked { .. } => "forked",
            Self::Closed => "closed",
        }
    }

    /// Whether the same event may get a receipt when it is published again later.
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

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Envelope(error) => write!(f, "the envelope can't be written: {error}"),
            Self::InvalidTopic { topic, reason } => {
                write!(f, "Kafka takes no topic named {topic:?}: {reason}")
            }
            Self::TooLargeForFlight { bytes, most } => write!(
                f,
                "the message has {bytes} bytes, but at most {most} may be in flight"
            ),
            Self::Rejected {
                failure,
                dead_letter,
            } => {
                write!(f, "the cluster refuses the event: {failure}; ")?;
                match dead_letter {
                    Some(Receipt::Delivered {
                        topic,
                        partition,
                        offset,
                    }) => write!(
                        f,
                        "it is kept in {topic}, partition {partition}, offset {offset}"
                    ),
                    Some(Receipt::Spooled { sequence }) => {
                        write!(f, "it is kept in the spool as dead letter {sequence}")
                    }
                    None => f.write_str("no dead letter could be written either"),
                }
            }
            Self::Busy => f.write_str("in-flight limit reached; retry later"),
            Self::Deadline { after } => write!(
                f,
                "no acknowledgement within {} ms, and there is no spool; the event may still arrive",
                after.as_millis()
            ),
            Self::Unavailable(failure) => write!(
                f,
                "the cluster did not take the event, and there is no spool: {failure}"
            ),
            Self::Spool(error) => write!(
                f,
                "the cluster did not take the event, and neither did the spool: {error}"
            ),
            Self::Settings(failure) => write!(f, "the publisher can't start: {failure}"),
            Self::Forked { owner } => write!(
                f,
                "the publisher belongs to process {owner}, and this is a fork of it: open a \
                 publisher after forking"
            ),
            Self::Closed => f.write_str("the publisher is closed"),
        }
    }
}

impl std::error::Error for PublishError {}

impl From<herald_envelope::Error> for PublishError {
    fn from(error: herald_envelope::Error) -> Self {
        Self::Envelope(error)
    }
}
