//! Both transports of Kafka side by side: the same messages leave the same records, and Java's consumer
//! reads what Herald's own transport has written.
//!
//! `HERALD_CROSS_CHECK=1000000` tries as many messages; `HERALD_SEED` repeats a run.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use herald_publish::kafka::KafkaOptions;
use herald_publish::{Connector, Message};

use crate::cluster::{Cluster, Record};
use crate::kafka::Kafka;
use crate::support::ledger::{Ledger, RecordingListener};
use crate::support::random::Random;
use crate::support::{TEST_TIMEOUT, fresh_topic};

/// Number of messages in CI, and of a round.
const MESSAGES: u64 = 6_000;
const MAX_ROUND: u64 = 20_000;

const PARTITIONS: u32 = 5;

const COMPRESSIONS: [&str; 5] = ["none", "gzip", "snappy", "lz4", "zstd"];

#[test]
fn both_transports_leave_the_same_records() {
    let Some(kafka) = Kafka::calm() else { return };
    let asked = std::env::var("HERALD_CROSS_CHECK");
    let mut left: u64 = asked.map_or(MESSAGES, |count| count.parse().expect("a number"));
    let round = (left / COMPRESSIONS.len() as u64).clamp(1, MAX_ROUND);
    let mut random = Random::new();
    for compression in COMPRESSIONS.into_iter().cycle() {
        if left == 0 {
            break;
        }
        let count = left.min(round);
        left -= count;
        let topics = ["librdkafka", "native"].map(|transport| {
            let topic = fresh_topic(&format!("cross-{transport}"));
            kafka.create(&topic, PARTITIONS);
            (transport, topic)
        });
        let seed = random.next();
        for (transport, topic) in &topics {
            send(&kafka, transport, topic, compression, count, seed);
        }
        let [rdkafka, native] = topics.map(|(_, topic)| topic);
        let count = usize::try_from(count).unwrap();
        let records = kafka.read(&native, count);
        assert_same(&kafka.read(&rdkafka, count), &records);
        assert_eq!(read_by_java(&kafka, &native, count), lines(&records));
    }
}

/// Sends random messages, some of them in bursts.
fn send(kafka: &Kafka, transport: &str, topic: &str, compression: &str, count: u64, seed: u64) {
    let mut random = Random::of(seed);
    let options = KafkaOptions::new(&kafka.servers)
        .property("transport", transport)
        .property("compression.type", compression)
        .property("batch.size", random.below(200_000).to_string());
    let listener = Arc::new(RecordingListener::default());
    let transport = options.connect(listener, None).unwrap();
    let ledger = Ledger::default();
    for _ in 0..count {
        ledger.send(&*transport, &message(topic, &mut random));
        if random.below(200) == 1 {
            thread::sleep(Duration::from_millis(1));
        }
    }
    assert_eq!(ledger.positions().len(), usize::try_from(count).unwrap());
    transport.close(TEST_TIMEOUT);
}

/// A message that depends on the numbers alone, except its time.
fn message(topic: &str, random: &mut Random) -> Message {
    let key = (random.below(8) > 1).then(|| {
        let key = random.below(50);
        bytes(key, usize::try_from(key % 12).unwrap())
    });
    let size = match random.below(100) {
        1 => 60_000,
        2..10 => 5_000,
        _ => 400,
    };
    let size = usize::try_from(random.below(size)).unwrap() - 1;
    let mut message = Message::new(topic, key.as_deref(), bytes(random.next(), size)).unwrap();
    for number in 1..random.below(6) {
        let length = usize::try_from(random.below(40)).unwrap() - 1;
        let name = ["content-type", "event_id", "ä", ""][usize::try_from(number % 4).unwrap()];
        message = message.with_header(name, bytes(random.next(), length));
    }
    message
}

/// Text that can be compressed, or bytes that can't.
fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut random = Random::of(seed);
    if seed.is_multiple_of(2) {
        let text = format!("{{\"order\": {seed}, \"state\": \"placed\"}} ");
        return text.into_bytes().into_iter().cycle().take(length).collect();
    }
    let bytes = std::iter::repeat_with(|| random.next().to_le_bytes()[0]);
    bytes.take(length).collect()
}

/// Compares everything but the times, which are those of sending, the partitions of messages without a
/// key, which each transport chooses, and the order of different keys: the first messages of librdkafka
/// wait for one another by key.
fn assert_same(one: &[Record], other: &[Record]) {
    type Parts<'a> = (&'a [u8], &'a [(String, Vec<u8>)]);
    type Keyed<'a> = BTreeMap<(i32, &'a [u8]), Vec<Parts<'a>>>;
    fn parts(record: &Record) -> Parts<'_> {
        (&record.payload, &record.headers)
    }
    fn by_key(records: &[Record]) -> Keyed<'_> {
        let mut keys = Keyed::new();
        for record in records {
            if let Some(key) = &record.key {
                let of_key = keys.entry((record.partition, key)).or_default();
                of_key.push(parts(record));
            }
        }
        keys
    }
    fn without_key(records: &[Record]) -> Vec<Parts<'_>> {
        let records = records.iter().filter(|record| record.key.is_none());
        let mut records: Vec<_> = records.map(parts).collect();
        records.sort_unstable();
        records
    }
    let (keys, others) = (by_key(one), by_key(other));
    assert!(keys.keys().eq(others.keys()), "partitions of keys");
    for (key, records) in keys {
        assert!(records == others[&key], "records of {key:?}");
    }
    assert!(without_key(one) == without_key(other), "without a key");
}

/// Returns what `tests/java/ReadTopic.java` prints.
fn read_by_java(kafka: &Kafka, topic: &str, count: usize) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = Command::new(root.join("scripts/kafka"))
        .arg("java")
        .arg(root.join("tests/java/ReadTopic.java"))
        .args([&kafka.servers, topic, &count.to_string()])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// Returns what Java prints for these records.
fn lines(records: &[Record]) -> String {
    let mut lines = String::new();
    for record in records {
        let mut checksum = crc32fast::Hasher::new();
        let mut add = |part: Option<&[u8]>| {
            let length = part.map_or(-1, |part| i32::try_from(part.len()).unwrap());
            checksum.update(&length.to_be_bytes());
            checksum.update(part.unwrap_or_default());
        };
        add(record.key.as_deref());
        for (name, value) in &record.headers {
            add(Some(name.as_bytes()));
            add(Some(value));
        }
        add(Some(&record.payload));
        let (partition, time) = (record.partition, record.timestamp);
        writeln!(lines, "{partition} {time} {}", checksum.finalize()).unwrap();
    }
    lines
}
