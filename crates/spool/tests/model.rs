//! Model test: the spool compared with two vectors.

mod common;

use std::time::{Duration, SystemTime};

use common::{Place, copy_files};
use herald_spool::{
    Acknowledged, DeadLetterRequest, FailedAttempt, Record, Sequence, Spool, SpoolOptions,
    StoredRecord, key_hash,
};
use proptest::prelude::*;
use proptest::sample::Index;

#[derive(Clone, Debug)]
enum Step {
    Append(Record),
    AppendAll(Vec<Record>),
    AppendDead(Record),
    Acknowledge(Vec<Index>),
    /// Acknowledges the first records, up to this one.
    AcknowledgeFirst(Index),
    NoteAttempt(Index, Option<u32>, String),
    DeadLetter(Vec<Index>),
    RetryDead(Vec<Index>),
    DropDead(Index),
    Reopen,
    /// Continue with a copy of the files, as after a power cut.
    Crash,
}

fn record() -> impl Strategy<Value = Record> {
    let headers =
        prop::collection::vec((".{0,8}", prop::collection::vec(any::<u8>(), 0..20)), 0..3);
    let payload = prop_oneof![
        9 => prop::collection::vec(any::<u8>(), 0..200),
        1 => (5000_usize..20_000).prop_map(|length| vec![7; length]),
    ];
    (
        0..3_u8,
        prop::option::of(0..4_u8),
        headers,
        payload,
        0..u32::MAX,
    )
        .prop_map(|(topic, key, headers, payload, seconds)| {
            let mut record = Record::new(format!("topic-{topic}"), payload);
            record.key = key.map(|key| vec![key]);
            record.created = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.into());
            headers.into_iter().fold(record, |record, (name, value)| {
                record.with_header(name, value)
            })
        })
}

fn step() -> impl Strategy<Value = Step> {
    let indices = || prop::collection::vec(any::<Index>(), 0..4);
    prop_oneof![
        6 => record().prop_map(Step::Append),
        2 => prop::collection::vec(record(), 0..6).prop_map(Step::AppendAll),
        1 => record().prop_map(Step::AppendDead),
        2 => indices().prop_map(Step::Acknowledge),
        2 => any::<Index>().prop_map(Step::AcknowledgeFirst),
        2 => (any::<Index>(), any::<Option<u32>>(), ".{0,10}")
            .prop_map(|(index, time, error)| Step::NoteAttempt(index, time, error)),
        2 => indices().prop_map(Step::DeadLetter),
        2 => indices().prop_map(Step::RetryDead),
        1 => any::<Index>().prop_map(Step::DropDead),
        1 => Just(Step::Reopen),
        1 => Just(Step::Crash),
    ]
}

#[derive(Default)]
struct Model {
    queue: Vec<StoredRecord>,
    dead: Vec<StoredRecord>,
}

/// Returns the sequences at these indices; none if there are no records.
fn pick(records: &[StoredRecord], indices: &[Index]) -> Vec<Sequence> {
    if records.is_empty() {
        return Vec::new();
    }
    let mut picked: Vec<_> = indices.iter().map(|i| i.get(records).sequence).collect();
    picked.sort_unstable();
    picked.dedup();
    picked
}

fn take(records: &mut Vec<StoredRecord>, sequence: Sequence) -> StoredRecord {
    let place = records.iter().position(|s| s.sequence == sequence).unwrap();
    records.remove(place)
}

fn stored(sequence: Sequence, record: Record, last_error: Option<String>) -> StoredRecord {
    StoredRecord {
        sequence,
        record,
        last_error,
    }
}

struct World {
    place: Place,
    crashes: u32,
    /// `None` only between closing and reopening.
    spool: Option<Spool>,
    model: Model,
}

impl World {
    fn spool(&self) -> &Spool {
        self.spool.as_ref().unwrap()
    }

