//! State that the threads of a publisher share.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};
use std::time::Duration;

use herald_process::ForkGuard;
use herald_spool::SpoolError;
use tracing::{error, warn};

use crate::buffers::Buffers;
use crate::clock::{Clock, lock};
use crate::dead_letter;
use crate::deadline_timer::{DeadlineTimer, micros};
use crate::error::PublishError;
use crate::failure::{Failure, FailureCode, FailureKind};
use crate::in_flight_event::{InFlightEvent, Outcome};
use crate::in_flight_limiter::{InFlightLimiter, Usage};
use crate::message::Message;
use crate::options::{Mode, PublisherOptions};
use crate::receipt::Receipt;
use crate::relay::{OrphanedSpool, Relay};
use crate::stats::Counters;
use crate::store::Store;
use crate::transport::{ConnectionListener, DeliveryCallback, RecordMetadata, Transport};

/// Everything but the threads.
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
    /// Read by everyone who puts an event on its way, written to change where events go. Who
    /// writes it sees no event half on its way.
    routing: RwLock<Routing>,
    /// Events in the order of publishing, among them some that are over.
    outstanding: Mutex<VecDeque<Arc<InFlightEvent>>>,
    /// When the last acknowledgement came, in microseconds of the clock.
    last_acknowledged: AtomicU64,
    key_hasher: RandomState,
    /// See [`crate::Connector::max_message_bytes`].
    max_message_bytes: usize,
}

/// Current routing of events.
pub(crate) struct Routing {
    pub(crate) route: Route,
    /// `None` until the first connection, and after a fatal failure until the next one.
    pub(crate) transport: Option<Arc<dyn Transport>>,
    /// `None` where there is none, and while a broken one is being opened again.
    pub(crate) spool: Option<Arc<Store>>,
    /// A spool whose files were deleted, while it has rows that are safe nowhere else. Then there
    /// is no other spool.
    pub(crate) orphan: Option<Arc<OrphanedSpool>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// To the cluster, and behind the rows of their key where there are some.
    Cluster,
    /// To the spool: the cluster is taken to be unreachable.
    Spool,
    /// Nowhere.
    Closed,
}

/// Messages that the transport has not reported, also those that the spool has a copy of.
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
    /// The cluster is reachable again. Not for a publisher that closes.
    pub(crate) fn open_to_cluster(&mut self) {
        if self.route == Route::Spool {
            self.route = Route::Cluster;
        }
    }
}

