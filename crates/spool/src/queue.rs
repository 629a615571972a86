//! Bounded queue between callers and the writer thread, and the totals that callers read.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use crate::error::{Limit, SpoolError};
use crate::job::{Job, Load};
use crate::keys::{self, KeyCounts};
use crate::options::SpoolOptions;
use crate::record::Record;
use crate::state::Totals;
use crate::sync::lock;
use herald_process::ForkGuard;

/// State shared by callers and the writer.
pub(crate) struct Queue {
    pub(crate) fork_guard: ForkGuard,
    options: SpoolOptions,
    /// One mutex for jobs and totals. With two, a caller could see a record counted neither as
    /// waiting nor as stored, take its key for free, and send a later event past it.
    inner: Mutex<Inner>,
    /// Notified when a job comes, and when the queue closes.
    jobs_available: Condvar,
    /// Notified when the writer has taken jobs.
    room_available: Condvar,
}

struct Inner {
    jobs: VecDeque<Job>,
    waiting: Load,
    /// Records of waiting jobs and of jobs in the current commit: their room within the spool's
    /// limits is reserved.
    reserved: Load,
    stored: Totals,
    keys: KeyCounts,
    key_count: KeyCount,
    commits: CommitStatistics,
    /// Wakers of async callers that wait for room. All are woken, and the first takes the room, as
    /// with threads and `notify_all`.
    wakers: Vec<Waker>,
    closing: bool,
    failure: Option<SpoolError>,
    /// Reason for which the disk accepts no rows now.
    write_failure: Option<SpoolError>,
    /// Whether damage was found since the last maintenance.
    damaged: bool,
}

/// Count of the rows of an earlier process by key. Until it is complete any key may have some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyCount {
    /// No answer has depended on it yet.
    NotNeeded,
    Needed,
    Complete,
}

/// Statistics of the writer since the spool was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommitStatistics {
    /// Commits that the disk confirmed.
    pub commits: u64,
    /// Failed commits; their callers received the error.
    pub failed: u64,
    /// Time spent in commits, including the flush.
    pub time: Duration,
    /// Duration of the longest commit.
    pub longest: Duration,
    /// Checkpoints that ran.
    pub checkpoints: u64,
    /// Time spent in checkpoints. Receipts do not wait for a checkpoint, the next commit does.
    pub checkpoint_time: Duration,
}

/// Changes of a commit to the totals in memory.
pub(crate) struct Settled {
    pub(crate) stored: Totals,
    pub(crate) keys_left: Vec<u64>,
    pub(crate) keys_returned: Vec<u64>,
}

/// Result of waiting for jobs.
pub(crate) enum Received {
    Jobs(VecDeque<Job>),
    /// No job came within the timeout.
    Idle,
    /// The queue is closed and empty.
    Closed,
}

