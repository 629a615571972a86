//! Recovery of a spool whose files were damaged, deleted or replaced under the process.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use herald_spool::{
    Batch, Found, OrphanedReader, Pending, Sequence, SequenceRange, Spool, SpoolError, StoredRecord,
};
use tracing::{error, info, warn};

use super::RowEvent;
use super::row_table::RowTable;
use super::thread::{RelayThread, SHORT_BACKOFF, WARN_INTERVAL};
use crate::core::Core;
use crate::store::Store;

/// Maximum backoff between two openings. A spool that stays open for longer resets the backoff.
const MAX_REOPEN_BACKOFF: Duration = Duration::from_secs(5);

/// Backoff of reopening: immediately the first time, then exponential.
#[derive(Default)]
pub(super) struct Reopening {
    /// Error with which the spool was lost, until it is open again.
    pub(super) failure: Option<SpoolError>,
    pub(super) at: Duration,
    pause: Duration,
    /// Time of the next log message: the first at once, then every half minute.
    log_at: Duration,
    /// Whether the rows must be salvaged, even if the checks at opening find no damage.
    salvage: bool,
    /// Highest sequence that this process may still refer to. A new file starts after it, so that an
    /// old sequence never names a new row.
    last_known: Sequence,
    /// Rows of the spool when it was lost, with those that are delivered but not removed.
    rows_before: u64,
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
/// that this process has open. Or a spool that can't be opened for writing.
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
    pub(crate) fn new(reader: OrphanedReader, failure: SpoolError, acknowledged: u64) -> Self {
        let remaining = AtomicU64::new(reader.records().saturating_sub(acknowledged));
        Self {
            reader,
            failure,
            remaining,
        }
    }

    /// Whether the rows are still in the files of the spool.
    pub(crate) fn is_on_disk(&self) -> bool {
        self.reader.is_on_disk()
    }

    /// See [`OrphanedReader::check_cluster`].
    pub(crate) fn check_cluster(&self, id: &str) -> Result<(), SpoolError> {
        self.reader.check_cluster(id)
    }

    pub(crate) fn dead(&self) -> u64 {
        self.reader.dead()
    }

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

impl Core {
    /// Starts without the spool, which can't be opened for writing. Its rows are delivered if they
    /// can be read, and the relay opens it as soon as that is possible.
    pub(crate) fn start_without_spool(&self, failure: SpoolError) {
        let Some(options) = self.options.spool.clone() else {
            return;
        };
        let orphan = match Spool::open_read_only(options) {
            Ok(reader) => Some(Arc::new(OrphanedSpool::new(reader, failure.clone(), 0))),
            Err(SpoolError::NotFound { .. }) => None,
            Err(unreadable) => {
                error!(
                    target: "herald::publisher",
                    error = %unreadable,
                    "the rows of the spool can't be read now; they stay where they are"
                );
                None
            }
        };
        let mut routing = self.lock_routing_exclusive();
        routing.orphan = orphan;
        routing.spool_failure = Some(failure.clone());
        drop(routing);
        self.relay.spool_lost(failure);
    }
}

impl RelayThread {
    /// Notices a spool that ended while nothing was written to it.
    pub(super) fn check_spool(&mut self) {
        let failure = self.spool().and_then(|spool| spool.failure());
        if let Some(failure) = failure {
            self.core.spool_failed(&failure);
        }
    }

    /// Logs when the disk begins to refuse rows, and when it accepts them again.
    pub(super) fn log_write_failure(&mut self) {
        let Some(spool) = self.spool() else { return };
        let failure = spool.write_failure();
        if failure.is_some() == self.logged_refusal.is_some() {
            return;
        }
        if let Some(failure) = &failure {
            error!(
                target: "herald::publisher",
                code = failure.code().as_str(),
                error = %failure,
                "the disk of the spool accepts no events: they are only as safe as the cluster. \
                 Events that are in the spool are delivered and removed"
            );
        } else {
            info!(
                target: "herald::publisher",
                "the disk of the spool accepts events again"
            );
        }
        self.logged_refusal = failure;
    }