impl Core {
    pub(crate) fn new(options: PublisherOptions, spool: Option<Store>) -> Self {
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
            relay: Relay::new(&clock),
            timer,
            routing: RwLock::new(Routing {
                route: Route::Cluster,
                transport: None,
                spool: spool.map(Arc::new),
                orphan: None,
            }),
            outstanding: Mutex::new(VecDeque::new()),
            last_acknowledged: AtomicU64::new(0),
            key_hasher: RandomState::new(),
            max_message_bytes: options.connect.max_message_bytes().unwrap_or(usize::MAX),
            clock,
            options,
        }
    }

    pub(crate) fn routing(&self) -> RwLockReadGuard<'_, Routing> {
        self.routing.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until no event is half on its way.
    pub(crate) fn lock_routing_exclusive(&self) -> RwLockWriteGuard<'_, Routing> {
        self.routing.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn hash_key(&self, topic: &str, key: Option<&[u8]>) -> u64 {
        self.key_hasher.hash_one((topic, key))
    }

    /// Whether the transport holds twice of what may be in flight: copies of spooled events are
    /// stuck in it, and no more may come.
    pub(crate) fn held_is_full(&self) -> bool {
        self.held.messages() >= self.options.max_in_flight.saturating_mul(2)
            || self.held.bytes.load(Ordering::Relaxed)
                >= self.options.max_in_flight_bytes.saturating_mul(2)
    }

    /// Puts a message that has room on its way.
    pub(crate) fn dispatch(
        self: &Arc<Self>,
        message: Message,
        began: Duration,
        due: Duration,
    ) -> Result<Arc<InFlightEvent>, PublishError> {
        let routing = self.routing();
        if routing.route == Route::Closed {
            drop(routing);
            self.limiter.release(message.weight());
            return Err(PublishError::Closed);
        }
        self.counters.published.add(1);
        if let Some(orphan) = &routing.orphan
            && self
                .relay
                .may_have_unsent(|| self.hash_key(message.topic(), message.key()))
            && orphan.holds_key(message.topic(), message.key())
        {
            // It would pass rows of its key, and there is no spool to put it behind them.
            let refusal = PublishError::Spool(orphan.failure.clone());
            drop(routing);
            let flight = Arc::new(InFlightEvent::new(self.clone(), message, began, due));
            flight.end(Err(refusal));
            return Ok(flight);
        }
        let too_large = self.check_size(&message).err();
        let to_spool = routing.spool.as_ref().is_some_and(|spool| {
            let key = || self.hash_key(message.topic(), message.key());
            too_large.is_none()
                && (self.spools_everything(&routing)
                    || self.held_is_full()
                    || (self.relay.may_have_unsent(key)
                        && spool.holds_key(message.topic(), message.key())))
        });
        let flight = Arc::new(InFlightEvent::new(self.clone(), message, began, due));
        if to_spool {
            if self.spools_everything(&routing) || !self.held_is_full() {
                self.append(&routing, &flight, true);
                return Ok(flight);
            }
            // Earlier events of its key may be with the transport alone, and have to be in the
            // spool before it.
            drop(routing);
            let routing = self.lock_routing_exclusive();
            if let Some(key) = flight.key_hash() {
                self.spill_key_to_spool(&routing, key);
            }
            self.append(&routing, &flight, true);
            return Ok(flight);
        }
        self.track(&flight);
        let sent = match &routing.transport {
            _ if too_large.is_some() => too_large.map_or(Ok(()), Err),
            Some(_) if self.held_is_full() => Err(Failure::new(
                FailureKind::Full,
                FailureCode::Busy,
                "too many earlier events wait for the cluster",
            )),
            Some(transport) => flight.send(transport.as_ref()),
            None => Err(Failure::new(
                FailureKind::Retriable,
                FailureCode::NotConnected,
                "there is no connection to the cluster now",
            )),
        };
        drop(routing);
        if let Err(failure) = sent {
            flight.fail(failure);
        }
        Ok(flight)
    }

    /// Whether no event goes to the cluster before it is in the spool.
    fn spools_everything(&self, routing: &Routing) -> bool {
        self.options.mode == Mode::WriteAhead || routing.route == Route::Spool
    }

    /// Refuses what no transport would send, before it is known where the event goes: whether
    /// the cluster is there must not decide between an error and a receipt.
    fn check_size(&self, message: &Message) -> Result<(), Failure> {
        let (bytes, most) = (message.wire_bytes(), self.max_message_bytes);
        if bytes <= most {
            return Ok(());
        }
        Err(Failure::new(
            FailureKind::Permanent,
            FailureCode::TooLarge,
            format!(
                "{}: the message has {bytes} bytes, {most} are allowed by `message.max.bytes`",
                message.topic()
            ),
        ))
    }

    fn track(&self, flight: &Arc<InFlightEvent>) {
        let mut outstanding = lock(&self.outstanding);
        // What is over leaves from the front; what is over behind the first that is not, leaves
        // when there is too much of it.
        for _ in 0..2 {
            if outstanding.front().is_some_and(|first| first.is_over()) {
                outstanding.pop_front();
            }
        }
        if outstanding.len() > self.options.max_in_flight.saturating_mul(2) {
            outstanding.retain(|flight| !flight.is_over());
        }
        outstanding.push_back(flight.clone());
        drop(outstanding);
        self.timer.schedule(flight.due);
    }

    /// Hands the event to the spool, where there is one. Called with the routing locked, shared
    /// for an event that comes from a caller, exclusively for those that the transport has: so rows
    /// of one key get into the order of publishing.
    ///
    /// `keeps_order` is set if later events of its key have to go behind it.
    fn append(&self, routing: &Routing, flight: &Arc<InFlightEvent>, keeps_order: bool) {
        let key = flight.key_hash();
        let Some(record) = flight.copy_for_spool() else {
            return;
        };
        self.relay.appending(key.filter(|_| keeps_order));
        let Some(spool) = &routing.spool else {
            flight.appended(Err(SpoolError::Closed));
            return;
        };
        let appended = flight.clone();
        let handed_in = spool.append_then(record, move |answer| appended.appended(answer));
        if let Err(error) = handed_in {
            flight.appended(Err(error));
        }
    }

    /// Copies to the spool those flights that only the transport has and that `which` names, in
    /// the order of publishing, and with each all others of its key.
    fn spill_to_spool(
        &self,
        routing: &Routing,
        which: impl Fn(&Arc<InFlightEvent>) -> bool,
    ) -> usize {
        let mut outstanding = lock(&self.outstanding);
        outstanding.retain(|flight| !flight.is_over());
        let flights: Vec<_> = outstanding.iter().cloned().collect();
        drop(outstanding);
        let keys: HashSet<u64> = flights
            .iter()
            .filter(|flight| which(flight))
            .filter_map(|flight| flight.key_hash())
            .collect();
        let spilled = flights.iter().filter(|flight| {
            which(flight)
                || (flight.is_unsafe() && flight.key_hash().is_some_and(|key| keys.contains(&key)))
        });
        spilled
            .map(|flight| self.append(routing, flight, true))
            .count()
    }

    /// Copies to the spool what only the transport has of a key.
    pub(crate) fn spill_key_to_spool(&self, routing: &Routing, key: u64) {
        self.spill_to_spool(routing, |event| {
            event.is_unsafe() && event.key_hash() == Some(key)
        });
    }

    /// Copies everything to the spool that only the transport has.
    pub(crate) fn spill_all_to_spool(&self, routing: &Routing) -> usize {
        self.spill_to_spool(routing, |flight| flight.is_unsafe())
    }

    /// The transport failed an event that the spool does not have.
    pub(crate) fn failed(self: &Arc<Self>, flight: &Arc<InFlightEvent>, failure: Failure) {
        let routing = self.routing();
        if routing.spool.is_none() {
            let transport = routing.transport.clone();
            drop(routing);
            return self.failed_without_spool(flight, failure, transport);
        }
        drop(routing);
        match failure.kind {
            FailureKind::Fatal => self.lose_connection(failure),
            // No later event of its key has to wait for it.
            FailureKind::Permanent => {
                self.append(&self.routing(), flight, false);
                return;
            }
            FailureKind::Retriable | FailureKind::Full | FailureKind::Abandoned => {}
        }
        let routing = self.lock_routing_exclusive();
        self.spill_to_spool(&routing, |other| Arc::ptr_eq(other, flight));
    }

    fn failed_without_spool(
        self: &Arc<Self>,
        flight: &Arc<InFlightEvent>,
        failure: Failure,
        transport: Option<Arc<dyn Transport>>,
    ) {
        match failure.kind {
            FailureKind::Fatal => {
                self.lose_connection(failure.clone());
                flight.end(Err(PublishError::Unavailable(failure)));
            }
            FailureKind::Full => flight.end(Err(PublishError::Busy)),
            FailureKind::Retriable | FailureKind::Abandoned => {
                flight.end(Err(PublishError::Unavailable(failure)));
            }
            FailureKind::Permanent => {
                let letter = flight
                    .message()
                    .and_then(|message| dead_letter::of(&message, &failure, 1, self.clock.wall()));
                let (Some(letter), Some(transport)) = (letter, transport) else {
                    return flight.end(rejected(failure, None));
                };
                let delivery = Arc::new(DirectLetter {
                    flight: flight.clone(),
                    topic: letter.topic().to_owned(),
                    failure: failure.clone(),
                });
                if transport.send(&letter, delivery).is_err() {
                    flight.end(rejected(failure, None));
                }
            }
        }
    }

    /// Counts a receipt or an error.
    pub(crate) fn count(&self, outcome: &Outcome, began: Duration) {
        let counters = &self.counters;
        match outcome {
            Ok(Receipt::Delivered { .. }) => {
                counters.delivered.add(1);
                // Read anew by the report that led here.
                let now = self.last_acknowledged.load(Ordering::Relaxed);
                counters.record_latency(Duration::from_micros(now).saturating_sub(began));
            }
            Ok(Receipt::Spooled { .. }) => counters.spooled.add(1),
            Err(_) => counters.failed.add(1),
        }
        if let Err(PublishError::Rejected {
            dead_letter: None | Some(Receipt::Delivered { .. }),
            ..
        }) = outcome
        {
            counters.dead.add(1);
        }
    }

    /// The cluster acknowledged something.
    pub(crate) fn acknowledged(&self, now: Duration) {
        self.last_acknowledged.store(micros(now), Ordering::Relaxed);
    }

    /// Whether the cluster acknowledged something after this moment.
    pub(crate) fn acknowledged_since(&self, moment: Duration) -> bool {
        self.last_acknowledged.load(Ordering::Relaxed) > micros(moment)
    }

    /// From here on events go to the spool, those first that only the transport has.
    pub(crate) fn lose_cluster(&self, failure: &Failure) {
        let mut routing = self.lock_routing_exclusive();
        if routing.route != Route::Cluster || routing.spool.is_none() {
            return;
        }
        routing.route = Route::Spool;
        let spilled = self.spill_all_to_spool(&routing);
        drop(routing);
        self.counters.outages.add(1);
        warn!(
            target: "herald::publisher",
            code = failure.code.as_str(),
            detail = %failure.detail,
            spilled,
            "the cluster is unreachable: events go to the spool"
        );
        self.relay.cluster_lost();
    }

    /// The connection is broken for good.
    fn lose_connection(&self, failure: Failure) {
        self.lose_cluster(&failure);
        self.relay.connection_lost(failure);
    }

    /// The spool did not take something.
    pub(crate) fn spool_failed(&self, failure: &SpoolError) {
        if failure.ends_the_spool() && *failure != SpoolError::Closed {
            self.relay.spool_lost(failure.clone());
        }
    }

    /// Waits for deadlines, until the publisher is closed.
    pub(crate) fn run_deadline_loop(&self) {
        loop {
            let now = self.clock.now();
            let first_waiter_due = self.check_deadlines();
            if self.routing().route == Route::Closed {
                return;
            }
            // Later events are due later than this, unless their callers say so; then they ring.
            let idle = now + self.options.deadline_or_default();
            let next = self
                .first_due()
                .into_iter()
                .chain(first_waiter_due)
                .fold(idle, Duration::min);
            self.timer.set_next(next);
            if self.first_due().is_none_or(|due| due >= next) {
                self.timer.wait(&self.clock, next);
            }
        }
    }

    /// Acts for events and waiters that are due; gives when the next waiter is.
    pub(crate) fn check_deadlines(&self) -> Option<Duration> {
        let now = self.clock.now();
        let lost = {
            let routing = self.lock_routing_if_due(now);
            routing.is_some_and(|routing| self.deadlines_passed(&routing, now))
        };
        if lost {
            self.lose_cluster(&Failure::new(
                FailureKind::Retriable,
                FailureCode::NoAcknowledgement,
                "nothing was acknowledged within the deadline",
            ));
        }
        self.limiter.expire(now)
    }

    fn first_due(&self) -> Option<Duration> {
        let mut outstanding = lock(&self.outstanding);
        outstanding.retain(|flight| !flight.is_over());
        let waiting = outstanding
            .iter()
            .filter(|flight| flight.waits_for_transport());
        waiting.map(|flight| flight.due).min()
    }

    fn lock_routing_if_due(&self, now: Duration) -> Option<RwLockWriteGuard<'_, Routing>> {
        let due = self.first_due().is_some_and(|due| due <= now);
        due.then(|| self.lock_routing_exclusive())
    }

    /// Acts for those that are due; true where the cluster has to be taken for unreachable.
    fn deadlines_passed(&self, routing: &Routing, now: Duration) -> bool {
        if routing.spool.is_some() {
            let silent = lock(&self.outstanding).iter().any(|flight| {
                flight.due <= now
                    && flight.waits_for_transport()
                    && !self.acknowledged_since(flight.began)
            });
            self.spill_to_spool(routing, |flight| flight.due <= now && flight.is_unsafe());
            let flights: Vec<_> = lock(&self.outstanding).iter().cloned().collect();
            for flight in flights.iter().filter(|flight| flight.due <= now) {
                flight.end_refused();
            }
            return silent && routing.route == Route::Cluster;
        }
        let flights: Vec<_> = lock(&self.outstanding).iter().cloned().collect();
        for flight in flights.iter().filter(|flight| flight.due <= now) {
            flight.end(Err(PublishError::Deadline {
                after: now.saturating_sub(flight.began),
            }));
        }
        false
    }

    /// Ends what the end of the transport and the spool left.
    pub(crate) fn end_all(&self) {
        let flights: Vec<_> = lock(&self.outstanding).drain(..).collect();
        for flight in flights {
            flight.end(Err(PublishError::Closed));
        }
    }
}

