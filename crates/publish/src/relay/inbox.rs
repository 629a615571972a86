//! Inbox by which all other threads inform the relay.
//!
//! The hard part is the order of a key while the transport and the spool both have events of it. The
//! rules are:
//!
//! - A new event goes to the spool if the spool may have a row of its key that the transport does
//!   not have ([`UnsentRows`]).
//! - After a failure of an event of a key, nothing of that key is sent until the transport has
//!   reported all its later events of the key ([`Failing`]); it fails those too.
//! - Rows of which the relay does not know yet whether the transport has them are not read
//!   ([`Inbox::tickets`]).

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use herald_spool::{Acknowledged, KeyHashMap, Sequence, SpoolError};

use super::row_delivery::SentRow;
use crate::clock::{Clock, Notify, lock};
use crate::failure::{Failure, FailureKind};
use crate::transport::RecordMetadata;

/// Inbox of the relay thread, and its notification.
pub(crate) struct Relay {
    inbox: Mutex<Inbox>,
    /// Whether the spool may have a row that the transport does not have: see [`UnsentRows`]. Written
    /// under the lock of the inbox. Read without it for each publish, so that publishing does not lock
    /// the inbox while the spool is empty.
    unsent: AtomicBool,
    pub(crate) notify: Arc<Notify>,
}

#[derive(Default)]
pub(crate) struct Inbox {
    /// In the order in which they happened.
    pub(crate) events: Vec<RowEvent>,
    /// Records that were handed to the spool. While one is not answered, there may be a row whose
    /// event the transport has too, without the relay knowing it yet.
    pub(crate) tickets: Tickets,
    /// Highest sequence of an answered record.
    pub(crate) confirmed: Sequence,
    /// Number of changes that may have added an unsent row; see [`Relay::everything_sent`].
    pub(crate) waits: u64,
    /// Tickets that were given when the last one did: its row is answered with them at the latest.
    waits_for: u64,
    unsent: UnsentRows,
    /// Keys of which the transport has failed an event. It fails the later ones of the key too, one
    /// after the other; until it has, nothing of the key may be sent.
    failing: KeyHashMap<Failing>,
    pub(crate) cluster_lost: bool,
    pub(crate) connection_lost: Option<Failure>,
    pub(crate) spool_lost: Option<SpoolError>,
    /// Deadline of the close; `None` while the publisher is open.
    pub(crate) close_until: Option<Duration>,
}

/// Keys that may have a row that the transport does not have. Later events of such a key must be
/// appended to the spool behind it. Events of all other keys can go to the transport, behind the rows
/// that it already has.
///
/// A key is added only while no event of it is with the transport alone, or while the routing is
/// locked exclusively to spill those. Otherwise a new event would be appended before them.
#[derive(Default)]
struct UnsentRows {
    /// Whether all rows were read and sent once, so that `keys` is complete. Before that, rows of an
    /// earlier process may be of any key.
    all_known: bool,
    keys: HashSet<u64>,
}

/// State of a key of which an event has failed.
#[derive(Default)]
struct Failing {
    /// Failure reports that are being handled.
    reports: usize,
    /// Number of tickets with whose answers the relay knows all rows of the key that the transport
    /// has.
    needed: u64,
}

/// Record that was handed to the spool: its number, from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

/// Records that were handed to the spool and those that it has answered, nearly in order.
#[derive(Default)]
pub(crate) struct Tickets {
    /// Number of records that are answered without a gap.
    answered: u64,
    /// Whether those behind them are answered.
    behind: VecDeque<bool>,
}

impl Tickets {
    fn give(&mut self) -> Ticket {
        self.behind.push_back(false);
        Ticket(self.given() - 1)
    }

    fn answer(&mut self, ticket: Ticket) {
        let place = usize::try_from(ticket.0 - self.answered).unwrap_or(usize::MAX);
        if let Some(answered) = self.behind.get_mut(place) {
            *answered = true;
        }
        while self.behind.front() == Some(&true) {
            self.behind.pop_front();
            self.answered += 1;
        }
    }

    /// Number of records that were handed in.
    pub(crate) fn given(&self) -> u64 {
        self.answered + self.behind.len() as u64
    }

    /// Number of records that are answered, and all before them too.
    pub(crate) fn answered(&self) -> u64 {
        self.answered
    }

