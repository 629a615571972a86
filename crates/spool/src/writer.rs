//! Writer thread: the only thread that changes the database.
//!
//! It commits all waiting jobs in one transaction with one flush (group commit). While the disk is
//! busy, the next jobs gather: the more callers, the larger the commits, without a timer.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};

use crate::changes::Changes;
use crate::commit_counter::CommitCounter;
use crate::connection;
use crate::error::SpoolError;
use crate::file_watcher::FileWatcher;
use crate::gaps::Gaps;
use crate::job::{Answer, Job, Operation};
use crate::key_counting::{self, KeyCounting};
use crate::maintenance::{self, Shortened};
use crate::queue::{Queue, Received, Settled};
use crate::removal;
use crate::requests::{self, Requests};
use crate::reserve::{LOG_BYTES, Reserve};
use crate::state::State;

const COMMITTING: &str = "writing to the spool";

/// Interval at which the writer checks for requests of other processes.
const REQUEST_INTERVAL: Duration = Duration::from_secs(1);

/// Interval at which the writer checks whether a full disk has space again.
const SPACE_INTERVAL: Duration = Duration::from_secs(1);

pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) queue: Arc<Queue>,
    pub(crate) state: State,
    pub(crate) key_counting: KeyCounting,
    pub(crate) gaps: Gaps,
    /// Time of the last step of the count.
    pub(crate) counted_at: Instant,
    pub(crate) watcher: FileWatcher,
    pub(crate) counter: CommitCounter,
    pub(crate) requests: Requests,
    pub(crate) checkpoint_bytes: u64,
    pub(crate) removed_bytes: u64,
    pub(crate) space_checked: Instant,
    /// Declared behind the connection, and so dropped after it.
    pub(crate) reserve: Reserve,
}

/// Guard that fails all waiting jobs when the writer ends, also by a panic, so that no caller waits
/// for a thread that is gone.
struct AbandonOnDrop(Arc<Queue>);

impl Drop for AbandonOnDrop {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl Writer {
    pub(crate) fn run(mut self) {
        let _abandon = AbandonOnDrop(self.queue.clone());
        let mut has_more = false;
        loop {
            let until_count = self.count_keys();
            let idle_timeout = if has_more {
                Duration::ZERO
            } else {
                until_count.unwrap_or(REQUEST_INTERVAL)
            };
            let received = self.queue.take(idle_timeout);
            let is_idle = matches!(received, Received::Idle) && until_count.is_none();
            match received {
                Received::Jobs(jobs) => self.serve(jobs),
                Received::Idle => {}
                Received::Closed => return self.end(),
            }
            // Not after a failure: there is nothing to do then until the spool is closed.
            has_more = false;
            if self.queue.failure().is_none() {
                self.serve_requests();
                has_more = self.delete_removed(is_idle);
            }
            if self.queue.failure().is_none() {
                has_more |= self.run_maintenance(is_idle);
            }
        }
    }

    /// Counts the keys of some more rows that were there at the opening, if it is time. Returns the time to
    /// the next step, if there is one; after an error that does not end the spool, there is.
    fn count_keys(&mut self) -> Option<Duration> {
        if !self.queue.needs_key_count() || self.queue.failure().is_some() {
            return None;
        }
        let wait = (self.key_counting.interval()).saturating_sub(self.counted_at.elapsed());
        if !wait.is_zero() {
            return Some(wait);
        }
        self.counted_at = Instant::now();
        let mut counting = self.key_counting;
        let removed_to = self.state.removed.to;
        match counting.step(&self.connection, removed_to, key_counting::STEP_ROWS) {
            Ok(counted) => {
                self.queue.add_counted(&counted, counting.is_complete());
                self.key_counting = counting;
            }
            Err(error) => {
                self.queue.fail(&error);
                return Some(REQUEST_INTERVAL);
            }
        }
        (!self.key_counting.is_complete()).then(|| self.key_counting.interval())
    }

