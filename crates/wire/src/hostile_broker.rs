//! A broker that answers with any bytes, for the fuzz target `broker_answers` and a test that replays its
//! corpus.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes, BytesMut};

use crate::accumulator::{Accumulator, lock};
use crate::engine::{Effect, Engine, Node};
use crate::producer::{Delivery, Failed, Settings};
use crate::record_batch::Record;
use crate::security::Trouble;

/// Number of reports of each record.
type Reports = Arc<Mutex<Vec<u32>>>;

struct Counted {
    number: usize,
    reports: Reports,
}

impl Counted {
    fn count(self) {
        lock(&self.reports)[self.number] += 1;
    }
}

impl Delivery for Counted {
    type Context = ();

    fn delivered(self, (): &(), _: i32, _: i64) {
        self.count();
    }

    fn failed(self, (): &(), _: &str, _: Failed) {
        self.count();
    }
}

struct Run {
    engine: Engine<Counted>,
    accumulator: Arc<Accumulator<Counted>>,
    reports: Reports,
    now: Instant,
    /// Correlation ids of the requests that have no answer, by connection.
    requests: BTreeMap<Node, VecDeque<i32>>,
}

/// Drives the engine with steps that are read from these bytes.
///
/// # Panics
/// The engine panics, reports a record twice, or does not report one before it ends.
pub fn run(steps: &[u8]) {
    let mut run = Run::new();
    let mut steps = Steps(steps);
    while let Some(step) = steps.byte() {
        run.step(step, &mut steps);
        assert!(lock(&run.reports).iter().all(|count| *count <= 1));
    }
    run.engine.on_close();
    run.carry_out();
    assert!(lock(&run.reports).iter().all(|count| *count == 1));
}

impl Run {
    fn new() -> Self {
        let mut settings = Settings::new(vec![("127.0.0.1".to_owned(), 9_092)]);
        settings.delivery_timeout = Some(Duration::from_secs(30));
        let accumulator = Arc::new(Accumulator::new(settings.batch_bytes));
        let now = Instant::now();
        let mut run = Self {
            engine: Engine::new(settings, accumulator.clone(), now),
            accumulator,
            reports: Reports::default(),
            now,
            requests: BTreeMap::new(),
        };
        run.carry_out();
        run
    }

    fn step(&mut self, step: u8, steps: &mut Steps<'_>) {
        let connections = self.requests.len().max(1);
        let mut nodes = self.requests.keys().copied();
        let node = nodes.nth(usize::from(step) % connections).unwrap_or(-1);
        match step / 32 {
            0 => self.now += Duration::from_millis(10) * u32::from(steps.byte().unwrap_or(1)),
            1 => self.send(steps.byte().unwrap_or_default()),
            2 if self.requests.remove(&node).is_some() => {
                let trouble = Trouble::network("cut");
                self.engine.on_disconnected(node, trouble, self.now);
            }
            2 => {}
            3 => {
                let answer = Bytes::copy_from_slice(steps.text());
                self.engine.on_answer(node, answer, self.now);
            }
            _ => self.answer(node, steps.text()),
        }
        self.carry_out();
    }

    fn send(&mut self, key: u8) {
        let number = lock(&self.reports).len();
        let record = Record {
            timestamp: 0,
            key: Some(&[key][..]),
            value: b"value",
            headers: std::iter::empty(),
        };
        let delivery = Counted {
            number,
            reports: self.reports.clone(),
        };
        if self.accumulator.push("t", &record, delivery, false).is_ok() {
            lock(&self.reports).push(0);
        }
    }

    /// Answers the oldest request of a connection.
    fn answer(&mut self, node: Node, body: &[u8]) {
        let requests = self.requests.get_mut(&node);
        let Some(correlation) = requests.and_then(VecDeque::pop_front) else {
            return;
        };
        let mut answer = BytesMut::with_capacity(4 + body.len());
        answer.put_i32(correlation);
        answer.put_slice(body);
        self.engine.on_answer(node, answer.freeze(), self.now);
    }

    fn carry_out(&mut self) {
        if !self.engine.is_closed() {
            self.engine.on_ready(self.now);
            self.engine.tick(self.now);
        }
        loop {
            let effects = self.engine.take_effects();
            if effects.is_empty() {
                return;
            }
            for effect in effects {
                match effect {
                    Effect::Connect { node, .. } => {
                        self.requests.insert(node, VecDeque::new());
                        self.engine.on_connected(node, self.now);
                    }
                    Effect::Disconnect(node) => drop(self.requests.remove(&node)),
                    Effect::Write { node, bytes } => {
                        // Behind its size, kind and version.
                        let correlation = bytes[8..].first_chunk().copied();
                        let correlation = i32::from_be_bytes(correlation.unwrap_or_default());
                        let requests = self.requests.entry(node).or_default();
                        requests.push_back(correlation);
                    }
                    Effect::Report(report) => report.deliver(&()),
                    Effect::Unreachable(_)
                    | Effect::Absent(_)
                    | Effect::Limit { .. }
                    | Effect::Answered(_) => {}
                }
            }
        }
    }
}

/// Steps that were not read yet.
struct Steps<'a>(&'a [u8]);

impl<'a> Steps<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// Returns the bytes behind their length.
    fn text(&mut self) -> &'a [u8] {
        let length = [self.byte(), self.byte()].map(Option::unwrap_or_default);
        let length = usize::from(u16::from_le_bytes(length)).min(self.0.len());
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        text
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn answers_of_the_corpus_are_survived() {
        let folder = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../fuzz/corpus/broker_answers"
        );
        let mut inputs = 0;
        for input in std::fs::read_dir(folder).unwrap() {
            super::run(&std::fs::read(input.unwrap().path()).unwrap());
            inputs += 1;
        }
        assert!(inputs > 0);
    }
}
