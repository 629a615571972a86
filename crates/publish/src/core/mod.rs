//! State that the threads of a publisher share.
//!
//! Lock order: `routing`, then `outstanding`, then the state of an [`InFlightEvent`], then the relay's
//! inbox and what a transport locks.

mod deadlines;
mod dispatch;
mod outage;
mod reports;
mod spilling;
mod waiting;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use herald_process::ForkGuard;
use herald_spool::SpoolError;

use crate::buffers::Buffers;
use crate::clock::{Clock, lock};
use crate::deadline_timer::{DeadlineTimer, micros};
use crate::error::PublishError;
use crate::event_state::Input;
use crate::in_flight_event::InFlightEvent;
use crate::in_flight_limiter::{InFlightLimiter, Usage};
use crate::options::PublisherOptions;
use crate::relay::{OrphanedSpool, Relay};
use crate::schemas::Schemas;
use crate::stats::Counters;
use crate::store::Store;
use crate::transport::Transport;

pub(crate) use outage::Watcher;

/// State of a publisher: everything except its threads.
pub(crate) struct Core {
    pub(crate) options: PublisherOptions,
    pub(crate) process: ForkGuard,
    pub(crate) clock: Clock,
    pub(crate) limiter: InFlightLimiter,
    pub(crate) held: Held,
    pub(crate) buffers: Buffers,
    pub(crate) counters: Counters,
    pub(crate) relay: Relay,
    pub(crate) timer: Arc<DeadlineTimer>,
    /// Held shared while an event is handed to the transport or the spool, exclusively to change the
    /// route. So a holder of the exclusive lock sees every event either handed over or not yet begun.
    routing: RwLock<Routing>,
    /// Events in the order of publishing, including some that already have their outcome.
    outstanding: Mutex<VecDeque<Arc<InFlightEvent>>>,
    /// Topics whose limits were asked for, with whether they were answered. Changed only with
    /// `routing` locked.
    limits_asked: Mutex<HashMap<Box<str>, bool>>,
    /// Topics whose failure is in the log.
    topic_failures: Mutex<HashSet<String>>,
    /// Time of the last acknowledgement, in microseconds of the clock.
    last_acknowledged: AtomicU64,
    /// `None` if records have no schema ids.
    pub(crate) schemas: Option<Arc<Schemas>>,
    /// See [`crate::Connector::max_message_bytes`].
    max_message_bytes: usize,
}

/// Current routing of events.
pub(crate) struct Routing {
    pub(crate) route: Route,
    /// `None` until the first connection, and after a fatal failure until the next one.
    pub(crate) transport: Option<Arc<dyn Transport>>,
    /// `None` if none is configured, and while a broken one is being opened again.
    pub(crate) spool: Option<Arc<Store>>,
    /// A spool whose files were deleted, while it has rows that are stored nowhere else, or one that
    /// can't be opened for writing. `spool` is `None` then.
    pub(crate) orphan: Option<Arc<OrphanedSpool>>,
    /// Error with which the spool was lost or could not be opened, until it is open again.
    pub(crate) spool_failure: Option<SpoolError>,
    /// Error for which nothing may be published: the rows of the spool are for another cluster.
    pub(crate) other_cluster: Option<SpoolError>,
}

/// Destination of new events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// To the cluster; to the spool if it has rows of the same key, which must be delivered first.
    Cluster,
    /// To the spool: the cluster is considered unreachable.
    Spool,
    /// Nowhere: the publisher is closing.
    Closed,
}

/// Messages that the transport has accepted and not reported, including those that the spool has a
/// copy of.
#[derive(Default)]
pub(crate) struct Held {
    messages: AtomicUsize,
    bytes: AtomicUsize,
}

impl Held {
    pub(crate) fn enter(&self, bytes: usize) {
        self.messages.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn leave(&self, bytes: usize) {
        self.messages.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(crate) fn messages(&self) -> usize {
        self.messages.load(Ordering::Relaxed)
    }
}

impl Routing {
    /// Routes events to the cluster again, unless the publisher is closing.
    pub(crate) fn open_to_cluster(&mut self) {
        if self.route == Route::Spool {
            self.route = Route::Cluster;
        }
    }
}

impl Core {
    pub(crate) fn new(options: PublisherOptions, spool: Option<Store>) -> Self {
        // Makes the seed of the hashes. A fork while another thread makes it would leave it unmade in the
        // child for ever.
        herald_spool::key_hash("", None);
        let clock = options.clock.clone();
        let timer = Arc::new(DeadlineTimer::new(&clock));
        let most = Usage {
            messages: options.max_in_flight,
            bytes: options.max_in_flight_bytes,
        };
        Self {
            process: ForkGuard::new(),
            limiter: InFlightLimiter::new(most, timer.clone()),
            held: Held::default(),
            buffers: Buffers::default(),
            counters: Counters::default(),
            relay: Relay::new(
                &clock,
                spool.as_ref().is_some_and(|spool| spool.depth() == 0),
            ),
            timer,
            routing: RwLock::new(Routing {
                route: Route::Cluster,
                transport: None,
                spool: spool.map(Arc::new),
                orphan: None,
                spool_failure: None,
                other_cluster: None,
            }),
            outstanding: Mutex::new(VecDeque::new()),
            limits_asked: Mutex::default(),
            topic_failures: Mutex::default(),
            last_acknowledged: AtomicU64::new(0),
            schemas: options
                .schemas
                .as_ref()
                .and_then(Schemas::new)
                .map(Arc::new),
            max_message_bytes: options.connect.max_message_bytes().unwrap_or(usize::MAX),
            clock,
            options,
        }
    }

    pub(crate) fn routing(&self) -> RwLockReadGuard<'_, Routing> {
        self.routing.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until no event is being handed over, and keeps others from starting.
    pub(crate) fn lock_routing_exclusive(&self) -> RwLockWriteGuard<'_, Routing> {
        self.routing.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether the transport has twice the in-flight limit. An event that is spooled at its
    /// deadline leaves the in-flight limit, but its copy stays in the transport until that reports
    /// it; without this bound an unresponsive cluster would fill the memory.
    pub(crate) fn held_is_full(&self) -> bool {
        self.held.messages() >= self.options.max_in_flight.saturating_mul(2)
            || self.held.bytes.load(Ordering::Relaxed)
                >= self.options.max_in_flight_bytes.saturating_mul(2)
    }

    /// Notes the time of an acknowledgement.
    pub(crate) fn acknowledged(&self, now: Duration) {
        self.last_acknowledged.store(micros(now), Ordering::Relaxed);
    }

    /// Returns whether the cluster acknowledged any event after this time.
    pub(crate) fn acknowledged_since(&self, moment: Duration) -> bool {
        self.last_acknowledged.load(Ordering::Relaxed) > micros(moment)
    }

    /// Returns the tracked events in the order of publishing.
    fn outstanding(&self) -> Vec<Arc<InFlightEvent>> {
        lock(&self.outstanding).iter().cloned().collect()
    }

    /// Ends the events that neither the transport nor the spool resolved before they closed.
    pub(crate) fn end_all(&self) {
        let flights: Vec<_> = lock(&self.outstanding).drain(..).collect();
        for flight in flights {
            self.handle(&flight, Input::Ended(PublishError::Closed));
        }
    }
}
