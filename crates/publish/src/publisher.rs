//! Publisher: the API of its users.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use herald_envelope::headers::HeaderSet;
use herald_envelope::{Envelope, Profile, WriteJson};
use herald_spool::{OpenReport, Spool, SpoolError, SpoolOptions};

use crate::clock::lock;
use crate::core::{Core, Route};
use crate::error::PublishError;
use crate::failure::{Failure, FailureCode, FailureKind};
use crate::in_flight_event::Pending;
use crate::message::Message;
use crate::options::{Mode, PublisherOptions};
use crate::receipt::Receipt;
use crate::relay::{RelayThread, connect};
use crate::schemas::Framed;
use crate::stats::Stats;
use crate::store::Store;

/// Publisher of events: accepts envelopes and returns receipts.
///
/// Methods may be called from any thread, and futures run on any runtime. Two threads run in the
/// background: one for deadlines, and the relay, which delivers the spool.
///
/// Dropping a publisher closes it without waiting: unacknowledged events stay in the spool.
/// [`Publisher::close`] waits, and reports what remains.
pub struct Publisher {
    core: Arc<Core>,
    state: Mutex<State>,
}

enum State {
    Running(Vec<JoinHandle<()>>),
    Closed(CloseReport),
}

/// Report of a closed publisher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CloseReport {
    /// Events in the spool, which the next publisher delivers.
    pub spooled: u64,
    /// Dead letters in the spool.
    pub dead: u64,
    /// Events that failed during the close, because there was no spool.
    pub failed: u64,
}

impl Publisher {
    /// Opens a publisher: first the spool, if there is one, then the connection. The cluster need
    /// not be reachable.
    ///
    /// # Errors
    /// [`PublishError::Settings`] and [`PublishError::Spool`].
    pub fn open(options: PublisherOptions) -> Result<Self, PublishError> {
        Self::open_with_report(options).map(|(publisher, _)| publisher)
    }

    /// Opens a publisher, and returns the report of opening its spool.
    ///
    /// # Errors
    /// See [`Publisher::open`].
    pub fn open_with_report(
        options: PublisherOptions,
    ) -> Result<(Self, Option<OpenReport>), PublishError> {
        if options.mode == Mode::WriteAhead && options.spool.is_none() {
            return Err(PublishError::Settings(Failure::new(
                FailureKind::Permanent,
                FailureCode::NoSpool,
                "the mode write-ahead needs a spool",
            )));
        }
        let mut options = options;
        // The queue of the spool has capacity for all events in flight, so that appending never
        // blocks: it happens while the routing is locked.
        options.spool = options.spool.map(|spool| {
            spool
                .queue_records(options.max_in_flight as u64 * 2)
                .queue_bytes(options.max_in_flight_bytes as u64 * 2)
        });
        let OpenedSpool {
            store,
            report,
            failure,
        } = match options.spool.clone() {
            None => OpenedSpool::default(),
            Some(spool) => open_spool(spool)?,
        };
        if let Some(recovery) = report.as_ref().and_then(|report| report.recovery.as_ref()) {
            tracing::error!(
                target: "herald::publisher",
                damage = %recovery.damage,
                lost = ?recovery.lost,
                "the spool was damaged; what was readable was brought over"
            );
        }
        let core = Arc::new(Core::new(options, store));
        if let Some(failure) = failure {
            core.start_without_spool(failure);
        }
        let transport = connect(&core).map_err(PublishError::Settings)?;
        if let Err(error) = core.check_cluster_at_start(transport.as_ref()) {
            transport.close(Duration::ZERO);
            return Err(PublishError::Spool(error));
        }
        core.lock_routing_exclusive().transport = Some(transport);
        let timer = core.clone();
        let relay = RelayThread::new(core.clone());
        let publisher = Self {
            core,
            state: Mutex::new(State::Running(Vec::new())),
        };
        if let Some(schemas) = publisher.core.schemas.clone() {
            let (core, looked_up) = (Arc::downgrade(&publisher.core), schemas.clone());
            // No close waits for this thread, because a request to the registry may take long.
            start_thread("herald-schemas", move || looked_up.run(&core))?;
            schemas.wait_for_first_lookup();
        }
        publisher.spawn("herald-relay", move || relay.run())?;
        publisher.spawn("herald-deadlines", move || timer.run_deadline_loop())?;
        Ok((publisher, report))
    }

