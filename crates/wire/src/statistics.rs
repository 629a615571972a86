//! Statistics of a producer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::accumulator::lock;
use crate::engine::Node;

/// Work of a producer with one broker since its start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrokerStatistics {
    /// Id of the broker.
    pub id: i32,
    /// Its address: `host:port`.
    pub address: String,
    /// Whether it takes requests now.
    pub is_connected: bool,
    /// Connections that were made.
    pub connections: u64,
    /// Requests with batches.
    pub requests: u64,
    /// Number of them without an answer.
    pub in_flight: u64,
    /// Batches in these requests.
    pub batches: u64,
    /// Batches of them that had been sent before.
    pub repeated_batches: u64,
    /// Records in these batches.
    pub records: u64,
    /// Bytes of the records before compression.
    pub record_bytes: u64,
    /// Bytes of the requests.
    pub request_bytes: u64,
    /// Time from a request to its answer: a moving average over the last ones.
    pub latency: Duration,
    /// Time for which the broker took nothing from this client, because of a quota.
    pub throttled: Duration,
}

impl BrokerStatistics {
    pub(crate) fn add_latency(&mut self, latency: Duration) {
        self.latency = if self.latency.is_zero() {
            latency
        } else {
            self.latency * 7 / 8 + latency / 8
        };
    }
}

/// Statistics by broker. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Statistics(Arc<Mutex<BTreeMap<Node, BrokerStatistics>>>);

impl Statistics {
    /// Changes the statistics of a broker. Those of bootstrap servers are not kept: they are brokers
    /// under another number, and get no batches.
    pub(crate) fn update(&self, node: Node, change: impl FnOnce(&mut BrokerStatistics)) {
        if node >= 0 {
            let mut brokers = lock(&self.0);
            let broker = brokers.entry(node).or_default();
            broker.id = node;
            change(broker);
        }
    }

    /// Returns those of brokers that were connected at least once, by their ids.
    pub(crate) fn get(&self) -> Vec<BrokerStatistics> {
        let brokers = lock(&self.0);
        let met = brokers.values().filter(|broker| broker.connections > 0);
        met.cloned().collect()
    }
}
