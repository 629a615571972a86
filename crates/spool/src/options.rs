//! What can be set about a spool.

use std::path::{Path, PathBuf};

use crate::record::Sequence;

/// What to do when another process owns the spool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenOwned {
    /// End with [`crate::SpoolError::Owned`].
    #[default]
    Fail,
    /// Open the first free one of `name-1.db` to `name-{most}.db` beside it, for services that
    /// run several processes with one configuration. Order of a key holds within one spool.
    Numbered {
        /// The highest number to try.
        most: u16,
    },
}

/// Where a spool is, and its bounds.
///
/// In memory a spool takes the writer's queue (`queue_bytes`), the same again while a commit
/// runs, 8 MiB for each of two SQLite caches, and about 35 bytes for every key that has
/// records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpoolOptions {
    pub(crate) path: PathBuf,
    pub(crate) max_records: u64,
    pub(crate) max_bytes: u64,
    pub(crate) max_record_bytes: u64,
    pub(crate) queue_records: u64,
    pub(crate) queue_bytes: u64,
    pub(crate) checkpoint_bytes: u64,
    pub(crate) when_owned: WhenOwned,
    pub(crate) sequences_after: Sequence,
    pub(crate) salvage: bool,
}

const MIB: u64 = 1024 * 1024;

impl SpoolOptions {
    /// A spool in the database `path`, with several files beside it that bear its name and more.
    /// The folder is made, for its owner only, where it is not there. It must be on a local
    /// disk: SQLite's log needs memory that all processes share.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self {
            path: path.as_ref().to_owned(),
            max_records: 1_000_000,
            max_bytes: 1024 * MIB,
            max_record_bytes: 16 * MIB,
            queue_records: 10_000,
            queue_bytes: 16 * MIB,
            checkpoint_bytes: 16 * MIB,
            when_owned: WhenOwned::Fail,
            sequences_after: Sequence::START,
            salvage: false,
        }
    }

    /// Most records that may be held, dead letters included. 1,000,000 unless set.
    #[must_use]
    pub fn max_records(mut self, records: u64) -> Self {
        self.max_records = records;
        self
    }

    /// Most bytes that may be held, dead letters included, as [`crate::Record::weight`] counts
    /// them. 1 GiB unless set. The files take about a third more.
    #[must_use]
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Most bytes of one record. 16 MiB unless set, and never more than 512 MiB: SQLite's rows
    /// end at 1 GB.
    #[must_use]
    pub fn max_record_bytes(mut self, bytes: u64) -> Self {
        self.max_record_bytes = bytes.min(512 * MIB);
        self
    }

    /// Most records that wait for the writer; an append beyond them waits. 10,000 unless set.
    /// It also bounds what one commit holds.
    #[must_use]
    pub fn queue_records(mut self, records: u64) -> Self {
        self.queue_records = records.max(1);
        self
    }

    /// Most bytes that wait for the writer; an append beyond them waits. 16 MiB unless set. A
    /// larger record is taken when nothing else waits.
    #[must_use]
    pub fn queue_bytes(mut self, bytes: u64) -> Self {
        self.queue_bytes = bytes;
        self
    }

    /// Size of the log at which it is written into the database. 16 MiB unless set: smaller
    /// means shorter pauses, more often.
    #[must_use]
    pub fn checkpoint_bytes(mut self, bytes: u64) -> Self {
        self.checkpoint_bytes = bytes;
        self
    }

    /// What to do when another process owns the spool.
    #[must_use]
    pub fn when_owned(mut self, when_owned: WhenOwned) -> Self {
        self.when_owned = when_owned;
        self
    }

    /// Gives out sequences behind this one only. For a process that opens its spool again after
    /// the files were deleted: what it still knows by number must not name new records.
    #[must_use]
    pub fn sequences_after(mut self, sequence: Sequence) -> Self {
        self.sequences_after = sequence;
        self
    }

    /// Takes the file for damaged, whatever the checks of opening say, and salvages it row by
    /// row. For a process that opens its spool again after [`crate::SpoolError::Corrupt`]: what
    /// those checks pass over would stop it at the same row again.
    #[must_use]
    pub fn salvage(mut self, salvage: bool) -> Self {
        self.salvage = salvage;
        self
    }
}
