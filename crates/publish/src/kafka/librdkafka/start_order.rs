//! Order of a topic's keys until its partitions know the producer.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use rdkafka::producer::Producer as _;

use super::producer::{self, Producer};
use crate::clock::lock;
use crate::failure::{Failure, FailureCode, FailureKind};
use crate::kafka::connection_state::closed;
use crate::message::Message;
use crate::transport::{DeliveryCallback, RecordMetadata};

/// Time that the cluster may take to tell the number of partitions of a topic.
const METADATA_TIMEOUT: Duration = Duration::from_secs(5);

/// Maximum number of keys that are remembered. A key that is forgotten waits for one more
/// acknowledgement.
const MAX_STARTED: usize = 10_000;

/// Order of the messages of a topic at the start of a connection.
///
/// A broker accepts the batches of a producer only in the order of their sequence numbers, except
/// on a partition where it has nothing of this producer yet: there it accepts any batch as the
/// first one. librdkafka sends up to five at a time. If the broker refuses the first batch, because
/// the partition is just coming up, and accepts the second one, later messages of a key are written
/// before earlier ones.
///
/// So the later messages of a key wait here until the first one is acknowledged, and its partition
/// knows the producer. Nothing waits any more when all partitions do.
pub(super) struct StartOrder {
    topic: Box<str>,
    producer: Weak<Producer>,
    /// Whether a message that failed is sent again, before the later ones of its key.
    keeps_order: bool,
    hasher: RandomState,
    counts: Arc<PartitionCounts>,
    /// Whether all partitions know the producer. Changed with the state locked.
    is_over: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Keys whose first message is on its way, and the messages that wait for it.
    waiting: HashMap<u64, VecDeque<Waiting>>,
    /// Keys whose partition knows the producer.
    started: HashSet<u64>,
    /// Partitions that know the producer.
    partitions: HashSet<i32>,
    /// Number of all partitions; `None` until the cluster has told.
    partition_count: Option<usize>,
    /// Whether the cluster is being asked for it.
    is_asked: bool,
}

pub(super) struct Waiting {
    pub(super) message: Message,
    pub(super) delivery: Arc<dyn DeliveryCallback>,
}

/// Message that could not be sent after it had waited.
pub(super) type Refused = (Arc<dyn DeliveryCallback>, Failure);

impl StartOrder {
    pub(super) fn new(
        topic: &str,
        producer: Weak<Producer>,
        counts: Arc<PartitionCounts>,
        partition_count: Option<usize>,
        keeps_order: bool,
    ) -> Self {
        Self {
            topic: topic.into(),
            producer,
            keeps_order,
            hasher: RandomState::new(),
            counts,
            is_over: AtomicBool::new(false),
            state: Mutex::new(State {
                partition_count,
                ..State::default()
            }),
        }
    }

