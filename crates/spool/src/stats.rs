//! Figures of a running spool.

use std::time::{Duration, SystemTime};

use crate::queue::CommitStatistics;

/// How a spool is doing. Operation that waits for the writer is not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpoolStats {
    /// Records in the queue.
    pub records: u64,
    /// Their weight, see [`crate::Record::weight`].
    pub bytes: u64,
    /// Dead letters.
    pub dead: u64,
    /// Their weight.
    pub dead_bytes: u64,
    /// When the first record in the queue came to be.
    pub oldest: Option<SystemTime>,
    /// What the database and its log take on the disk, in bytes.
    pub file_bytes: u64,
    /// What the writer did since the spool was opened.
    pub commits: CommitStatistics,
}

impl SpoolStats {
    /// Age of the first record in the queue; zero where clocks disagree, `None` where the queue
    /// is empty.
    pub fn oldest_age(&self, now: SystemTime) -> Option<Duration> {
        self.oldest
            .map(|oldest| now.duration_since(oldest).unwrap_or_default())
    }
}
