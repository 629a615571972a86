//! Dead letters: records that cannot be delivered, kept until an operator decides.

use std::time::SystemTime;

use crate::record::{Sequence, StoredRecord};

/// Reason of a dead letter whose row does not match its checksum.
pub const REASON_DAMAGED: &str = "damaged";

/// Request to move a record from the queue to the dead letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetterRequest {
    /// Sequence of the record.
    pub sequence: Sequence,
    /// Short code of the reason, such as `too_large`.
    pub reason: String,
    /// Description of the error, without secrets; cut at 2,048 bytes.
    pub error: String,
}

/// Dead letter. It keeps the sequence that the record had in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Sequence, by which the dead letter is retried or dropped.
    pub sequence: Sequence,
    /// Record with its attempts and its last error; `None` if the row is damaged. A damaged row
    /// cannot be retried, only dropped; `sqlite3` shows what is left of it.
    pub stored: Option<StoredRecord>,
    /// Reason of the request, or [`REASON_DAMAGED`].
    pub reason: String,
    /// Time at which it was moved to the dead letters.
    pub died: SystemTime,
}
