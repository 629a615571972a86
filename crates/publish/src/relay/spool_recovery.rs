//! Recovery of a spool whose files were damaged, deleted or replaced under the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use herald_spool::{
    Batch, OrphanedReader, Pending, Sequence, SequenceRange, Spool, SpoolError, StoredRecord,
};
use tracing::{error, info, warn};

use super::row_table::RowTable;
use super::thread::{RelayThread, SHORT_BACKOFF};
use crate::store::Store;

/// Maximum backoff between two openings. A spool that stays open for longer resets the backoff.
const MAX_REOPEN_BACKOFF: Duration = Duration::from_secs(5);

/// Backoff of reopening: immediately the first time, then exponential.
#[derive(Default)]
pub(super) struct Reopening {
    pub(super) at: Duration,
    pause: Duration,
    /// Whether the rows must be salvaged, even if the checks at opening find no damage.
    salvage: bool,
    /// Highest sequence that this process may still refer to. A new file starts after it, so that an
    /// old sequence never names a new row.
    last_known: Sequence,
}

impl Reopening {
    fn begins(&mut self, now: Duration, failure: &SpoolError) {
        if now > self.at + MAX_REOPEN_BACKOFF {
            self.pause = Duration::ZERO;
        }
        self.pause = (self.pause * 2).clamp(SHORT_BACKOFF, MAX_REOPEN_BACKOFF);
        self.at = now + self.pause;
        self.salvage |= matches!(failure, SpoolError::Corrupt { .. });
    }
}

/// Maximum rows and bytes of a batch that is copied or counted.
const COPIED_ROWS: usize = 500;
const COPIED_BYTES: u64 = 4 * 1024 * 1024;

/// Spool whose files were deleted or replaced. Its rows can only be read through the file handles
/// that this process has open.
///
/// Receipts were given for these rows, so the handles are kept until every row is delivered or
/// copied to a new spool. Until then the relay sends from here, and new events of their keys are
/// rejected, because they would overtake the rows.
pub(crate) struct OrphanedSpool {
    reader: OrphanedReader,
    pub(crate) failure: SpoolError,
    /// Rows that are neither delivered nor copied yet.
    remaining: AtomicU64,
}

impl OrphanedSpool {
    pub(crate) fn holds_key(&self, topic: &str, key: Option<&[u8]>) -> bool {
        self.reader.holds_key(topic, key)
    }

    pub(crate) fn remaining(&self) -> u64 {
        self.remaining.load(Ordering::Relaxed)
    }

    /// Counts a delivered row.
    pub(super) fn row_acknowledged(&self) {
        let _ = self
            .remaining
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |rows| {
                rows.checked_sub(1)
            });
    }

    pub(super) fn batch(
        &self,
        limit: usize,
        max_bytes: u64,
        after: Sequence,
    ) -> Result<Batch, SpoolError> {
        self.reader.batch(limit, max_bytes, after)
    }
}

impl RelayThread {
    /// Opens the spool again after its files were damaged or changed from outside.
    pub(super) fn recover_spool(&mut self) {
        let Some(options) = self.core.options.spool.clone() else {
            return;
        };
        let now = self.now();
        if now < self.reopening.at {
            return;
        }
        let Some(failure) = self.spool_lost.take() else {
            return;
        };
        self.reopening.begins(now, &failure);
        error!(
            target: "herald::publisher",
            code = failure.code().as_str(),
            error = %failure,
            "the spool is lost: it is opened again"
        );
        // Locked exclusively until the spool is open again: an event that is published meanwhile
        // would overtake rows of its key.
        let core = self.core.clone();
        let mut routing = core.lock_routing_exclusive();
        self.reopening.last_known = self.reopening.last_known.max(self.last_known());
        // Other threads use the spool only while they hold the routing, so this is the last
        // reference.
        if let Some(spool) = routing.spool.take().and_then(Arc::into_inner) {
            routing.orphan = self.orphaned(spool, failure).map(Arc::new);
            self.read_from(Sequence::START);
        }
        // Errors of the old spool that came in meanwhile.
        core.relay.change(|inbox| inbox.spool_lost = None);
        let options = options
            .sequences_after(self.reopening.last_known)
            .salvage(self.reopening.salvage);
        match self.open_with_rows_of(routing.orphan.as_deref(), options) {
            Ok(spool) => {
                self.reopening.salvage = false;
                self.searching = false;
                routing.spool = Some(Arc::new(spool));
                routing.orphan = None;
                // Events that only the transport has must be appended before later ones.
                core.spill_all_to_spool(&routing);
                drop(routing);
                self.read_from(Sequence::START);
                // Rows that were removed from the old spool may have been salvaged: removes them
                // again.
                self.process_inbox();
                self.acknowledged.append(&mut self.gone);
            }
            Err(failure) => {
                let only_in_memory = routing.orphan.as_ref().map(|orphan| orphan.remaining());
                drop(routing);
                error!(
                    target: "herald::publisher",
                    error = %failure,
                    orphaned = only_in_memory.unwrap_or_default(),
                    "the spool can't be opened; events are only as safe as the cluster, and those \
                     that were spooled are delivered from the files that are still open"
                );
                self.spool_lost = Some(failure);
            }
        }
    }

