//! Development cluster: Kafka in memory, for development and for tests.

use std::sync::Arc;
use std::time::Duration;

use herald_process::ForkGuard;
use rdkafka::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::KafkaError;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, DeliveryResult, Producer, ProducerContext};

pub use rdkafka::types::{RDKafkaApiKey as ApiKey, RDKafkaRespErr as ApiError};

use crate::failure::{Failure, FailureCode, FailureKind};

/// Kafka-compatible cluster in this process, on loopback: librdkafka's mock cluster.
///
/// Producers, consumers and consumer groups work with it as with a real cluster. It keeps the last
/// 5 MiB or 100,000 records of each partition in memory, until it is dropped. It does not support
/// requests that create, change or describe topics; use [`DevCluster::create_topic`]. It finds no
/// offsets by time. Publishing to a missing topic creates it, with
/// [`DevCluster::AUTO_CREATED_PARTITIONS`] partitions.
pub struct DevCluster {
    /// Client that holds the cluster; it sends nothing.
    home: Arc<BaseProducer<Silent>>,
    fork_guard: ForkGuard,
}

impl DevCluster {
    /// Number of partitions of an automatically created topic.
    pub const AUTO_CREATED_PARTITIONS: u32 = 4;

    /// Starts a cluster with this many brokers.
    ///
    /// # Errors
    /// `dev_cluster`: no ports, no memory, or not one broker.
    pub fn start(brokers: u16) -> Result<Self, Failure> {
        if brokers == 0 {
            return Err(failure("a cluster needs a broker"));
        }
        let home: BaseProducer<Silent> = ClientConfig::new()
            .set("test.mock.num.brokers", brokers.to_string())
            .create_with_context(Silent)
            .map_err(|error| failure(error.to_string()))?;
        if home.client().mock_cluster().is_none() {
            return Err(failure("no brokers came up"));
        }
        Ok(Self {
            home: Arc::new(home),
            fork_guard: ForkGuard::new(),
        })
    }

    /// Returns the bootstrap servers: `127.0.0.1:PORT`, separated by commas. The system chooses the
    /// ports.
    pub fn bootstrap_servers(&self) -> String {
        self.cluster()
            .map(|cluster| cluster.bootstrap_servers())
            .unwrap_or_default()
    }

    /// Creates a topic. The number of replicas is limited to the number of brokers.
    ///
    /// # Errors
    /// `dev_cluster`: the topic exists already, or the name is not valid.
    pub fn create_topic(&self, name: &str, partitions: u32, replicas: u16) -> Result<(), Failure> {
        herald_envelope::topic::validate(name).map_err(|reason| failure(reason.to_string()))?;
        let partitions = i32::try_from(partitions.max(1)).unwrap_or(i32::MAX);
        self.each(|cluster| cluster.create_topic(name, partitions, replicas.max(1).into()))
            .map_err(|error| failure(format!("{name}: {error}")))
    }

    /// Makes the next requests of this kind fail with these errors, one after the other.
    /// [`ApiError::RD_KAFKA_RESP_ERR__TRANSPORT`] closes the connection instead.
    pub fn fail_next(&self, requests: ApiKey, errors: &[ApiError]) {
        if let Some(cluster) = self.cluster() {
            cluster.request_errors(requests, errors);
        }
    }

    /// Closes all connections of a broker and refuses new ones; `None` means all brokers. Brokers
    /// are numbered from 1.
    ///
    /// # Errors
    /// `dev_cluster`: there is no such broker.
    pub fn take_down(&self, broker: Option<u16>) -> Result<(), Failure> {
        self.each(|cluster| cluster.broker_down(number(broker)))
            .map_err(|error| failure(error.to_string()))
    }

    /// Makes a broker accept connections again.
    ///
    /// # Errors
    /// `dev_cluster`: there is no such broker.
    pub fn bring_up(&self, broker: Option<u16>) -> Result<(), Failure> {
        self.each(|cluster| cluster.broker_up(number(broker)))
            .map_err(|error| failure(error.to_string()))
    }

    /// Delays the answers of a broker by this time.
    ///
    /// # Errors
    /// `dev_cluster`: there is no such broker.
    pub fn slow_down(&self, broker: Option<u16>, by: Duration) -> Result<(), Failure> {
        self.each(|cluster| cluster.broker_round_trip_time(number(broker), by))
            .map_err(|error| failure(error.to_string()))
    }

    /// Makes another broker the leader of a partition.
    ///
    /// # Errors
    /// `dev_cluster`: there is no such topic, partition or broker.
    pub fn move_leader(&self, topic: &str, partition: i32, to: u16) -> Result<(), Failure> {
        self.each(|cluster| cluster.partition_leader(topic, partition, Some(to.into())))
            .map_err(|error| failure(error.to_string()))
    }

    fn cluster(&self) -> Option<MockCluster<'_, Silent>> {
        self.home.client().mock_cluster()
    }

    fn each(
        &self,
        act: impl FnOnce(&MockCluster<'_, Silent>) -> Result<(), KafkaError>,
    ) -> Result<(), KafkaError> {
        self.cluster().map_or(Ok(()), |cluster| act(&cluster))
    }
}

impl Drop for DevCluster {
    fn drop(&mut self) {
        if self.fork_guard.is_forked() {
            // Its threads do not exist in a fork: the destructor would wait for them forever.
            std::mem::forget(self.home.clone());
        }
    }
}

/// Converts a broker number for librdkafka, where -1 means all.
fn number(broker: Option<u16>) -> i32 {
    broker.map_or(-1, i32::from)
}

fn failure(detail: impl Into<String>) -> Failure {
    let detail = format!("the cluster in memory: {}", detail.into());
    Failure::new(FailureKind::Permanent, FailureCode::DevCluster, detail)
}

/// Context that ignores everything: the client only holds the cluster.
struct Silent;

impl ClientContext for Silent {
    fn log(&self, _: RDKafkaLogLevel, _: &str, _: &str) {}
    fn stats_raw(&self, _: &[u8]) {}
    fn error(&self, _: KafkaError, _: &str) {}
}

impl ProducerContext for Silent {
    type DeliveryOpaque = ();
    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}
