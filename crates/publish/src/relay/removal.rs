//! Rows that leave the queue of the spool: delivered ones, and those that become its dead letters.

use std::time::Duration;

use herald_spool::{Acknowledged, DeadLetterRequest, Sequence, SpoolError};
use tracing::warn;

use super::RowEvent;
use super::thread::{POLL_INTERVAL, RelayThread, SHORT_BACKOFF, WARN_INTERVAL};

/// Time after which a delivered row does not wait any longer for those before it; at most twice this
/// time passes. Together with them it is removed without changing its page.
const FRONT_WAIT: Duration = Duration::from_millis(100);

/// Maximum number of delivered rows that wait.
const MAX_WAITING: usize = 10_000;

/// Rows that leave the queue of the spool.
#[derive(Default)]
pub(super) struct Removal {
    /// Delivered rows to remove.
    pub(super) acknowledged: Vec<Acknowledged>,
    /// Rows to move to the spool's dead letters.
    pub(super) dead_letters: Vec<DeadLetterRequest>,
    /// Removed rows that a batch may still contain that was read before. They stay in the table of rows
    /// until the next batch is read.
    pub(super) gone: Vec<Acknowledged>,
    /// Number of the first of `acknowledged` that have waited for rows before them since `turned_at`.
    waiting: usize,
    turned_at: Duration,
    /// Whether the spool is removing rows.
    in_progress: bool,
    /// Earliest time of the next removal after a failure, and of the next warning about one.
    at: Duration,
    warn_at: Duration,
}

impl Removal {
    pub(super) fn is_in_progress(&self) -> bool {
        self.in_progress
    }

    /// Whether a row has still to leave the queue.
    pub(super) fn has_work(&self) -> bool {
        self.in_progress || !(self.acknowledged.is_empty() && self.dead_letters.is_empty())
    }

    /// Whether removals have to wait, because the disk refused the last one.
    pub(super) fn is_paused(&self, now: Duration) -> bool {
        now < self.at
    }

    /// Time of the next removal, if there is one to begin.
    pub(super) fn next(&self) -> Option<Duration> {
        (!self.in_progress && !self.acknowledged.is_empty())
            .then(|| self.at.max(self.turned_at + FRONT_WAIT))
    }

    /// Takes the delivered rows that are to be removed now: those before the first row that stays, and
    /// those that have waited too long for rows before them.
    fn take(&mut self, now: Duration, first_left: Sequence, is_closing: bool) -> Vec<Acknowledged> {
        if is_closing || self.acknowledged.len() >= MAX_WAITING {
            self.waiting = 0;
            return std::mem::take(&mut self.acknowledged);
        }
        // The rows of a spool that was lost were taken from here too.
        self.waiting = self.waiting.min(self.acknowledged.len());
        let is_before = |record: &mut Acknowledged| record.sequence < first_left;
        let mut taken: Vec<_> = (self.acknowledged)
            .extract_if(..self.waiting, is_before)
            .collect();
        self.waiting -= taken.len();
        taken.extend((self.acknowledged).extract_if(self.waiting.., is_before));
        if now >= self.turned_at + FRONT_WAIT {
            taken.extend(self.acknowledged.drain(..self.waiting));
            self.waiting = self.acknowledged.len();
            self.turned_at = now;
        }
        taken
    }
}

impl RelayThread {
    pub(super) fn write_dead_letters(&mut self) {
        if self.removal.dead_letters.is_empty() {
            return;
        }
        let dead_letters = std::mem::take(&mut self.removal.dead_letters);
        let sequences: Vec<_> = dead_letters
            .iter()
            .map(|request| request.sequence)
            .collect();
        let Some(spool) = self.spool() else {
            let at = self.now() + POLL_INTERVAL;
            for sequence in sequences {
                self.send_later(at, sequence);
            }
            return;
        };
        match spool.dead_letter(dead_letters) {
            Ok(rows) => {
                self.core.counters.dead.add(rows);
                self.refusal_log.kept_in_spool(rows);
                for sequence in &sequences {
                    self.rejected.remove(sequence);
                }
                let gone = sequences.into_iter().map(Acknowledged::from);
                self.removal.gone.extend(gone);
            }
            Err(failure) => {
                self.core.spool_failed(&failure);
                let at = self.now() + SHORT_BACKOFF;
                for sequence in sequences {
                    self.send_later(at, sequence);
                }
            }
        }
    }

