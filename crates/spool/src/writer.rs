//! Writer thread: the only thread that changes the database.
//!
//! It commits all waiting jobs in one transaction with one flush (group commit). While the disk is
//! busy, the next jobs gather: the more callers, the larger the commits, without a timer.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};

use crate::changes::Changes;
use crate::commit_counter::CommitCounter;
use crate::connection;
use crate::error::SpoolError;
use crate::file_watcher::FileWatcher;
use crate::job::{Answer, Done, Job, Operation};
use crate::maintenance;
use crate::queue::{Queue, Received, Settled};
use crate::requests::{self, Requests};
use crate::state::State;

const COMMITTING: &str = "writing to the spool";

/// Interval at which the writer checks for requests of other processes.
const REQUEST_INTERVAL: Duration = Duration::from_secs(1);

pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) queue: Arc<Queue>,
    pub(crate) state: State,
    pub(crate) watcher: FileWatcher,
    pub(crate) counter: CommitCounter,
    pub(crate) requests: Requests,
    pub(crate) checkpoint_bytes: u64,
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
        loop {
            match self.queue.take(REQUEST_INTERVAL) {
                Received::Jobs(jobs) => self.serve(jobs),
                Received::Idle => {}
                Received::Closed => return self.end(),
            }
            if self.queue.failure().is_none() {
                self.serve_requests();
                self.run_maintenance();
            }
        }
    }

    fn serve(&mut self, jobs: VecDeque<Job>) {
        let started = Instant::now();
        let operations: Vec<&Operation> = jobs.iter().map(|job| &job.operation).collect();
        match self.commit(&operations, None) {
            Ok((answers, settled)) => {
                self.queue.settle(&jobs, &settled, started.elapsed());
                for (job, answer) in jobs.into_iter().zip(answers) {
                    resolve(job.done, Ok(answer));
                }
            }
            Err(error) => {
                self.queue.settle_failed(&jobs, &error);
                self.reuse_log();
                for job in jobs {
                    resolve(job.done, Err(error.clone()));
                }
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
            Err(error) => self.queue.settle_failed(&none, &error),
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
        let mut changes = Changes::new(&transaction, &self.queue.hasher, self.state);
        let answers = operations
            .iter()
            .map(|work| changes.apply(work))
            .collect::<Result<Vec<_>, _>>()
            .map_err(SpoolError::database(COMMITTING))?;
        let mut state = changes.state;
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
        transaction
            .commit()
            .map_err(SpoolError::database(COMMITTING))?;
        // Updated before anything that can fail: the rows are committed, whatever the callers are
        // told, and the next commit has to find this state.
        self.state = state;
        self.watcher.check()?;
        // Without the counter the commit is just as durable; only a later loss of the WAL would be
        // detected less reliably.
        let _ = self.counter.write(&self.state);
        Ok((answers, settled))
    }

    /// Runs maintenance between commits, after all receipts were given. An error does no harm: the
    /// WAL keeps every commit, and the next round tries again.
    fn run_maintenance(&mut self) {
        if self.queue.take_damage() {
            self.empty_damaged_log();
        }
        let started = Instant::now();
        let ran = maintenance::checkpoint_if_due(&self.connection, self.checkpoint_bytes);
        if ran.is_ok_and(|ran| ran) {
            self.queue.note_checkpoint(started.elapsed());
            self.allow_shorter();
        }
        if self.queue.has_jobs() {
            return;
        }
        let log_bytes = self.watcher.log_bytes();
        let shortened = maintenance::give_space_back(
            &self.connection,
            &self.state.totals,
            log_bytes,
            self.checkpoint_bytes,
        );
        if !shortened.is_ok_and(|shortened| !shortened) {
            self.allow_shorter();
        }
    }

    /// Checkpoints the WAL after a failed commit. On a full disk the WAL cannot grow, and then not
    /// even an acknowledgement can be written. Once its frames are in the database, SQLite reuses
    /// the file from its beginning.
    fn reuse_log(&mut self) {
        if self.queue.failure().is_none()
            && maintenance::checkpoint_if_due(&self.connection, 0).is_ok()
        {
            self.allow_shorter();
        }
    }

    /// Prepares the files for closing. An error is left to the next opening.
    fn end(&mut self) {
        if self.watcher.check().is_err() {
            self.keep_log();
        } else if self.queue.take_damage() {
            self.empty_damaged_log();
        }
    }

    fn empty_damaged_log(&mut self) {
        if self.watcher.check().is_ok() && maintenance::empty_log(&self.connection).is_ok() {
            self.allow_shorter();
        }
    }

    fn keep_log(&self) {
        // Fails only on a closed connection.
        let _ = connection::keep_log(&self.connection);
    }

    fn allow_shorter(&mut self) {
        // A missing file is found by the check of the next commit.
        if let Ok(bytes) = maintenance::database_bytes(&self.connection) {
            let _ = self.watcher.allow_shorter(bytes);
        }
    }
}

/// Calls the callback of a job. It is the caller's code, so its panic must not end the writer.
fn resolve(done: Done, outcome: Result<Answer, SpoolError>) {
    let _ = catch_unwind(AssertUnwindSafe(|| done(outcome)));
}