    fn serve(&mut self, jobs: VecDeque<Job>) {
        let jobs = self.needed(jobs);
        if jobs.is_empty() {
            return;
        }
        let started = Instant::now();
        let appended: u64 = jobs.iter().map(|job| job.load.bytes).sum();
        let is_full = self.queue.write_failure().is_some();
        let deletes = appended > 0 && !is_full && self.has_many_removed();
        let delete = Operation::DeleteRemoved(removal::bytes_to_delete_for(appended));
        let mut operations = Vec::with_capacity(jobs.len() + 1);
        operations.extend(deletes.then_some(&delete));
        operations.extend(jobs.iter().map(|job| &job.operation));
        let mut own = usize::from(deletes);
        let mut committed = self.commit(&operations, None);
        if committed.as_ref().is_err_and(SpoolError::is_out_of_space) {
            // The WAL may have taken the space, or removed records have it.
            self.make_space(appended);
            operations.drain(..own);
            own = 0;
            committed = self.commit(&operations, None);
        }
        match committed {
            Ok((answers, settled)) => {
                self.queue.settle(&jobs, &settled, started.elapsed());
                for (job, answer) in jobs.into_iter().zip(answers.into_iter().skip(own)) {
                    job.done.resolve(Ok(answer));
                }
            }
            Err(error) if error.is_out_of_space() => {
                self.reuse_log();
                // A full disk refuses rows. What removes or changes some is tried without them.
                let (adding, others): (VecDeque<_>, VecDeque<_>) =
                    jobs.into_iter().partition(|job| job.operation.adds_rows());
                self.fail(adding, &error);
                for job in others {
                    self.serve_alone(job);
                }
            }
            Err(error) => self.fail(jobs, &error),
        }
    }

    /// Makes the records that are made late, and returns the jobs that are still needed.
    fn needed(&self, jobs: VecDeque<Job>) -> VecDeque<Job> {
        let mut needed = VecDeque::with_capacity(jobs.len());
        let mut unneeded = Vec::new();
        for mut job in jobs {
            if job.make_record() {
                needed.push_back(job);
            } else {
                unneeded.push(job);
            }
        }
        self.queue.forget(&unneeded);
        needed
    }

    fn fail(&self, jobs: VecDeque<Job>, error: &SpoolError) {
        if jobs.is_empty() {
            return;
        }
        let stored = self.state.totals;
        self.queue.settle_failed(&jobs, stored, error);
        for job in jobs {
            job.done.resolve(Err(error.clone()));
        }
    }

    /// Serves a job of a commit for which there was no space. Records are removed in as many
    /// commits as it takes: each is small enough for the reserved space, or the next is half as
    /// large.
    fn serve_alone(&mut self, job: Job) {
        let Operation::Acknowledge(sequences) = &job.operation else {
            return match self.commit_alone(&job.operation) {
                Ok(answer) => job.done.resolve(Ok(answer)),
                Err(error) => self.fail([job].into(), &error),
            };
        };
        let mut answer = Answer::default();
        let mut left = &sequences[..];
        let mut step = left.len();
        while !left.is_empty() {
            let (now, later) = left.split_at(step.min(left.len()));
            match self.commit_alone(&Operation::Acknowledge(now.to_vec())) {
                Ok(removed) => {
                    answer.count += removed.count;
                    left = later;
                }
                Err(error) if error.is_out_of_space() && now.len() > 1 => step = now.len() / 2,
                Err(error) => return self.fail([job].into(), &error),
            }
        }
        job.done.resolve(Ok(answer));
    }

    /// Commits one operation that adds no rows. After a failure the WAL is used from its beginning.
    fn commit_alone(&mut self, operation: &Operation) -> Result<Answer, SpoolError> {
        let started = Instant::now();
        let committed = self.commit(&[operation], None);
        match committed {
            Ok((answers, settled)) => {
                self.queue
                    .settle(&VecDeque::new(), &settled, started.elapsed());
                Ok(answers.into_iter().next().unwrap_or_default())
            }
            Err(error) => {
                self.reuse_log();
                Err(error)
            }
        }
    }

    fn serve_requests(&mut self) {
        let Some(pending) = self.requests.poll(&self.connection, REQUEST_INTERVAL) else {
            return;
        };
        let started = Instant::now();
        let operations: Vec<&Operation> = pending.operations.iter().collect();
        let none = VecDeque::new();
        // No caller waits for a result. After an error the requests stay in their table and are
        // found again.
        match self.commit(&operations, Some(pending.last)) {
            Ok((_, settled)) => self.queue.settle(&none, &settled, started.elapsed()),
            Err(error) => {
                let stored = self.state.totals;
                self.queue.settle_failed(&none, stored, &error);
            }
        }
    }

    /// Whether there are so many rows of removed records that they are to be deleted.
    fn has_many_removed(&self) -> bool {
        self.state.removed.records > 0 && self.state.removed.bytes >= self.removed_bytes
    }

