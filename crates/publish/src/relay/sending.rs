//! Sending of rows: reads the spool in batches and gives the rows to the transport.

use std::sync::Arc;
use std::time::Duration;

use herald_spool::{Batch, Found, Sequence, SpoolError, StoredRecord, key_hash};
use tracing::error;

use super::OrphanedSpool;
use super::row_delivery::{RowDelivery, SentRow};
use super::row_table::RowState;
use super::thread::{RelayThread, SHORT_BACKOFF, Seen};
use crate::circuit::CircuitState;
use crate::dead_letter;
use crate::failure::{Failure, FailureCode, FailureKind};
use crate::message::Message;
use crate::store::Store;
use crate::transport::Transport;

/// Maximum and minimum number of rows per read.
const READ_ROWS: usize = 500;
const MIN_ROWS: usize = 32;

/// Wait for a schema id that is not known.
const SCHEMA_BACKOFF: Duration = Duration::from_millis(500);

/// Outcome of an attempt to send a row.
enum Sent {
    Yes,
    /// Not sent: its key is blocked until this time.
    Blocked(Duration),
    /// Not sent: the transport accepts nothing now.
    Stop,
}

/// Spool to read rows from.
enum Source {
    Spool(Arc<Store>),
    Orphan(Arc<OrphanedSpool>),
}

impl Source {
    /// Number of rows that the source must return; see [`RelayThread::search`].
    fn depth(&self) -> u64 {
        match self {
            Self::Spool(spool) => spool.depth(),
            // Rows that deleted files do not return can't be recovered.
            Self::Orphan(_) => 0,
        }
    }

    fn next_batch(
        &self,
        limit: usize,
        max_bytes: u64,
        after: Sequence,
    ) -> Result<Batch, SpoolError> {
        match self {
            Self::Spool(spool) => spool.next_batch(limit, max_bytes, after),
            Self::Orphan(orphan) => orphan.batch(limit, max_bytes, after),
        }
    }
}

impl RelayThread {
    pub(super) fn relay(&mut self) {
        let now = self.now();
        self.cursor.go_back_if_due(now);
        self.blocked.retain(|_, until| *until > now);
        self.forget_removed();
        let Some(source) = self.source() else { return };
        if self.allowance(now) == 0 || !self.is_right_cluster() {
            return self.widen_when_silent();
        }
        self.widen_when_silent();
        self.cursor.read_again_if_due(now);
        while !self.cursor.is_at_end()
            && self.allowance(self.now()) > 0
            && self.relay_batch(&source)
        {
            // A cluster that is as fast as the relay must not keep it from removing rows.
            self.forget_removed();
            self.remove_acknowledged();
        }
        self.note_everything_sent();
    }

    /// Forgets removed rows, between two batches: no batch that was read before may contain them.
    fn forget_removed(&mut self) {
        for record in self.removal.gone.drain(..) {
            self.rows.remove(record.sequence);
        }
    }

    /// Notes that the transport has every row, if that is so.
    fn note_everything_sent(&self) {
        let Seen {
            confirmed,
            waits,
            all_answered,
        } = self.seen;
        if all_answered
            && confirmed > Sequence::START
            && self.cursor.has_passed(confirmed)
            && self.core.relay.has_unsent()
        {
            self.core.relay.everything_sent(waits);
        }
    }

    /// Returns the spool to read from: that of deleted files first, because its rows are older.
    fn source(&self) -> Option<Source> {
        let routing = self.core.routing();
        if let Some(orphan) = &routing.orphan {
            return Some(Source::Orphan(orphan.clone()));
        }
        if self.reopening.failure.is_some() {
            return None;
        }
        routing.spool.clone().map(Source::Spool)
    }

    /// Returns the number of rows that may be given to the transport now.
    fn allowance(&self, now: Duration) -> usize {
        let options = &self.core.options;
        let bytes_left = self.window.bytes() < options.max_in_flight_bytes / 4;
        let is_open = matches!(
            self.circuit,
            CircuitState::Closed | CircuitState::HalfOpen { .. }
        );
        if !is_open || now < self.window.open_at() || !bytes_left || self.core.held_is_full() {
            return 0;
        }
        self.window.room()
    }

