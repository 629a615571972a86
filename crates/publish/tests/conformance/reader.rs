//! Reads a topic of Kafka from its beginning.

use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::{Offset, TopicPartitionList};

use crate::cluster::Record;
use crate::support::TEST_TIMEOUT;

/// Records by partition and offset, once there are `count`.
pub fn read(servers: &str, topic: &str, count: usize) -> Vec<Record> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", servers)
        .set("group.id", "conformance")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    let deadline = Instant::now() + TEST_TIMEOUT;
    let metadata = consumer.fetch_metadata(Some(topic), TEST_TIMEOUT).unwrap();
    let mut partitions = TopicPartitionList::new();
    for partition in metadata.topics()[0].partitions() {
        partitions
            .add_partition_offset(topic, partition.id(), Offset::Beginning)
            .unwrap();
    }
    consumer.assign(&partitions).unwrap();
    let mut records = Vec::new();
    // One more than expected would be noticed, if it comes soon.
    let mut silence = Instant::now();
    while records.len() < count || silence.elapsed() < Duration::from_millis(200) {
        assert!(
            Instant::now() < deadline,
            "{} of {count} in {topic}",
            records.len()
        );
        if let Some(message) = consumer.poll(Duration::from_millis(50)) {
            // Errors of the connection: the consumer gets over them by itself.
            let Ok(message) = message else { continue };
            silence = Instant::now();
            records.push(Record {
                partition: message.partition(),
                offset: message.offset(),
                key: message.key().map(<[u8]>::to_vec),
                payload: message.payload().unwrap_or_default().to_vec(),
                headers: message
                    .headers()
                    .map(|headers| headers.iter())
                    .into_iter()
                    .flatten()
                    .map(|header| {
                        let value = header.value.unwrap_or_default();
                        (header.key.to_owned(), value.to_vec())
                    })
                    .collect(),
                timestamp: message.timestamp().to_millis().unwrap(),
            });
        }
    }
    records.sort_by_key(|record| (record.partition, record.offset));
    records
}