    /// Deletes rows of removed records to append so many bytes in their place, with the WAL from its
    /// beginning.
    fn make_space(&mut self, appended: u64) {
        self.reuse_log();
        let needed = appended.saturating_mul(2);
        let mut deleted = 0;
        while deleted < needed && self.state.removed.records > 0 {
            let before = self.state.removed;
            if !self.delete_removed_rows(true) {
                break;
            }
            deleted += (before.bytes - self.state.removed.bytes).max(1);
        }
        if deleted > 0 {
            self.reuse_log();
        }
    }

    /// Deletes some rows of removed records: if there are many while nothing else is written or the queue
    /// has no others, and on a full disk. Returns whether there are more to delete now.
    fn delete_removed(&mut self, is_idle: bool) -> bool {
        let is_full = self.queue.write_failure().is_some();
        let is_wanted = |writer: &Self| {
            let is_free = is_idle || writer.state.totals.records == 0;
            writer.state.removed.records > 0 && (is_full || is_free && writer.has_many_removed())
        };
        is_wanted(self) && self.delete_removed_rows(is_full) && is_wanted(self)
    }

    /// Deletes some rows of removed records. Returns whether there are fewer now.
    fn delete_removed_rows(&mut self, is_full: bool) -> bool {
        let before = self.state.removed.records;
        let mut bytes = removal::bytes_to_delete(is_full);
        loop {
            match self.commit_alone(&Operation::DeleteRemoved(bytes)) {
                Ok(_) => return self.state.removed.records < before,
                // 0 is one row.
                Err(error) if error.is_out_of_space() && bytes > 0 => bytes /= 8,
                Err(error) => {
                    self.queue.fail(&error);
                    return false;
                }
            }
        }
    }

    /// Commits the operations in one transaction; it is durable when this returns without an error.
    fn commit(
        &mut self,
        operations: &[&Operation],
        requests_until: Option<i64>,
    ) -> Result<(Vec<Answer>, Settled), SpoolError> {
        if let Some(failure) = self.queue.failure() {
            return Err(failure);
        }
        let committed = self.try_commit(operations, requests_until);
        if matches!(committed, Err(SpoolError::FileChanged { .. })) {
            self.keep_log();
        }
        committed
    }

    fn try_commit(
        &mut self,
        operations: &[&Operation],
        requests_until: Option<i64>,
    ) -> Result<(Vec<Answer>, Settled), SpoolError> {
        self.watcher.check()?;
        // `IMMEDIATE` takes the write lock now, and waits for it. A deferred transaction that has read
        // before another program wrote fails at its first write (`SQLITE_BUSY_SNAPSHOT`).
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(SpoolError::database(COMMITTING))?;
        let mut changes = Changes::new(&transaction, self.state, self.key_counting, &self.gaps);
        let answers = operations
            .iter()
            .map(|work| changes.apply(work))
            .collect::<Result<Vec<_>, _>>()
            .map_err(SpoolError::database(COMMITTING))?;
        let mut state = changes.state;
        let key_counting = changes.key_counting;
        let new_gaps = changes.new_gaps;
        let settled = Settled {
            stored: state.totals,
            keys_left: changes.keys_left,
            keys_returned: changes.keys_returned,
        };
        if let Some(last) = requests_until {
            requests::delete(&transaction, last).map_err(SpoolError::database(COMMITTING))?;
        }
        state.commits += 1;
        let ours = state
            .update(&transaction, &self.state)
            .map_err(SpoolError::database(COMMITTING))?;
        if !ours {
            return Err(self.watcher.written_by_another());
        }
        let extended = self.reserve.extend_database(&transaction);
        self.watcher.note_own_writes_if(self.reserve.take_written());
        extended?;
        transaction
            .commit()
            .map_err(SpoolError::database(COMMITTING))?;
        // Updated before anything that can fail: the rows are committed, whatever the callers are
        // told, and the next commit has to find this state.
        self.state = state;
        self.key_counting = key_counting;
        self.gaps.follow(&self.state, &new_gaps);
        self.watcher.check()?;
        // Without the counter the commit is just as durable; only a later loss of the WAL would be
        // detected less reliably.
        let _ = self.counter.write(&self.state);
        Ok((answers, settled))
    }

