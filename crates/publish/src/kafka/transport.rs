//! A connection to Kafka.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use herald_process::ForkGuard;
use rdkafka::config::ClientConfig;
use rdkafka::error::RDKafkaErrorCode as Code;
use rdkafka::producer::Producer as _;

use super::classify;
use super::condition::Condition;
use super::defaults::For;
use super::lane::{Lane, Travel};
use super::log::Log;
use super::options::{KafkaOptions, Resolved};
use super::refused::Refused;
use super::secret::Scrub;
use crate::failure::{Failure, FailureCode, FailureKind};
use crate::message::Message;
use crate::transport::{ConnectionListener, Connector, DeliveryCallback, Transport};

/// A name that no topic can have. A broker answers that, and creates nothing.
const NO_TOPIC: &str = "herald/probe";

/// librdkafka's, where nobody set another.
const DEFAULT_MAX_MESSAGE_BYTES: usize = 1_000_000;

/// How many brokers are asked for a sign of life, one after the other.
const PROBED: u32 = 3;

/// No wait is longer, so that times can be added and told to librdkafka.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// How long dropping a connection takes at most that was not closed.
const DROP_PATIENCE: Duration = Duration::from_secs(2);

/// A connection to Kafka, through librdkafka.
struct KafkaTransport {
    /// `None` once closed. Every send holds it for reading, so that closing meets none half
    /// done.
    open: RwLock<Option<Open>>,
    condition: Arc<Condition>,
    config: ClientConfig,
    scrub: Scrub,
    refused: Refused,
    fork_guard: ForkGuard,
}

struct Open {
    together: Lane,
    /// Started for the first topic that needs it.
    alone: Option<Lane>,
    /// Topics that messages were sent to, and how they travel. That stays for the life of the
    /// connection: two ways would not keep the order.
    topics: HashMap<Box<str>, Travel>,
}

impl Connector for KafkaOptions {
    fn connect(
        &self,
        watch: Arc<dyn ConnectionListener>,
        delivery_timeout: Option<Duration>,
    ) -> Result<Arc<dyn Transport>, Failure> {
        let Resolved { mut config, scrub } = self.resolve(For::Producers)?;
        if let Some(delivery_timeout) = delivery_timeout {
            let milliseconds = delivery_timeout.as_millis().clamp(1, 2_147_483_647);
            config.set("message.timeout.ms", milliseconds.to_string());
        }
        let log = Log::new(scrub.clone());
        let condition = Arc::new(Condition::new(watch, log, self.describe()));
        let refused = self.refused().clone();
        let together = Lane::start(
            &config,
            &scrub,
            Travel::Together,
            condition.clone(),
            refused.clone(),
        )?;
        Ok(Arc::new(KafkaTransport {
            open: RwLock::new(Some(Open {
                together,
                alone: None,
                topics: HashMap::new(),
            })),
            condition,
            config,
            scrub,
            refused,
            fork_guard: ForkGuard::new(),
        }))
    }

    fn max_message_bytes(&self) -> Option<usize> {
        let set = self.text("message.max.bytes");
        set.map_or(Some(DEFAULT_MAX_MESSAGE_BYTES), |bytes| bytes.parse().ok())
    }

    fn describe(&self) -> String {
        format!("Kafka at {}", self.bootstrap_servers())
    }
}

impl KafkaTransport {
    fn read(&self) -> RwLockReadGuard<'_, Option<Open>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides how messages of a topic travel.
    fn meet(&self, topic: &str) -> Result<(), Failure> {
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        let open = open.as_mut().ok_or_else(closed)?;
        let travel = if self.refused.contains(topic) {
            Travel::Alone
        } else {
            Travel::Together
        };
        if travel == Travel::Alone && open.alone.is_none() {
            let mut config = self.config.clone();
            config.set("batch.num.messages", "1");
            config.set("enable.gapless.guarantee", "false");
            open.alone = Some(Lane::start(
                &config,
                &self.scrub,
                travel,
                self.condition.clone(),
                self.refused.clone(),
            )?);
        }
        open.topics.insert(topic.into(), travel);
        Ok(())
    }
}

impl Open {
    /// `None` for a topic that was not met.
    fn lane(&self, topic: &str) -> Option<&Lane> {
        match self.topics.get(topic)? {
            Travel::Together => Some(&self.together),
            Travel::Alone => self.alone.as_ref(),
        }
    }
}

fn closed() -> Failure {
    Failure::new(
        FailureKind::Abandoned,
        FailureCode::Closed,
        "the connection to Kafka is closed",
    )
}

impl Transport for KafkaTransport {
    fn send(&self, message: &Message, delivery: Arc<dyn DeliveryCallback>) -> Result<(), Failure> {
        if let Some(failure) = self.condition.broken() {
            return Err(failure.clone());
        }
        let topic = message.topic();
        if self.condition.absent.contains(topic) {
            return Err(classify::failure(Code::UnknownTopic, topic));
        }
        let mut open = self.read();
        loop {
            if let Some(lane) = open.as_ref().ok_or_else(closed)?.lane(topic) {
                return lane.send(topic, message, delivery);
            }
            drop(open);
            self.meet(topic)?;
            open = self.read();
        }
    }

    fn probe(&self, timeout: Duration) -> Result<(), Failure> {
        if let Some(failure) = self.condition.broken() {
            return Err(failure.clone());
        }
        let deadline = Instant::now() + timeout.min(LONGEST);
        let (producer, topics) = {
            let open = self.read();
            let open = open.as_ref().ok_or_else(closed)?;
            let lanes = open.topics.keys().filter_map(|topic| {
                let lane = open.lane(topic)?;
                Some((topic.clone(), lane.producer()))
            });
            (open.together.producer(), lanes.collect::<Vec<_>>())
        };
        // librdkafka asks one broker, and not another when that one is silent.
        let mut answer = Err(Code::OperationTimedOut);
        for attempt in 0..PROBED {
            let left = deadline.saturating_duration_since(Instant::now());
            match producer
                .client()
                .fetch_metadata(Some(NO_TOPIC), left / (PROBED - attempt))
            {
                Ok(_) => {
                    answer = Ok(());
                    break;
                }
                Err(error) => answer = Err(error.rdkafka_error_code().unwrap_or(Code::Fail)),
            }
        }
        answer.map_err(|error| self.condition.explain(error))?;
        self.condition.good_news();
        // Where the leaders are now. One topic a request: rdkafka has no other way that does not
        // ask for all topics of the cluster.
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

    fn close(&self, timeout: Duration) {
        let deadline = Instant::now() + timeout.min(LONGEST);
        let open = self
            .open
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(Open {
            together, alone, ..
        }) = open
        else {
            return;
        };
        self.condition.close();
        // Both are ending already; here they are waited for.
        together.close(deadline);
        if let Some(alone) = alone {
            alone.close(deadline);
        }
    }
}

impl Drop for KafkaTransport {
    fn drop(&mut self) {
        // A fork has none of librdkafka's threads: there is nothing to end and nobody to wait
        // for.
        if !self.fork_guard.is_forked() {
            self.close(DROP_PATIENCE);
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