impl Queue {
    /// Creates a queue for a spool whose rows are not counted by key yet.
    pub(crate) fn new(options: SpoolOptions, stored: Totals) -> Self {
        Self {
            fork_guard: ForkGuard::new(),
            options,
            inner: Mutex::new(Inner {
                jobs: VecDeque::new(),
                waiting: Load::default(),
                reserved: Load::default(),
                stored,
                keys: KeyCounts::default(),
                key_count: KeyCount::NotNeeded,
                commits: CommitStatistics::default(),
                wakers: Vec::new(),
                closing: false,
                failure: None,
                write_failure: None,
                damaged: false,
            }),
            jobs_available: Condvar::new(),
            room_available: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }

    /// Submits a job; waits for room if there is none.
    pub(crate) fn submit(&self, job: Job) -> Result<(), SpoolError> {
        self.check(&job)?;
        let mut inner = self.lock();
        loop {
            inner.check_open()?;
            inner.check_limits(&self.options, &job)?;
            if inner.has_room(&self.options, &job) {
                inner.push(job);
                // Unlocked first, or the writer would wake up only to wait for this mutex.
                drop(inner);
                self.jobs_available.notify_one();
                return Ok(());
            }
            inner = self
                .room_available
                .wait(inner)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Submits a job if there is room; otherwise returns it and stores the waker.
    pub(crate) fn poll_submit(&self, job: Job, waker: &Waker) -> Result<Option<Job>, SpoolError> {
        self.check(&job)?;
        let mut inner = self.lock();
        inner.check_open()?;
        inner.check_limits(&self.options, &job)?;
        if !inner.has_room(&self.options, &job) {
            if !inner.wakers.iter().any(|other| other.will_wake(waker)) {
                inner.wakers.push(waker.clone());
            }
            return Ok(Some(job));
        }
        inner.push(job);
        drop(inner);
        self.jobs_available.notify_one();
        Ok(None)
    }

    /// Checks the job as far as no lock is needed.
    fn check(&self, job: &Job) -> Result<(), SpoolError> {
        self.fork_guard.check()?;
        let max = self.options.max_record_bytes;
        let most = match job.operation.records() {
            [] => job.load.bytes,
            records => records.iter().map(Record::weight).max().unwrap_or_default(),
        };
        if most > max {
            return Err(SpoolError::RecordTooLarge { bytes: most, max });
        }
        Ok(())
    }

    /// Waits for jobs, and takes all of them for one commit.
    pub(crate) fn take(&self, idle_timeout: Duration) -> Received {
        let inner = self.lock();
        let waited = self
            .jobs_available
            .wait_timeout_while(inner, idle_timeout, |inner| {
                inner.jobs.is_empty() && !inner.closing
            })
            .unwrap_or_else(PoisonError::into_inner);
        let mut inner = waited.0;
        if inner.jobs.is_empty() {
            return if inner.closing {
                Received::Closed
            } else {
                Received::Idle
            };
        }
        // All of them: a commit takes one flush, however many jobs it has. Callers may queue the next
        // ones while this commit runs.
        let jobs = std::mem::take(&mut inner.jobs);
        inner.waiting = Load::default();
        self.notify_room(inner);
        Received::Jobs(jobs)
    }

    fn notify_room(&self, mut inner: MutexGuard<'_, Inner>) {
        let wakers = std::mem::take(&mut inner.wakers);
        // A waker may run code of the caller that calls into this queue again: not under the lock.
        drop(inner);
        self.room_available.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Updates the totals after a durable commit. Called before the receipts are given: a caller
    /// with a receipt must see the new totals.
    pub(crate) fn settle(&self, jobs: &VecDeque<Job>, settled: &Settled, took: Duration) {
        let mut inner = self.lock();
        inner.release(jobs);
        inner.stored = settled.stored;
        if jobs.iter().any(|job| job.operation.adds_rows()) {
            inner.write_failure = None;
        }
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

    /// Updates the totals after a failed commit. `stored` is as before it, unless the files were
    /// changed by others just after it was made: its rows may be found again then, and who compares
    /// the numbers must have counted them.
    pub(crate) fn settle_failed(&self, jobs: &VecDeque<Job>, stored: Totals, error: &SpoolError) {
        let mut inner = self.lock();
        inner.release(jobs);
        inner.stored = stored;
        for hash in jobs.iter().flat_map(|job| &job.keys) {
            inner.keys.remove(*hash);
        }
        inner.commits.failed += 1;
        if error.is_out_of_space() {
            inner.write_failure = Some(error.clone());
        }
        drop(inner);
        self.fail(error);
    }

    /// Forgets jobs whose records need not be stored.
    pub(crate) fn forget(&self, jobs: &[Job]) {
        if jobs.is_empty() {
            return;
        }
        let mut inner = self.lock();
        for job in jobs {
            inner.reserved.remove(job.load);
            for hash in &job.keys {
                inner.keys.remove(*hash);
            }
        }
    }

    /// Refuses further jobs, if the error is one that ends the spool.
    pub(crate) fn fail(&self, error: &SpoolError) {
        if !error.ends_the_spool() {
            return;
        }
        let mut inner = self.lock();
        inner.failure.get_or_insert_with(|| error.clone());
        inner.damaged |= matches!(error, SpoolError::Corrupt { .. });
        self.notify_room(inner);
    }

    /// The disk accepts rows again.
    pub(crate) fn note_space(&self) {
        self.lock().write_failure = None;
    }

    pub(crate) fn write_failure(&self) -> Option<SpoolError> {
        self.lock().write_failure.clone()
    }

    pub(crate) fn note_checkpoint(&self, took: Duration) {
        let mut inner = self.lock();
        inner.commits.checkpoints += 1;
        inner.commits.checkpoint_time += took;
    }

    /// Refuses further jobs; those that wait are still done.
    pub(crate) fn close(&self) {
        let mut inner = self.lock();
        inner.closing = true;
        self.jobs_available.notify_all();
        self.notify_room(inner);
    }

    /// Fails all waiting jobs, because the writer has ended.
    pub(crate) fn abandon(&self) {
        let mut inner = self.lock();
        inner.failure.get_or_insert(SpoolError::Closed);
        let failure = inner.failure.clone().unwrap_or(SpoolError::Closed);
        let jobs = std::mem::take(&mut inner.jobs);
        self.notify_room(inner);
        for job in jobs {
            job.done.resolve(Err(failure.clone()));
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
        let hash = keys::hash(topic.as_bytes(), key);
        let mut inner = self.lock();
        if inner.key_count == KeyCount::Complete {
            return inner.keys.contains(hash);
        }
        inner.key_count = KeyCount::Needed;
        true
    }

    /// Returns whether rows have to be counted by key: they are not, and an answer depends on it.
    pub(crate) fn needs_key_count(&self) -> bool {
        self.lock().key_count == KeyCount::Needed
    }

    /// Adds rows that were counted by key after the opening, and notes whether they were the last.
    pub(crate) fn add_counted(&self, hashes: &[u64], are_last: bool) {
        let mut inner = self.lock();
        for hash in hashes {
            inner.keys.add(*hash);
        }
        if are_last {
            inner.key_count = KeyCount::Complete;
        }
    }

    pub(crate) fn are_keys_complete(&self) -> bool {
        self.lock().key_count == KeyCount::Complete
    }

    /// Sets the counts of a spool to which nothing is added any more.
    pub(crate) fn set_keys(&self, keys: KeyCounts) {
        let mut inner = self.lock();
        inner.keys = keys;
        inner.key_count = KeyCount::Complete;
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

    fn check_limits(&self, options: &SpoolOptions, job: &Job) -> Result<(), SpoolError> {
        let load = job.load;
        if load.records == 0 {
            return Ok(());
        }
        let records = self.stored.all_records() + self.reserved.records + load.records;
        let bytes = self.stored.all_bytes() + self.reserved.bytes + load.bytes;
        let (limit, max) = if records > options.max_records {
            (Limit::Records, options.max_records)
        } else if bytes > options.max_bytes {
            (Limit::Bytes, options.max_bytes)
        } else {
            return Ok(());
        };
        Err(SpoolError::Full { limit, max })
    }

    /// Returns whether the job has room. One that adds no records always has: it frees some.
    fn has_room(&self, options: &SpoolOptions, job: &Job) -> bool {
        let load = job.load;
        load.records == 0
            || self.waiting.records == 0
            || (self.waiting.records + load.records <= options.queue_records
                && self.waiting.bytes + load.bytes <= options.queue_bytes)
    }

    fn push(&mut self, job: Job) {
        self.waiting.add(job.load);
        self.reserved.add(job.load);
        for hash in &job.keys {
            self.keys.add(*hash);
        }
        self.jobs.push_back(job);
    }

    fn release(&mut self, jobs: &VecDeque<Job>) {
        for job in jobs {
            self.reserved.remove(job.load);
        }
    }
}
