//! From the spool to the cluster: what everyone tells the one thread that relays.

mod connection;
mod row_table;
mod rows;
mod sending;
mod shutdown;
mod spool_recovery;
mod thread;
mod window;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use herald_spool::{Sequence, SpoolError};

use crate::clock::{Clock, Notify, lock};
use crate::core::Core;
use crate::failure::{Failure, FailureKind};
use crate::transport::{DeliveryCallback, RecordMetadata};

pub(crate) use connection::connect;
pub(crate) use spool_recovery::OrphanedSpool;
pub(crate) use thread::RelayThread;

/// Messages to the relay's thread.
pub(crate) struct Relay {
    inbox: Mutex<Inbox>,
    /// Whether a row may wait that the transport does not have: see [`UnsentRows`]. Changed with
    /// the inbox in hand.
    unsent: AtomicBool,
    pub(crate) notify: Arc<Notify>,
}

#[derive(Default)]
pub(crate) struct Inbox {
    /// In the order in which it happened.
    pub(crate) events: Vec<RowEvent>,
    /// Records that were handed to the spool.
    pub(crate) handed_in: u64,
    /// Number of them that it answered for. While one is missing, there may be a row of which the
    /// relay does not know yet that the transport has it too.
    pub(crate) answered: u64,
    /// Rows up to here have been answered for.
    pub(crate) confirmed: Sequence,
    /// Grows whenever a row may have come to wait.
    waits: u64,
    unsent: UnsentRows,
    /// Keys of which the transport failed an event. It fails those behind it too, one after the
    /// other; until it has, nothing of the key may be sent.
    failing: HashMap<u64, Failing>,
    pub(crate) cluster_lost: bool,
    pub(crate) connection_lost: Option<Failure>,
    pub(crate) spool_lost: Option<SpoolError>,
    /// The publisher closes; this is when it wants to be closed.
    pub(crate) close_until: Option<Duration>,
}

/// Topics and keys that may have a row that the transport does not have. Later events of them have
/// to go behind it, into the spool; those of all others can go to the transport, behind the rows
/// that it has.
///
/// A key comes here only when nothing of it is with the transport alone: else an event that goes
/// to the spool would be there before those.
#[derive(Default)]
struct UnsentRows {
    /// Rows of an earlier process were all read, and sent.
    all_known: bool,
    keys: HashSet<u64>,
}

/// State of a key that fails.
#[derive(Default)]
struct Failing {
    /// Reports that have not returned.
    reports: usize,
    /// Value of [`Inbox::answered`] from which the relay knows of all that the transport has.
    needed: u64,
}

/// Something happened to a row of the spool.
pub(crate) enum RowEvent {
    /// It is there, and the transport has the same event, of this key: it is not to be sent.
    Spilled(Sequence, u64),
    /// The transport failed a spilled one: it is to be sent.
    Requeued(Sequence),
    /// The cluster has acknowledged it.
    Acknowledged(Sequence),
    /// The cluster will never take it.
    Rejected(Sequence, Failure),
    /// Outcome of a row that the relay sent.
    Row(Reported),
    /// Outcome of the dead letter of a row.
    DeadLetter(Reported),
    /// Outcome of an acknowledgement.
    Removed(Vec<Sequence>, Result<u64, SpoolError>),
    /// Outcome of a probe of the cluster.
    Probed(Result<(), Failure>),
}

pub(crate) struct Reported {
    pub(crate) sequence: Sequence,
    pub(crate) key: u64,
    pub(crate) weight: usize,
    pub(crate) sent_at: Duration,
    pub(crate) outcome: Result<RecordMetadata, Failure>,
}

impl Inbox {
    /// An event of this key has failed; [`Self::failed`] is to follow before its report returns.
    fn fails(&mut self, key: u64) {
        self.failing.entry(key).or_default().reports += 1;
    }

    /// Its consequences have been handed to the spool, or have arrived here.
    fn failed(&mut self, key: u64) {
        let failing = self.failing.entry(key).or_default();
        failing.reports = failing.reports.saturating_sub(1);
        failing.needed = self.handed_in;
    }

    pub(crate) fn is_failing(&self, key: u64) -> bool {
        self.failing.contains_key(&key)
    }

    /// Keys of which nothing fails any more go on, by what was heard when so many records were
    /// answered for; true where there are some.
    fn recover(&mut self, answered: u64, is_with_transport: impl Fn(u64) -> bool) -> bool {
        let failing = self.failing.len();
        self.failing.retain(|key, failing| {
            failing.reports > 0 || answered < failing.needed || is_with_transport(*key)
        });
        self.failing.len() < failing
    }
}

impl Reported {
    fn is_to_be_sent_again(&self) -> bool {
        let failure = self.outcome.as_ref().err();
        failure.is_some_and(|failure| failure.kind != FailureKind::Permanent)
    }
}

