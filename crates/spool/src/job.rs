//! Jobs of the writer thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::cluster::SpoolCluster;
use crate::dead::DeadLetterRequest;
use crate::error::SpoolError;
use crate::keys;
use crate::record::{Acknowledged, FailedAttempt, Record, Sequence};
use crate::sql_convert;

/// Record that is made when the writer is about to store it: see [`crate::Spool::append_late`].
///
/// Both methods run on the writer thread: they must be quick and must not wait for the spool.
pub trait LateRecord: Send + Sync {
    /// Makes the record, or returns `None` if it need not be stored any more; then [`Self::stored`]
    /// is not called.
    fn take(&self) -> Option<Record>;

    /// Receives the receipt, or the error for which the record was not stored.
    fn stored(&self, outcome: Result<Sequence, SpoolError>);
}

/// Change that a caller submits. It is committed in one transaction, all or nothing.
pub(crate) enum Operation {
    Append(Record),
    /// Becomes an `Append` of the record of its [`Done::Late`] when the writer takes it, or is dropped.
    AppendLate,
    AppendAll(Vec<Record>),
    AppendDead {
        record: Record,
        reason: String,
        error: String,
    },
    Acknowledge(Vec<Acknowledged>),
    /// Deletes rows of removed records, about so many bytes.
    DeleteRemoved(u64),
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
pub(crate) enum Done {
    Call(Box<dyn FnOnce(Result<Answer, SpoolError>) + Send>),
    Late(Arc<dyn LateRecord>),
}

impl Done {
    /// It is the caller's code, so its panic must not end the writer.
    pub(crate) fn resolve(self, outcome: Result<Answer, SpoolError>) {
        let _ = catch_unwind(AssertUnwindSafe(|| match self {
            Self::Call(done) => done(outcome),
            Self::Late(record) => record.stored(outcome.map(|answer| answer.first)),
        }));
    }
}

/// Operation on its way to the writer, with its callback.
pub(crate) struct Job {
    pub(crate) operation: Operation,
    /// Records that it adds to the spool.
    pub(crate) load: Load,
    /// Hashes of the keys of the records that it adds to the queue, one per record.
    pub(crate) keys: Vec<u64>,
    pub(crate) done: Done,
}

/// Records, and their weight.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Load {
    pub(crate) records: u64,
    pub(crate) bytes: u64,
}

impl Load {
    pub(crate) fn add(&mut self, other: Self) {
        self.records += other.records;
        self.bytes += other.bytes;
    }

    pub(crate) fn remove(&mut self, other: Self) {
        self.records -= other.records;
        self.bytes -= other.bytes;
    }
}

impl Job {
    pub(crate) fn new(operation: Operation, done: Done) -> Self {
        let records = operation.records();
        let queued = operation.queued_records().iter();
        Self {
            load: Load {
                records: sql_convert::bytes(records.len()),
                bytes: records.iter().map(Record::weight).sum(),
            },
            keys: queued.map(keys::hash_of).collect(),
            operation,
            done,
        }
    }

    /// Makes the record of an `AppendLate`. Returns false if it need not be stored.
    pub(crate) fn make_record(&mut self) -> bool {
        let (Operation::AppendLate, Done::Late(record)) = (&self.operation, &self.done) else {
            return true;
        };
        match catch_unwind(AssertUnwindSafe(|| record.take())) {
            Ok(Some(record)) => self.operation = Operation::Append(record),
            Ok(None) | Err(_) => return false,
        }
        true
    }
}