    /// Publishes an event to the topic that results from its type, the topic pattern and the
    /// namespace. Waits for room within the in-flight limit, then for the receipt.
    ///
    /// Events of one topic and key reach the cluster in the order in which their publishing began.
    /// Dropping the future does not cancel an event that was accepted.
    ///
    /// # Errors
    /// See [`PublishError`]. With a spool, an unreachable cluster is not an error.
    pub async fn publish<P: WriteJson, M: WriteJson>(
        &self,
        envelope: Envelope<'_, P, M>,
    ) -> Result<Receipt, PublishError> {
        let message = self.message(envelope)?;
        self.send(message).await
    }

    /// Publishes an event to the given topic.
    ///
    /// # Errors
    /// See [`Publisher::publish`].
    pub async fn publish_to<P: WriteJson, M: WriteJson>(
        &self,
        topic: &str,
        envelope: Envelope<'_, P, M>,
    ) -> Result<Receipt, PublishError> {
        let message = self.message_to(topic, envelope)?;
        self.send(message).await
    }

    /// Returns the message that [`Publisher::publish`] sends.
    ///
    /// # Errors
    /// [`PublishError::Envelope`] and [`PublishError::InvalidTopic`].
    pub fn message<P: WriteJson, M: WriteJson>(
        &self,
        envelope: Envelope<'_, P, M>,
    ) -> Result<Message, PublishError> {
        self.message_in(self.profile(), self.headers(), None, envelope)
    }

    /// Returns the envelope profile of events that have none of their own.
    pub fn profile(&self) -> Profile {
        self.core.options.profile
    }

    /// Returns the headers of events that have none of their own.
    pub fn headers(&self) -> HeaderSet {
        self.core.options.headers
    }

    /// Returns the message that [`Publisher::publish_to`] sends. An envelope without a trace
    /// context gets that of the current span, if there is one.
    ///
    /// # Errors
    /// [`PublishError::Envelope`] and [`PublishError::InvalidTopic`].
    pub fn message_to<P: WriteJson, M: WriteJson>(
        &self,
        topic: &str,
        envelope: Envelope<'_, P, M>,
    ) -> Result<Message, PublishError> {
        self.message_in(self.profile(), self.headers(), Some(topic), envelope)
    }

    /// Returns the message of an event in a profile of its own, with these headers, and with the
    /// default topic unless another is given.
    ///
    /// # Errors
    /// [`PublishError::Envelope`] and [`PublishError::InvalidTopic`].
    pub fn message_in<P: WriteJson, M: WriteJson>(
        &self,
        profile: Profile,
        headers: HeaderSet,
        topic: Option<&str>,
        envelope: Envelope<'_, P, M>,
    ) -> Result<Message, PublishError> {
        let options = &self.core.options;
        let topic = if let Some(topic) = topic {
            Cow::Borrowed(topic)
        } else {
            let pattern = options.pattern_of(profile);
            Cow::Owned(envelope.default_topic(&pattern, &options.namespace)?)
        };
        let mut envelope = envelope;
        envelope.trace = envelope.trace.or_else(crate::trace::current);
        let framed = match &self.core.schemas {
            Some(schemas) => schemas.of_envelope(&topic, &envelope),
            None => Framed::No,
        };
        let buffers = &self.core.buffers;
        let message =
            Message::of_envelope_in(buffers.take(), &topic, profile, &envelope, headers, &framed)?;
        buffers.note_size(message.weight());
        Ok(message)
    }

    /// Returns a message of an event that was created without a publisher, with the schema id of its record
    /// name; see [`herald_envelope::schema_id::record_name`].
    #[must_use]
    pub fn with_schema(&self, message: Message, record: &str) -> Message {
        let Some(schemas) = &self.core.schemas else {
            return message;
        };
        let framed = schemas.of_record(message.topic(), record);
        message.with_schema(&framed)
    }

    /// Sends a message.
    ///
    /// # Errors
    /// See [`Publisher::publish`].
    pub async fn send(&self, message: Message) -> Result<Receipt, PublishError> {
        self.send_timeout(message, self.core.options.deadline_or_default())
            .await
    }

