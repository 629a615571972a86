//! Simulated disk with a spool: committed rows survive a kill, queued jobs do not.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use herald_spool::{
    Acknowledged, Batch, DeadLetterRequest, FailedAttempt, Found, KeyHash, LateRecord, Record,
    Sequence, SpoolError, StoredRecord, key_hash,
};

use crate::clock::lock;

/// Content of the disk.
#[derive(Default)]
pub(super) struct Disk {
    pub(super) rows: BTreeMap<Sequence, StoredRecord>,
    pub(super) dead: Vec<Record>,
    last: u64,
    pub(super) is_full: bool,
}

/// Spool of one process on the disk.
pub(crate) struct SimulatedSpool {
    disk: Arc<Mutex<Disk>>,
    waiting: Arc<Mutex<VecDeque<Job>>>,
    uncounted: Arc<AtomicUsize>,
    is_asked: Arc<AtomicBool>,
}

type Removed = Box<dyn FnOnce(Result<u64, SpoolError>) + Send>;

enum Job {
    Append(KeyHash, Arc<dyn LateRecord>),
    Acknowledge(Vec<Acknowledged>, Removed),
}

const FULL: SpoolError = SpoolError::DiskFull {
    context: "writing to the simulated disk",
};

/// Behaviour of its writer.
#[derive(Clone)]
pub(super) struct Writer {
    disk: Arc<Mutex<Disk>>,
    waiting: Arc<Mutex<VecDeque<Job>>>,
    /// Commits until the rows of an earlier process are counted by key, once one is asked for.
    uncounted: Arc<AtomicUsize>,
    is_asked: Arc<AtomicBool>,
}

/// Commits that a process makes while the rows of an earlier one are counted.
const COMMITS_WHILE_COUNTING: usize = 8;

impl SimulatedSpool {
    pub(super) fn open(disk: &Arc<Mutex<Disk>>) -> (Self, Writer) {
        let writer = Writer {
            disk: disk.clone(),
            waiting: Arc::default(),
            uncounted: Arc::new(AtomicUsize::new(COMMITS_WHILE_COUNTING)),
            is_asked: Arc::default(),
        };
        let spool = Self {
            disk: disk.clone(),
            waiting: writer.waiting.clone(),
            uncounted: writer.uncounted.clone(),
            is_asked: writer.is_asked.clone(),
        };
        (spool, writer)
    }

    #[expect(clippy::unnecessary_wraps, reason = "the signature of the real spool")]
    pub(crate) fn append_late(
        &self,
        key: KeyHash,
        record: Arc<dyn LateRecord>,
    ) -> Result<(), SpoolError> {
        lock(&self.waiting).push_back(Job::Append(key, record));
        Ok(())
    }

    #[expect(clippy::unnecessary_wraps, reason = "the signature of the real spool")]
    pub(crate) fn acknowledge_then(
        &self,
        records: Vec<Acknowledged>,
        then: Removed,
    ) -> Result<(), SpoolError> {
        lock(&self.waiting).push_back(Job::Acknowledge(records, then));
        Ok(())
    }

    pub(crate) fn holds_key(&self, topic: &str, key: Option<&[u8]>) -> bool {
        self.is_asked.store(true, Ordering::Relaxed);
        if self.uncounted.load(Ordering::Relaxed) > 0 {
            return true;
        }
        let is_of_key = |record: &Record| record.topic == topic && record.key.as_deref() == key;
        let hash = key_hash(topic, key);
        let waits = lock(&self.waiting)
            .iter()
            .any(|job| matches!(job, Job::Append(other, _) if *other == hash));
        waits || (lock(&self.disk).rows.values()).any(|stored| is_of_key(&stored.record))
    }

    pub(crate) fn depth(&self) -> u64 {
        lock(&self.disk).rows.len() as u64
    }

    pub(crate) fn next_batch(&self, limit: usize, after: Sequence) -> Batch {
        let disk = lock(&self.disk);
        let behind = disk.rows.range(Sequence::new(after.get() + 1)..);
        let records: Vec<_> = behind
            .take(limit)
            .map(|(_, stored)| stored.clone())
            .collect();
        Batch {
            last: records.last().map(|stored| stored.sequence),
            records,
            damaged: Vec::new(),
        }
    }