    /// Reads a batch of rows and sends them; returns whether there may be more to send now.
    fn relay_batch(&mut self, source: &Source) -> bool {
        let Some(transport) = self.core.routing().transport.clone() else {
            return false;
        };
        let limit = self.allowance(self.now()).clamp(MIN_ROWS, READ_ROWS);
        let bytes = self.core.options.max_in_flight_bytes as u64 / 4;
        let (handed_in, quiet, waits, confirmed_before) = self.core.relay.change(|inbox| {
            let tickets = &inbox.tickets;
            let (handed_in, quiet) = (tickets.given(), tickets.are_all_answered());
            (handed_in, quiet, inbox.waits, inbox.confirmed)
        });
        // Counted before the read: the read sees at least all rows that are counted here.
        let counted = source.depth();
        let batch = match source.next_batch(limit, bytes, self.cursor.at()) {
            Ok(batch) => batch,
            Err(failure) => {
                if let Source::Spool(_) = source {
                    self.core.spool_failed(&failure);
                }
                return false;
            }
        };
        // A row may have been committed whose `RowEvent::Spilled` is not in the inbox yet. Sending
        // it would send its event twice. So unless no record was in the spool's queue during the
        // read, only rows up to the last answered sequence are sent.
        let (still, confirmed) = self
            .core
            .relay
            .change(|inbox| (inbox.tickets.given() == handed_in, inbox.confirmed));
        let cursor = self.cursor.at();
        self.process_inbox();
        self.write_dead_letters();
        if self.cursor.at() < cursor {
            return true;
        }
        if !batch.damaged.is_empty() {
            error!(
                target: "herald::publisher",
                rows = batch.damaged.len(),
                "rows of the spool are damaged; they are kept among its dead letters"
            );
            self.core.counters.dead.add(batch.damaged.len() as u64);
        }
        if batch.last.is_none() {
            // The read has seen all rows that were confirmed before it.
            let now = self.now();
            self.cursor
                .read_nothing(now, confirmed_before, self.seen.confirmed);
        }
        if quiet && self.cursor.is_done() {
            if counted > self.rows.len() as u64 {
                return self.search(counted);
            }
            self.searching = false;
            self.core.relay.everything_sent(waits);
        }
        let now = self.now();
        let _flush = Flush(&*transport);
        for stored in batch.records {
            let sequence = stored.sequence;
            if !(quiet && still) && sequence > confirmed {
                return false;
            }
            if sequence > self.cursor.at() && !self.rows.contains(sequence) {
                if self.allowance(now) == 0 {
                    return false;
                }
                match self.send(&transport, stored, now) {
                    Sent::Yes => {}
                    Sent::Blocked(until) => self.cursor.go_back_at(until, sequence),
                    Sent::Stop => return false,
                }
            }
            self.cursor.pass(sequence);
        }
        if let Some(last) = batch.last {
            self.cursor.pass(last);
        }
        !self.cursor.is_at_end()
    }

    /// Handles a spool that counts more rows than it returned. The first time the relay reads again
    /// from the beginning: a seek to a sequence in the middle compares keys of the B-tree's inner
    /// pages, and with a damaged key it skips leaves without an error; a read from the beginning
    /// only follows their child pointers. The second time the rows count as missing. Returns
    /// whether there is more to do now.
    fn search(&mut self, counted: u64) -> bool {
        self.searching = !self.searching;
        if self.searching {
            self.cursor.go_back(Sequence::START);
            return true;
        }
        let missing = counted - self.rows.len() as u64;
        self.core.spool_failed(&SpoolError::Corrupt {
            context: "relaying the spool",
            detail: format!("{missing} of {counted} rows are not found"),
        });
        false
    }