    /// Keeps the file handles of a spool whose files were deleted.
    fn orphaned(&self, spool: Store, failure: SpoolError) -> Option<OrphanedSpool> {
        // Damaged files still have their names, and the next opening salvages them.
        let is_readable = matches!(failure, SpoolError::FileChanged { .. });
        let reader = spool.into_orphaned_reader().filter(|_| is_readable)?;
        let acknowledged = self.acknowledged.len() as u64;
        let remaining = AtomicU64::new(reader.records().saturating_sub(acknowledged));
        Some(OrphanedSpool {
            reader,
            failure,
            remaining,
        })
    }

    /// Opens a new spool with all rows that only `orphan` has. If one can't be copied, it fails and
    /// the new spool is not used, so that no event overtakes the missing rows.
    fn open_with_rows_of(
        &self,
        orphan: Option<&OrphanedSpool>,
        options: herald_spool::SpoolOptions,
    ) -> Result<Store, SpoolError> {
        let (spool, report) = Spool::open(options)?;
        if let Some(recovery) = &report.recovery {
            error!(
                target: "herald::publisher",
                damage = %recovery.damage,
                salvaged = recovery.salvaged,
                dead_letters = recovery.damaged,
                lost = ?recovery.lost,
                "the spool was damaged"
            );
        }
        if let Some(orphan) = orphan {
            copy_rows(orphan, &spool, &self.rows)?;
        }
        Ok(Store::Disk(spool))
    }

    /// Closes the handles of deleted files once all their rows are delivered.
    pub(super) fn drop_empty_orphan(&mut self) {
        let core = self.core.clone();
        if core.routing().orphan.is_none() {
            return;
        }
        let all_sent = self.at_end && self.revisit.is_none() && !core.relay.has_unsent();
        let has_dead = core
            .routing()
            .orphan
            .as_ref()
            .is_some_and(|orphan| orphan.reader.dead() > 0);
        if all_sent && !has_dead && self.dead_letters.is_empty() && !self.rows.any_with_transport()
        {
            core.lock_routing_exclusive().orphan = None;
            self.gone.append(&mut self.acknowledged);
            info!(
                target: "herald::publisher",
                "all rows of the spool that was deleted are delivered"
            );
        }
    }

    /// Logs the rows of deleted files that are lost when the process ends.
    pub(super) fn report_orphan(&self) {
        let Some(orphan) = self.core.routing().orphan.clone() else {
            return;
        };
        let mut lost = 0;
        let rows_left = for_each_batch(&orphan, |records| {
            lost += records
                .iter()
                .filter(|stored| !self.rows.is_acknowledged(stored.sequence))
                .count();
            Ok(())
        });
        if lost > 0 || rows_left.is_err() {
            error!(
                target: "herald::publisher",
                lost = ?Some(lost),
                "the spool was deleted, could not be opened again, and the cluster did not take \
                 its rows before the end"
            );
        }
    }

    /// Returns the highest sequence that this process may still refer to.
    fn last_known(&self) -> Sequence {
        let confirmed = self.core.relay.change(|inbox| inbox.confirmed);
        let known = self.rows.last();
        confirmed.max(self.cursor).max(known.unwrap_or_default())
    }
}