    pub(crate) fn find(&self, sequence: Sequence) -> Option<Found> {
        let stored = lock(&self.disk).rows.get(&sequence).cloned();
        stored.map(Found::Queued)
    }

    pub(crate) fn note_attempts(&self, attempts: Vec<FailedAttempt>) -> Result<u64, SpoolError> {
        self.writer().commit(usize::MAX);
        let mut disk = lock(&self.disk);
        if disk.is_full {
            return Err(FULL);
        }
        let count = attempts.len() as u64;
        for attempt in attempts {
            if let Some(stored) = disk.rows.get_mut(&attempt.sequence) {
                stored.record.attempts += 1;
                stored.record.not_before = attempt.not_before;
            }
        }
        Ok(count)
    }

    pub(crate) fn dead_letter(&self, letters: Vec<DeadLetterRequest>) -> Result<u64, SpoolError> {
        self.writer().commit(usize::MAX);
        let mut disk = lock(&self.disk);
        if disk.is_full {
            return Err(FULL);
        }
        let mut count = 0;
        for letter in letters {
            if let Some(stored) = disk.rows.remove(&letter.sequence) {
                disk.dead.push(stored.record);
                count += 1;
            }
        }
        Ok(count)
    }

    fn writer(&self) -> Writer {
        Writer {
            disk: self.disk.clone(),
            waiting: self.waiting.clone(),
            uncounted: self.uncounted.clone(),
            is_asked: self.is_asked.clone(),
        }
    }
}

impl Writer {
    pub(super) fn has_work(&self) -> bool {
        !lock(&self.waiting).is_empty()
    }

    /// Commits up to `most` queued jobs, and answers them; returns whether there were any.
    pub(super) fn commit(&self, most: usize) -> bool {
        let committed = self.apply(most);
        let any = !committed.is_empty();
        for answer in committed {
            answer();
        }
        any
    }

    /// Kills the process after a commit, before any answer.
    pub(super) fn commit_unheard(&self, most: usize) {
        drop(self.apply(most));
    }

    fn apply(&self, most: usize) -> Vec<Box<dyn FnOnce()>> {
        let step = usize::from(self.is_asked.load(Ordering::Relaxed));
        let uncounted = self.uncounted.load(Ordering::Relaxed).saturating_sub(step);
        self.uncounted.store(uncounted, Ordering::Relaxed);
        let mut waiting = lock(&self.waiting);
        let count = most.min(waiting.len());
        let jobs: Vec<_> = waiting.drain(..count).collect();
        drop(waiting);
        let mut answers: Vec<Box<dyn FnOnce()>> = Vec::new();
        show!("commit {} jobs", jobs.len());
        for job in jobs {
            // Before the disk is locked: it may call back.
            let record = match &job {
                Job::Append(_, late) => late.take(),
                Job::Acknowledge(..) => None,
            };
            let mut disk = lock(&self.disk);
            match (job, record) {
                (Job::Append(..), None) => {}
                (Job::Append(_, late), Some(_)) if disk.is_full => {
                    answers.push(Box::new(move || late.stored(Err(FULL))));
                }
                (Job::Acknowledge(_, then), _) if disk.is_full => {
                    answers.push(Box::new(|| then(Err(FULL))));
                }
                (Job::Append(_, late), Some(record)) => {
                    disk.last += 1;
                    let sequence = Sequence::new(disk.last);
                    let stored = StoredRecord {
                        sequence,
                        record,
                        last_error: None,
                    };
                    show!("row {sequence}: {:?}", stored.record);
                    disk.rows.insert(sequence, stored);
                    answers.push(Box::new(move || late.stored(Ok(sequence))));
                }
                (Job::Acknowledge(records, then), _) => {
                    let removed = records
                        .iter()
                        .filter(|record| disk.rows.remove(&record.sequence).is_some())
                        .count() as u64;
                    answers.push(Box::new(move || then(Ok(removed))));
                }
            }
        }
        answers
    }
}
