//! The producer, as its users see it.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use crate::accumulator::{Accumulator, Wake, lock};
use crate::engine::Engine;
use crate::event_loop::{Answered, Command, EventLoop, Remote};
use crate::record_batch::{Compression, Record};
use crate::security::{Security, Trouble};
use crate::statistics::{BrokerStatistics, Statistics};

/// Callback for the outcome of a record. Called exactly once, on the thread of the producer, and
/// without any lock that [`Producer::send`] needs.
pub trait Delivery: Send + 'static {
    /// State that the callbacks of a producer share. A reference in each of them would be counted by two
    /// threads for every record.
    type Context: Send + 'static;

    /// All in-sync replicas have the record.
    fn delivered(self, context: &Self::Context, partition: i32, offset: i64);

    /// The record was not written, or it is not known whether it was.
    fn failed(self, context: &Self::Context, topic: &str, failed: Failed);
}

/// Reason why a record failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// The cluster refused the record, with this error code of the protocol.
    Refused(i16),
    /// The delivery timeout has passed. It may have been written.
    Expired,
    /// The producer was closed. It may have been written.
    Closed,
}

/// Reason why a record was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The producer is closed.
    Closed,
    /// The cluster refused the topic a moment ago, with this error code.
    Topic(i16),
    /// It is larger than the largest batch that the cluster takes for the topic, counted without
    /// compression.
    TooLarge,
}

/// Listener for the state of the connections.
pub trait Listener: Send + Sync + 'static {
    /// No broker can be reached. Called for each failed attempt in an outage.
    fn unreachable(&self, trouble: &Trouble);

    /// A topic of records is absent. If it stays absent, its records fail.
    fn absent(&self, topic: &str);

    /// The largest batch that a topic allows has so many bytes.
    fn limit(&self, topic: &str, bytes: usize);
}

/// Settings of a producer.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Addresses `host:port`, of which one has to answer.
    pub bootstrap_servers: Vec<(String, u16)>,
    /// Name of the client in the logs of the brokers.
    pub client_id: String,
    /// Encryption and login.
    pub security: Security,
    /// Compression of batches.
    pub compression: Compression,
    /// Longest time that a record waits for others while requests are under way. A record that finds
    /// its connection idle never waits.
    pub linger: Duration,
    /// Size of a batch without compression after which another one is begun.
    pub batch_bytes: usize,
    /// Number of requests with batches under way to a broker: 1 to 5.
    pub max_in_flight: usize,
    /// Time for which a record is tried; `None`: until it is written.
    pub delivery_timeout: Option<Duration>,
    /// Time for which the leader may wait for its replicas.
    pub request_timeout: Duration,
    /// Time after which a connection without an answer is closed.
    pub socket_timeout: Duration,
    /// Time after which an attempt to connect has failed.
    pub connect_timeout: Duration,
    /// Time after which a topic that is absent does not exist.
    pub topic_propagation: Duration,
    /// Age at which metadata is asked for again.
    pub metadata_age: Duration,
}

impl Settings {
    /// Creates settings with defaults.
    pub fn new(bootstrap_servers: Vec<(String, u16)>) -> Self {
        Self {
            bootstrap_servers,
            client_id: "herald".to_owned(),
            security: Security::default(),
            compression: Compression::default(),
            linger: Duration::from_millis(5),
            batch_bytes: 1_000_000,
            max_in_flight: 5,
            delivery_timeout: None,
            request_timeout: Duration::from_secs(20),
            socket_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            topic_propagation: Duration::from_secs(1),
            metadata_age: Duration::from_secs(300),
        }
    }
}

/// Idempotent producer. Dropping it closes it.
pub struct Producer<D: Delivery> {
    accumulator: Arc<Accumulator<D>>,
    remote: Remote,
    statistics: Statistics,
    end: Arc<End>,
    thread: ThreadId,
}

/// Signal that the thread has ended.
#[derive(Default)]
pub(crate) struct End {
    gone: Mutex<bool>,
    changed: Condvar,
}

impl<D: Delivery> Producer<D> {
    /// Starts a producer. The cluster need not be reachable.
    ///
    /// # Errors
    /// The system can't start a thread.
    pub fn start(
        settings: Settings,
        listener: Arc<dyn Listener>,
        context: D::Context,
    ) -> std::io::Result<Self> {
        let accumulator = Arc::new(Accumulator::new(settings.batch_bytes));
        let engine = Engine::new(settings, accumulator.clone(), Instant::now());
        let statistics = engine.statistics();
        let (event_loop, remote) = EventLoop::new(engine, listener, context)?;
        let end = Arc::new(End::default());
        let ended = end.clone();
        let thread = thread::Builder::new()
            .name("herald-wire".to_owned())
            .spawn(move || {
                event_loop.run();
                *lock(&ended.gone) = true;
                ended.changed.notify_all();
            })?;
        Ok(Self {
            accumulator,
            remote,
            statistics,
            end,
            thread: thread.thread().id(),
        })
    }

    /// Accepts a record. Returns at once. If others follow at once, and then [`Self::flush`], it `has_more`: it
    /// may be held back until then, so that they leave in fewer requests.
    ///
    /// # Errors
    /// See [`Refused`]. Nothing is reported then.
    pub fn send<'a, H>(
        &self,
        topic: &str,
        record: &Record<'a, H>,
        delivery: D,
        has_more: bool,
    ) -> Result<(), Refused>
    where
        H: ExactSizeIterator<Item = (&'a str, &'a [u8])> + Clone,
    {
        let wake = self.accumulator.push(topic, record, delivery, has_more)?;
        self.wake(wake);
        Ok(())
    }

    /// Sends the records that are held back. Returns at once.
    pub fn flush(&self) {
        self.wake(self.accumulator.flush());
    }

    fn wake(&self, wake: Wake) {
        if wake == Wake::Yes {
            self.remote.wake();
        }
    }

    /// Asks the brokers for the id of the cluster, for at most this time. `None` if none answered.
    pub fn probe(&self, timeout: Duration) -> Option<Option<String>> {
        let (reply, answer) = mpsc::channel();
        self.remote.command(Command::Probe(reply));
        answer.recv_timeout(timeout).ok()
    }

    /// Asks the cluster for the limit of a topic, and calls back once, on the thread of the producer:
    /// after [`Listener::limit`], or when no answer can come any more.
    pub fn ask_limit(&self, topic: &str, answered: Box<dyn FnOnce() + Send>) {
        self.remote.command(Command::Limit {
            topic: topic.to_owned(),
            answered: Answered::new(answered),
        });
    }

    /// Returns what was done with each broker that was connected.
    pub fn statistics(&self) -> Vec<BrokerStatistics> {
        self.statistics.get()
    }

    /// Reports all records that have no outcome as [`Failed::Closed`], and ends the connections.
    /// Called on the thread of the producer, it returns before that is done.
    pub fn close(&self, timeout: Duration) {
        self.remote.command(Command::Close);
        if thread::current().id() == self.thread {
            return;
        }
        let gone = lock(&self.end.gone);
        let waited = self
            .end
            .changed
            .wait_timeout_while(gone, timeout, |gone| !*gone);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Returns whether [`Producer::close`] was called.
    pub fn is_closed(&self) -> bool {
        self.accumulator.is_closed()
    }
}

impl<D: Delivery> fmt::Debug for Producer<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer").finish_non_exhaustive()
    }
}
