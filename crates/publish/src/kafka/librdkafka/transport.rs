//! Transport of Kafka, through librdkafka.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};
use std::time::{Duration, Instant};

use herald_process::ForkGuard;
use rdkafka::config::ClientConfig;
use rdkafka::producer::Producer as _;

use super::client_config::Configured;
use super::error::error_code;
use super::producer::{BatchMode, Producer, ProducerHandle};
use super::refused_batches::RefusedBatchTopics;
use super::start_order::{PartitionCounts, StartOrder, Waiting, report};
use super::topic_description::{self, TopicDescription};
use crate::clock::lock;
use crate::failure::Failure;
use crate::kafka::cluster_id;
use crate::kafka::config::{ClientKind, KafkaOptions, Redactor};
use crate::kafka::connection_state::{ConnectionState, closed, no_thread};
use crate::kafka::connector::{DEFAULT_MAX_MESSAGE_BYTES, DROP_TIMEOUT, MAX_WAIT};
use crate::kafka::error_code::ErrorCode;
use crate::kafka::log::Log;
use crate::message::Message;
use crate::transport::{
    ConnectionListener, Connector, DeliveryCallback, LimitsAnswered, Transport,
};

/// Name that is not a valid topic. A broker answers a metadata request for it, and creates nothing.
pub(super) const NO_TOPIC: &str = "herald/probe";

/// Number of brokers that a probe asks, one after the other.
const MAX_PROBED_BROKERS: u32 = 3;

/// Time that the cluster may take to describe a topic. Without an answer, its messages are sent all
/// the same.
const DESCRIPTION_TIMEOUT: Duration = Duration::from_secs(2);

/// Maximum number of topics in a request for descriptions.
const MAX_DESCRIBED: usize = 100;

/// Connection to Kafka.
struct KafkaTransport {
    me: Weak<Self>,
    /// `None` once closed. Every send holds the read lock, so that closing waits for all sends.
    open: RwLock<Option<Producers>>,
    /// Topics that the cluster has to be asked about; `None` while no thread does that. Locked after
    /// `open`.
    asked: Mutex<Option<Vec<Box<str>>>>,
    options: KafkaOptions,
    state: Arc<ConnectionState>,
    config: ClientConfig,
    redactor: Redactor,
    refused: RefusedBatchTopics,
    /// Whether failed messages are sent again in order: there is no `delivery_timeout`.
    keeps_order: bool,
    counts: Arc<PartitionCounts>,
    fork_guard: ForkGuard,
}

struct Producers {
    batched: ProducerHandle,
    /// Started for the first topic that allows only small batches, with its limit.
    limited: Option<(usize, ProducerHandle)>,
    /// Started for the first topic that needs single messages.
    single: Option<ProducerHandle>,
    topics: HashMap<Box<str>, Topic>,
}

enum Topic {
    /// The cluster is being asked about it.
    New(Mutex<NewTopic>),
    Known {
        /// Does not change during the life of the connection: two producers would not keep the
        /// order of a topic.
        batch_mode: BatchMode,
        order: Arc<StartOrder>,
    },
}

/// Messages and callers that wait for the description of a topic.
#[derive(Default)]
struct NewTopic {
    /// Messages that could break the connection for all topics, if the cluster refuses them.
    messages: Vec<Waiting>,
    limits_answered: Vec<LimitsAnswered>,
}

/// Opens a connection.
pub(in crate::kafka) fn connect(
    options: &KafkaOptions,
    listener: Arc<dyn ConnectionListener>,
    delivery_timeout: Option<Duration>,
) -> Result<Arc<dyn Transport>, Failure> {
    let Configured {
        mut config,
        redactor,
    } = options.configure(ClientKind::Producer)?;
    if let Some(delivery_timeout) = delivery_timeout {
        // 0 would mean no timeout; the maximum is that of the property, `INT_MAX`.
        let milliseconds = delivery_timeout.as_millis().clamp(1, 2_147_483_647);
        config.set("message.timeout.ms", milliseconds.to_string());
    }
    let log = Log::new(redactor.clone());
    let state = Arc::new(ConnectionState::new(listener, log, options.clone()));
    let refused = options.refused().clone();
    let batched = ProducerHandle::start(
        &config,
        &redactor,
        BatchMode::Batched,
        state.clone(),
        refused.clone(),
    )?;
    Ok(Arc::new_cyclic(|me| KafkaTransport {
        me: me.clone(),
        open: RwLock::new(Some(Producers {
            batched,
            limited: None,
            single: None,
            topics: HashMap::new(),
        })),
        asked: Mutex::new(None),
        state,
        options: options.clone(),
        config,
        redactor,
        refused,
        keeps_order: delivery_timeout.is_none(),
        counts: Arc::default(),
        fork_guard: ForkGuard::new(),
    }))
}

