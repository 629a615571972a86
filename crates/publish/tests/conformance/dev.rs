//! The Kafka transport with librdkafka's mock cluster.

use std::sync::Arc;
use std::time::Duration;

use herald_publish::kafka::{DevCluster, KafkaOptions};
use herald_publish::{ConnectionListener, Connector, Transport};

use crate::cluster::{Cluster, Record};
use crate::reader;

conformance!(Dev::new, Dev::new);

struct Dev(DevCluster);

impl Dev {
    #[expect(clippy::unnecessary_wraps, reason = "other clusters may be absent")]
    fn new() -> Option<Self> {
        Some(Self(DevCluster::start(1).unwrap()))
    }
}

impl Cluster for Dev {
    fn connect(
        &self,
        watch: Arc<dyn ConnectionListener>,
        delivery_timeout: Option<Duration>,
    ) -> Arc<dyn Transport> {
        // Answers that the frozen cluster owes never come: the requests are sent again.
        KafkaOptions::new(self.0.bootstrap_servers())
            .property("socket.timeout.ms", "2000")
            .property("request.timeout.ms", "1000")
            .connect(watch, delivery_timeout)
            .unwrap()
    }

    fn create(&self, topic: &str, partitions: u32) {
        self.0.create_topic(topic, partitions, 1).unwrap();
    }

    fn read(&self, topic: &str, count: usize) -> Vec<Record> {
        reader::read(&self.0.bootstrap_servers(), topic, count)
    }

    fn stop(&self) {
        self.0.take_down(None).unwrap();
    }

    fn start(&self) {
        self.0.bring_up(None).unwrap();
    }

    fn pause(&self) {
        self.0.slow_down(None, Duration::from_secs(3600)).unwrap();
    }

    fn resume(&self) {
        self.0.slow_down(None, Duration::ZERO).unwrap();
    }
}
