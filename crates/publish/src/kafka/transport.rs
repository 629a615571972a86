//! Transport of Kafka, through librdkafka.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use herald_process::ForkGuard;
use rdkafka::config::ClientConfig;
use rdkafka::error::RDKafkaErrorCode as Code;
use rdkafka::producer::Producer as _;

use super::config::ClientKind;
use super::config::Redactor;
use super::config::{KafkaOptions, Resolved};
use super::connection_state::{ConnectionState, closed};
use super::dev;
use super::log::Log;
use super::producer::{BatchMode, Producer, ProducerHandle};
use super::start_order::{PartitionCounts, StartOrder};
use super::topic_sets::RefusedBatchTopics;
use crate::failure::Failure;
use crate::message::Message;
use crate::transport::{ConnectionListener, Connector, DeliveryCallback, Transport};

/// Name that is not a valid topic. A broker answers a metadata request for it, and creates nothing.
const NO_TOPIC: &str = "herald/probe";

/// Default of librdkafka's `message.max.bytes`.
const DEFAULT_MAX_MESSAGE_BYTES: usize = 1_000_000;

/// Number of brokers that a probe asks, one after the other.
const MAX_PROBED_BROKERS: u32 = 3;

/// Longest wait, so that times can be added, and converted for librdkafka, without overflow.
const MAX_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// Time that dropping an open connection takes at most.
const DROP_TIMEOUT: Duration = Duration::from_secs(2);

/// Connection to Kafka.
struct KafkaTransport {
    /// `None` once closed. Every send holds the read lock, so that closing waits for all sends.
    open: RwLock<Option<Producers>>,
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
    /// Started for the first topic that needs single messages.
    single: Option<ProducerHandle>,
    topics: HashMap<Box<str>, Topic>,
}

struct Topic {
    /// Does not change during the life of the connection: two producers would not keep the order of
    /// a topic.
    batch_mode: BatchMode,
    order: Arc<StartOrder>,
}

impl Connector for KafkaOptions {
    fn connect(
        &self,
        listener: Arc<dyn ConnectionListener>,
        delivery_timeout: Option<Duration>,
    ) -> Result<Arc<dyn Transport>, Failure> {
        let Resolved {
            mut config,
            redactor,
        } = self.resolve(ClientKind::Producer)?;
        if let Some(delivery_timeout) = delivery_timeout {
            // 0 would mean no timeout; the maximum is that of the property, `INT_MAX`.
            let milliseconds = delivery_timeout.as_millis().clamp(1, 2_147_483_647);
            config.set("message.timeout.ms", milliseconds.to_string());
        }
        let log = Log::new(redactor.clone());
        let state = Arc::new(ConnectionState::new(listener, log, self.clone()));
        let refused = self.refused().clone();
        let batched = ProducerHandle::start(
            &config,
            &redactor,
            BatchMode::Batched,
            state.clone(),
            refused.clone(),
        )?;
        Ok(Arc::new(KafkaTransport {
            open: RwLock::new(Some(Producers {
                batched,
                single: None,
                topics: HashMap::new(),
            })),
            state,
            config,
            redactor,
            refused,
            keeps_order: delivery_timeout.is_none(),
            counts: Arc::default(),
            fork_guard: ForkGuard::new(),
        }))
    }

    fn max_message_bytes(&self) -> Option<usize> {
        let set = self.text("message.max.bytes");
        set.map_or(Some(DEFAULT_MAX_MESSAGE_BYTES), |bytes| bytes.parse().ok())
    }

    fn servers(&self) -> String {
        self.bootstrap_servers().to_owned()
    }

    fn max_batch_bytes(&self, topic: &str) -> Option<usize> {
        let most = self.limits().get(topic)?;
        // How small the compression makes a message is only known when it is done.
        (self.text("compression.type") == Some("none")).then_some(most)
    }

    fn describe(&self) -> String {
        format!("Kafka at {}", self.bootstrap_servers())
    }
}

impl KafkaTransport {
    fn read(&self) -> RwLockReadGuard<'_, Option<Producers>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Chooses the batch mode of a topic.
    fn assign_batch_mode(&self, topic: &str) -> Result<(), Failure> {
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        let open = open.as_mut().ok_or_else(closed)?;
        let batch_mode = if self.refused.contains(topic) {
            BatchMode::Single
        } else {
            BatchMode::Batched
        };
        if batch_mode == BatchMode::Single && open.single.is_none() {
            let mut config = self.config.clone();
            config.set("batch.num.messages", "1");
            // With the guarantee a rejected message is fatal for the producer (librdkafka 2.12). A
            // batch of one message cannot take others with it, so its rejection leaves no gap in
            // the order of the accepted ones.
            config.set("enable.gapless.guarantee", "false");
            open.single = Some(ProducerHandle::start(
                &config,
                &self.redactor,
                batch_mode,
                self.state.clone(),
                self.refused.clone(),
            )?);
        }
        let Some(producer) = open.producer(batch_mode) else {
            return Err(closed());
        };
        let producer = Arc::downgrade(producer);
        let order = StartOrder::new(topic, producer, self.counts.clone(), self.keeps_order);
        // Another thread may have been faster, and may have messages that wait.
        open.topics.entry(topic.into()).or_insert(Topic {
            batch_mode,
            order: Arc::new(order),
        });
        Ok(())
    }
}

impl Producers {
    /// Returns the producer of a batch mode; `None` if it was not started.
    fn producer(&self, batch_mode: BatchMode) -> Option<&Arc<Producer>> {
        match batch_mode {
            BatchMode::Batched => Some(self.batched.producer()),
            BatchMode::Single => self.single.as_ref().map(ProducerHandle::producer),
        }
    }
}

impl Transport for KafkaTransport {
    fn send(&self, message: &Message, delivery: Arc<dyn DeliveryCallback>) -> Result<(), Failure> {
        let topic = message.topic();
        self.state.check(topic)?;
        let mut open = self.read();
        loop {
            let producers = open.as_ref().ok_or_else(closed)?;
            if let Some(Topic { batch_mode, order }) = producers.topics.get(topic)
                && let Some(producer) = producers.producer(*batch_mode)
            {
                return order.send(producer, message, delivery);
            }
            drop(open);
            self.assign_batch_mode(topic)?;
            open = self.read();
        }
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
                let producer = open.producer(topic.batch_mode)?;
                Some((name.clone(), producer.clone()))
            });
            let batched = open.batched.producer().clone();
            (batched, clients.collect::<Vec<_>>())
        };
        // librdkafka sends a metadata request to one broker, and to no other if that one is silent.
        let mut answer = Err(Code::OperationTimedOut);
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
                Err(error) => answer = Err(error.rdkafka_error_code().unwrap_or(Code::Fail)),
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
        Ok(id.map(dev::shared_id))
    }

    fn close(&self, timeout: Duration) {
        let deadline = Instant::now() + timeout.min(MAX_WAIT);
        let open = self
            .open
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(Producers {
            batched, single, ..
        }) = open
        else {
            return;
        };
        self.state.close();
        // `state.close` has made the polling threads of both purge their queues; this waits for
        // them, within one deadline.
        batched.close(deadline);
        if let Some(single) = single {
            single.close(deadline);
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
