//! Between callers and the writer: work that waits, bounded, and the counts that callers ask for.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use crate::error::{Bound, SpoolError};
use crate::job::{Job, Operation};
use crate::keys::{KeyCounts, KeyHasher};
use crate::options::SpoolOptions;
use crate::process::Process;
use crate::sql_convert;
use crate::state::Totals;

/// What callers and the writer share.
pub(crate) struct Queue {
    pub(crate) process: Process,
    pub(crate) hasher: KeyHasher,
    options: SpoolOptions,
    /// One mutex for work and counts, so that no caller can see a record neither counted as
    /// waiting nor as stored, and find its key free.
    inner: Mutex<Inner>,
    work: Condvar,
    room: Condvar,
}

struct Inner {
    jobs: VecDeque<Job>,
    waiting: Load,
    /// Records of jobs that the writer has taken and not settled, and those that wait: they have
    /// their place within the spool's bounds already.
    reserved: Load,
    stored: Totals,
    keys: KeyCounts,
    commits: CommitStatistics,
    /// Async callers without room. All are woken: who is first takes the room, as with threads.
    wakers: Vec<Waker>,
    closing: bool,
    failure: Option<SpoolError>,
    /// Somebody found the files damaged, and the writer has not looked after them since.
    damaged: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Load {
    records: u64,
    bytes: u64,
}

impl Load {
    fn of(job: &Job) -> Self {
        Self {
            records: sql_convert::bytes(job.operation.records().len()),
            bytes: job.weight,
        }
    }

    fn add(&mut self, other: Self) {
        self.records += other.records;
        self.bytes += other.bytes;
    }

    fn remove(&mut self, other: Self) {
        self.records -= other.records;
        self.bytes -= other.bytes;
    }
}

/// What the writer has done since the spool was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommitStatistics {
    /// Commits that the disk confirmed.
    pub commits: u64,
    /// Commits that failed; their callers got the error.
    pub failed: u64,
    /// Time spent in commits, flush included.
    pub time: Duration,
    /// The longest commit.
    pub longest: Duration,
    /// Checkpoints, that is writings of the log into the database, that ran.
    pub checkpoints: u64,
    /// Time spent in them; receipts do not wait for one, the next commit does.
    pub checkpoint_time: Duration,
}

/// What a commit changed, for the counts in memory.
pub(crate) struct Settled {
    pub(crate) stored: Totals,
    pub(crate) keys_left: Vec<u64>,
    pub(crate) keys_returned: Vec<u64>,
}

/// What the writer finds when it comes for work.
pub(crate) enum Taken {
    Jobs(VecDeque<Job>),
    /// Nothing came for the time given.
    Idle,
    /// Closed, and everything was taken.
    End,
}

