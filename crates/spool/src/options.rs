//! Settings of a spool.

use std::path::{Path, PathBuf};

use crate::record::Sequence;

/// Behaviour when another process owns the spool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenOwned {
    /// Fail with [`crate::SpoolError::Owned`].
    #[default]
    Fail,
    /// Open the first free spool of `name-1.db` to `name-{max}.db` beside it, for services that run
    /// several processes with one configuration. The order of a key holds within one spool.
    Numbered {
        /// Highest number to try.
        max: u16,
    },
}

/// Path and limits of a spool.
///
/// A spool uses memory for the writer's queue (`queue_bytes`), the same again while a commit runs,
/// 8 MiB for each of two SQLite caches, and about 35 bytes for every key with records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpoolOptions {
    pub(crate) path: PathBuf,
    pub(crate) max_records: u64,
    pub(crate) max_bytes: u64,
    pub(crate) max_record_bytes: u64,
    pub(crate) queue_records: u64,
    pub(crate) queue_bytes: u64,
    pub(crate) checkpoint_bytes: u64,
    pub(crate) removed_bytes: u64,
    pub(crate) when_owned: WhenOwned,
    pub(crate) sequences_after: Sequence,
    pub(crate) salvage: bool,
}

const MIB: u64 = 1024 * 1024;

impl SpoolOptions {
    /// Creates settings for a spool in the database `path`, with [more files](crate#files) beside
    /// it. A missing folder is created, accessible to its owner only. It must be on a local disk:
    /// the index of SQLite's WAL is memory that all processes share.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self {
            path: path.as_ref().to_owned(),
            max_records: 1_000_000,
            max_bytes: 1024 * MIB,
            max_record_bytes: 16 * MIB,
            queue_records: 10_000,
            queue_bytes: 16 * MIB,
            checkpoint_bytes: 16 * MIB,
            removed_bytes: MIB,
            when_owned: WhenOwned::Fail,
            sequences_after: Sequence::START,
            salvage: false,
        }
    }

    /// Sets the maximum number of records, including dead letters. 1,000,000 by default.
    #[must_use]
    pub fn max_records(mut self, records: u64) -> Self {
        self.max_records = records;
        self
    }

    /// Sets the maximum number of bytes, including dead letters, counted by
    /// [`crate::Record::weight`]. 1 GiB by default. The files are about a third larger.
    #[must_use]
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Sets the maximum size of a record in bytes. 16 MiB by default, and at most 512 MiB: SQLite
    /// limits a row to 1 GB.
    #[must_use]
    pub fn max_record_bytes(mut self, bytes: u64) -> Self {
        self.max_record_bytes = bytes.min(512 * MIB);
        self
    }

    /// Sets the maximum number of records that wait for the writer; further appends block. 10,000
    /// by default. It also limits the size of a commit.
    #[must_use]
    pub fn queue_records(mut self, records: u64) -> Self {
        self.queue_records = records.max(1);
        self
    }

    /// Sets the maximum number of bytes that wait for the writer; further appends block. 16 MiB by
    /// default. A larger record is accepted when nothing else waits.
    #[must_use]
    pub fn queue_bytes(mut self, bytes: u64) -> Self {
        self.queue_bytes = bytes;
        self
    }

    /// Sets the size of the WAL at which a checkpoint runs. 16 MiB by default: a smaller one means
    /// shorter but more frequent pauses.
    #[must_use]
    pub fn checkpoint_bytes(mut self, bytes: u64) -> Self {
        self.checkpoint_bytes = bytes;
        self
    }

    /// Sets the weight of removed records from which on their rows are deleted, so that others can use
    /// the space. 1 MiB by default: to delete many together costs less.
    #[must_use]
    pub fn removed_bytes(mut self, bytes: u64) -> Self {
        self.removed_bytes = bytes;
        self
    }

    /// Sets the behaviour when another process owns the spool.
    #[must_use]
    pub fn when_owned(mut self, when_owned: WhenOwned) -> Self {
        self.when_owned = when_owned;
        self
    }

    /// Assigns only sequences after this one. For a process that opens its spool again after the
    /// files were deleted: sequences that it still knows must not name new records.
    #[must_use]
    pub fn sequences_after(mut self, sequence: Sequence) -> Self {
        self.sequences_after = sequence;
        self
    }

    /// Treats the file as damaged, even if the checks at opening find nothing, and salvages it row
    /// by row. For a process that opens its spool again after [`crate::SpoolError::Corrupt`]:
    /// otherwise it would stop at the same row again.
    #[must_use]
    pub fn salvage(mut self, salvage: bool) -> Self {
        self.salvage = salvage;
        self
    }
}