    /// Opens the spool again after its files were damaged or changed from outside.
    pub(super) fn recover_spool(&mut self) {
        let Some(options) = self.core.options.spool.clone() else {
            return;
        };
        let now = self.now();
        if now < self.reopening.at {
            return;
        }
        let Some(failure) = self.reopening.failure.take() else {
            return;
        };
        self.reopening.begins(now, &failure);
        let is_logged = self.reopening.log_at <= now;
        if is_logged {
            self.reopening.log_at = now + WARN_INTERVAL;
            error!(
                target: "herald::publisher",
                code = failure.code().as_str(),
                error = %failure,
                "the spool can't be used: it is opened again"
            );
        }
        // Locked exclusively until the spool is open again: an event that is published meanwhile
        // would overtake rows of its key.
        let core = self.core.clone();
        let mut routing = core.lock_routing_exclusive();
        // Other threads use the spool only while they hold the routing, so this is the last
        // reference.
        if let Some(spool) = routing.spool.take().and_then(Arc::into_inner) {
            self.reopening.rows_before = spool.rows();
            routing.orphan = self.orphaned(spool, failure).map(Arc::new);
            self.cursor.go_back(Sequence::START);
        }
        // Now that the writer has ended: until then it gives receipts for new rows.
        self.reopening.last_known = self.reopening.last_known.max(self.last_known());
        // Errors of the old spool that came in meanwhile.
        core.relay.change(|inbox| inbox.spool_lost = None);
        let options = options
            .sequences_after(self.reopening.last_known)
            .salvage(self.reopening.salvage);
        match self.open_with_rows_of(routing.orphan.as_deref(), options) {
            Ok(spool) => {
                self.count_lost_rows(&spool);
                self.reopening.salvage = false;
                self.reopening.log_at = Duration::ZERO;
                self.searching = false;
                self.forget_identity();
                routing.spool = Some(Arc::new(spool));
                routing.orphan = None;
                routing.spool_failure = None;
                info!(target: "herald::publisher", "the spool is open again");
                // Events that only the transport has must be appended before later ones.
                core.spill_all_to_spool(&routing);
                drop(routing);
                self.cursor.go_back(Sequence::START);
                // Rows that were removed from the old spool may have been salvaged: removes them
                // again.
                self.process_inbox();
                self.removal.acknowledged.append(&mut self.removal.gone);
            }
            Err(failure) => {
                let orphaned = routing.orphan.as_ref().map(|orphan| orphan.remaining());
                routing.spool_failure = Some(failure.clone());
                drop(routing);
                if is_logged {
                    error!(
                        target: "herald::publisher",
                        code = failure.code().as_str(),
                        error = %failure,
                        orphaned = orphaned.unwrap_or_default(),
                        "the spool can't be opened; events are only as safe as the cluster, and \
                         those that were spooled are delivered from the files that are open"
                    );
                }
                self.reopening.failure = Some(failure);
            }
        }
    }

    /// Keeps the file handles of a spool whose files were deleted.
    fn orphaned(&mut self, spool: Store, failure: SpoolError) -> Option<OrphanedSpool> {
        let reader = spool.into_orphaned_reader()?;
        self.reopening.rows_before = reader.rows();
        // Damaged files still have their names, and the next opening salvages them.
        if !matches!(failure, SpoolError::FileChanged { .. }) {
            return None;
        }
        let acknowledged = self.removal.acknowledged.len() as u64;
        Some(OrphanedSpool::new(reader, failure, acknowledged))
    }