    /// Sends a message with its own deadline, after which the event is spooled, or fails if there
    /// is no spool.
    ///
    /// # Errors
    /// See [`Publisher::publish`].
    pub async fn send_timeout(
        &self,
        message: Message,
        deadline: Duration,
    ) -> Result<Receipt, PublishError> {
        self.core.process.check()?;
        let began = self.core.clock.now();
        let due = began + deadline;
        self.core
            .limiter
            .acquire_async(message.weight(), due)
            .await?;
        Pending::new(self.core.dispatch(message, began, due)?).await
    }

    /// Sends messages, in this order per topic and key, and returns their outcomes in the same
    /// order.
    pub async fn send_all(
        &self,
        messages: impl IntoIterator<Item = Message>,
    ) -> Vec<Result<Receipt, PublishError>> {
        Pending::all(self.enqueue_all(messages).await).await
    }

    /// Enqueues messages, in this order per topic and key, and returns their pending receipts; see
    /// [`Pending::all`].
    pub async fn enqueue_all(
        &self,
        messages: impl IntoIterator<Item = Message>,
    ) -> Vec<Result<Pending, PublishError>> {
        let mut pending = Vec::new();
        for message in messages {
            pending.push(self.enqueue(message).await);
        }
        pending
    }

    /// Enqueues a message, and returns its pending receipt. Waits only while the in-flight limit is
    /// reached, at most until the deadline, which counts from this call and not from the first
    /// poll.
    ///
    /// # Errors
    /// See [`Publisher::blocking_enqueue`].
    pub fn enqueue(
        &self,
        message: Message,
    ) -> impl Future<Output = Result<Pending, PublishError>> + Send {
        let began = self.core.clock.now();
        let due = began + self.core.options.deadline_or_default();
        async move {
            self.core.process.check()?;
            self.core
                .limiter
                .acquire_async(message.weight(), due)
                .await?;
            self.core.dispatch(message, began, due).map(Pending::new)
        }
    }

    /// Enqueues a message from a thread, and returns its pending receipt. Blocks only while the
    /// in-flight limit is reached, at most until the deadline.
    ///
    /// # Errors
    /// [`PublishError::Busy`], [`PublishError::TooLargeForFlight`], [`PublishError::Forked`],
    /// [`PublishError::Closed`]; other errors come with the receipt.
    pub fn blocking_enqueue(&self, message: Message) -> Result<Pending, PublishError> {
        self.core.process.check()?;
        let began = self.core.clock.now();
        let due = began + self.core.options.deadline_or_default();
        self.core.limiter.acquire(message.weight(), due)?;
        self.core.dispatch(message, began, due).map(Pending::new)
    }

    /// Enqueues a message without waiting for room.
    ///
    /// # Errors
    /// See [`Publisher::blocking_enqueue`].
    pub fn try_enqueue(&self, message: Message) -> Result<Pending, PublishError> {
        self.core.process.check()?;
        self.core.limiter.try_acquire(message.weight())?;
        let began = self.core.clock.now();
        let due = began + self.core.options.deadline_or_default();
        self.core.dispatch(message, began, due).map(Pending::new)
    }

    /// Returns the statistics.
    pub fn stats(&self) -> Stats {
        stats_of(&self.core)
    }

    #[cfg(feature = "opentelemetry")]
    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// Stops accepting events, waits until all are delivered, at most for `timeout`, and closes.
    /// Events that the cluster has not acknowledged by then are in the spool. If the cluster is
    /// unreachable it closes at once. Called again, it returns the same report.
    ///
    /// # Errors
    /// [`PublishError::Forked`].
    pub fn close(&self, timeout: Duration) -> Result<CloseReport, PublishError> {
        self.core.process.check()?;
        let mut state = lock(&self.state);
        let threads = match &mut *state {
            State::Closed(closed) => return Ok(*closed),
            State::Running(threads) => std::mem::take(threads),
        };
        let closed = self.shut_down(threads, timeout);
        *state = State::Closed(closed);
        Ok(closed)
    }

