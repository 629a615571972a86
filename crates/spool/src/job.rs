//! What the writer is asked to do.

use crate::dead::DeadLetterRequest;
use crate::error::SpoolError;
use crate::record::{FailedAttempt, Record, Sequence};

/// One caller's wish. All of it happens in one transaction, or nothing.
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
    /// Rows that a reader found damaged.
    DeadLetterDamaged(Vec<Sequence>),
    RetryDead(Vec<Sequence>),
    DropDead(Vec<Sequence>),
}

impl Operation {
    /// Records that the work adds.
    pub(crate) fn records(&self) -> &[Record] {
        match self {
            Self::Append(record) | Self::AppendDead { record, .. } => std::slice::from_ref(record),
            Self::AppendAll(records) => records,
            _ => &[],
        }
    }

    /// Those of them that go to the queue, and so count for their key.
    pub(crate) fn queued_records(&self) -> &[Record] {
        match self {
            Self::AppendDead { .. } => &[],
            _ => self.records(),
        }
    }
}

/// What came of it: the first sequence that was given out, where one was, and how many rows were
/// added, changed or removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) first: Sequence,
    pub(crate) count: u64,
}

/// Called once, by the writer thread, when the work is durable or has failed.
pub(crate) type Done = Box<dyn FnOnce(Result<Answer, SpoolError>) + Send>;

/// Operation on its way to the writer.
pub(crate) struct Job {
    pub(crate) operation: Operation,
    /// Weight of the records that it adds.
    pub(crate) weight: u64,
    pub(crate) done: Done,
}