impl KafkaOptions {
    /// Bytes up to which messages are gathered in a batch.
    fn batch_size(&self) -> usize {
        let set = self.text("batch.size").and_then(|bytes| bytes.parse().ok());
        set.unwrap_or(DEFAULT_MAX_MESSAGE_BYTES)
            .min(self.largest_batch())
    }
}

impl KafkaTransport {
    fn read(&self) -> RwLockReadGuard<'_, Option<Producers>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Option<Producers>> {
        self.open.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes topics that the cluster has to be asked about. If there are none, the thread that
    /// called this ends.
    fn next_topics(&self) -> Option<Vec<Box<str>>> {
        let mut asked = lock(&self.asked);
        let topics = asked.as_mut()?;
        let count = topics.len().min(MAX_DESCRIBED);
        if count == 0 {
            *asked = None;
            return None;
        }
        Some(topics.drain(..count).collect())
    }

    /// Checks whether a message may be sent.
    ///
    /// # Errors
    /// Those of [`ConnectionState::check`], and `too_large`.
    fn check(&self, message: &Message) -> Result<(), Failure> {
        self.state.check(message.topic())?;
        match self.options.max_batch_bytes(message.topic()) {
            Some(most) => message.check_batch_bytes(most),
            None => Ok(()),
        }
    }

    /// Asks the cluster about a topic, before the first message.
    fn introduce(&self, topic: &str) -> Result<(), Failure> {
        let mut open = self.write();
        let topics = &mut open.as_mut().ok_or_else(closed)?.topics;
        // Another thread may have been faster.
        if topics.contains_key(topic) {
            return Ok(());
        }
        topics.insert(topic.into(), Topic::New(Mutex::default()));
        let mut asked = lock(&self.asked);
        if let Some(asked) = &mut *asked {
            asked.push(topic.into());
            return Ok(());
        }
        let transport = self.me.clone();
        let thread = std::thread::Builder::new()
            .name("herald-topics".to_owned())
            .spawn(move || introduce_all(&transport));
        match thread {
            Ok(_) => *asked = Some(vec![topic.into()]),
            Err(error) => {
                topics.remove(topic);
                return Err(no_thread(&error));
            }
        }
        Ok(())
    }

    /// Sends the messages that waited for the description of their topic.
    fn introduced(&self, topic: &str, description: &TopicDescription) {
        let mut refused = Vec::new();
        let mut open = self.write();
        let Some(producers) = open.as_mut() else {
            return;
        };
        let Some(Topic::New(waiting)) = producers.topics.remove(topic) else {
            return;
        };
        let waiting = waiting.into_inner().unwrap_or_else(PoisonError::into_inner);
        let outcome = self.open_topic(producers, topic, description);
        for Waiting { message, delivery } in waiting.messages {
            let sent = match &outcome {
                // With the lock held, so that no later message passes this one.
                Ok((producer, order)) => self
                    .check(&message)
                    .and_then(|()| order.send(producer, &message, delivery.clone())),
                Err(failure) => Err(failure.clone()),
            };
            if let Err(failure) = sent {
                refused.push((delivery, failure));
            }
        }
        drop(open);
        report(refused);
        for answered in waiting.limits_answered {
            answered();
        }
    }

    /// Chooses the producer of a topic.
    ///
    /// # Errors
    /// `not_authorized`, and those of [`ProducerHandle::start`].
    fn open_topic(
        &self,
        producers: &mut Producers,
        topic: &str,
        description: &TopicDescription,
    ) -> Result<(Arc<Producer>, Arc<StartOrder>), Failure> {
        if description.may_write == Some(false) {
            let code = ErrorCode::TopicAuthorizationFailed;
            self.state.rejected_topics.insert(topic, code);
            return Err(self.state.message_failure(code, topic));
        }
        if description.is_absent {
            let code = ErrorCode::UnknownTopicOrPartition;
            self.state.absent_topics.insert(topic, code);
        }
        let limit = description.max_batch_bytes;
        if let Some(limit) = limit {
            self.options.note_limit(topic, limit);
        }
        let (batch_mode, producer) = self.producer_for(producers, topic, limit)?;
        let order = Arc::new(StartOrder::new(
            topic,
            Arc::downgrade(&producer),
            self.counts.clone(),
            description.partitions,
            self.keeps_order,
        ));
        let known = Topic::Known {
            batch_mode,
            order: order.clone(),
        };
        producers.topics.insert(topic.into(), known);
        Ok((producer, order))
    }

