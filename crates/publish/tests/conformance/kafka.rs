//! The transports of Kafka with a real Kafka: librdkafka and Herald's own.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use herald_publish::kafka::{Admin, KafkaOptions, WantedTopic};
use herald_publish::{ConnectionListener, Connector, Transport};

use crate::cluster::{Cluster, Record};
use crate::reader;
use crate::secure;
use crate::support::TEST_TIMEOUT;
use crate::support::nodes::Nodes;

mod librdkafka {
    use super::Kafka;

    conformance!(Kafka::calm, Kafka::faulty);
}

mod native {
    use super::Kafka;

    fn calm() -> Option<Kafka> {
        Kafka::calm().map(Kafka::native)
    }

    fn faulty() -> Option<Kafka> {
        Kafka::faulty().map(Kafka::native)
    }

    conformance!(calm, faulty);
}

/// Tests that stop the cluster have it alone.
static CLUSTER: RwLock<()> = RwLock::new(());

pub struct Kafka {
    pub servers: String,
    is_native: bool,
    nodes: Option<Nodes>,
    _shared: Option<RwLockReadGuard<'static, ()>>,
    _alone: Option<RwLockWriteGuard<'static, ()>>,
}

impl Kafka {
    /// A cluster that stays available.
    pub fn calm() -> Option<Self> {
        Some(Self {
            servers: servers()?,
            is_native: false,
            nodes: None,
            _shared: Some(CLUSTER.read().unwrap_or_else(PoisonError::into_inner)),
            _alone: None,
        })
    }

    fn faulty() -> Option<Self> {
        Some(Self {
            servers: servers()?,
            is_native: false,
            nodes: Some(Nodes::of_environment()?),
            _shared: None,
            _alone: Some(CLUSTER.write().unwrap_or_else(PoisonError::into_inner)),
        })
    }

    fn native(mut self) -> Self {
        self.is_native = true;
        self
    }

    fn options(&self) -> KafkaOptions {
        // `HERALD_SECURE=1` runs all statements through TLS and a login.
        let options = match std::env::var_os("HERALD_SECURE") {
            Some(_) => secure::logged_in("SCRAM-SHA-256").expect("certificates"),
            None => KafkaOptions::new(&self.servers),
        };
        let options = options.property("topic.metadata.propagation.max.ms", "2000");
        if self.is_native {
            options
        } else {
            options.property("transport", "librdkafka")
        }
    }

    fn nodes(&self) -> &Nodes {
        self.nodes.as_ref().expect("this cluster may be taken away")
    }
}

fn servers() -> Option<String> {
    let servers = std::env::var("KAFKA_BOOTSTRAP_SERVERS").ok();
    if servers.is_none() {
        eprintln!("skipped: KAFKA_BOOTSTRAP_SERVERS names no Kafka; `scripts/kafka run` does");
    }
    servers
}

impl Cluster for Kafka {
    fn connect(
        &self,
        watch: Arc<dyn ConnectionListener>,
        delivery_timeout: Option<Duration>,
    ) -> Arc<dyn Transport> {
        self.options().connect(watch, delivery_timeout).unwrap()
    }

    fn create(&self, topic: &str, partitions: u32) {
        let options = KafkaOptions::new(&self.servers);
        let wanted = || WantedTopic {
            partitions: Some(partitions),
            ..WantedTopic::new(topic)
        };
        // A broker that the test before had frozen may leave a request without an answer.
        let planned = (0..3).find_map(|_| {
            let admin = Admin::connect(&options, TEST_TIMEOUT / 3).ok()?;
            let plan = admin.plan(vec![wanted()]).ok()?;
            Some((admin, plan))
        });
        let (admin, plan) = planned.expect("the cluster answers");
        admin.apply(&plan);
    }

    fn read(&self, topic: &str, count: usize) -> Vec<Record> {
        reader::read(&self.servers, topic, count)
    }

    fn stop(&self) {
        self.nodes().stop();
    }

    fn start(&self) {
        self.nodes().start();
    }

    fn pause(&self) {
        self.nodes().pause();
    }

    fn resume(&self) {
        self.nodes().resume();
    }
}

impl Drop for Kafka {
    /// A statement that failed in an outage leaves the cluster to the next one.
    fn drop(&mut self) {
        if let Some(nodes) = &self.nodes
            && std::thread::panicking()
        {
            nodes.recover();
        }
    }
}
