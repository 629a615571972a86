//! What happens to rows of the spool after somebody tried to deliver them.

use std::time::Duration;

use herald_spool::{DeadLetterRequest, FailedAttempt, Found, Pending, Sequence};
use tracing::warn;

use super::Arrival;
use super::known::Row;
use super::thread::{RelayThread, SHORT_PAUSE};
use crate::failure::Failure;

impl RelayThread {
    pub(super) fn land(&mut self, sequence: Sequence) {
        self.rows.insert(sequence, Row::Landed);
        self.landed.push(sequence);
    }

    pub(super) fn doom(&mut self, sequence: Sequence, failure: Failure) {
        self.doomed.insert(sequence, failure);
        self.send_again(sequence);
    }

    /// Forgets that the transport had the row.
    pub(super) fn send_again(&mut self, sequence: Sequence) {
        self.rows.remove(sequence);
        self.read_from(sequence);
    }

    /// Reads this row next, at the latest.
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
            return self.send_again(sequence);
        };
        let policy = self.core.options.retry;
        let attempts = stored.record.attempts.saturating_add(1);
        let age = self.core.clock.wall().duration_since(stored.record.created);
        if policy.gives_up(attempts, age.unwrap_or_default()) {
            return self.doom(sequence, failure);
        }
        self.core.counters.retried.add(1);
        let wait = policy.wait(attempts, &mut self.jitter);
        let attempt = FailedAttempt {
            sequence,
            not_before: Some(self.core.clock.wall() + wait),
            error: failure.to_string(),
        };
        // What can't be noted is only counted from less the next time.
        let noted = spool.note_attempts(vec![attempt]);
        let _ = noted.and_then(Pending::wait);
        let until = self.now() + wait;
        self.block(key, until);
        self.rows.remove(sequence);
        self.revisit(until, sequence);
    }

    /// To be moved to the spool's dead letters, together with others: a commit for each would
    /// cost more than all that came before it.
    pub(super) fn bury(&mut self, sequence: Sequence, letter_failure: &Failure) {
        let failure = self.doomed.get(&sequence).unwrap_or(letter_failure);
        let error = format!(
            "{}; and the dead letter topic: {letter_failure}",
            failure.detail
        );
        self.burials.push(DeadLetterRequest {
            sequence,
            reason: failure.code.as_str().to_owned(),
            error,
        });
        self.rows.insert(sequence, Row::Landed);
    }

    pub(super) fn bury_doomed(&mut self) {
        let Some(first) = self.burials.first() else {
            return;
        };
        let (first, reason) = (first.sequence, first.reason.clone());
        let burials = std::mem::take(&mut self.burials);
        let sequences: Vec<_> = burials.iter().map(|burial| burial.sequence).collect();
        let Some(spool) = self.spool() else {
            for sequence in sequences {
                self.send_again(sequence);
            }
            return;
        };
        match spool.dead_letter(burials).and_then(Pending::wait) {
            Ok(rows) => {
                self.core.counters.dead.add(rows);
                warn!(
                    target: "herald::publisher",
                    rows,
                    first = first.get(),
                    reason,
                    "events can't be delivered and are kept among the spool's dead letters"
                );
                for sequence in &sequences {
                    self.doomed.remove(sequence);
                }
                self.gone.extend(sequences);
            }
            Err(failure) => {
                self.core.spool_failed(&failure);
                let at = self.now() + SHORT_PAUSE;
                for sequence in sequences {
                    self.rows.remove(sequence);
                    self.revisit(at, sequence);
                }
            }
        }
    }

    pub(super) fn remove_landed(&mut self) {
        if self.landed.is_empty() || self.removing || self.now() < self.remove_at {
            return;
        }
        let Some(spool) = self.spool() else { return };
        let sequences = std::mem::take(&mut self.landed);
        let core = self.core.clone();
        let removed = sequences.clone();
        let handed_in = spool.acknowledge_then(sequences.clone(), move |outcome| {
            core.relay.tell(Arrival::Removed(removed, outcome));
        });
        match handed_in {
            Ok(()) => self.removing = true,
            Err(failure) => self.take_removal(sequences, Err(failure)),
        }
    }
}
