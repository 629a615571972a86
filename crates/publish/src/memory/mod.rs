//! Cluster in memory, for tests and for programs without a Kafka.

mod connection;
mod queue;
mod topics;

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use self::connection::Connection;
use self::queue::Queue;
use self::topics::Topics;
use crate::clock::lock;
use crate::failure::{Failure, FailureKind};
use crate::message::Message;
use crate::transport::{ConnectionListener, Connector, RecordMetadata, Transport};

/// Cluster in this process, with fault injection. Clones share the cluster.
///
/// It meets all requirements of a [`Transport`], and assigns keys to the same partitions as Kafka. It
/// has no timers, except for a delay or a delivery timeout that was set.
#[derive(Clone)]
pub struct MemoryCluster {
    shared: Arc<Shared>,
}

/// Message that the cluster has stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessage {
    /// Position of the message.
    pub metadata: RecordMetadata,
    /// The message.
    pub message: Message,
}

struct Shared {
    state: Mutex<State>,
    /// Notified after each change that a connection may wait for.
    changed: Condvar,
}

struct State {
    topics: Topics,
    health: Health,
    delay: Duration,
    /// Outcome of the next messages.
    failing: VecDeque<Failure>,
    /// Outcome of all messages of a topic.
    failing_topics: HashMap<String, Failure>,
    connections: HashMap<u64, Queue>,
    next_connection: u64,
    cluster_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Health {
    Up,
    Stopped,
    Paused,
}

/// Default of Kafka's brokers.
const MAX_MESSAGE_BYTES: usize = 1_048_588;

impl Default for MemoryCluster {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryCluster {
    /// Creates a cluster without topics, which does not create topics automatically.
    pub fn new() -> Self {
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(State {
                    topics: Topics::new(MAX_MESSAGE_BYTES),
                    health: Health::Up,
                    delay: Duration::ZERO,
                    failing: VecDeque::new(),
                    failing_topics: HashMap::new(),
                    connections: HashMap::new(),
                    next_connection: 0,
                    cluster_id: "memory".to_owned(),
                }),
                changed: Condvar::new(),
            }),
        }
    }

    /// Returns the cluster with automatic creation of topics, with so many partitions.
    ///
    /// # Panics
    /// For no partitions.
    #[must_use]
    pub fn with_auto_created_topics(self, partitions: u32) -> Self {
        assert!(partitions > 0, "a topic has at least one partition");
        self.state().topics.create_with(partitions);
        self
    }

    /// Returns the cluster with this id. All others in memory have the same.
    #[must_use]
    pub fn with_id(self, id: &str) -> Self {
        id.clone_into(&mut self.state().cluster_id);
        self
    }

    /// Creates a topic, unless it exists.
    ///
    /// # Panics
    /// For no partitions.
    pub fn create_topic(&self, name: &str, partitions: u32) {
        assert!(partitions > 0, "a topic has at least one partition");
        self.state().topics.create(name, partitions);
    }

    /// Sets the maximum size of a message, including key and headers. Larger ones are rejected.
    pub fn set_max_message_bytes(&self, bytes: usize) {
        self.state().topics.max_message_bytes = bytes;
    }

    /// Returns the messages of a topic, in the order of writing.
    pub fn messages(&self, topic: &str) -> Vec<StoredMessage> {
        let state = self.state();
        let written = state.topics.written().iter();
        let of_topic = written.filter(|stored| stored.message.topic() == topic);
        of_topic.cloned().collect()
    }

    /// Returns the messages of all topics, in the order of writing, without the first `skip`.
    pub fn written(&self, skip: usize) -> Vec<StoredMessage> {
        let state = self.state();
        let written = state.topics.written();
        written.get(skip..).unwrap_or_default().to_vec()
    }

    /// Makes the cluster unreachable: listeners are notified, messages wait, probes fail.
    pub fn stop(&self) {
        let mut state = self.state();
        state.health = Health::Stopped;
        for queue in state.connections.values_mut() {
            queue.stopped();
        }
        self.shared.changed.notify_all();
    }

    /// Makes the cluster available again after [`Self::stop`] or [`Self::pause`].
    pub fn start(&self) {
        self.state().health = Health::Up;
        self.shared.changed.notify_all();
    }

    /// Freezes the cluster: messages wait and probes fail, but listeners are not notified.
    pub fn pause(&self) {
        self.state().health = Health::Paused;
    }

    /// Continues after [`Self::pause`].
    pub fn resume(&self) {
        self.start();
    }

    /// Makes the next `count` messages fail. With [`FailureKind::Full`] `send` rejects them; with
    /// [`FailureKind::Fatal`] the connection breaks.
    pub fn fail_next(&self, count: usize, failure: &Failure) {
        self.state()
            .failing
            .extend(std::iter::repeat_n(failure, count).cloned());
    }

    /// Makes all messages of a topic fail until [`Self::heal_topic`].
    pub fn fail_topic(&self, topic: &str, failure: Failure) {
        self.state()
            .failing_topics
            .insert(topic.to_owned(), failure);
    }

    /// Ends [`Self::fail_topic`].
    pub fn heal_topic(&self, topic: &str) {
        self.state().failing_topics.remove(topic);
    }

    /// Breaks all connections for good. Their messages in flight are reported as
    /// [`FailureKind::Fatal`]; unless the cluster is stopped, the first half of them is written anyway,
    /// like messages whose acknowledgement is lost.
    pub fn break_connections(&self) {
        let mut state = self.state();
        let State {
            connections,
            topics,
            health,
            ..
        } = &mut *state;
        for queue in connections.values_mut() {
            let written = match health {
                Health::Stopped => 0,
                Health::Up | Health::Paused => queue.len().div_ceil(2),
            };
            for message in queue.messages().take(written) {
                // A message that the cluster rejects is not written; the reason is lost with the
                // connection.
                let _ = topics.write(message);
            }
            queue.break_connection();
        }
        self.shared.changed.notify_all();
    }

    /// Sets the delay of acknowledgements.
    pub fn set_delay(&self, delay: Duration) {
        self.state().delay = delay;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.shared.state)
    }
}