    /// Returns the batch mode for a topic with this limit, and its producer, which is started if it
    /// is the first one.
    fn producer_for(
        &self,
        producers: &mut Producers,
        topic: &str,
        limit: Option<usize>,
    ) -> Result<(BatchMode, Arc<Producer>), Failure> {
        let limit = limit.filter(|limit| *limit < self.options.batch_size());
        let smallest = producers.limited.as_ref().map(|(bytes, _)| *bytes);
        let batch_mode = match limit {
            _ if self.refused.contains(topic) => BatchMode::Single,
            None => BatchMode::Batched,
            Some(limit) if smallest.is_none_or(|bytes| bytes <= limit) => BatchMode::Limited,
            Some(_) => BatchMode::Single,
        };
        let mut config = self.config.clone();
        match batch_mode {
            BatchMode::Limited if producers.limited.is_none() => {
                let bytes = limit.unwrap_or_default();
                config.set("batch.size", bytes.to_string());
                producers.limited = Some((bytes, self.start(&config, batch_mode)?));
            }
            BatchMode::Single if producers.single.is_none() => {
                config.set("batch.num.messages", "1");
                // With the guarantee a rejected message is fatal for the producer (librdkafka
                // 2.12). A batch of one message cannot take others with it, so its rejection leaves
                // no gap in the order of the accepted ones.
                config.set("enable.gapless.guarantee", "false");
                producers.single = Some(self.start(&config, batch_mode)?);
            }
            _ => {}
        }
        let producer = producers.producer(batch_mode).ok_or_else(closed)?;
        Ok((batch_mode, producer.clone()))
    }

    fn start(
        &self,
        config: &ClientConfig,
        batch_mode: BatchMode,
    ) -> Result<ProducerHandle, Failure> {
        ProducerHandle::start(
            config,
            &self.redactor,
            batch_mode,
            self.state.clone(),
            self.refused.clone(),
        )
    }
}

/// Describes the queued topics until the queue is empty.
fn introduce_all(transport: &Weak<KafkaTransport>) {
    loop {
        // Not kept while the cluster is asked: the last reference closes the connection.
        let Some((topics, producer, state)) = transport.upgrade().and_then(|transport| {
            let topics = transport.next_topics()?;
            let open = transport.read();
            let producer = open.as_ref()?.batched.producer().clone();
            Some((topics, producer, transport.state.clone()))
        }) else {
            return;
        };
        let is_wanted = || !state.is_closing() && state.broken().is_none();
        let mut descriptions =
            topic_description::describe(producer.client(), &topics, DESCRIPTION_TIMEOUT, is_wanted);
        drop(producer);
        let Some(transport) = transport.upgrade() else {
            return;
        };
        for topic in topics {
            let description = descriptions.remove(&topic).unwrap_or_default();
            transport.introduced(&topic, &description);
        }
    }
}

impl Producers {
    /// Returns the producer of a batch mode; `None` if it was not started.
    fn producer(&self, batch_mode: BatchMode) -> Option<&Arc<Producer>> {
        match batch_mode {
            BatchMode::Batched => Some(self.batched.producer()),
            BatchMode::Limited => self.limited.as_ref().map(|(_, handle)| handle.producer()),
            BatchMode::Single => self.single.as_ref().map(ProducerHandle::producer),
        }
    }
}

impl Transport for KafkaTransport {
    fn send(&self, message: &Message, delivery: Arc<dyn DeliveryCallback>) -> Result<(), Failure> {
        self.check(message)?;
        let topic = message.topic();
        let mut open = self.read();
        loop {
            let producers = open.as_ref().ok_or_else(closed)?;
            match producers.topics.get(topic) {
                Some(Topic::Known { batch_mode, order }) => {
                    let producer = producers.producer(*batch_mode).ok_or_else(closed)?;
                    return order.send(producer, message, delivery);
                }
                Some(Topic::New(waiting)) => {
                    let message = message.clone();
                    let mut waiting = lock(waiting);
                    waiting.messages.push(Waiting { message, delivery });
                    return Ok(());
                }
                None => {}
            }
            drop(open);
            self.introduce(topic)?;
            open = self.read();
        }
    }