    pub(super) fn remove_acknowledged(&mut self) {
        if self.removal.next().is_none() || self.removal.is_paused(self.now()) {
            return;
        }
        let Some(spool) = self.spool() else { return };
        let unhandled = self.cursor.first_unhandled();
        let sent = self.rows.first_with_transport();
        let first_left = sent.map_or(unhandled, |sent| sent.min(unhandled));
        let is_closing = self.core.relay.change(|inbox| inbox.close_until.is_some());
        let records = self.removal.take(self.now(), first_left, is_closing);
        if records.is_empty() {
            return;
        }
        let core = self.core.clone();
        let removed = records.clone();
        let handed_in = spool.acknowledge_then(records.clone(), move |outcome| {
            core.relay.post(RowEvent::Removed(removed, outcome));
        });
        match handed_in {
            Ok(()) => self.removal.in_progress = true,
            Err(failure) => self.handle_removal(records, Err(failure)),
        }
    }

    pub(super) fn handle_removal(
        &mut self,
        records: Vec<Acknowledged>,
        outcome: Result<u64, SpoolError>,
    ) {
        self.removal.in_progress = false;
        match outcome {
            Ok(_) => self.removal.gone.extend(records),
            // A full disk rejects removals too. The rows stay in `acknowledged`, and are not sent again
            // by this process.
            Err(failure) => {
                self.core.spool_failed(&failure);
                self.removal.acknowledged.extend(records);
                self.removal.at = self.now() + SHORT_BACKOFF;
                self.warn_of_removal(&failure);
            }
        }
    }

    fn warn_of_removal(&mut self, failure: &SpoolError) {
        if self.now() < self.removal.warn_at {
            return;
        }
        self.removal.warn_at = self.now() + WARN_INTERVAL;
        warn!(
            target: "herald::publisher",
            code = failure.code().as_str(),
            error = %failure,
            rows = self.removal.acknowledged.len(),
            "rows of the spool are delivered but can't be removed from the disk; they would be \
             delivered again after a restart"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn removal_of(sequences: &[u64]) -> Removal {
        let acknowledged = sequences.iter().map(|at| Sequence::new(*at).into());
        Removal {
            acknowledged: acknowledged.collect(),
            ..Removal::default()
        }
    }

    fn take(removal: &mut Removal, milliseconds: u64, first_left: u64) -> Vec<u64> {
        let now = Duration::from_millis(milliseconds);
        let taken = removal.take(now, Sequence::new(first_left), false);
        taken.iter().map(|record| record.sequence.get()).collect()
    }

    #[test]
    fn rows_are_removed_with_those_before_them() {
        let mut removal = removal_of(&[5, 1, 7, 2]);
        assert_eq!(take(&mut removal, 1, 3), [1, 2]);
        assert!(take(&mut removal, 2, 3).is_empty());
        assert_eq!(take(&mut removal, 3, 6), [5]);
        assert_eq!(removal.next(), Some(FRONT_WAIT));
    }

    #[test]
    fn no_row_waits_long_for_those_before_it() {
        let mut removal = removal_of(&[10]);
        assert!(take(&mut removal, 100, 1).is_empty(), "waits from now on");
        // The first row changes all the time.
        for first in 2..9 {
            removal.acknowledged.push(Sequence::new(100 + first).into());
            assert!(take(&mut removal, 100 + first * 10, first).is_empty());
        }
        assert_eq!(take(&mut removal, 200, 9), [10]);
        assert!(take(&mut removal, 299, 9).is_empty());
        assert_eq!(
            take(&mut removal, 300, 9),
            [102, 103, 104, 105, 106, 107, 108]
        );
        assert_eq!(removal.next(), None);
    }

    #[test]
    fn no_row_waits_at_the_end_or_among_too_many() {
        let mut removal = removal_of(&[10]);
        let taken = removal.take(Duration::ZERO, Sequence::new(1), true);
        assert_eq!(taken.len(), 1);
        let many: Vec<_> = (10..10 + MAX_WAITING as u64).collect();
        assert_eq!(take(&mut removal_of(&many), 1, 1).len(), MAX_WAITING);
    }
}
