//! State that the threads of a publisher share.
//!
//! Lock order: `routing`, then the state of an [`InFlightEvent`], then the relay's inbox. The lock
//! of `outstanding` is never held while another one is taken, except the states of its events.

use std::collections::{HashMap, HashSet, VecDeque};
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
use crate::relay::{OrphanedSpool, Relay, RowEvent};
use crate::schemas::{self, Schemas};
use crate::stats::Counters;
use crate::store::Store;
use crate::transport::{ConnectionListener, DeliveryCallback, RecordMetadata, Transport};

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
    key_hasher: RandomState,
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
    /// Error for which there is no spool now, where there should be one.
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
            key_hasher: RandomState::new(),
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

    pub(crate) fn hash_key(&self, topic: &str, key: Option<&[u8]>) -> u64 {
        self.key_hasher.hash_one((topic, key))
    }

    /// Returns whether the transport has twice the in-flight limit. An event that is spooled at its
    /// deadline leaves the in-flight limit, but its copy stays in the transport until that reports
    /// it; without this bound an unresponsive cluster would fill the memory.
    pub(crate) fn held_is_full(&self) -> bool {
        self.held.messages() >= self.options.max_in_flight.saturating_mul(2)
            || self.held.bytes.load(Ordering::Relaxed)
                >= self.options.max_in_flight_bytes.saturating_mul(2)
    }

    /// Hands a message to the transport or the spool. The caller has acquired its share of the
    /// in-flight limit.
    pub(crate) fn dispatch(
        self: &Arc<Self>,
        message: Message,
        began: Duration,
        due: Duration,
    ) -> Result<Arc<InFlightEvent>, PublishError> {
        // As the limiter has counted it. A schema id changes the size of the message.
        let weight = message.weight();
        let accept = |message| {
            let flight = InFlightEvent::new(self.clone(), message, weight, began, due);
            Arc::new(flight)
        };
        let routing = self.routing();
        if routing.route == Route::Closed {
            drop(routing);
            self.limiter.release(weight);
            return Err(PublishError::Closed);
        }
        self.counters.published.add(1);
        if let Some(refusal) = &routing.other_cluster {
            let refusal = PublishError::Spool(refusal.clone());
            drop(routing);
            let flight = accept(message);
            flight.end(Err(refusal));
            return Ok(flight);
        }
        // From here to the hand-over the shared lock is kept: a thread that waits for the exclusive
        // one, to spill or to change the route, finds this event either in `outstanding` or not
        // begun.
        if let Some(orphan) = &routing.orphan
            && self
                .relay
                .may_have_unsent(|| self.hash_key(message.topic(), message.key()))
            && orphan.holds_key(message.topic(), message.key())
        {
            // It would overtake rows of its key, and there is no spool that keeps it behind them.
            let refusal = PublishError::Spool(orphan.failure.clone());
            drop(routing);
            let flight = accept(message);
            flight.end(Err(refusal));
            return Ok(flight);
        }
        if self.waits_for_limits(&routing, message.topic()) {
            let flight = accept(message);
            self.track(&flight);
            return Ok(flight);
        }
        let message = self.framed(message);
        let waits_for_schema = message.schema_subject().is_some();
        if waits_for_schema && routing.spool.is_none() {
            // Until `schema_found`, at most until its deadline.
            let flight = accept(message);
            self.track(&flight);
            return Ok(flight);
        }
        let too_large = self.check_size(&message).err();
        let to_spool = too_large.is_none() && self.belongs_behind_rows(&routing, &message);
        let flight = accept(message);
        if to_spool {
            if self.spools_everything(&routing) || !(self.held_is_full() || waits_for_schema) {
                flight.append_to(&routing, true);
                return Ok(flight);
            }
            // The transport may have earlier events of its key that the spool does not have. They
            // need lower sequences than this one.
            drop(routing);
            let routing = self.lock_routing_exclusive();
            if let Some(key) = flight.key_hash() {
                self.spill_key_to_spool(&routing, key);
            }
            flight.append_to(&routing, true);
            return Ok(flight);
        }
        self.track(&flight);
        let sent = match too_large {
            Some(failure) => Err(failure),
            None => self.send(&routing, &flight),
        };
        drop(routing);
        if let Err(failure) = sent {
            flight.fail(failure);
        }
        Ok(flight)
    }

    /// Returns whether an event goes to the spool alone: the cluster is unreachable, the transport has
    /// enough, or the spool has unsent rows of its key.
    fn belongs_behind_rows(&self, routing: &Routing, message: &Message) -> bool {
        routing.spool.as_ref().is_some_and(|spool| {
            let key = || self.hash_key(message.topic(), message.key());
            routing.route == Route::Spool
                || self.held_is_full()
                || message.schema_subject().is_some()
                || (self.relay.may_have_unsent(key)
                    && spool.holds_key(message.topic(), message.key()))
        })
    }

    /// Gives an event to the transport, and in write-ahead to the spool as well. On failure the caller
    /// must call [`InFlightEvent::fail`], after it has released the routing.
    fn send(&self, routing: &Routing, flight: &Arc<InFlightEvent>) -> Result<(), Failure> {
        match &routing.transport {
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
        }?;
        if self.options.mode == Mode::WriteAhead && routing.spool.is_some() {
            flight.append_to(routing, false);
        }
        Ok(())
    }

    /// Returns whether a new event of the topic has to wait for [`Core::limits_answered`]. In
    /// write-ahead the spool would give a receipt to an event that the topic then turns out never to
    /// accept, and only to the first one. At its deadline, and in an outage, it is spooled all the
    /// same.
    fn waits_for_limits(self: &Arc<Self>, routing: &Routing, topic: &str) -> bool {
        if self.options.mode != Mode::WriteAhead
            || routing.route != Route::Cluster
            || routing.spool.is_none()
        {
            return false;
        }
        let Some(transport) = &routing.transport else {
            return false;
        };
        let mut asked = lock(&self.limits_asked);
        if let Some(answered) = asked.get(topic) {
            return !answered;
        }
        let (core, name) = (Arc::downgrade(self), Box::from(topic));
        let waits = transport.ask_limits(
            topic,
            Box::new(move || {
                if let Some(core) = core.upgrade() {
                    core.relay.post(RowEvent::LimitsAnswered(name));
                }
            }),
        );
        asked.insert(topic.into(), !waits);
        waits
    }

    /// Hands over the events that waited for the limits of a topic.
    pub(crate) fn limits_answered(self: &Arc<Self>, topic: Box<str>) {
        // Exclusively, so that no later event of the topic is handed over before them.
        let routing = self.lock_routing_exclusive();
        let outstanding: Vec<_> = lock(&self.outstanding).iter().cloned().collect();
        let waiting = outstanding
            .into_iter()
            .filter(|flight| flight.waits_for_limits(&topic));
        let mut refused = Vec::new();
        for flight in waiting {
            let Some(message) = flight.message() else {
                continue;
            };
            if let Err(failure) = self.check_size(&message) {
                refused.push((flight, failure));
            } else if self.belongs_behind_rows(&routing, &message) {
                flight.append_to(&routing, true);
            } else if let Err(failure) = self.send(&routing, &flight) {
                refused.push((flight, failure));
            }
        }
        lock(&self.limits_asked).insert(topic, true);
        drop(routing);
        for (flight, failure) in refused {
            flight.fail(failure);
        }
    }

    /// Returns the message with its schema id, if it waits for one that is known.
    pub(crate) fn framed(&self, message: Message) -> Message {
        if message.schema_subject().is_none() {
            return message;
        }
        if let Some(schemas) = &self.schemas {
            return schemas.frame(message);
        }
        schemas::warn_unconfigured();
        message
    }

    /// Makes a schema id known, and hands over the events without a spool that waited for it. Those in the
    /// spool are delivered by the relay.
    pub(crate) fn schema_found(self: &Arc<Self>, make_known: impl FnOnce()) {
        // Exclusively, so that no later event of a key is handed over before them.
        let routing = self.lock_routing_exclusive();
        make_known();
        let mut refused = Vec::new();
        if routing.spool.is_none() {
            let outstanding: Vec<_> = lock(&self.outstanding).iter().cloned().collect();
            for flight in outstanding {
                if flight.take_schema(|message| self.framed(message))
                    && let Err(failure) = self.send(&routing, &flight)
                {
                    refused.push((flight, failure));
                }
            }
        }
        drop(routing);
        for (flight, failure) in refused {
            flight.fail(failure);
        }
        self.relay.notify.notify();
    }

    /// Returns whether the spool gets every event, so that the transport alone has none.
    fn spools_everything(&self, routing: &Routing) -> bool {
        self.options.mode == Mode::WriteAhead || routing.route == Route::Spool
    }

    /// Rejects what no transport would send, before the destination is chosen: the same event must
    /// not be an error while the cluster is reachable, and get a receipt while it is not.
    fn check_size(&self, message: &Message) -> Result<(), Failure> {
        message.check_wire_bytes(self.max_message_bytes)?;
        match self.options.connect.max_batch_bytes(message.topic()) {
            Some(most) => message.check_batch_bytes(most),
            None => Ok(()),
        }
    }

    fn track(&self, flight: &Arc<InFlightEvent>) {
        let mut outstanding = lock(&self.outstanding);
        // Outcomes arrive nearly in order, so removing up to two resolved events per new one keeps the
        // queue short at constant cost. Behind one slow event resolved ones can pile up; the full
        // scan runs only when they exceed the in-flight limit.
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

    /// Copies the selected events that only the transport has to the spool, in the order of
    /// publishing, each together with all others of its key. Returns their number.
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
            .map(|flight| flight.append_to(routing, true))
            .count()
    }

    /// Copies the events of a key that only the transport has to the spool.
    pub(crate) fn spill_key_to_spool(&self, routing: &Routing, key: u64) {
        self.spill_to_spool(routing, |event| {
            event.is_unsafe() && event.key_hash() == Some(key)
        });
    }

    /// Copies all events that only the transport has to the spool.
    pub(crate) fn spill_all_to_spool(&self, routing: &Routing) -> usize {
        self.spill_to_spool(routing, |flight| flight.is_unsafe())
    }

    /// Handles a failed event that the spool did not have when its report began. `key` is the hash of its
    /// key.
    pub(crate) fn failed(
        self: &Arc<Self>,
        flight: &Arc<InFlightEvent>,
        key: Option<u64>,
        failure: Failure,
    ) {
        let routing = self.routing();
        if routing.spool.is_none() {
            let transport = routing.transport.clone();
            drop(routing);
            return self.failed_without_spool(flight, failure, transport);
        }
        drop(routing);
        match failure.kind {
            FailureKind::Fatal => self.lose_connection(failure),
            // It becomes a dead letter, which later events of its key need not wait for.
            FailureKind::Permanent => {
                flight.append_to(&self.routing(), false);
                return;
            }
            FailureKind::Retriable | FailureKind::Full | FailureKind::Abandoned => {}
        }
        // Exclusively, so that no new event of the key is appended between this one and the later
        // ones of the key that only the transport has.
        let routing = self.lock_routing_exclusive();
        if flight.is_unsafe() {
            self.spill_to_spool(&routing, |other| Arc::ptr_eq(other, flight));
        } else if let Some(key) = key {
            // The caller that sent it has handed it to the spool since: in write-ahead, as one that
            // later events of its key need not wait for.
            self.spill_key_to_spool(&routing, key);
            self.relay.waits(key, None);
        }
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
                let delivery = Arc::new(DirectDeadLetter {
                    flight: flight.clone(),
                    topic: letter.topic().into(),
                    failure: failure.clone(),
                });
                if transport.send(&letter, delivery).is_err() {
                    flight.end(rejected(failure, None));
                }
            }
        }
    }

    /// Counts an outcome.
    pub(crate) fn count(&self, outcome: &Outcome, began: Duration) {
        let counters = &self.counters;
        match outcome {
            Ok(Receipt::Delivered { .. }) => {
                counters.delivered.add(1);
                // Stored by the report that led here, so that the clock is read once per report.
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

    /// Notes the time of an acknowledgement.
    pub(crate) fn acknowledged(&self, now: Duration) {
        self.last_acknowledged.store(micros(now), Ordering::Relaxed);
    }

    /// Returns whether the cluster acknowledged any event after this time.
    pub(crate) fn acknowledged_since(&self, moment: Duration) -> bool {
        self.last_acknowledged.load(Ordering::Relaxed) > micros(moment)
    }

    /// Routes events to the spool, starting with those that only the transport has.
    pub(crate) fn lose_cluster(&self, failure: &Failure) {
        let mut routing = self.lock_routing_exclusive();
        if routing.route == Route::Spool || routing.spool.is_none() {
            return;
        }
        if routing.route == Route::Closed {
            drop(routing);
            // It does not wait any longer, and leaves the events to the spool.
            return self.relay.cluster_lost();
        }
        routing.route = Route::Spool;
        let spilled = self.spill_all_to_spool(&routing);
        drop(routing);
        self.counters.outages.add(1);
        let what = if failure.kind == FailureKind::Fatal {
            "the connection broke: events go to the spool until there is a new one"
        } else {
            "the cluster is unreachable: events go to the spool"
        };
        warn!(
            target: "herald::publisher",
            code = failure.code.as_str(),
            detail = %failure.detail,
            spilled,
            "{what}"
        );
        self.relay.cluster_lost();
    }

    /// Handles a connection that is broken for good.
    fn lose_connection(&self, failure: Failure) {
        self.lose_cluster(&failure);
        self.relay.connection_lost(failure);
    }

    /// Handles an error of the spool.
    pub(crate) fn spool_failed(&self, failure: &SpoolError) {
        if failure.ends_the_spool() && *failure != SpoolError::Closed {
            self.relay.spool_lost(failure.clone());
        }
    }

    /// Waits for deadlines, until the publisher is closed.
    pub(crate) fn run_deadline_loop(&self) {
        loop {
            let now = self.clock.now();
            self.check_deadlines();
            if self.routing().route == Route::Closed {
                return;
            }
            // A later event is due after `idle`, unless its caller set an earlier deadline; then
            // `DeadlineTimer::schedule` wakes this thread.
            let idle = now + self.options.deadline_or_default();
            let next = self.first_due().map_or(idle, |due| due.min(idle));
            self.timer.set_next(next);
            // What came before `set_next` did not notify.
            if self.first_due().is_none_or(|due| due >= next) {
                self.timer.wait(&self.clock, next);
            }
        }
    }

    /// Handles events and waiters whose deadline has passed.
    pub(crate) fn check_deadlines(&self) {
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
        self.limiter.expire(now);
    }

    /// Returns the first deadline of an event or a waiter.
    fn first_due(&self) -> Option<Duration> {
        let dues = [self.first_event_due(), self.limiter.first_due()];
        dues.into_iter().flatten().min()
    }

    fn first_event_due(&self) -> Option<Duration> {
        let mut outstanding = lock(&self.outstanding);
        outstanding.retain(|flight| !flight.is_over());
        let waiting = outstanding
            .iter()
            .filter(|flight| flight.waits_for_transport());
        waiting.map(|flight| flight.due).min()
    }

    /// Locks the routing only if a deadline has passed: the exclusive lock stops all publishing.
    fn lock_routing_if_due(&self, now: Duration) -> Option<RwLockWriteGuard<'_, Routing>> {
        let due = self.first_event_due().is_some_and(|due| due <= now);
        due.then(|| self.lock_routing_exclusive())
    }

    /// Handles events whose deadline has passed; returns whether the cluster counts as unreachable.
    fn deadlines_passed(&self, routing: &Routing, now: Duration) -> bool {
        if routing.spool.is_some() {
            // One slow partition is not an outage: only if nothing at all was acknowledged since the
            // event was published. Neither is a topic that does not exist.
            let silent = lock(&self.outstanding).iter().any(|flight| {
                flight.due <= now
                    && flight.waits_for_transport()
                    && !self.acknowledged_since(flight.began)
                    && self.topic_failure(routing, flight).is_none()
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
            flight.end(Err(match self.topic_failure(routing, flight) {
                Some(failure) => PublishError::Unavailable(failure),
                None => PublishError::Deadline {
                    after: now.saturating_sub(flight.began),
                    cause: (routing.transport.as_ref()).and_then(|transport| transport.outage()),
                },
            }));
        }
        false
    }

    /// Returns why the event of an overdue flight is not acknowledged, if its topic is the cause, and
    /// logs it once for each topic.
    fn topic_failure(&self, routing: &Routing, flight: &InFlightEvent) -> Option<Failure> {
        let transport = routing.transport.as_ref()?;
        let topic = flight.topic()?;
        let failure = transport.topic_failure(&topic)?;
        if lock(&self.topic_failures).insert(topic) {
            warn!(
                target: "herald::publisher",
                code = failure.code.as_str(),
                detail = %failure.detail,
                "events of a topic are not acknowledged"
            );
        }
        Some(failure)
    }

    /// Ends the events that neither the transport nor the spool resolved before they closed.
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

/// Listener of the publisher for the state of its connection. Weak, because the transport keeps its
/// listener, and the core keeps the transport.
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

/// Callback for a dead letter that is sent without a spool.
struct DirectDeadLetter {
    flight: Arc<InFlightEvent>,
    topic: Arc<str>,
    failure: Failure,
}

impl DeliveryCallback for DirectDeadLetter {
    fn on_delivery(self: Arc<Self>, outcome: Result<RecordMetadata, Failure>) {
        let letter = outcome.ok().map(|position| Receipt::Delivered {
            topic: self.topic.clone(),
            partition: position.partition,
            offset: position.offset,
        });
        self.flight.end(rejected(self.failure.clone(), letter));
    }
}