impl Connector for MemoryCluster {
    fn connect(
        &self,
        watch: Arc<dyn ConnectionListener>,
        delivery_timeout: Option<Duration>,
    ) -> Result<Arc<dyn Transport>, Failure> {
        Ok(Arc::new(Connection::open(
            self.shared.clone(),
            watch,
            delivery_timeout,
        )?))
    }

    fn describe(&self) -> String {
        "a cluster in memory".to_owned()
    }
}

impl fmt::Debug for MemoryCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryCluster")
            .field("health", &self.state().health)
            .finish_non_exhaustive()
    }
}

impl State {
    /// Writes a message.
    fn write(&mut self, message: &Message) -> Result<RecordMetadata, Failure> {
        if let Some(failure) = self.failing.pop_front() {
            return Err(failure);
        }
        if let Some(failure) = self.failing_topics.get(message.topic()) {
            return Err(failure.clone());
        }
        self.topics.write(message)
    }

    /// Takes the next injected failure if it makes `send` reject the message.
    fn next_full(&mut self) -> Option<Failure> {
        let full = self
            .failing
            .front()
            .is_some_and(|failure| failure.kind == FailureKind::Full);
        full.then(|| self.failing.pop_front()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;
    use crate::failure::{FailureCode, FailureKind};
    use crate::transport::{DeliveryCallback, IgnoreEvents, RecordMetadata};

    /// Holds up the thread that reports until it is told to go on.
    struct Slow {
        begun: Sender<()>,
        go_on: Mutex<Receiver<()>>,
    }

    impl DeliveryCallback for Slow {
        fn on_delivery(self: Arc<Self>, _: Result<RecordMetadata, Failure>) {
            let _ = self.begun.send(());
            let _ = lock(&self.go_on).recv();
        }
    }

    #[test]
    fn broken_connection_writes_nothing_behind_a_failed_message() {
        let cluster = MemoryCluster::new();
        cluster.create_topic("t", 1);
        let failure = Failure::new(FailureKind::Retriable, FailureCode::NoLeader, "");
        cluster.fail_next(1, &failure);
        let transport = cluster.connect(Arc::new(IgnoreEvents), None).unwrap();
        let (begun, has_begun) = channel();
        let (go_on, may_go_on) = channel();
        let send = |key: &[u8], begun: &Sender<()>, go_on: Receiver<()>| {
            let message = Message::new("t", Some(key), b"{}".to_vec()).unwrap();
            let report = Slow {
                begun: begun.clone(),
                go_on: Mutex::new(go_on),
            };
            transport.send(&message, Arc::new(report)).unwrap();
        };
        send(b"failed", &begun, may_go_on);
        has_begun.recv().unwrap();
        for key in [b"failed", b"others"] {
            send(key, &begun, channel().1);
        }
        cluster.break_connections();
        drop(go_on);
        transport.close(Duration::from_secs(10));
        let written = cluster.messages("t");
        let keys: Vec<_> = written.iter().map(|stored| stored.message.key()).collect();
        assert_eq!(keys, [Some(&b"others"[..])]);
    }
}
