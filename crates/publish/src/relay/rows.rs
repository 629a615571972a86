//! Outcomes of rows: acknowledgement, retry, rejection and dead letter.

use std::time::Duration;

use herald_spool::{Acknowledged, DeadLetterRequest, FailedAttempt, Found, Sequence};

use super::row_table::RowState;
use super::thread::RelayThread;
use crate::failure::Failure;

impl RelayThread {
    pub(super) fn mark_acknowledged(&mut self, record: Acknowledged) {
        self.rows.insert(record.sequence, RowState::Acknowledged);
        self.removal.acknowledged.push(record);
        if let Some(orphan) = &self.core.routing().orphan {
            orphan.row_acknowledged();
        }
    }

    pub(super) fn reject_permanently(&mut self, sequence: Sequence, failure: Failure) {
        self.note_rejection(sequence, failure);
        self.rows.remove(sequence);
        if !self.send_dead_letter(sequence) {
            self.cursor.go_back(sequence);
        }
    }

    pub(super) fn note_rejection(&mut self, sequence: Sequence, failure: Failure) {
        self.refusal_log.refused(&failure);
        self.rejected.insert(sequence, failure);
    }

    /// Makes the relay read the row again, as one that the transport does not have.
    pub(super) fn send_again(&mut self, sequence: Sequence) {
        self.rows.remove(sequence);
        self.cursor.go_back(sequence);
    }

    /// Makes the relay read the row again at this time, or earlier.
    pub(super) fn send_later(&mut self, at: Duration, sequence: Sequence) {
        self.rows.remove(sequence);
        self.cursor.go_back_at(at, sequence);
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
        self.send_later(until, sequence);
    }

    /// Retries a row whose attempt can't be stored: the row or the spool is gone.
    fn retry_uncounted(&mut self, sequence: Sequence, key: u64) {
        let until = self.now() + self.core.options.retry.wait(1, &mut self.jitter);
        self.block(key, until);
        self.send_later(until, sequence);
    }

    /// Queues a row to be moved to the spool's dead letters with one commit for all queued rows,
    /// because each commit flushes the disk.
    pub(super) fn dead_letter(&mut self, sequence: Sequence, letter_failure: &Failure) {
        let failure = self.rejected.get(&sequence).unwrap_or(letter_failure);
        let error = format!(
            "{}; and the dead letter topic: {letter_failure}",
            failure.detail
        );
        self.removal.dead_letters.push(DeadLetterRequest {
            sequence,
            reason: failure.code.as_str().to_owned(),
            error,
        });
        self.rows.insert(sequence, RowState::Acknowledged);
    }
}