impl Queue {
    pub(crate) fn new(
        options: SpoolOptions,
        hasher: KeyHasher,
        stored: Totals,
        keys: KeyCounts,
    ) -> Self {
        Self {
            process: Process::current(),
            hasher,
            options,
            inner: Mutex::new(Inner {
                jobs: VecDeque::new(),
                waiting: Load::default(),
                reserved: Load::default(),
                stored,
                keys,
                commits: CommitStatistics::default(),
                wakers: Vec::new(),
                closing: false,
                failure: None,
                damaged: false,
            }),
            work: Condvar::new(),
            room: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands work in and waits for room where there is none.
    pub(crate) fn hand_in(&self, job: Job) -> Result<(), SpoolError> {
        let hashes = self.check(&job)?;
        let mut inner = self.lock();
        loop {
            inner.check_open()?;
            inner.check_bounds(&self.options, &job)?;
            if inner.has_room(&self.options, &job) {
                inner.push(job, &hashes);
                drop(inner);
                self.work.notify_one();
                return Ok(());
            }
            inner = self
                .room
                .wait(inner)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Hands work in where there is room; else gives it back and remembers the waker.
    pub(crate) fn poll_hand_in(&self, job: Job, waker: &Waker) -> Result<Option<Job>, SpoolError> {
        let hashes = self.check(&job)?;
        let mut inner = self.lock();
        inner.check_open()?;
        inner.check_bounds(&self.options, &job)?;
        if !inner.has_room(&self.options, &job) {
            if !inner.wakers.iter().any(|other| other.will_wake(waker)) {
                inner.wakers.push(waker.clone());
            }
            return Ok(Some(job));
        }
        inner.push(job, &hashes);
        drop(inner);
        self.work.notify_one();
        Ok(None)
    }

    /// Everything that needs no lock; gives the hashes of the keys.
    fn check(&self, job: &Job) -> Result<Vec<u64>, SpoolError> {
        self.process.check()?;
        let most = self.options.max_record_bytes;
        for record in job.operation.records() {
            let bytes = record.weight();
            if bytes > most {
                return Err(SpoolError::RecordTooLarge { bytes, most });
            }
        }
        let records = job.operation.queued_records();
        Ok(records.iter().map(|r| self.hasher.hash_of(r)).collect())
    }

    /// Waits for work; takes all there is, which becomes one commit.
    pub(crate) fn take(&self, idle_after: Duration) -> Taken {
        let inner = self.lock();
        let waited = self
            .work
            .wait_timeout_while(inner, idle_after, |inner| {
                inner.jobs.is_empty() && !inner.closing
            })
            .unwrap_or_else(PoisonError::into_inner);
        let mut inner = waited.0;
        if inner.jobs.is_empty() {
            return if inner.closing {
                Taken::End
            } else {
                Taken::Idle
            };
        }
        let jobs = std::mem::take(&mut inner.jobs);
        inner.waiting = Load::default();
        self.make_room(inner);
        Taken::Jobs(jobs)
    }

    fn make_room(&self, mut inner: MutexGuard<'_, Inner>) {
        let wakers = std::mem::take(&mut inner.wakers);
        // A waker may run code of the caller that comes back here.
        drop(inner);
        self.room.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Called when a commit is durable, before its receipts go out: a caller with a receipt in
    /// its hand must find the counts changed.
    pub(crate) fn settle(&self, jobs: &VecDeque<Job>, settled: &Settled, took: Duration) {
        let mut inner = self.lock();
        inner.release(jobs);
        inner.stored = settled.stored;
        for hash in &settled.keys_left {
            inner.keys.remove(*hash);
        }
        for hash in &settled.keys_returned {
            inner.keys.add(*hash);
        }
        inner.commits.commits += 1;
        inner.commits.time += took;
        inner.commits.longest = inner.commits.longest.max(took);
    }

    /// Called when a commit failed: nothing of it is stored.
    pub(crate) fn settle_failed(&self, jobs: &VecDeque<Job>, error: &SpoolError) {
        let mut inner = self.lock();
        inner.release(jobs);
        for job in jobs {
            for record in job.operation.queued_records() {
                let hash = self.hasher.hash_of(record);
                inner.keys.remove(hash);
            }
        }
        inner.commits.failed += 1;
        if error.ends_the_spool() {
            inner.failure.get_or_insert_with(|| error.clone());
            inner.damaged |= matches!(error, SpoolError::Corrupt { .. });
            self.make_room(inner);
        }
    }

    pub(crate) fn note_checkpoint(&self, took: Duration) {
        let mut inner = self.lock();
        inner.commits.checkpoints += 1;
        inner.commits.checkpoint_time += took;
    }

    /// No more work is taken; what waits is still done.
    pub(crate) fn close(&self) {
        let mut inner = self.lock();
        inner.closing = true;
        self.work.notify_all();
        self.make_room(inner);
    }

    /// Ends for good, for a writer that is gone: what waits is failed.
    pub(crate) fn abandon(&self) {
        let mut inner = self.lock();
        inner.failure.get_or_insert(SpoolError::Closed);
        let failure = inner.failure.clone().unwrap_or(SpoolError::Closed);
        let jobs = std::mem::take(&mut inner.jobs);
        self.make_room(inner);
        for job in jobs {
            (job.done)(Err(failure.clone()));
        }
    }

    pub(crate) fn note_damage(&self) {
        self.lock().damaged = true;
    }

    pub(crate) fn take_damage(&self) -> bool {
        std::mem::take(&mut self.lock().damaged)
    }

    pub(crate) fn has_jobs(&self) -> bool {
        !self.lock().jobs.is_empty()
    }

    pub(crate) fn failure(&self) -> Option<SpoolError> {
        self.lock().failure.clone()
    }

    pub(crate) fn holds_key(&self, topic: &str, key: Option<&[u8]>) -> bool {
        let hash = self.hasher.hash(topic.as_bytes(), key);
        self.lock().keys.contains(hash)
    }

    pub(crate) fn stored(&self) -> Totals {
        self.lock().stored
    }

    pub(crate) fn commits(&self) -> CommitStatistics {
        self.lock().commits
    }
}

impl Inner {
    fn check_open(&self) -> Result<(), SpoolError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        if self.closing {
            return Err(SpoolError::Closed);
        }
        Ok(())
    }

    fn check_bounds(&self, options: &SpoolOptions, job: &Job) -> Result<(), SpoolError> {
        let load = Load::of(job);
        if load.records == 0 {
            return Ok(());
        }
        let records = self.stored.all_records() + self.reserved.records + load.records;
        let bytes = self.stored.all_bytes() + self.reserved.bytes + load.bytes;
        let (bound, most) = if records > options.max_records {
            (Bound::Records, options.max_records)
        } else if bytes > options.max_bytes {
            (Bound::Bytes, options.max_bytes)
        } else {
            return Ok(());
        };
        Err(SpoolError::Full { bound, most })
    }

    /// Operation that adds no records always has room: it makes some.
    fn has_room(&self, options: &SpoolOptions, job: &Job) -> bool {
        let load = Load::of(job);
        load.records == 0
            || self.waiting.records == 0
            || (self.waiting.records + load.records <= options.queue_records
                && self.waiting.bytes + load.bytes <= options.queue_bytes)
    }

    fn push(&mut self, job: Job, hashes: &[u64]) {
        let load = Load::of(&job);
        self.waiting.add(load);
        self.reserved.add(load);
        for hash in hashes {
            self.keys.add(*hash);
        }
        self.jobs.push_back(job);
    }

    fn release(&mut self, jobs: &VecDeque<Job>) {
        for job in jobs {
            self.reserved.remove(Load::of(job));
        }
    }
}

impl Job {
    pub(crate) fn new(operation: Operation, done: crate::job::Done) -> Self {
        let weight = operation.records().iter().map(crate::Record::weight).sum();
        Self {
            operation,
            weight,
            done,
        }
    }
}
