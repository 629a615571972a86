//! Statistics of a running spool.

use std::time::{Duration, SystemTime};

use crate::error::SpoolErrorCode;
use crate::queue::CommitStatistics;

/// Statistics of a spool, without operations that wait for the writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpoolStats {
    /// Records in the queue.
    pub records: u64,
    /// Weight of the records, see [`crate::Record::weight`].
    pub bytes: u64,
    /// Dead letters.
    pub dead: u64,
    /// Weight of the dead letters.
    pub dead_bytes: u64,
    /// Creation time of the first record in the queue.
    pub oldest: Option<SystemTime>,
    /// Size of database and WAL on the disk, in bytes.
    pub file_bytes: u64,
    /// Error for which the disk accepts no rows now, such as [`SpoolErrorCode::DiskFull`]. Rows
    /// that are delivered are removed all the same, from space that is reserved for it.
    pub write_failure: Option<SpoolErrorCode>,
    /// Statistics of the writer.
    pub commits: CommitStatistics,
}

impl SpoolStats {
    /// Returns the age of the first record in the queue; zero if clocks disagree, `None` if the
    /// queue is empty.
    pub fn oldest_age(&self, now: SystemTime) -> Option<Duration> {
        self.oldest
            .map(|oldest| now.duration_since(oldest).unwrap_or_default())
    }
}
