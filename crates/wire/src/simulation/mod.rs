//! Simulation: engine and event loop against a simulated cluster, with faults at every step.

mod cluster;
mod sockets;
mod steps;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use self::cluster::{Cluster, Log};
use crate::producer::{Delivery, Failed, Settings};
use crate::record_batch::{Compression, Record};
use crate::sasl::{Login, Mechanism};
use crate::security::Source;

const TOPIC: &str = "orders";

/// Number of partitions.
const PARTITIONS: usize = 3;

/// Number of keys.
const KEYS: usize = 5;

/// Value of a record that brokers refuse.
const BAD: u8 = b'!';

/// Xorshift.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or_default() % below
    }

    /// True in one of so many cases.
    fn one_in(&mut self, cases: usize) -> bool {
        self.next(cases) == 0
    }

    fn choose<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.next(from.len())]
    }
}

type Outcome = Result<(i32, i64), Failed>;

/// Outcomes of records by their number.
#[derive(Clone, Default)]
struct Outcomes(Arc<Mutex<HashMap<usize, Vec<Outcome>>>>);

struct Numbered {
    number: usize,
    outcomes: Outcomes,
}

impl Numbered {
    fn report(self, outcome: Outcome) {
        let mut outcomes = self.outcomes.0.lock().unwrap();
        outcomes.entry(self.number).or_default().push(outcome);
    }
}

impl Delivery for Numbered {
    type Context = ();

    fn delivered(self, (): &(), partition: i32, offset: i64) {
        self.report(Ok((partition, offset)));
    }

    fn failed(self, (): &(), _: &str, failed: Failed) {
        self.report(Err(failed));
    }
}

/// Records that were sent, and what became of them.
#[derive(Default)]
struct Sent {
    /// Key and whether it is bad, of each record.
    records: Vec<(usize, bool)>,
    outcomes: Outcomes,
}

impl Sent {
    /// Hands a record and its delivery to `send`.
    fn send(
        &mut self,
        key: usize,
        value: &[u8],
        send: impl FnOnce(&Record<'_, std::array::IntoIter<(&str, &[u8]), 1>>, Numbered),
    ) {
        let key_text = format!("key-{key}");
        let record = Record {
            timestamp: 0,
            key: Some(key_text.as_bytes()),
            value,
            headers: [("name", &b"value"[..])].into_iter(),
        };
        let delivery = Numbered {
            number: self.records.len(),
            outcomes: self.outcomes.clone(),
        };
        self.records.push((key, value[0] == BAD));
        send(&record, delivery);
    }

    /// Returns the next record: its key, and its value, which is bad now and then.
    fn next(&self, random: &mut Random) -> (usize, Vec<u8>) {
        let mark = if random.one_in(40) { BAD } else { b' ' };
        let mut value = vec![mark];
        value.extend(self.records.len().to_string().into_bytes());
        (random.next(KEYS), value)
    }

    /// Checks that every record has one outcome.
    fn check_told_once(&self) {
        let outcomes = self.outcomes.0.lock().unwrap();
        let told = outcomes.values().map(Vec::len);
        assert!(
            told.eq(self.records.iter().map(|_| 1)),
            "each record has one outcome"
        );
    }

    fn is_settled(&self) -> bool {
        self.outcomes.0.lock().unwrap().len() == self.records.len()
    }

    /// Checks outcomes and order.
    fn check(&self, cluster: &Cluster) {
        self.check_outcomes(cluster);
        self.check_order(cluster);
    }

    /// Checks that every record has one outcome, and that what is reported as written is there. Records
    /// of partitions that went with a deleted topic may be refused.
    fn check_outcomes(&self, cluster: &Cluster) {
        let outcomes = self.outcomes.0.lock().unwrap();
        for (number, (_, is_bad)) in self.records.iter().enumerate() {
            let [outcome] = &outcomes[&number][..] else {
                panic!("record {number} has the outcomes {:?}", outcomes[&number]);
            };
            match outcome {
                Ok((partition, offset)) => {
                    assert!(
                        !is_bad,
                        "record {number} is bad and was reported as written"
                    );
                    let partition = usize::try_from(*partition).unwrap();
                    let offset = usize::try_from(*offset).unwrap();
                    let is_there = |log: &Log| {
                        let value = log.records.get(offset);
                        value.is_some_and(|value| number_of(value) == number)
                    };
                    assert!(
                        cluster.logs.get(partition).is_some_and(is_there)
                            || cluster.deleted.iter().any(is_there),
                        "record {number} is not at its offset"
                    );
                }
                Err(Failed::Refused(3 | 100)) if !cluster.deleted.is_empty() => {}
                Err(failed) => assert!(
                    *is_bad && *failed == Failed::Refused(87),
                    "record {number} failed: {failed:?}"
                ),
            }
        }
    }

    /// Checks that the first copies of a key's records are in the order of sending.
    fn check_order(&self, cluster: &Cluster) {
        for log in cluster.deleted.iter().chain(&cluster.logs) {
            let mut last: HashMap<usize, usize> = HashMap::new();
            let mut seen = vec![false; self.records.len()];
            for number in log.records.iter().map(|value| number_of(value)) {
                if std::mem::replace(&mut seen[number], true) {
                    continue;
                }
                let key = self.records[number].0;
                let before = last.insert(key, number);
                assert!(
                    before.is_none_or(|before| before < number),
                    "record {number} of key {key} is written after {before:?}"
                );
            }
        }
    }
}

/// Returns the number of the record that has this value.
fn number_of(value: &[u8]) -> usize {
    std::str::from_utf8(&value[1..]).unwrap().parse().unwrap()
}

/// Calls this with each of `HERALD_SEEDS` seeds, and names the one that fails.
fn with_seeds(default: u64, run: impl Fn(u64) + std::panic::RefUnwindSafe) {
    let seeds = std::env::var("HERALD_SEEDS").map_or(default, |seeds| seeds.parse().unwrap());
    for seed in 0..seeds {
        let result = std::panic::catch_unwind(|| run(seed));
        assert!(result.is_ok(), "seed {seed}");
    }
}

/// Settings of a client that logs in, with small batches.
fn settings(servers: Vec<(String, u16)>) -> Settings {
    let mut settings = Settings::new(servers);
    settings.compression = Compression::None;
    settings.batch_bytes = 60;
    settings.security.login = Some(Source::new(|| {
        Ok(Login {
            mechanism: Mechanism::Plain,
            user: "alice".to_owned(),
            secret: "secret".to_owned(),
            extensions: Vec::new(),
        })
    }));
    settings
}