    fn shut_down(&self, threads: Vec<JoinHandle<()>>, timeout: Duration) -> CloseReport {
        let core = &self.core;
        let failed = core.counters.failed.get();
        // In this order: first no event can be accepted any more, then waiters are rejected, and
        // last the relay may decide that nothing is left.
        core.lock_routing_exclusive().route = Route::Closed;
        core.limiter.close();
        core.timer.notify();
        core.relay.close(core.clock.now() + timeout);
        for thread in threads {
            // An error means that the thread panicked, which the panic hook has printed.
            let _ = thread.join();
        }
        if let Some(schemas) = &core.schemas {
            schemas.close();
        }
        let mut routing = core.lock_routing_exclusive();
        let (spool, orphan) = (routing.spool.take(), routing.orphan.take());
        drop(routing);
        let stats = spool.as_ref().and_then(|spool| spool.stats());
        let orphan = orphan.filter(|orphan| orphan.is_on_disk());
        CloseReport {
            spooled: match stats {
                Some(stats) => stats.records,
                None => orphan.as_ref().map_or(0, |orphan| orphan.remaining()),
            },
            dead: match stats {
                Some(stats) => stats.dead,
                None => orphan.as_ref().map_or(0, |orphan| orphan.dead()),
            },
            failed: core.counters.failed.get() - failed,
        }
    }

    fn spawn(&self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), PublishError> {
        let thread = start_thread(name, run)?;
        if let State::Running(threads) = &mut *lock(&self.state) {
            threads.push(thread);
        }
        Ok(())
    }
}

fn start_thread(
    name: &str,
    run: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, PublishError> {
    let thread = std::thread::Builder::new().name(name.to_owned());
    thread.spawn(run).map_err(|error| {
        PublishError::Settings(Failure::new(
            FailureKind::Retriable,
            FailureCode::NoThread,
            format!("a thread can't be started: {error}"),
        ))
    })
}

/// Spool of a publisher that starts.
#[derive(Default)]
struct OpenedSpool {
    store: Option<Store>,
    report: Option<OpenReport>,
    /// Error for which it could not be opened.
    failure: Option<SpoolError>,
}

/// Opens the spool. A full disk does not keep a publisher from its start: what waits is delivered,
/// and new events go to the cluster alone until there is space.
fn open_spool(options: SpoolOptions) -> Result<OpenedSpool, PublishError> {
    match Spool::open(options) {
        Ok((spool, report)) => Ok(OpenedSpool {
            store: Some(Store::Disk(spool)),
            report: Some(report),
            failure: None,
        }),
        Err(failure @ SpoolError::DiskFull { .. }) => Ok(OpenedSpool {
            failure: Some(failure),
            ..OpenedSpool::default()
        }),
        Err(failure) => Err(PublishError::Spool(failure)),
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        if self.core.process.is_forked() {
            // The threads of the connection do not exist in a fork: closing it would wait for them
            // forever.
            std::mem::forget(self.core.clone());
            // Nor do the publisher's own. Their handles must not be dropped either: dropping
            // detaches a thread by an id that may belong to a thread of the child.
            if let Ok(State::Running(threads)) = self.state.get_mut() {
                std::mem::forget(std::mem::take(threads));
            }
        } else {
            // Fails only in a fork.
            let _ = self.close(Duration::ZERO);
        }
    }
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher")
            .field("options", &self.core.options)
            .finish_non_exhaustive()
    }
}

pub(crate) fn stats_of(core: &Core) -> Stats {
    let counters = &core.counters;
    let in_flight = core.limiter.used();
    let routing = core.routing();
    Stats {
        published: counters.published.get(),
        delivered: counters.delivered.get(),
        spooled: counters.spooled.get(),
        failed: counters.failed.get(),
        drained: counters.drained.get(),
        retried: counters.retried.get(),
        dead: counters.dead.get(),
        lost: counters.lost.get(),
        outages: counters.outages.get(),
        in_flight: in_flight.messages as u64,
        in_flight_bytes: in_flight.bytes as u64,
        queued_in_transport: core.held.messages() as u64,
        reachable: routing.route == Route::Cluster,
        orphaned: routing
            .orphan
            .as_ref()
            .map_or(0, |orphan| orphan.remaining()),
        spool: routing.spool.as_ref().and_then(|spool| spool.stats()),
        spool_failure: match (&routing.other_cluster, &routing.spool) {
            (Some(failure), _) => Some(failure.clone()),
            (None, Some(spool)) => spool.write_failure(),
            (None, None) => routing.spool_failure.clone(),
        },
        latency: counters.latency(),
        #[cfg(feature = "kafka")]
        brokers: (routing.transport.as_ref())
            .map(|transport| transport.statistics())
            .unwrap_or_default(),
    }
}
