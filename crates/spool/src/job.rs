//! Jobs of the writer thread.

use crate::cluster::SpoolCluster;
use crate::dead::DeadLetterRequest;
use crate::error::SpoolError;
use crate::record::{FailedAttempt, Record, Sequence};

/// Change that a caller submits. It is committed in one transaction, all or nothing.
#[derive(Debug)]
pub(crate) enum Operation {
    Append(Record),
    AppendAll(Vec<Record>),
    AppendDead {
        record: Record,
        reason: String,
        error: String,
    },
    Acknowledge(Vec<Sequence>),
    NoteAttempts(Vec<FailedAttempt>),
    DeadLetter(Vec<DeadLetterRequest>),
    /// Moves rows that a reader found damaged to the dead letters.
    DeadLetterDamaged(Vec<Sequence>),
    RetryDead(Vec<Sequence>),
    DropDead(Vec<Sequence>),
    NoteCluster(SpoolCluster),
}

impl Operation {
    /// Records that the operation adds.
    pub(crate) fn records(&self) -> &[Record] {
        match self {
            Self::Append(record) | Self::AppendDead { record, .. } => std::slice::from_ref(record),
            Self::AppendAll(records) => records,
            _ => &[],
        }
    }

    /// Whether the operation adds rows, and so needs more space than is reserved.
    pub(crate) fn adds_rows(&self) -> bool {
        !self.records().is_empty()
    }

    /// Records that the operation adds to the queue, and that count for their key.
    pub(crate) fn queued_records(&self) -> &[Record] {
        match self {
            Self::AppendDead { .. } => &[],
            _ => self.records(),
        }
    }
}

/// Result of an operation: the first sequence it assigned, if any, and the number of rows that were
/// added, changed or removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) first: Sequence,
    pub(crate) count: u64,
}

/// Callback that the writer thread calls once, when the operation is durable or has failed.
pub(crate) type Done = Box<dyn FnOnce(Result<Answer, SpoolError>) + Send>;

/// Operation on its way to the writer, with its callback.
pub(crate) struct Job {
    pub(crate) operation: Operation,
    /// Weight of the records that the operation adds.
    pub(crate) weight: u64,
    pub(crate) done: Done,
}