    fn open(&mut self, path: &std::path::Path) {
        let (spool, report) = Spool::open(SpoolOptions::new(path).removed_bytes(500)).unwrap();
        assert_eq!(report.recovery, None);
        assert_eq!(report.records, self.model.queue.len() as u64);
        assert_eq!(report.dead, self.model.dead.len() as u64);
        self.spool = Some(spool);
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Append(record) => {
                let sequence = self.spool().append(record.clone()).unwrap().wait().unwrap();
                self.model.queue.push(stored(sequence, record, None));
            }
            Step::AppendAll(records) => {
                let range = self
                    .spool()
                    .append_all(records.clone())
                    .unwrap()
                    .wait()
                    .unwrap();
                let appended = range.iter().zip(records).map(|(s, r)| stored(s, r, None));
                self.model.queue.extend(appended);
            }
            Step::AppendDead(record) => {
                let pending = self
                    .spool()
                    .append_dead(record.clone(), "no", "never")
                    .unwrap();
                let letter = stored(pending.wait().unwrap(), record, Some("never".to_owned()));
                self.model.dead.push(letter);
            }
            Step::Acknowledge(indices) => {
                let picked = pick(&self.model.queue, &indices);
                let records = picked.iter().map(|sequence| (*sequence).into());
                self.acknowledge(&picked, records.collect());
            }
            Step::AcknowledgeFirst(index) => {
                let last = pick(&self.model.queue, &[index]);
                let is_first =
                    |stored: &&StoredRecord| last.iter().any(|at| stored.sequence <= *at);
                let first: Vec<_> = self.model.queue.iter().filter(is_first).collect();
                let sequences: Vec<_> = first.iter().map(|stored| stored.sequence).collect();
                let counted = first.iter().map(|stored| {
                    let record = &stored.record;
                    let key = key_hash(&record.topic, record.key.as_deref());
                    Acknowledged::counted(stored.sequence, key, record.weight())
                });
                let records = counted.collect();
                self.acknowledge(&sequences, records);
            }
            Step::NoteAttempt(index, seconds, error) => self.note_attempt(index, seconds, error),
            Step::DeadLetter(indices) => self.dead_letter(&indices),
            Step::RetryDead(indices) => self.retry_dead(&indices),
            Step::DropDead(index) => {
                let picked = pick(&self.model.dead, &[index]);
                self.spool()
                    .drop_dead(picked.clone())
                    .unwrap()
                    .wait()
                    .unwrap();
                self.model
                    .dead
                    .retain(|stored| !picked.contains(&stored.sequence));
            }
            Step::Reopen => {
                let spool = self.spool.take().unwrap();
                let path = spool.path().to_owned();
                spool.close().unwrap();
                self.open(&path);
            }
            Step::Crash => {
                self.crashes += 1;
                let copy = self.place.beside(&format!("-copy-{}", self.crashes));
                copy_files(self.spool().path(), &copy);
                self.open(&copy);
            }
        }
    }

    fn acknowledge(&mut self, sequences: &[Sequence], records: Vec<Acknowledged>) {
        let removed = self.spool().acknowledge(records).unwrap().wait();
        assert_eq!(removed, Ok(sequences.len() as u64));
        self.model
            .queue
            .retain(|stored| !sequences.contains(&stored.sequence));
    }

    fn note_attempt(&mut self, index: Index, seconds: Option<u32>, error: String) {
        let Some(&sequence) = pick(&self.model.queue, &[index]).first() else {
            return;
        };
        let not_before =
            seconds.map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.into()));
        let attempt = FailedAttempt {
            sequence,
            not_before,
            error: error.clone(),
        };
        self.spool()
            .note_attempts(vec![attempt])
            .unwrap()
            .wait()
            .unwrap();
        let queued = self
            .model
            .queue
            .iter_mut()
            .find(|s| s.sequence == sequence)
            .unwrap();
        queued.record.attempts += 1;
        queued.record.not_before = not_before;
        queued.last_error = Some(error);
    }

    fn dead_letter(&mut self, indices: &[Index]) {
        let picked = pick(&self.model.queue, indices);
        let request = |sequence: &Sequence| DeadLetterRequest {
            sequence: *sequence,
            reason: "no".to_owned(),
            error: "buried".to_owned(),
        };
        let requests = picked.iter().map(request).collect();
        self.spool().dead_letter(requests).unwrap().wait().unwrap();
        for sequence in picked {
            let mut letter = take(&mut self.model.queue, sequence);
            letter.last_error = Some("buried".to_owned());
            self.model.dead.push(letter);
        }
        self.model.dead.sort_by_key(|letter| letter.sequence);
    }

    fn retry_dead(&mut self, indices: &[Index]) {
        let picked = pick(&self.model.dead, indices);
        let before = self.model.queue.len();
        self.spool()
            .retry_dead(picked.clone())
            .unwrap()
            .wait()
            .unwrap();
        let now = common::read_all(self.spool());
        for (sequence, at_end) in picked.into_iter().zip(&now[before..]) {
            let mut letter = take(&mut self.model.dead, sequence);
            letter.record.attempts = 0;
            letter.record.not_before = None;
            letter.sequence = at_end.sequence;
            self.model.queue.push(letter);
        }
    }

    fn check(&self) {
        let spool = self.spool();
        assert_eq!(common::read_all(spool), self.model.queue);
        assert!(
            self.model
                .queue
                .is_sorted_by(|a, b| a.sequence < b.sequence)
        );
        let letters = spool.dead_letters(1000, u64::MAX, Sequence::START).unwrap();
        let letters: Vec<_> = letters.into_iter().map(|l| l.stored.unwrap()).collect();
        assert_eq!(letters, self.model.dead);
        let weight = |records: &[StoredRecord]| records.iter().map(|s| s.record.weight()).sum();
        let stats = spool.stats().unwrap();
        assert_eq!(stats.records, self.model.queue.len() as u64);
        assert_eq!(stats.dead, self.model.dead.len() as u64);
        assert_eq!(
            (stats.bytes, stats.dead_bytes),
            (weight(&self.model.queue), weight(&self.model.dead))
        );
        for topic in 0..3 {
            let topic = format!("topic-{topic}");
            for key in [None, Some([0]), Some([1]), Some([2]), Some([3])] {
                let key = key.as_ref().map(<[u8; 1]>::as_slice);
                let held = self.model.queue.iter().any(|stored| {
                    stored.record.topic == topic && stored.record.key.as_deref() == key
                });
                assert_eq!(spool.holds_key(&topic, key).unwrap(), held);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn behaves_like_two_vectors(steps in prop::collection::vec(step(), 1..30)) {
        let place = Place::new();
        let path = place.database();
        let mut world = World { place, crashes: 0, spool: None, model: Model::default() };
        world.open(&path);
        for step in steps {
            world.run(step);
            world.check();
        }
        assert!(world.spool().verify().unwrap().is_sound());
    }
}