    pub(crate) fn are_all_answered(&self) -> bool {
        self.behind.is_empty()
    }
}

/// Event about a row of the spool, or about a probe.
#[derive(Debug)]
pub(crate) enum RowEvent {
    /// The row was written, and the transport has the same event, of this key: it is not sent.
    Spilled(Sequence, u64),
    /// The transport failed the event of a spilled row: the row is sent.
    Requeued(Sequence),
    /// The cluster has acknowledged the event.
    Acknowledged(Acknowledged),
    /// The cluster rejected the event permanently.
    Rejected(Sequence, Failure),
    /// Outcome of a row that the relay sent.
    Row(Reported),
    /// Outcome of the dead letter of a row.
    DeadLetter(Reported),
    /// Outcome of an acknowledgement.
    Removed(Vec<Acknowledged>, Result<u64, SpoolError>),
    /// Outcome of a probe of the cluster.
    Probed(Result<(), Failure>),
    /// The limits of this topic are known, or will not be known: see [`crate::core::Core::limits_answered`].
    LimitsAnswered(Box<str>),
    /// Id of the cluster, or the reason that it did not tell.
    Identified(Result<Option<String>, Failure>),
}

/// Report about a row that the relay sent.
#[derive(Debug)]
pub(crate) struct Reported {
    pub(crate) row: SentRow,
    pub(crate) outcome: Result<RecordMetadata, Failure>,
}

impl Inbox {
    /// Begins to handle a failure of this key; [`Self::failed`] must follow before the report returns.
    fn fails(&mut self, key: u64) {
        self.failing.entry(key).or_default().reports += 1;
    }

    /// Ends the handling of a failure: what follows from it was handed to the spool or is in `events`.
    fn failed(&mut self, key: u64) {
        let failing = self.failing.entry(key).or_default();
        failing.reports = failing.reports.saturating_sub(1);
        failing.needed = self.tickets.given();
    }

    /// Whether the rows are answered that later events of their keys have to wait for.
    pub(crate) fn has_answered_waiting(&self) -> bool {
        self.tickets.answered() >= self.waits_for
    }

    pub(crate) fn is_failing(&self, key: u64) -> bool {
        self.failing.contains_key(&key)
    }

    /// Releases the keys whose failures are all known. `answered` is the value with which the events
    /// were taken from the inbox, `with_transport` are the keys of all rows in the transport. Returns whether a
    /// key was released.
    pub(super) fn recover(
        &mut self,
        answered: u64,
        with_transport: impl Iterator<Item = u64>,
    ) -> bool {
        let known = |failing: &Failing| failing.reports == 0 && answered >= failing.needed;
        let known_keys = self.failing.iter().filter(|(_, failing)| known(failing));
        let mut released: HashSet<u64> = known_keys.map(|(key, _)| *key).collect();
        if released.is_empty() {
            return false;
        }
        for key in with_transport {
            released.remove(&key);
        }
        self.failing.retain(|key, _| !released.contains(key));
        !released.is_empty()
    }
}

impl Reported {
    pub(super) fn is_to_be_sent_again(&self) -> bool {
        let failure = self.outcome.as_ref().err();
        failure.is_some_and(|failure| failure.kind != FailureKind::Permanent)
    }
}

