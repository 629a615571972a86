//! Outcomes of rows: acknowledgement, retry, rejection and dead letter.

use std::time::Duration;

use herald_spool::{DeadLetterRequest, FailedAttempt, Found, Sequence};

use super::RowEvent;
use super::row_table::RowState;
use super::thread::{POLL_INTERVAL, RelayThread, SHORT_BACKOFF};
use crate::failure::Failure;

impl RelayThread {
    pub(super) fn mark_acknowledged(&mut self, sequence: Sequence) {
        self.rows.insert(sequence, RowState::Acknowledged);
        self.acknowledged.push(sequence);
        if let Some(orphan) = &self.core.routing().orphan {
            orphan.row_acknowledged();
        }
    }

    pub(super) fn reject_permanently(&mut self, sequence: Sequence, failure: Failure) {
        self.note_rejection(sequence, failure);
        self.rows.remove(sequence);
        if !self.send_dead_letter(sequence) {
            self.read_from(sequence);
        }
    }

    pub(super) fn note_rejection(&mut self, sequence: Sequence, failure: Failure) {
        self.refusal_log.refused(&failure);
        self.rejected.insert(sequence, failure);
    }

    /// Passes a row that the transport has or had, if it is the next one.
    pub(super) fn need_not_read(&mut self, sequence: Sequence) {
        if sequence.get() == self.cursor.get() + 1 {
            self.cursor = sequence;
        }
    }

    /// Makes the relay read the row again, as one that the transport does not have.
    pub(super) fn send_again(&mut self, sequence: Sequence) {
        self.rows.remove(sequence);
        self.read_from(sequence);
    }

    /// Moves the cursor back, so that this row is read next.
    pub(super) fn read_from(&mut self, sequence: Sequence) {
        let before = Sequence::new(sequence.get().saturating_sub(1));
        self.cursor = self.cursor.min(before);
        self.at_end = false;
    }

    pub(super) fn revisit(&mut self, at: Duration, sequence: Sequence) {
        let (old_at, old_sequence) = self.revisit.unwrap_or((at, sequence));
        self.revisit = Some((old_at.min(at), old_sequence.min(sequence)));
    }

    pub(super) fn block(&mut self, key: u64, until: Duration) {
        let blocked = self.blocked.entry(key).or_default();
        *blocked = until.max(*blocked);
    }

    pub(super) fn retry(&mut self, sequence: Sequence, key: u64, failure: Failure) {
        let found = self.spool().map(|spool| (spool.find(sequence), spool));
        let Some((Ok(Some(Found::Queued(stored))), spool)) = found else {
            return self.retry_uncounted(sequence, key);
        };
        let policy = self.core.options.retry;
        let attempts = stored.record.attempts.saturating_add(1);
        let age = self.core.clock.wall().duration_since(stored.record.created);
        if policy.gives_up(attempts, age.unwrap_or_default()) {
            return self.reject_permanently(sequence, failure);
        }
        self.core.counters.retried.add(1);
        let wait = policy.wait(attempts, &mut self.jitter);
        let attempt = FailedAttempt {
            sequence,
            not_before: Some(self.core.clock.wall() + wait),
            error: failure.to_string(),
        };
        // If the attempt can't be stored, it is not counted.
        let _ = spool.note_attempts(vec![attempt]);
        let until = self.now() + wait;
        self.block(key, until);
        self.rows.remove(sequence);
        self.revisit(until, sequence);
    }

    /// Retries a row whose attempt can't be stored: the row or the spool is gone.
    fn retry_uncounted(&mut self, sequence: Sequence, key: u64) {
        let until = self.now() + self.core.options.retry.wait(1, &mut self.jitter);
        self.block(key, until);
        self.rows.remove(sequence);
        self.revisit(until, sequence);
    }

    /// Queues a row to be moved to the spool's dead letters with one commit for all queued rows,
    /// because each commit flushes the disk.
    pub(super) fn dead_letter(&mut self, sequence: Sequence, letter_failure: &Failure) {
        let failure = self.rejected.get(&sequence).unwrap_or(letter_failure);
        let error = format!(
            "{}; and the dead letter topic: {letter_failure}",
            failure.detail
        );
        self.dead_letters.push(DeadLetterRequest {
            sequence,
            reason: failure.code.as_str().to_owned(),
            error,
        });
        self.rows.insert(sequence, RowState::Acknowledged);
    }

    pub(super) fn write_dead_letters(&mut self) {
        if self.dead_letters.is_empty() {
            return;
        }
        let dead_letters = std::mem::take(&mut self.dead_letters);
        let sequences: Vec<_> = dead_letters
            .iter()
            .map(|request| request.sequence)
            .collect();
        let Some(spool) = self.spool() else {
            let at = self.now() + POLL_INTERVAL;
            for sequence in sequences {
                self.rows.remove(sequence);
                self.revisit(at, sequence);
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
                self.gone.extend(sequences);
            }
            Err(failure) => {
                self.core.spool_failed(&failure);
                let at = self.now() + SHORT_BACKOFF;
                for sequence in sequences {
                    self.rows.remove(sequence);
                    self.revisit(at, sequence);
                }
            }
        }
    }

    pub(super) fn remove_acknowledged(&mut self) {
        if self.acknowledged.is_empty() || self.removing || self.now() < self.remove_at {
            return;
        }
        let Some(spool) = self.spool() else { return };
        let sequences = std::mem::take(&mut self.acknowledged);
        let core = self.core.clone();
        let removed = sequences.clone();
        let handed_in = spool.acknowledge_then(sequences.clone(), move |outcome| {
            core.relay.post(RowEvent::Removed(removed, outcome));
        });
        match handed_in {
            Ok(()) => self.removing = true,
            Err(failure) => self.handle_removal(sequences, Err(failure)),
        }
    }
}