fn rejected(failure: Failure, dead_letter: Option<Receipt>) -> Outcome {
    Err(PublishError::Rejected {
        failure,
        dead_letter,
    })
}

/// Receives the reports of a transport about its connection.
pub(crate) struct Watcher(pub(crate) Weak<Core>);

impl ConnectionListener for Watcher {
    fn on_unreachable(&self, failure: Failure) {
        if let Some(core) = self.0.upgrade() {
            core.lose_cluster(&failure);
        }
    }

    fn on_fatal(&self, failure: Failure) {
        if let Some(core) = self.0.upgrade() {
            error!(
                target: "herald::publisher",
                code = failure.code.as_str(),
                detail = %failure.detail,
                "the connection is broken for good: a new one will be made"
            );
            core.lose_connection(failure);
        }
    }
}

/// The dead letter of an event without a spool.
struct DirectLetter {
    flight: Arc<InFlightEvent>,
    topic: String,
    failure: Failure,
}

impl DeliveryCallback for DirectLetter {
    fn on_delivery(self: Arc<Self>, outcome: Result<RecordMetadata, Failure>) {
        let letter = outcome.ok().map(|position| Receipt::Delivered {
            topic: self.topic.clone(),
            partition: position.partition,
            offset: position.offset,
        });
        self.flight.end(rejected(self.failure.clone(), letter));
    }
}
