//! From the spool to the cluster: what everyone tells the one thread that relays.

mod connection;
mod ending;
mod reopening;
mod rows;
mod sending;
mod thread;
mod window;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use herald_spool::{Sequence, SpoolError};

use crate::clock::{Bell, Clock, lock};
use crate::core::Core;
use crate::failure::{Failure, FailureKind};
use crate::transport::{Delivery, Position};

pub(crate) use connection::connect;
pub(crate) use thread::RelayThread;

/// What the relay's thread is told.
pub(crate) struct Relay {
    inbox: Mutex<Inbox>,
    /// Whether a row may wait that the transport does not have. Until then an event must look
    /// for rows of its key. Changed with the inbox in hand.
    unsent: AtomicBool,
    pub(crate) bell: Arc<Bell>,
}

#[derive(Default)]
pub(crate) struct Inbox {
    /// In the order in which it happened.
    pub(crate) arrivals: Vec<Arrival>,
    /// Records that were handed to the spool.
    pub(crate) handed_in: u64,
    /// How many of them it answered for. While one is missing, there may be a row of which the
    /// relay does not know yet that the transport has it too.
    pub(crate) answered: u64,
    /// Rows up to here have been answered for.
    pub(crate) confirmed: Sequence,
    /// Grows whenever a row may have come to wait.
    waits: u64,
    /// Keys of rows whose failure the relay has not looked at: nothing may be sent behind it.
    pub(crate) failing: HashSet<u64>,
    pub(crate) cluster_lost: bool,
    pub(crate) connection_lost: Option<Failure>,
    pub(crate) spool_lost: Option<SpoolError>,
    /// The publisher closes; this is when it wants to be closed.
    pub(crate) close_until: Option<Duration>,
}

/// Something happened to a row of the spool.
pub(crate) enum Arrival {
    /// It is there, and the transport has the same event: it is not to be sent.
    Adopted(Sequence),
    /// The transport failed an adopted one: it is to be sent.
    Released(Sequence),
    /// The cluster has acknowledged it.
    Landed(Sequence),
    /// The cluster will never take it.
    Doomed(Sequence, Failure),
    /// What became of a row that the relay sent.
    Row(Reported),
    /// What became of the dead letter of a row.
    Letter(Reported),
    /// What became of an acknowledgement.
    Removed(Vec<Sequence>, Result<u64, SpoolError>),
    /// What became of a question to the cluster.
    Probed(Result<(), Failure>),
}

pub(crate) struct Reported {
    pub(crate) sequence: Sequence,
    pub(crate) key: u64,
    pub(crate) weight: usize,
    pub(crate) sent_at: Duration,
    pub(crate) outcome: Result<Position, Failure>,
}

impl Relay {
    pub(crate) fn new(clock: &Clock) -> Self {
        Self {
            inbox: Mutex::new(Inbox::default()),
            // A spool that is opened may hold rows of an earlier process.
            unsent: AtomicBool::new(true),
            bell: clock.bell(),
        }
    }

    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Inbox) -> T) -> T {
        change(&mut lock(&self.inbox))
    }

    pub(crate) fn tell(&self, arrival: Arrival) {
        self.change(|inbox| inbox.arrivals.push(arrival));
        self.bell.ring();
    }

    /// A record is about to be handed to the spool; [`Relay::appended`] has to follow.
    pub(crate) fn appending(&self) {
        self.change(|inbox| {
            inbox.handed_in += 1;
            self.row_waits(inbox);
        });
    }

    /// A row waits, or is about to.
    fn row_waits(&self, inbox: &mut Inbox) {
        inbox.waits += 1;
        self.unsent.store(true, Ordering::SeqCst);
    }

    /// Whether events have to look for rows of their keys.
    pub(crate) fn has_unsent(&self) -> bool {
        self.unsent.load(Ordering::SeqCst)
    }

    /// The thread has found no row that the transport does not have, in a reading that began
    /// when `waits` was the count.
    fn everything_sent(&self, waits: u64) {
        self.change(|inbox| {
            if inbox.waits == waits {
                self.unsent.store(false, Ordering::SeqCst);
            }
        });
    }

    /// The transport failed a row that it had. Nobody may pass the gate meanwhile: an event of
    /// its key that went through before is failed by the transport too, and one that comes
    /// after finds the row.
    pub(crate) fn released(&self, core: &Core, arrival: Arrival) {
        let gate = core.shut_gate();
        self.change(|inbox| {
            self.row_waits(inbox);
            inbox.arrivals.push(arrival);
        });
        drop(gate);
        self.bell.ring();
    }

    pub(crate) fn appended(&self, sequence: Option<Sequence>, arrival: Option<Arrival>) {
        self.change(|inbox| {
            inbox.answered += 1;
            inbox.confirmed = inbox.confirmed.max(sequence.unwrap_or_default());
            inbox.arrivals.extend(arrival);
        });
        self.bell.ring();
    }

    pub(crate) fn cluster_lost(&self) {
        self.change(|inbox| inbox.cluster_lost = true);
        self.bell.ring();
    }

    pub(crate) fn connection_lost(&self, failure: Failure) {
        self.change(|inbox| inbox.connection_lost = Some(failure));
        self.bell.ring();
    }

    pub(crate) fn spool_lost(&self, failure: SpoolError) {
        self.change(|inbox| {
            inbox.spool_lost.get_or_insert(failure);
        });
        self.bell.ring();
    }

    pub(crate) fn close(&self, until: Duration) {
        self.change(|inbox| inbox.close_until = Some(until));
        self.bell.ring();
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

impl Delivery for RowDelivery {
    fn report(self: Arc<Self>, outcome: Result<Position, Failure>) {
        self.core.held.leave(self.weight);
        if outcome.is_ok() {
            self.core.acknowledged(self.core.clock.now());
        }
        let later = |failure: &Failure| failure.kind != FailureKind::Permanent;
        let waits = !self.is_letter && outcome.as_ref().is_err_and(later);
        let reported = Reported {
            sequence: self.sequence,
            key: self.key,
            weight: self.weight,
            sent_at: self.sent_at,
            outcome,
        };
        let relay = &self.core.relay;
        if self.is_letter {
            relay.tell(Arrival::Letter(reported));
        } else if waits {
            relay.change(|inbox| inbox.failing.insert(self.key));
            relay.released(&self.core, Arrival::Row(reported));
        } else {
            relay.tell(Arrival::Row(reported));
        }
    }
}
