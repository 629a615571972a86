//! Spool of the publisher: on a disk, or simulated in tests.

use std::sync::Arc;

use herald_spool::{
    Acknowledged, Batch, DeadLetterRequest, FailedAttempt, Found, KeyHash, LateRecord,
    OrphanedReader, Pending, Sequence, Spool, SpoolCluster, SpoolError, SpoolStats,
};

#[cfg(test)]
use crate::simulator::SimulatedSpool;

/// Durable queue of records.
pub(crate) enum Store {
    Disk(Spool),
    #[cfg(test)]
    Simulated(SimulatedSpool),
}

impl Store {
    /// See [`Spool::append_late`].
    pub(crate) fn append_late(
        &self,
        key: KeyHash,
        weight: u64,
        record: Arc<dyn LateRecord>,
    ) -> Result<(), SpoolError> {
        match self {
            Self::Disk(spool) => spool.append_late(key, weight, record),
            #[cfg(test)]
            Self::Simulated(spool) => spool.append_late(key, record),
        }
    }

    /// See [`Spool::acknowledge_then`].
    pub(crate) fn acknowledge_then(
        &self,
        records: Vec<Acknowledged>,
        then: impl FnOnce(Result<u64, SpoolError>) + Send + 'static,
    ) -> Result<(), SpoolError> {
        match self {
            Self::Disk(spool) => spool.acknowledge_then(records, then),
            #[cfg(test)]
            Self::Simulated(spool) => spool.acknowledge_then(records, Box::new(then)),
        }
    }

    /// See [`Spool::holds_key`]. True if that fails.
    pub(crate) fn holds_key(&self, topic: &str, key: Option<&[u8]>) -> bool {
        match self {
            // Fails only in a fork, in which no call of the publisher gets this far.
            Self::Disk(spool) => spool.holds_key(topic, key) != Ok(false),
            #[cfg(test)]
            Self::Simulated(spool) => spool.holds_key(topic, key),
        }
    }

    /// See [`Spool::depth`].
    pub(crate) fn depth(&self) -> u64 {
        match self {
            Self::Disk(spool) => spool.depth().unwrap_or_default(),
            #[cfg(test)]
            Self::Simulated(spool) => spool.depth(),
        }
    }

    /// See [`Spool::next_batch`].
    pub(crate) fn next_batch(
        &self,
        limit: usize,
        max_bytes: u64,
        after: Sequence,
    ) -> Result<Batch, SpoolError> {
        match self {
            Self::Disk(spool) => spool.next_batch(limit, max_bytes, after),
            #[cfg(test)]
            Self::Simulated(spool) => Ok(spool.next_batch(limit, after)),
        }
    }

    /// See [`Spool::find`].
    pub(crate) fn find(&self, sequence: Sequence) -> Result<Option<Found>, SpoolError> {
        match self {
            Self::Disk(spool) => spool.find(sequence),
            #[cfg(test)]
            Self::Simulated(spool) => Ok(spool.find(sequence)),
        }
    }

    /// Stores failed attempts, and waits until that is durable. See [`Spool::note_attempts`].
    pub(crate) fn note_attempts(&self, attempts: Vec<FailedAttempt>) -> Result<u64, SpoolError> {
        match self {
            Self::Disk(spool) => spool.note_attempts(attempts).and_then(Pending::wait),
            #[cfg(test)]
            Self::Simulated(spool) => spool.note_attempts(attempts),
        }
    }

    /// Moves records to the dead letters, and waits until that is durable. See
    /// [`Spool::dead_letter`].
    pub(crate) fn dead_letter(
        &self,
        dead_letters: Vec<DeadLetterRequest>,
    ) -> Result<u64, SpoolError> {
        match self {
            Self::Disk(spool) => spool.dead_letter(dead_letters).and_then(Pending::wait),
            #[cfg(test)]
            Self::Simulated(spool) => spool.dead_letter(dead_letters),
        }
    }

    /// See [`Spool::stats`]. `None` if that fails.
    pub(crate) fn stats(&self) -> Option<SpoolStats> {
        match self {
            Self::Disk(spool) => spool.stats().ok(),
            #[cfg(test)]
            Self::Simulated(_) => None,
        }
    }

    /// See [`Spool::check_cluster`].
    pub(crate) fn check_cluster(&self, id: &str) -> Result<(), SpoolError> {
        match self {
            Self::Disk(spool) => spool.check_cluster(id),
            #[cfg(test)]
            Self::Simulated(_) => Ok(()),
        }
    }

    /// Notes the cluster if another one is noted, or none. Does not wait: what can't be noted is
    /// noted by the next publisher.
    pub(crate) fn note_cluster(&self, cluster: SpoolCluster) {
        match self {
            Self::Disk(spool) => {
                let noted = spool.cluster();
                if noted.is_ok_and(|noted| noted.is_none_or(|noted| noted.id != cluster.id)) {
                    let _ = spool.note_cluster(cluster);
                }
            }
            #[cfg(test)]
            Self::Simulated(_) => {}
        }
    }

    /// See [`Spool::rows`].
    pub(crate) fn rows(&self) -> u64 {
        match self {
            Self::Disk(spool) => spool.rows(),
            #[cfg(test)]
            Self::Simulated(spool) => spool.depth(),
        }
    }

    /// See [`Spool::failure`].
    pub(crate) fn failure(&self) -> Option<SpoolError> {
        match self {
            Self::Disk(spool) => spool.failure(),
            #[cfg(test)]
            Self::Simulated(_) => None,
        }
    }

    /// See [`Spool::write_failure`].
    pub(crate) fn write_failure(&self) -> Option<SpoolError> {
        match self {
            Self::Disk(spool) => spool.write_failure(),
            #[cfg(test)]
            Self::Simulated(_) => None,
        }
    }

    /// See [`Spool::into_orphaned_reader`].
    pub(crate) fn into_orphaned_reader(self) -> Option<OrphanedReader> {
        match self {
            Self::Disk(spool) => spool.into_orphaned_reader(),
            #[cfg(test)]
            Self::Simulated(_) => None,
        }
    }
}
