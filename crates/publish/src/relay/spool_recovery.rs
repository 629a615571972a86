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

/// The longest pause between two openings, and how long one has to hold to count as a success.
const MAX_REOPEN_BACKOFF: Duration = Duration::from_secs(5);

/// When the spool may be opened again: at once the first time, and less and less often where
/// that does not help.
#[derive(Default)]
pub(super) struct Reopening {
    pub(super) at: Duration,
    pause: Duration,
    /// The files are damaged, whatever the checks of opening say.
    salvage: bool,
    /// The highest sequence that anybody here may still know: a new file begins behind it.
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

/// Rows that are copied, or read for counting, at a time.
const COPIED_ROWS: usize = 500;
const COPIED_BYTES: u64 = 4 * 1024 * 1024;

/// The rows of a spool whose files were deleted or replaced: only the handles that this process
/// has open still lead to them.
///
/// Receipts were given for them, so the handles are kept until every row is delivered or copied
/// to a new spool. Until then the relay sends from here, and no event of a key that has rows here
/// may pass: it is refused.
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

    /// One row more is delivered.
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
            code = failure.code(),
            error = %failure,
            "the spool is lost: it is opened again"
        );
        // Locked until it is open again: an event that passed now would overtake those of its key
        // in the spool.
        let core = self.core.clone();
        let mut routing = core.lock_routing_exclusive();
        self.reopening.last_known = self.reopening.last_known.max(self.last_known());
        // Others have it only while they hold the routing, so this one is the last.
        if let Some(spool) = routing.spool.take().and_then(Arc::into_inner) {
            routing.orphan = self.orphaned(spool, failure).map(Arc::new);
            self.read_from(Sequence::START);
        }
        // Of the old one, too.
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
                // What only the cluster was asked for has to be there before later events.
                core.spill_all_to_spool(&routing);
                drop(routing);
                self.read_from(Sequence::START);
                // The old one may have removed rows that are back now.
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

    /// Keeps the handles of a spool that lost its files, where they lead to rows.
    fn orphaned(&self, spool: Store, failure: SpoolError) -> Option<OrphanedSpool> {
        // A damaged file is still there for the next opening.
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

    /// A new spool, with all rows that only `orphan` has. Fails where one can't be copied: then
    /// the new one is not used, so that nothing passes the rows that are not in it.
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

    /// Lets go of the handles of deleted files once every row of theirs is delivered.
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

    /// Logs the rows that are lost with the process, at its end.
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

    /// The highest sequence that anybody here may still know.
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
                // The handles are open: what they can't read now, they never will.
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

/// Copies to a new spool what can still be read of one that was deleted, and is neither
/// delivered nor in the new one: deleting the log alone leaves most rows where they are.
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

/// Copies the dead letters of deleted files, and notes which.
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
        // All are handed in before the first is waited for: they share a commit.
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

/// Removes what was copied in vain. Where the disk refuses that too, the events arrive twice.
fn remove_copies(spool: &Spool, copied: &[SequenceRange], copied_dead: Vec<Sequence>) {
    if !copied_dead.is_empty() {
        let _ = spool.drop_dead(copied_dead).and_then(Pending::wait);
    }
    let sequences: Vec<_> = copied.iter().flat_map(|range| range.iter()).collect();
    if !sequences.is_empty() {
        let _ = spool.acknowledge(sequences).and_then(Pending::wait);
    }
}