/// Calls `each` with all records of the deleted files, a bounded number at a time.
fn for_each_batch(
    orphan: &OrphanedSpool,
    mut each: impl FnMut(Vec<StoredRecord>) -> Result<(), SpoolError>,
) -> Result<(), SpoolError> {
    let mut after = Sequence::START;
    loop {
        let batch = match orphan.batch(COPIED_ROWS, COPIED_BYTES, after) {
            Ok(batch) => batch,
            Err(failure) => {
                // Not retried: the handles are open, so another attempt would fail in the same way.
                error!(
                    target: "herald::publisher",
                    error = %failure,
                    after = after.get(),
                    "rows of the spool that was deleted can't be read"
                );
                return Ok(());
            }
        };
        let Some(last) = batch.last else {
            return Ok(());
        };
        each(batch.records)?;
        after = last;
    }
}

/// Copies the readable rows of deleted files to a new spool, except delivered ones and those that the
/// new spool has: if only the WAL was deleted, most rows are still in the database.
fn copy_rows(orphan: &OrphanedSpool, spool: &Spool, rows: &RowTable) -> Result<(), SpoolError> {
    let mut copied = Vec::new();
    let outcome = for_each_batch(orphan, |records| {
        let records: Vec<_> = records
            .into_iter()
            .filter(|stored| !rows.is_acknowledged(stored.sequence))
            .filter(|stored| matches!(spool.find(stored.sequence), Ok(None)))
            .map(|stored| stored.record)
            .collect();
        if !records.is_empty() {
            copied.push(spool.append_all(records).and_then(Pending::wait)?);
        }
        Ok(())
    });
    let mut copied_dead = Vec::new();
    let outcome = outcome.and_then(|()| copy_dead_letters(orphan, spool, &mut copied_dead));
    let rescued: u64 = copied.iter().map(|range| range.count).sum();
    if let Err(failure) = outcome {
        error!(
            target: "herald::publisher",
            error = %failure,
            copied = rescued,
            remaining = orphan.remaining(),
            "rows of the spool that was deleted could not all be copied; the copying begins again"
        );
        remove_copies(spool, &copied, copied_dead);
        return Err(failure);
    }
    if rescued > 0 {
        warn!(
            target: "herald::publisher",
            rescued,
            "rows were brought over from a spool that was deleted"
        );
    }
    Ok(())
}

/// Copies the dead letters of deleted files, and adds their new sequences to `copied`.
fn copy_dead_letters(
    orphan: &OrphanedSpool,
    spool: &Spool,
    copied: &mut Vec<Sequence>,
) -> Result<(), SpoolError> {
    let mut after = Sequence::START;
    loop {
        let letters = match orphan.reader.dead_letters(COPIED_ROWS, COPIED_BYTES, after) {
            Ok(letters) => letters,
            Err(failure) => {
                error!(
                    target: "herald::publisher",
                    error = %failure,
                    "dead letters of the spool that was deleted can't be read"
                );
                return Ok(());
            }
        };
        let Some(last) = letters.last() else {
            return Ok(());
        };
        after = last.sequence;
        let missing = letters
            .into_iter()
            .filter(|letter| matches!(spool.find(letter.sequence), Ok(None)));
        // All are submitted before the first wait, so that they share a commit.
        let pending: Vec<_> = missing
            .filter_map(|letter| {
                let stored = letter.stored?;
                let error = stored.last_error.unwrap_or_default();
                Some(spool.append_dead(stored.record, letter.reason, error))
            })
            .collect();
        for pending in pending {
            copied.push(pending.and_then(Pending::wait)?);
        }
    }
}

/// Removes the copies of an incomplete attempt. If the disk rejects that too, the events are
/// delivered twice.
fn remove_copies(spool: &Spool, copied: &[SequenceRange], copied_dead: Vec<Sequence>) {
    if !copied_dead.is_empty() {
        let _ = spool.drop_dead(copied_dead).and_then(Pending::wait);
    }
    let sequences: Vec<_> = copied.iter().flat_map(|range| range.iter()).collect();
    if !sequences.is_empty() {
        let _ = spool.acknowledge(sequences).and_then(Pending::wait);
    }
}