    /// Runs maintenance between commits, after all receipts were given. An error does no harm: the
    /// WAL keeps every commit, and the next round tries again. Returns whether the database was
    /// shortened, and may become shorter still.
    fn run_maintenance(&mut self, is_idle: bool) -> bool {
        // Also noticed while nothing is written.
        if let Err(error @ SpoolError::FileChanged { .. }) = self.watcher.check() {
            self.keep_log();
            self.queue.fail(&error);
            return false;
        }
        if self.queue.take_damage() {
            self.empty_damaged_log();
        }
        let started = Instant::now();
        let ran = maintenance::checkpoint_if_due(&self.connection, self.checkpoint_bytes);
        if let Ok(true) = ran {
            self.queue.note_checkpoint(started.elapsed());
        }
        // One that failed may have written a part.
        if !matches!(ran, Ok(false)) {
            self.allow_shorter();
        }
        if self.queue.has_jobs() {
            return false;
        }
        let is_full = self.queue.write_failure().is_some();
        let log_bytes = self.watcher.log_bytes();
        let shortened = maintenance::give_space_back(
            &self.connection,
            &self.state.totals,
            log_bytes,
            self.checkpoint_bytes,
            if is_full {
                maintenance::VACUUM_BYTES_OF_FULL_DISK
            } else {
                maintenance::VACUUM_BYTES
            },
            if is_full || is_idle {
                maintenance::SHARE_WHILE_IDLE
            } else {
                maintenance::SHARE_WHILE_BUSY
            },
        );
        match shortened {
            Ok(Shortened::No) => {}
            Ok(_) => self.allow_shorter(),
            Err(_) => self.reuse_log(),
        }
        if is_full {
            self.look_for_space();
        } else if log_bytes < LOG_BYTES {
            // Tried again in the next round.
            let _ = self.reserve.extend_log(&mut self.connection);
        }
        matches!(shortened, Ok(Shortened::ByAStep)) && !is_full
    }

    /// Finds out whether the disk has space again, at most once a second.
    fn look_for_space(&mut self) {
        if self.space_checked.elapsed() < SPACE_INTERVAL {
            return;
        }
        self.space_checked = Instant::now();
        if self.reserve.has_space(&mut self.connection) {
            self.queue.note_space();
        }
        self.watcher.note_own_writes_if(self.reserve.take_written());
    }

    /// Checkpoints the WAL after a failed commit. On a full disk the WAL cannot grow. Once its
    /// frames are in the database, SQLite reuses the file from its beginning.
    fn reuse_log(&mut self) {
        if self.queue.failure().is_none() {
            let _ = maintenance::checkpoint_if_due(&self.connection, 0);
            self.allow_shorter();
        }
    }

    /// Prepares the files for closing. An error is left to the next opening.
    fn end(&mut self) {
        if self.watcher.check().is_err() {
            self.keep_log();
        } else if self.queue.take_damage() {
            self.empty_damaged_log();
        } else {
            let removed = self.state.removed;
            if self.state.totals.records == 0
                && removed.records > 0
                && removed.bytes <= removal::MAX_BYTES_AT_ONCE
            {
                let _ = self.commit(&[&Operation::DeleteRemoved(u64::MAX)], None);
            }
            if self.state.queue_rows() + self.state.totals.dead > 0 {
                self.keep_reserve();
            }
        }
    }

    /// Leaves the WAL where it is, empty and with its reserved space: the next process may start on
    /// a full disk. SQLite deletes it otherwise, which is right for an empty spool.
    fn keep_reserve(&mut self) {
        self.keep_log();
        // A WAL that a full disk could not extend again is left as it is: it has the space.
        if self.queue.write_failure().is_none()
            && maintenance::prepare_for_closing(&self.connection).is_ok()
        {
            let _ = self.reserve.extend_log(&mut self.connection);
        }
    }

    fn empty_damaged_log(&mut self) {
        if self.watcher.check().is_ok() {
            let _ = maintenance::empty_log(&self.connection);
            self.allow_shorter();
        }
    }

    fn keep_log(&self) {
        // Fails only on a closed connection.
        let _ = connection::keep_log(&self.connection);
    }

    fn allow_shorter(&mut self) {
        self.watcher.note_own_writes();
        self.reserve.note_checkpoint();
        // A missing file is found by the check of the next commit.
        if let Ok(bytes) = maintenance::database_bytes(&self.connection) {
            let _ = self.watcher.allow_shorter(bytes);
        }
    }
}
