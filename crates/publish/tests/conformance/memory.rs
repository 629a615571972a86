//! The cluster in memory.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use herald_publish::memory::{MemoryCluster, StoredMessage};
use herald_publish::{ConnectionListener, Connector, Transport};

use crate::cluster::{Cluster, Record};

conformance!(Memory::new, Memory::new);

struct Memory(MemoryCluster);

impl Memory {
    #[expect(clippy::unnecessary_wraps, reason = "other clusters may be absent")]
    fn new() -> Option<Self> {
        Some(Self(MemoryCluster::new()))
    }
}

impl Cluster for Memory {
    fn connect(
        &self,
        watch: Arc<dyn ConnectionListener>,
        delivery_timeout: Option<Duration>,
    ) -> Arc<dyn Transport> {
        self.0.connect(watch, delivery_timeout).unwrap()
    }

    fn create(&self, topic: &str, partitions: u32) {
        self.0.create_topic(topic, partitions);
    }

    fn read(&self, topic: &str, count: usize) -> Vec<Record> {
        let mut messages = self.0.messages(topic);
        assert!(messages.len() >= count, "{} of {count}", messages.len());
        messages.sort_by_key(|stored| (stored.metadata.partition, stored.metadata.offset));
        messages.into_iter().map(record).collect()
    }

    fn stop(&self) {
        self.0.stop();
    }

    fn start(&self) {
        self.0.start();
    }

    fn pause(&self) {
        self.0.pause();
    }

    fn resume(&self) {
        self.0.resume();
    }
}

fn record(stored: StoredMessage) -> Record {
    let StoredMessage { metadata, message } = stored;
    let created = message.created().duration_since(SystemTime::UNIX_EPOCH);
    Record {
        partition: metadata.partition,
        offset: metadata.offset,
        key: message.key().map(<[u8]>::to_vec),
        payload: message.payload().to_vec(),
        headers: message
            .headers()
            .map(|(name, value)| (name.to_owned(), value.to_vec()))
            .collect(),
        timestamp: i64::try_from(created.unwrap().as_millis()).unwrap(),
    }
}