    /// Opens a new spool with all rows that only `orphan` has. If one can't be copied, it fails and
    /// the new spool is not used, so that no event overtakes the missing rows.
    fn open_with_rows_of(
        &self,
        orphan: Option<&OrphanedSpool>,
        options: herald_spool::SpoolOptions,
    ) -> Result<Store, SpoolError> {
        let (spool, report) = match orphan {
            Some(orphan) => orphan.reader.reopen(options)?,
            None => Spool::open(options)?,
        };
        if let Some(recovery) = &report.recovery {
            error!(
                target: "herald::publisher",
                damage = %recovery.damage,
                salvaged = recovery.salvaged,
                dead_letters = recovery.damaged,
                set_aside = ?recovery.set_aside,
                "the files of the spool were damaged or gone"
            );
        }
        if let Some(orphan) = orphan
            && !orphan.is_on_disk()
        {
            copy_rows(orphan, &spool, &self.rows)?;
        }
        Ok(Store::Disk(spool))
    }

    /// Compares the rows that there were with those that there are. What waits for its removal
    /// counts on neither side.
    fn count_lost_rows(&mut self, spool: &Store) {
        let before = std::mem::take(&mut self.reopening.rows_before);
        let gone = self.removal.gone.iter().map(|record| record.sequence);
        let mut removed: HashSet<Sequence> = gone.collect();
        // The last removals of the spool that was lost, of which this thread has not heard yet.
        self.core.relay.change(|inbox| {
            for event in &inbox.events {
                if let RowEvent::Removed(records, Ok(_)) = event {
                    removed.extend(records.iter().map(|record| record.sequence));
                }
            }
        });
        let delivered = (self.rows.acknowledged()).filter(|sequence| !removed.contains(sequence));
        let (mut delivered_rows, mut delivered_still_there) = (0, 0);
        for sequence in delivered {
            delivered_rows += 1;
            if let Ok(Some(Found::Queued(_))) = spool.find(sequence) {
                delivered_still_there += 1;
            }
        }
        let expected = before.saturating_sub(delivered_rows);
        let found = spool.rows().saturating_sub(delivered_still_there);
        let lost = expected.saturating_sub(found);
        if lost > 0 {
            self.core.counters.lost.add(lost);
            error!(
                target: "herald::publisher",
                lost = ?Some(lost),
                found,
                "rows of the spool are lost: they were in files that were damaged or replaced while \
                 the spool was in use"
            );
        }
    }

    /// Closes the handles of deleted files once all their rows are delivered.
    pub(super) fn drop_empty_orphan(&mut self) {
        let core = self.core.clone();
        // What is delivered of a spool that is still there has to be removed from it one day.
        let is_deleted = |orphan: &Arc<OrphanedSpool>| !orphan.is_on_disk();
        if !core.routing().orphan.as_ref().is_some_and(is_deleted) {
            return;
        }
        let all_sent = self.cursor.is_done() && !core.relay.has_unsent();
        let has_dead = core
            .routing()
            .orphan
            .as_ref()
            .is_some_and(|orphan| orphan.reader.dead() > 0);
        if all_sent
            && !has_dead
            && self.removal.dead_letters.is_empty()
            && !self.rows.any_with_transport()
        {
            core.lock_routing_exclusive().orphan = None;
            self.removal.gone.append(&mut self.removal.acknowledged);
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
        if orphan.is_on_disk() {
            if !self.removal.acknowledged.is_empty() {
                error!(
                    target: "herald::publisher",
                    error = %orphan.failure,
                    rows = self.removal.acknowledged.len(),
                    "the spool could not be written: rows that are delivered are still in it, and \
                     the next publisher delivers them again"
                );
            }
            return;
        }
        let mut lost = 0;
        let rows_left = for_each_batch(&orphan, |records| {
            lost += records
                .iter()
                .filter(|stored| !self.rows.is_acknowledged(stored.sequence))
                .count();
            Ok(())
        });
        self.core.counters.lost.add(lost as u64);
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
        confirmed
            .max(self.cursor.at())
            .max(known.unwrap_or_default())
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
