//! Test fixture: a folder with a spool, publishers that use it, and the final comparison.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use herald_publish::dead_letter::TOPIC_SUFFIX;
use herald_publish::kafka::KafkaOptions;
use herald_publish::memory::MemoryCluster;
use herald_publish::spool::{Inspector, Sequence, SpoolError, SpoolOptions};
use herald_publish::{Connector, Publisher, PublisherOptions};

use crate::cluster;
use crate::event::Event;
use crate::ledger::{Account, Found, Ledger, Seen};
use crate::load::LONG;

pub struct Fixture {
    spool: PathBuf,
    /// Deleted with the value.
    _folder: Option<tempfile::TempDir>,
}

impl Fixture {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self {
            spool: folder.path().join("spool").join("spool.db"),
            _folder: Some(folder),
        }
    }

    /// Uses a spool at a path that the caller owns.
    pub fn at(spool: &Path) -> Self {
        Self {
            spool: spool.to_owned(),
            _folder: None,
        }
    }

    pub fn spool(&self) -> PathBuf {
        self.spool.clone()
    }

    /// Options of a publisher with this spool.
    pub fn options(&self, cluster: impl Connector) -> PublisherOptions {
        PublisherOptions::new(cluster).spool(SpoolOptions::new(self.spool()))
    }

    /// Options of a publisher for a real Kafka.
    pub fn kafka(&self, servers: &str) -> PublisherOptions {
        self.options(kafka(servers))
    }

    /// Content of the spool. Reading it needs no ownership.
    pub fn found(&self) -> Found {
        found_in(&self.spool())
    }

    /// Compares the outcomes with the events on a topic of a real Kafka and in the spool.
    pub fn account(&self, ledger: &Ledger, servers: &str, topic: &str) -> Account {
        let mut found = self.found();
        found.on_topic = cluster::events(servers, topic);
        ledger.settle(&found)
    }

    /// Compares also with the dead-letter topic.
    pub fn account_with_dead_letters(
        &self,
        ledger: &Ledger,
        servers: &str,
        topic: &str,
    ) -> Account {
        let mut found = self.found();
        found.on_topic = cluster::events(servers, topic);
        let letters = cluster::events(servers, &format!("{topic}{TOPIC_SUFFIX}"));
        found.on_dead_letter_topic = letters.iter().map(|seen| seen.event).collect();
        ledger.settle(&found)
    }

    /// Compares with the topic of a cluster in memory.
    pub fn account_in_memory(
        &self,
        ledger: &Ledger,
        cluster: &MemoryCluster,
        topic: &str,
    ) -> Account {
        let mut found = self.found();
        found.on_topic = in_memory(cluster, topic);
        ledger.settle(&found)
    }
}

/// Options of a client of a real Kafka, with the transport of `HERALD_TRANSPORT`.
pub fn kafka(servers: &str) -> KafkaOptions {
    let options = KafkaOptions::new(servers);
    match std::env::var("HERALD_TRANSPORT") {
        Ok(transport) => options.property("transport", transport),
        Err(_) => options,
    }
}

/// The events on a topic of a cluster in memory.
pub fn in_memory(cluster: &MemoryCluster, topic: &str) -> Vec<Seen> {
    let messages = cluster.messages(topic);
    let seen = messages.iter().map(|stored| {
        let (event, id) = Event::read(stored.message.payload());
        Seen {
            event,
            id,
            partition: stored.metadata.partition,
            offset: stored.metadata.offset,
        }
    });
    seen.collect()
}

/// Content of the spool in a file.
pub fn found_in(spool: &Path) -> Found {
    try_found_in(spool).expect("a sound spool")
}

fn try_found_in(spool: &Path) -> Result<Found, SpoolError> {
    let mut found = Found::default();
    let inspector = Inspector::open(spool)?;
    let mut after = Sequence::START;
    loop {
        let batch = inspector.batch(1000, 64 << 20, after)?;
        found.declared_lost += batch.damaged.len() as u64;
        let Some(last) = batch.last else { break };
        after = last;
        for stored in batch.records {
            found.queued.push(Event::read(&stored.record.payload).0);
        }
    }
    let mut after = Sequence::START;
    loop {
        let letters = inspector.dead_letters(1000, 64 << 20, after)?;
        let Some(last) = letters.last() else {
            return Ok(found);
        };
        after = last.sequence;
        for letter in letters {
            match letter.stored {
                Some(stored) => {
                    found.dead.insert(Event::read(&stored.record.payload).0);
                }
                None => found.declared_lost += 1,
            }
        }
    }
}

/// Waits until nothing is left to deliver.
#[track_caller]
pub fn eventually_drained(publisher: &Publisher) {
    let started = Instant::now();
    loop {
        let stats = publisher.stats();
        let waiting = stats.spool.map(|spool| spool.records);
        if (waiting, stats.in_flight, stats.queued_in_transport) == (Some(0), 0, 0) {
            return;
        }
        assert!(
            started.elapsed() < LONG,
            "never drained: {waiting:?} in the spool, {} in flight, {} held, reachable: {}",
            stats.in_flight,
            stats.queued_in_transport,
            stats.reachable,
        );
        thread::sleep(Duration::from_millis(5));
    }
}

/// Drains and closes.
#[track_caller]
pub fn finish(publisher: Publisher) {
    eventually_drained(&publisher);
    let closed = close_within(publisher, LONG);
    assert_eq!((closed.spooled, closed.failed), (0, 0), "{closed:?}");
}

/// Closes with this timeout, and fails if that does not return in time.
#[track_caller]
pub fn close_within(publisher: Publisher, time: Duration) -> herald_publish::CloseReport {
    let (sender, receiver) = mpsc::channel();
    // On a thread of its own, so that a close that hangs fails the test instead of blocking it.
    thread::spawn(move || sender.send(publisher.close(time)));
    let closed = receiver.recv_timeout(time + LONG / 4);
    closed.expect("closing has a bound").expect("not a fork")
}
