//! What happens when the spool's files are damaged or deleted under the process.

use std::sync::Arc;
use std::time::Duration;

use herald_spool::{OrphanedReader, Pending, Sequence, Spool, SpoolError, StoredRecord};
use tracing::{error, warn};

use super::thread::{RelayThread, SHORT_PAUSE};

/// The longest pause between two openings, and how long one has to hold to count as a success.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// When the spool may be opened again: at once the first time, and less and less often where
/// that does not help.
#[derive(Default)]
pub(super) struct Reopening {
    pub(super) at: Duration,
    pause: Duration,
    /// The files are damaged, whatever the checks of opening say.
    salvage: bool,
}

impl Reopening {
    fn begins(&mut self, now: Duration, failure: &SpoolError) {
        if now > self.at + LONGEST_PAUSE {
            self.pause = Duration::ZERO;
        }
        self.pause = (self.pause * 2).clamp(SHORT_PAUSE, LONGEST_PAUSE);
        self.at = now + self.pause;
        self.salvage |= matches!(failure, SpoolError::Corrupt { .. });
    }
}

/// Rows that are brought over at a time.
const RESCUED_ROWS: usize = 500;

impl RelayThread {
    /// Opens the spool again after its files were damaged or changed from outside.
    pub(super) fn look_after_spool(&mut self) {
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
        // Shut until it is open again: an event that passed now would overtake those of its key in
        // the spool.
        let core = self.core.clone();
        let mut gate = core.shut_gate();
        // Others have it only behind the gate, so this one is the last.
        let leftover = gate
            .spool
            .take()
            .and_then(Arc::into_inner)
            .and_then(|spool| {
                let readable = matches!(failure, SpoolError::FileChanged { .. });
                let leftover = spool.into_orphaned_reader();
                leftover.filter(|_| readable)
            });
        // Of the old one, too.
        core.relay.change(|inbox| inbox.spool_lost = None);
        let options = options
            .sequences_after(self.last_known())
            .salvage(self.reopening.salvage);
        match Spool::open(options) {
            Ok((spool, report)) => {
                self.reopening.salvage = false;
                self.searching = false;
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
                if let Some(leftover) = leftover {
                    rescue(&leftover, &spool);
                }
                gate.spool = Some(Arc::new(spool));
                drop(gate);
                self.read_from(Sequence::START);
                // The old one may have removed rows that are back now.
                self.hear();
                self.landed.append(&mut self.gone);
            }
            Err(failure) => {
                error!(
                    target: "herald::publisher",
                    error = %failure,
                    "the spool can't be opened; events are only as safe as the cluster"
                );
                self.spool_lost = Some(failure);
            }
        }
    }

    /// The highest sequence that anybody here may still know.
    fn last_known(&self) -> Sequence {
        let confirmed = self.core.relay.change(|inbox| inbox.confirmed);
        let known = self.rows.last();
        confirmed.max(self.cursor).max(known.unwrap_or_default())
    }
}

/// Brings over what can still be read of a file that was deleted under its process.
fn rescue(leftover: &OrphanedReader, spool: &Spool) {
    let mut after = Sequence::START;
    let mut rescued = 0;
    while let Ok(batch) = leftover.batch(RESCUED_ROWS, 4 * 1024 * 1024, after)
        && let Some(last) = batch.last
    {
        let lost = |stored: &StoredRecord| matches!(spool.find(stored.sequence), Ok(None));
        let records: Vec<_> = batch
            .records
            .into_iter()
            .filter(lost)
            .map(|stored| stored.record)
            .collect();
        rescued += records.len();
        let kept = spool.append_all(records).and_then(Pending::wait);
        if let Err(failure) = kept {
            error!(target: "herald::publisher", error = %failure, "rows could not be rescued");
            return;
        }
        after = last;
    }
    if rescued > 0 {
        warn!(
            target: "herald::publisher",
            rescued,
            "rows were brought over from a spool that was deleted"
        );
    }
}