    /// Sends a row; a [`Flush`] of the caller follows.
    fn send(
        &mut self,
        transport: &Arc<dyn Transport>,
        stored: StoredRecord,
        now: Duration,
    ) -> Sent {
        let sequence = stored.sequence;
        let (topic, key) = (&stored.record.topic, stored.record.key.as_deref());
        let key = key_hash(topic, key).get();
        let attempts = stored.record.attempts;
        let rejected = self.rejected.get(&sequence).cloned();
        if rejected.is_none() {
            if let Some(until) = self.blocked.get(&key) {
                return Sent::Blocked(*until);
            }
            if let Some(not_before) = stored.record.not_before
                && let Ok(wait) = not_before.duration_since(self.core.clock.wall())
                && !wait.is_zero()
            {
                // Stored by an earlier process, whose clock may have been wrong: limited by
                // `max_backoff`.
                let until = now + wait.min(self.core.options.retry.max_backoff);
                self.block(key, until);
                return Sent::Blocked(until);
            }
        }
        let row_weight = stored.record.weight();
        let row = move |message: &Message| SentRow {
            sequence,
            key,
            row_weight,
            weight: message.weight(),
            sent_at: now,
        };
        let mut message = self.core.framed(Message::of_record(stored.record));
        if message.schema_subject().is_some() {
            if rejected.is_none() {
                let until = now + SCHEMA_BACKOFF;
                self.block(key, until);
                return Sent::Blocked(until);
            }
            message = message.without_subject(&[]);
        }
        let failure = match rejected {
            Some(failure) => failure,
            None => match self.give(transport, &message, row(&message), false) {
                Ok(()) => return Sent::Yes,
                Err(Refused::KeyWaits) => return Sent::Blocked(now + SHORT_BACKOFF),
                Err(Refused::ByTransport(failure)) => match failure.kind {
                    FailureKind::Permanent => {
                        self.note_rejection(sequence, failure.clone());
                        failure
                    }
                    FailureKind::Retriable => {
                        self.retry(sequence, key, failure);
                        return Sent::Yes;
                    }
                    _ => return self.pause(sequence),
                },
            },
        };
        let (attempts, wall) = (attempts.saturating_add(1), self.core.clock.wall());
        let Some(letter) = dead_letter::of(&message, &failure, attempts, wall) else {
            self.dead_letter(sequence, &no_letter_topic());
            return Sent::Yes;
        };
        match self.give(transport, &letter, row(&letter), true) {
            Ok(()) => Sent::Yes,
            Err(Refused::ByTransport(failure)) if failure.kind == FailureKind::Permanent => {
                self.dead_letter(sequence, &failure);
                Sent::Yes
            }
            Err(_) => self.pause(sequence),
        }
    }

    /// Sends the dead letter of a row that was rejected; false if it has to wait. Reading the spool
    /// again from this row would pass all rows that the transport has, for each rejected one.
    pub(super) fn send_dead_letter(&mut self, sequence: Sequence) -> bool {
        let transport = self.core.routing().transport.clone();
        let found = self.spool().map(|spool| spool.find(sequence));
        let (Some(transport), Some(Ok(Some(Found::Queued(stored))))) = (transport, found) else {
            return false;
        };
        let now = self.now();
        let _flush = Flush(&*transport);
        self.allowance(now) > 0 && matches!(self.send(&transport, stored, now), Sent::Yes)
    }

    /// Pauses sending, because the transport accepts nothing now.
    fn pause(&mut self, sequence: Sequence) -> Sent {
        let until = self.now() + SHORT_BACKOFF;
        self.cursor.go_back_at(until, sequence);
        self.window.close_until(until);
        Sent::Stop
    }

    fn give(
        &mut self,
        transport: &Arc<dyn Transport>,
        message: &Message,
        row: SentRow,
        is_letter: bool,
    ) -> Result<(), Refused> {
        let SentRow {
            sequence,
            key,
            weight,
            sent_at,
            ..
        } = row;
        let core = self.core.clone();
        let delivery = Arc::new(RowDelivery {
            core,
            row,
            is_letter,
        });
        self.core.held.enter(weight);
        // Sent under the lock of the inbox. A concurrent failure report of the key either has
        // marked the key as failing before, or waits for the lock until this row is in the
        // transport, which then fails it too.
        let sent = self.core.relay.change(|inbox| {
            if !is_letter && inbox.is_failing(key) {
                return Err(Refused::KeyWaits);
            }
            transport
                .send_with_more(message, delivery)
                .map_err(Refused::ByTransport)
        });
        sent.inspect_err(|_| self.core.held.leave(weight))?;
        self.rows.insert(sequence, RowState::WithTransport(key));
        self.window.enter(sent_at, weight);
        if let Some(rate) = self.core.options.relay_rate {
            let from = self.window.open_at().max(sent_at);
            self.window
                .close_until(from + Duration::from_secs(1) / rate.get());
        }
        Ok(())
    }
}

/// Guard that flushes the transport behind the last row of a batch.
struct Flush<'a>(&'a dyn Transport);

impl Drop for Flush<'_> {
    fn drop(&mut self) {
        self.0.flush();
    }
}

/// Reason why a row was not given to the transport.
enum Refused {
    /// An earlier event of its key has failed, and not all later ones were reported yet.
    KeyWaits,
    ByTransport(Failure),
}

fn no_letter_topic() -> Failure {
    Failure::new(
        FailureKind::Permanent,
        FailureCode::InvalidTopic,
        "the name of its dead letter topic would be too long",
    )
}
