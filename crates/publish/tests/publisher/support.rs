//! Test fixture: a cluster in memory and a spool in a temporary folder.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use herald_publish::memory::MemoryCluster;
use herald_publish::spool::SpoolOptions;
use herald_publish::{Message, Pending, PublishError, Publisher, PublisherOptions, Receipt, Stats};

/// Guard against hangs; no passing test takes that long.
pub const LONG: Duration = Duration::from_secs(60);

/// Short deadline, for tests of behaviour after it.
pub const DEADLINE: Duration = Duration::from_millis(60);

pub struct Fixture {
    pub cluster: MemoryCluster,
    folder: tempfile::TempDir,
}

impl Fixture {
    pub fn new() -> Self {
        let cluster = MemoryCluster::new();
        cluster.create_topic("t", 3);
        Self {
            cluster,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub fn spool_path(&self) -> PathBuf {
        self.folder.path().join("spool.db")
    }

    pub fn options(&self) -> PublisherOptions {
        self.options_without_spool()
            .spool(SpoolOptions::new(self.spool_path()))
    }

    pub fn options_without_spool(&self) -> PublisherOptions {
        PublisherOptions::new(self.cluster.clone())
            .deadline(DEADLINE)
            .probe_interval(Duration::from_millis(4))
    }

    pub fn open(&self) -> Publisher {
        Publisher::open(self.options()).unwrap()
    }

    /// Payloads of a topic: partition by partition, each in its order.
    pub fn payloads(&self, topic: &str) -> Vec<String> {
        let messages = self.cluster.messages(topic);
        let text = |payload: &[u8]| String::from_utf8(payload.to_vec()).unwrap();
        messages
            .iter()
            .map(|stored| text(stored.message.payload()))
            .collect()
    }
}

pub fn message(key: &str, payload: &str) -> Message {
    Message::new("t", Some(key.as_bytes()), payload.as_bytes().to_vec()).unwrap()
}

pub fn outcome(pending: Pending) -> Result<Receipt, PublishError> {
    pending.wait_timeout(LONG).expect("a publish always ends")
}

/// Publishes and waits.
pub fn publish(publisher: &Publisher, key: &str, payload: &str) -> Result<Receipt, PublishError> {
    outcome(publisher.blocking_enqueue(message(key, payload)).unwrap())
}

#[track_caller]
pub fn eventually(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < LONG, "never: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[track_caller]
pub fn eventually_drained(publisher: &Publisher) -> Stats {
    eventually("the spool is empty and nothing is held", || {
        let stats = publisher.stats();
        stats.queued_in_transport == 0 && stats.spool.is_none_or(|spool| spool.records == 0)
    });
    publisher.stats()
}
