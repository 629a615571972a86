//! Dead letters: what nothing can deliver, kept until somebody decides.

use std::time::SystemTime;

use crate::record::{Sequence, StoredRecord};

/// Reason given by the spool itself to a row whose checksum does not hold.
pub const REASON_DAMAGED: &str = "damaged";

/// A record to be moved from the queue to the dead letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetterRequest {
    /// Which record.
    pub sequence: Sequence,
    /// A short code of why, such as `too_large`; for people and for filters.
    pub reason: String,
    /// What went wrong, without secrets; cut at 2,048 bytes.
    pub error: String,
}

/// A record among the dead letters. It keeps the sequence that it had in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Names the dead letter to retry or drop it.
    pub sequence: Sequence,
    /// The record with its attempts and its last error; `None` where the row is damaged. A
    /// damaged row cannot be retried, only dropped; `sqlite3` shows what is left of it.
    pub stored: Option<StoredRecord>,
    /// The code given with the request, or [`REASON_DAMAGED`].
    pub reason: String,
    /// When it was moved here.
    pub died: SystemTime,
}