impl Relay {
    pub(crate) fn new(clock: &Clock) -> Self {
        Self {
            inbox: Mutex::new(Inbox::default()),
            // A spool that is opened may hold rows of an earlier process.
            unsent: AtomicBool::new(true),
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

    /// A record is about to be handed to the spool; [`Relay::appended`] has to follow. `waits` is
    /// its key where later events of it have to go behind it.
    pub(crate) fn appending(&self, waits: Option<u64>) {
        self.change(|inbox| {
            inbox.handed_in += 1;
            if let Some(key) = waits {
                self.row_waits(inbox, key);
            }
        });
    }

    /// A row of this key waits, or is about to.
    fn row_waits(&self, inbox: &mut Inbox, key: u64) {
        inbox.waits += 1;
        inbox.unsent.keys.insert(key);
        self.unsent.store(true, Ordering::SeqCst);
    }

    /// Whether an event of this key has to look for rows of it.
    pub(crate) fn may_have_unsent(&self, key: impl FnOnce() -> u64) -> bool {
        if !self.has_unsent() {
            return false;
        }
        let key = key();
        self.change(|inbox| !inbox.unsent.all_known || inbox.unsent.keys.contains(&key))
    }

    /// Whether a row may wait that the transport does not have.
    fn has_unsent(&self) -> bool {
        self.unsent.load(Ordering::SeqCst)
    }

    /// The thread has found no row that the transport does not have, in a reading that began
    /// when `waits` was the count.
    fn everything_sent(&self, waits: u64) {
        self.change(|inbox| {
            if inbox.waits == waits {
                inbox.unsent.all_known = true;
                inbox.unsent.keys.clear();
                self.unsent.store(false, Ordering::SeqCst);
            }
        });
    }

    /// The transport failed an event of this key, and will fail those behind it: nothing of the key
    /// is sent until the relay knows of all of them. `report` is all that the failure leads to.
    pub(crate) fn while_key_fails(&self, key: Option<u64>, report: impl FnOnce()) {
        let Some(key) = key else { return report() };
        self.change(|inbox| inbox.fails(key));
        report();
        self.change(|inbox| inbox.failed(key));
        self.notify.notify();
    }

    /// The transport failed a row that it had. Nobody may pass the routing meanwhile: an event of
    /// its key that went through before is failed by the transport too, and one that comes
    /// after finds the row.
    pub(crate) fn released(&self, core: &Core, key: u64, event: RowEvent) {
        let routing = core.lock_routing_exclusive();
        // Later events of the key may be with the transport alone, which fails them one after the
        // other. An event that comes meanwhile would get into the spool before them.
        core.spill_key_to_spool(&routing, key);
        self.change(|inbox| {
            self.row_waits(inbox, key);
            inbox.events.push(event);
        });
        drop(routing);
        self.notify.notify();
    }

    pub(crate) fn appended(&self, sequence: Option<Sequence>, event: Option<RowEvent>) {
        self.change(|inbox| {
            inbox.answered += 1;
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

/// A row, or its dead letter, in the hands of the transport.
#[derive(Clone)]
pub(crate) struct RowDelivery {
    pub(crate) core: Arc<Core>,
    pub(crate) sequence: Sequence,
    pub(crate) key: u64,
    pub(crate) weight: usize,
    pub(crate) sent_at: Duration,
    pub(crate) is_letter: bool,
}

impl DeliveryCallback for RowDelivery {
    fn on_delivery(self: Arc<Self>, outcome: Result<RecordMetadata, Failure>) {
        self.core.held.leave(self.weight);
        if outcome.is_ok() {
            self.core.acknowledged(self.core.clock.now());
        }
        let reported = Reported {
            sequence: self.sequence,
            key: self.key,
            weight: self.weight,
            sent_at: self.sent_at,
            outcome,
        };
        let relay = &self.core.relay;
        if self.is_letter {
            relay.post(RowEvent::DeadLetter(reported));
        } else if reported.is_to_be_sent_again() {
            relay.while_key_fails(Some(self.key), || {
                relay.released(&self.core, self.key, RowEvent::Row(reported));
            });
        } else {
            relay.post(RowEvent::Row(reported));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_waits_until_all_its_failures_are_known() {
        let mut inbox = Inbox::default();
        (inbox.handed_in, inbox.answered) = (5, 5);
        inbox.fails(7);
        inbox.fails(8);
        assert!(!inbox.recover(5, |_| false), "what follows is not known");
        inbox.handed_in = 6;
        inbox.failed(7);
        inbox.failed(8);
        assert!(
            !inbox.recover(5, |_| false),
            "more may be with the transport"
        );
        assert!(inbox.recover(6, |key| key == 7));
        assert!(inbox.is_failing(7) && !inbox.is_failing(8));
        assert!(inbox.recover(6, |_| false) && !inbox.is_failing(7));
    }
}