    fn ask_limits(&self, topic: &str, answered: LimitsAnswered) -> bool {
        if self.state.check(topic).is_err() || self.introduce(topic).is_err() {
            return false;
        }
        match self.read().as_ref().and_then(|open| open.topics.get(topic)) {
            Some(Topic::New(waiting)) => {
                lock(waiting).limits_answered.push(answered);
                true
            }
            Some(Topic::Known { .. }) | None => false,
        }
    }

    fn topic_failure(&self, topic: &str) -> Option<Failure> {
        self.state.topic_failure(topic)
    }

    fn outage(&self) -> Option<Failure> {
        self.state.outage()
    }

    fn probe(&self, timeout: Duration) -> Result<(), Failure> {
        if let Some(failure) = self.state.broken() {
            return Err(failure.clone());
        }
        let deadline = Instant::now() + timeout.min(MAX_WAIT);
        let (producer, topics) = {
            let open = self.read();
            let open = open.as_ref().ok_or_else(closed)?;
            let clients = open.topics.iter().filter_map(|(name, topic)| {
                let Topic::Known { batch_mode, .. } = topic else {
                    return None;
                };
                Some((name.clone(), open.producer(*batch_mode)?.clone()))
            });
            let batched = open.batched.producer().clone();
            (batched, clients.collect::<Vec<_>>())
        };
        // librdkafka sends a metadata request to one broker, and to no other if that one is silent.
        let mut answer = Err(ErrorCode::OperationTimedOut);
        for attempt in 0..MAX_PROBED_BROKERS {
            let left = deadline.saturating_duration_since(Instant::now());
            match producer
                .client()
                .fetch_metadata(Some(NO_TOPIC), left / (MAX_PROBED_BROKERS - attempt))
            {
                Ok(_) => {
                    answer = Ok(());
                    break;
                }
                Err(error) => answer = Err(error_code(&error).unwrap_or(ErrorCode::Fail)),
            }
        }
        answer.map_err(|error| self.state.explain(error))?;
        self.state.on_success();
        // Refreshes the leaders, with one topic per request: rdkafka offers only requests for one
        // topic or for all topics of the cluster.
        for (topic, producer) in topics {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero()
                || producer
                    .client()
                    .fetch_metadata(Some(&topic), left)
                    .is_err()
            {
                break;
            }
        }
        Ok(())
    }

    fn cluster_id(&self, timeout: Duration) -> Result<Option<String>, Failure> {
        let deadline = Instant::now() + timeout.min(MAX_WAIT);
        // librdkafka remembers the id of any metadata that it got, and does not ask for it.
        self.probe(timeout)?;
        let open = self.read();
        let producer = open.as_ref().ok_or_else(closed)?.batched.producer().clone();
        drop(open);
        let left = deadline.saturating_duration_since(Instant::now());
        let id = producer.client().fetch_cluster_id(left);
        Ok(id.map(cluster_id::shared))
    }

    fn close(&self, timeout: Duration) {
        let deadline = Instant::now() + timeout.min(MAX_WAIT);
        let Some(Producers {
            batched,
            limited,
            single,
            topics,
        }) = self.write().take()
        else {
            return;
        };
        self.state.close();
        for topic in topics.into_values() {
            if let Topic::New(waiting) = topic {
                let waiting = waiting.into_inner().unwrap_or_else(PoisonError::into_inner);
                let messages = waiting.messages.into_iter();
                report(messages.map(|one| (one.delivery, closed())).collect());
                for answered in waiting.limits_answered {
                    answered();
                }
            }
        }
        // `state.close` has made the polling threads purge their queues; this waits for them,
        // within one deadline.
        let limited = limited.map(|(_, handle)| handle);
        for handle in [Some(batched), limited, single].into_iter().flatten() {
            handle.close(deadline);
        }
    }
}

impl Drop for KafkaTransport {
    fn drop(&mut self) {
        // In a fork librdkafka's threads do not exist, and `rd_kafka_destroy` would join them
        // forever. Its memory is leaked instead.
        if !self.fork_guard.is_forked() {
            self.close(DROP_TIMEOUT);
        } else if let Some(open) = self
            .open
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
        {
            std::mem::forget(open);
        }
    }
}
