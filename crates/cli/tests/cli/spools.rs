//! Spools as publishers leave them, and clusters to deliver them to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use herald_publish::kafka::{DevCluster, KafkaOptions, ReaderEvent, StartPosition, TopicReader};
use herald_spool::{DeadLetterRequest, Record, Sequence, Spool, SpoolOptions};

use crate::support::{Run, Sandbox};

/// Longer than anything takes; only against tests that never end.
pub const LONG: Duration = Duration::from_secs(60);

pub const TOPIC: &str = "dev.orders.effect.place.completed.v1";

impl Sandbox {
    pub fn spool_path(&self) -> PathBuf {
        self.path("spool.db")
    }

    /// Opens the spool: this process owns it until it is dropped.
    pub fn own(&self) -> Spool {
        let (spool, _) = Spool::open(SpoolOptions::new(self.spool_path())).expect("a spool");
        spool
    }

    /// Runs `herald spool` on the spool.
    pub fn spool(&self, args: &[&str]) -> Run {
        self.spool_command(args)
            .output()
            .expect("herald runs")
            .into()
    }

    pub fn spool_command(&self, args: &[&str]) -> std::process::Command {
        let mut command = self.command("", &[&["spool"], args].concat());
        command.env("HERALD_SPOOL", "spool.db");
        command
    }
}

/// An event as the publisher spools it, with one of three keys.
pub fn event(number: u64) -> Record {
    Record::new(TOPIC, format!(r#"{{"event_id":"e-{number}"}}"#))
        .with_key(format!("order-{}", number % 3))
        .with_header("content-type", "application/json")
        .with_header("event_id", format!("e-{number}"))
        .with_header("event_type", "effect.place.completed")
}

/// Appends and waits.
pub fn append(spool: &Spool, record: Record) -> Sequence {
    spool.append(record).unwrap().wait().unwrap()
}

pub fn append_events(spool: &Spool, numbers: std::ops::Range<u64>) -> Vec<Sequence> {
    let records = numbers.map(event).collect();
    let range = spool.append_all(records).unwrap().wait().unwrap();
    range.iter().collect()
}

/// Moves records to the dead letters.
pub fn dead_letter(spool: &Spool, sequences: &[Sequence], reason: &str) {
    let request = |sequence: &Sequence| DeadLetterRequest {
        sequence: *sequence,
        reason: reason.to_owned(),
        error: format!("rejected by the cluster: {reason}"),
    };
    let requests = sequences.iter().map(request).collect();
    spool.dead_letter(requests).unwrap().wait().unwrap();
}

/// A record that came to be some time ago.
pub fn aged(mut record: Record, age: Duration) -> Record {
    record.created = SystemTime::now() - age;
    record
}

/// Changes a byte of a closed database, in the first place where `text` stands.
pub fn flip(path: &Path, text: &str) {
    let mut bytes = std::fs::read(path).unwrap();
    let place = bytes.windows(text.len()).position(|w| w == text.as_bytes());
    bytes[place.expect("the text is in the file")] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

/// Payloads on the cluster by key, in the order of their partitions, as soon as there are so many.
pub fn delivered(
    cluster: &DevCluster,
    topic: &'static str,
    many: usize,
) -> BTreeMap<String, Vec<String>> {
    let options = KafkaOptions::new(cluster.bootstrap_servers());
    let mut listener = TopicReader::connect(&options, LONG).unwrap();
    let is_topic = move |name: &str| name == topic;
    listener
        .follow(is_topic, StartPosition::Beginning, LONG)
        .unwrap();
    let mut by_key: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let started = Instant::now();
    let mut heard = 0;
    while heard < many {
        assert!(started.elapsed() < LONG, "only {heard} of {many} came");
        let next = listener.next(Duration::from_millis(100)).unwrap();
        if let Some(ReaderEvent::Record(record)) = next {
            let text = |bytes: Option<Vec<u8>>| String::from_utf8(bytes.unwrap()).unwrap();
            by_key
                .entry(text(record.key))
                .or_default()
                .push(text(record.payload));
            heard += 1;
        }
    }
    by_key
}

/// Waits until something holds.
#[track_caller]
pub fn until(mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < LONG, "it never came to hold");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Sends a process of ours a signal by its name.
pub fn signal(child: &std::process::Child, name: &str) {
    let status = std::process::Command::new("kill")
        .args([&format!("-{name}"), &child.id().to_string()])
        .status();
    assert!(status.unwrap().success());
}
