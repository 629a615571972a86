//! From the spool to the cluster: what everyone tells the one thread that relays.

mod connection;
mod ending;
mod reopening;
mod rows;
mod sending;
mod thread;
mod window;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
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
    /// Keys of rows that failed, and how many of their failures have not been taken. Nothing may be
    /// sent behind them: a failure is noted here before it arrives, because it waits for the gate.
    failing: HashMap<u64, usize>,
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

impl Inbox {
    /// A row of this key has failed, and its arrival is to follow.
    fn fails(&mut self, key: u64) {
        *self.failing.entry(key).or_default() += 1;
    }

    pub(crate) fn is_failing(&self, key: u64) -> bool {
        self.failing.contains_key(&key)
    }

    /// Takes what has arrived, and with it the failures that were noted before.
    pub(crate) fn take_arrivals(&mut self) -> Vec<Arrival> {
        let arrivals = std::mem::take(&mut self.arrivals);
        let reports = arrivals.iter().filter_map(|arrival| match arrival {
            Arrival::Row(reported) if reported.is_to_be_sent_again() => Some(reported.key),
            _ => None,
        });
        for key in reports {
            if let Entry::Occupied(mut noted) = self.failing.entry(key) {
                *noted.get_mut() -= 1;
                if *noted.get() == 0 {
                    noted.remove();
                }
            }
        }
        arrivals
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
        } else if reported.is_to_be_sent_again() {
            relay.change(|inbox| inbox.fails(self.key));
            relay.released(&self.core, Arrival::Row(reported));
        } else {
            relay.tell(Arrival::Row(reported));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(key: u64) -> Arrival {
        Arrival::Row(Reported {
            sequence: Sequence::new(1),
            key,
            weight: 0,
            sent_at: Duration::ZERO,
            outcome: Err(Failure::new(FailureKind::Retriable, "refused", "")),
        })
    }

    #[test]
    fn a_key_waits_until_its_failure_has_arrived() {
        let mut inbox = Inbox::default();
        inbox.fails(7);
        assert!(inbox.take_arrivals().is_empty());
        assert!(inbox.is_failing(7), "its arrival waits for the gate");
        inbox.fails(7);
        inbox.arrivals.push(failed(7));
        assert_eq!(inbox.take_arrivals().len(), 1);
        assert!(inbox.is_failing(7), "another one is to come");
        inbox.arrivals.push(failed(7));
        inbox.take_arrivals();
        assert!(!inbox.is_failing(7));
    }
}