    /// Sends a message through this producer, or keeps it until the first one of its key is
    /// acknowledged.
    pub(super) fn send(
        self: &Arc<Self>,
        producer: &Producer,
        message: &Message,
        delivery: Arc<dyn DeliveryCallback>,
    ) -> Result<(), Failure> {
        let key = message.key().filter(|_| !self.is_over());
        let Some(key) = key else {
            return producer::send(producer, message, delivery);
        };
        let key = self.hasher.hash_one(key);
        let mut state = lock(&self.state);
        if self.is_over() || state.started.contains(&key) {
            drop(state);
            return producer::send(producer, message, delivery);
        }
        if let Some(waiting) = state.waiting.get_mut(&key) {
            waiting.push_back(Waiting {
                message: message.clone(),
                delivery,
            });
            return Ok(());
        }
        // With the state locked, so that no other message of the key passes this one.
        producer::send(producer, message, self.first(key, delivery))?;
        state.waiting.insert(key, VecDeque::new());
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    fn first(
        self: &Arc<Self>,
        key: u64,
        delivery: Arc<dyn DeliveryCallback>,
    ) -> Arc<dyn DeliveryCallback> {
        Arc::new(FirstDelivery {
            order: self.clone(),
            key,
            delivery,
        })
    }

    /// The partition of this key has acknowledged a message: sends those that waited for it.
    fn acknowledged(self: &Arc<Self>, key: u64, partition: i32) -> Vec<Refused> {
        let mut state = lock(&self.state);
        if state.started.len() >= MAX_STARTED {
            state.started.clear();
        }
        state.started.insert(key);
        state.partitions.insert(partition);
        let waiting = state.waiting.remove(&key).unwrap_or_default();
        let mut refused = self.send_all(waiting);
        refused.extend(self.end_if_all_started(&mut state));
        if state.partition_count.is_none() && !state.is_asked {
            state.is_asked = self.counts.ask(self.clone());
        }
        refused
    }

    /// Sends all messages that wait, if every partition knows the producer.
    fn end_if_all_started(&self, state: &mut State) -> Vec<Refused> {
        let count = state.partition_count;
        if self.is_over() || count.is_none_or(|count| state.partitions.len() < count) {
            return Vec::new();
        }
        state.started = HashSet::new();
        let waiting = std::mem::take(&mut state.waiting);
        let refused = self.send_all(waiting.into_values().flatten());
        self.is_over.store(true, Ordering::Release);
        refused
    }

    fn send_all(&self, waiting: impl IntoIterator<Item = Waiting>) -> Vec<Refused> {
        let mut refused = Vec::new();
        for Waiting { message, delivery } in waiting {
            if let Err(failure) = self.send_now(&message, delivery.clone()) {
                refused.push((delivery, failure));
            }
        }
        refused
    }

    fn send_now(
        &self,
        message: &Message,
        delivery: Arc<dyn DeliveryCallback>,
    ) -> Result<(), Failure> {
        let producer = self.producer.upgrade().ok_or_else(closed)?;
        producer.context().check(&self.topic)?;
        producer::send(&producer, message, delivery)
    }

    /// The first message of this key failed, and no later one has to wait for it: sends the next
    /// one as the first.
    fn send_next(self: &Arc<Self>, key: u64) -> Vec<Refused> {
        let mut state = lock(&self.state);
        let mut refused = Vec::new();
        while let Some(Waiting { message, delivery }) =
            state.waiting.get_mut(&key).and_then(VecDeque::pop_front)
        {
            match self.send_now(&message, self.first(key, delivery.clone())) {
                Ok(()) => return refused,
                Err(failure) => refused.push((delivery, failure)),
            }
        }
        state.waiting.remove(&key);
        refused
    }

    /// Takes the messages that waited for the first one of this key, which failed.
    fn fail_waiting(&self, key: u64, failure: &Failure) -> Vec<Refused> {
        let failure = match failure.kind {
            FailureKind::Retriable => Failure::new(
                FailureKind::Retriable,
                FailureCode::BehindFailed,
                format!("{}: an earlier message of the same key failed", self.topic),
            ),
            _ => failure.clone(),
        };
        let waiting = lock(&self.state).waiting.remove(&key).unwrap_or_default();
        let refused = waiting.into_iter();
        refused
            .map(|waiting| (waiting.delivery, failure.clone()))
            .collect()
    }

    /// The cluster has told the number of partitions, or has not answered.
    fn counted(&self, partitions: Option<usize>) {
        let mut state = lock(&self.state);
        state.is_asked = false;
        state.partition_count = partitions.or(state.partition_count);
        let refused = self.end_if_all_started(&mut state);
        drop(state);
        report(refused);
    }
}

pub(super) fn report(refused: Vec<Refused>) {
    for (delivery, failure) in refused {
        delivery.on_delivery(Err(failure));
    }
}

/// Callback of the first message of a key.
struct FirstDelivery {
    order: Arc<StartOrder>,
    key: u64,
    delivery: Arc<dyn DeliveryCallback>,
}

impl DeliveryCallback for FirstDelivery {
    fn on_delivery(self: Arc<Self>, outcome: Result<RecordMetadata, Failure>) {
        let (order, key, delivery) = (&self.order, self.key, self.delivery.clone());
        let refused = match &outcome {
            Ok(metadata) => {
                let refused = order.acknowledged(key, metadata.partition);
                delivery.on_delivery(outcome);
                refused
            }
            Err(failure) if failure.kind == FailureKind::Permanent || !order.keeps_order => {
                let refused = order.send_next(key);
                delivery.on_delivery(outcome);
                refused
            }
            Err(failure) => {
                let failure = failure.clone();
                // Before the others, and they wait until then: the caller can keep this message,
                // and the order, in the report.
                delivery.on_delivery(outcome);
                order.fail_waiting(key, &failure)
            }
        };
        report(refused);
    }
}

/// Requests for the number of partitions of topics, on a thread that ends when all are answered.
#[derive(Default)]
pub(super) struct PartitionCounts {
    /// `None` while there is no thread.
    asked: Mutex<Option<Vec<Arc<StartOrder>>>>,
}

impl PartitionCounts {
    /// Asks for the partitions of a topic; false if the system can't start a thread.
    fn ask(self: &Arc<Self>, order: Arc<StartOrder>) -> bool {
        let mut asked = lock(&self.asked);
        if let Some(asked) = &mut *asked {
            asked.push(order);
            return true;
        }
        let counts = self.clone();
        let thread = std::thread::Builder::new()
            .name("herald-topics".to_owned())
            .spawn(move || counts.answer());
        *asked = thread.is_ok().then(|| vec![order]);
        asked.is_some()
    }

    fn answer(&self) {
        while let Some(order) = self.next() {
            let partitions = order.producer.upgrade().and_then(|producer| {
                let metadata = producer
                    .client()
                    .fetch_metadata(Some(&order.topic), METADATA_TIMEOUT)
                    .ok()?;
                let topic = metadata.topics().first()?;
                Some(topic.partitions().len()).filter(|count| *count > 0)
            });
            order.counted(partitions);
        }
    }

    fn next(&self) -> Option<Arc<StartOrder>> {
        let mut asked = lock(&self.asked);
        let next = asked.as_mut().and_then(Vec::pop);
        if next.is_none() {
            *asked = None;
        }
        next
    }
}