impl Relay {
    /// Creates the inbox. `is_empty` is set if the spool has no rows of an earlier process.
    pub(crate) fn new(clock: &Clock, is_empty: bool) -> Self {
        let mut inbox = Inbox::default();
        inbox.unsent.all_known = is_empty;
        Self {
            inbox: Mutex::new(inbox),
            unsent: AtomicBool::new(!is_empty),
            notify: clock.notify(),
        }
    }

    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Inbox) -> T) -> T {
        change(&mut lock(&self.inbox))
    }

    pub(crate) fn post(&self, event: RowEvent) {
        self.change(|inbox| inbox.events.push(event));
        self.notify.notify();
    }

    /// Registers a record that is about to be handed to the spool; [`Relay::appended`] must follow.
    /// `waits` is its key if later events of the key must be appended behind it.
    pub(crate) fn appending(&self, waits: Option<u64>) -> Ticket {
        self.change(|inbox| {
            let ticket = inbox.tickets.give();
            if let Some(key) = waits {
                self.row_waits(inbox, key);
            }
            ticket
        })
    }

    /// Notes that the spool has, or is about to have, an unsent row of this key.
    fn row_waits(&self, inbox: &mut Inbox, key: u64) {
        inbox.waits += 1;
        inbox.waits_for = inbox.tickets.given();
        inbox.unsent.keys.insert(key);
        self.unsent.store(true, Ordering::SeqCst);
    }

    /// Returns whether the spool may have an unsent row of this key. The key is only hashed if there
    /// are any unsent rows.
    pub(crate) fn may_have_unsent(&self, key: impl FnOnce() -> u64) -> bool {
        if !self.has_unsent() {
            return false;
        }
        let key = key();
        self.change(|inbox| !inbox.unsent.all_known || inbox.unsent.keys.contains(&key))
    }

    /// Returns whether the spool may have any unsent row.
    pub(super) fn has_unsent(&self) -> bool {
        self.unsent.load(Ordering::SeqCst)
    }

    /// Notes that the relay has passed all rows without finding an unsent one. `waits` is the counter
    /// when it began: if it has changed since, a row may have been added behind it. Keys that
    /// are failing stay: the transport will fail rows of them that were sent.
    pub(super) fn everything_sent(&self, waits: u64) {
        self.change(|inbox| {
            if inbox.waits == waits {
                inbox.unsent.all_known = true;
                let failing = &inbox.failing;
                inbox.unsent.keys.retain(|key| failing.contains_key(key));
                let unsent = !inbox.unsent.keys.is_empty();
                self.unsent.store(unsent, Ordering::SeqCst);
            }
        });
    }

    /// Runs `report`, which handles a failure of an event of this key. Nothing of the key is sent until
    /// the relay knows all events of the key that the transport will fail as a consequence.
    pub(crate) fn while_key_fails(&self, key: u64, report: impl FnOnce()) {
        self.change(|inbox| inbox.fails(key));
        report();
        self.change(|inbox| inbox.failed(key));
        self.notify.notify();
    }

    /// Notes an unsent row of this key, while the routing is locked exclusively.
    pub(crate) fn waits(&self, key: u64, event: Option<RowEvent>) {
        self.change(|inbox| {
            self.row_waits(inbox, key);
            inbox.events.extend(event);
        });
        self.notify.notify();
    }

    /// Handles the answer for a record. `sequence` is that of its row, if there is one.
    pub(crate) fn appended(
        &self,
        ticket: Ticket,
        sequence: Option<Sequence>,
        event: Option<RowEvent>,
    ) {
        self.change(|inbox| {
            inbox.tickets.answer(ticket);
            inbox.confirmed = inbox.confirmed.max(sequence.unwrap_or_default());
            inbox.events.extend(event);
        });
        self.notify.notify();
    }

    pub(crate) fn cluster_lost(&self) {
        self.change(|inbox| inbox.cluster_lost = true);
        self.notify.notify();
    }

    pub(crate) fn connection_lost(&self, failure: Failure) {
        self.change(|inbox| inbox.connection_lost = Some(failure));
        self.notify.notify();
    }

    pub(crate) fn spool_lost(&self, failure: SpoolError) {
        self.change(|inbox| {
            inbox.spool_lost.get_or_insert(failure);
        });
        self.notify.notify();
    }

    pub(crate) fn close(&self, until: Duration) {
        self.change(|inbox| inbox.close_until = Some(until));
        self.notify.notify();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_waits_until_all_its_failures_are_known() {
        let mut inbox = Inbox::default();
        let first = inbox.tickets.give();
        inbox.fails(7);
        inbox.fails(8);
        inbox.tickets.answer(first);
        let answered = inbox.tickets.answered();
        assert!(
            !inbox.recover(answered, std::iter::empty()),
            "what follows is not known"
        );
        let [second, third] = [0, 1].map(|_| inbox.tickets.give());
        inbox.failed(7);
        inbox.failed(8);
        inbox.tickets.answer(third);
        let answered = inbox.tickets.answered();
        assert!(
            !inbox.recover(answered, std::iter::empty()),
            "the second may be with the transport"
        );
        inbox.tickets.answer(second);
        let answered = inbox.tickets.answered();
        assert!(inbox.recover(answered, [7].into_iter()));
        assert!(inbox.is_failing(7) && !inbox.is_failing(8));
        assert!(inbox.recover(answered, std::iter::empty()) && !inbox.is_failing(7));
    }
}
