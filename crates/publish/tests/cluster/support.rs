//! Shared helpers of the tests.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use herald_publish::kafka::{ConsumerRecord, KafkaOptions, ReaderEvent, TopicReader};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

/// A hang guard, not an expectation.
pub const TEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The real cluster, if there is one to test with.
pub fn real_kafka() -> Option<String> {
    let servers = std::env::var("KAFKA_BOOTSTRAP_SERVERS").ok();
    if servers.is_none() {
        eprintln!("skipped: KAFKA_BOOTSTRAP_SERVERS names no Kafka; `scripts/kafka run` does");
    }
    servers
}

/// A topic name that no other test, and no earlier run on the same cluster, has.
pub fn fresh_topic(what: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("test.{what}.{}-{number}", std::process::id())
}

pub struct Publisher(BaseProducer);

impl Publisher {
    pub fn new(servers: &str) -> Self {
        Self(
            ClientConfig::new()
                .set("bootstrap.servers", servers)
                .set("linger.ms", "0")
                .create()
                .expect("a producer"),
        )
    }

    /// Returns once the cluster has it.
    pub fn publish(&self, topic: &str, partition: i32, text: &str) {
        self.send(BaseRecord::to(topic).partition(partition).payload(text));
    }

    /// Returns this time in milliseconds since 1970.
    pub fn publish_at(&self, topic: &str, time: i64, text: &str) {
        let record = BaseRecord::to(topic).partition(0).payload(text);
        self.send(record.timestamp(time));
    }

    fn send(&self, record: BaseRecord<'_, str, str>) {
        self.0
            .send(record)
            .map_err(|(error, _)| error)
            .expect("room");
        self.0.flush(TEST_TIMEOUT).expect("delivered");
    }
}

pub fn listener(servers: &str) -> TopicReader {
    TopicReader::connect(&KafkaOptions::new(servers), TEST_TIMEOUT).expect("connected")
}

/// The next records, in the order of their arrival.
pub fn hear(listener: &mut TopicReader, count: usize) -> Vec<ConsumerRecord> {
    let started = Instant::now();
    let mut records = Vec::new();
    while records.len() < count {
        assert!(started.elapsed() < TEST_TIMEOUT, "only {records:?} arrived");
        if let Some(ReaderEvent::Record(record)) = listener.next(Duration::from_millis(50)).unwrap()
        {
            records.push(*record);
        }
    }
    records
}

/// Payloads as text, sorted: partitions have no order among each other.
pub fn texts(records: &[ConsumerRecord]) -> Vec<String> {
    let mut texts: Vec<_> = records
        .iter()
        .map(|record| String::from_utf8(record.payload.clone().unwrap_or_default()).unwrap())
        .collect();
    texts.sort();
    texts
}
