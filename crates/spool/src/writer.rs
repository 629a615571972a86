//! The one thread that writes.
//!
//! It takes all work that waits, makes it one transaction, and flushes once for all of it. While
//! the disk is busy with that, the next work gathers: the more callers, the larger the commits,
//! without a timer.

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
use crate::queue::{Queue, Settled, Taken};
use crate::requests::{self, Requests};
use crate::state::State;

const COMMITTING: &str = "writing to the spool";

/// How often an idle writer looks for requests of other processes.
const IDLE: Duration = Duration::from_secs(1);

pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) queue: Arc<Queue>,
    pub(crate) state: State,
    pub(crate) watch: FileWatcher,
    pub(crate) counter: CommitCounter,
    pub(crate) requests: Requests,
    pub(crate) checkpoint_bytes: u64,
}

/// Fails what waits when the writer ends, however it ends: nobody waits for a thread that is
/// gone.
struct AbandonAtEnd(Arc<Queue>);

impl Drop for AbandonAtEnd {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl Writer {
    pub(crate) fn run(mut self) {
        let _abandon = AbandonAtEnd(self.queue.clone());
        loop {
            match self.queue.take(IDLE) {
                Taken::Jobs(jobs) => self.serve(jobs),
                Taken::Idle => {}
                Taken::End => return self.end(),
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
                self.free_log();
                for job in jobs {
                    resolve(job.done, Err(error.clone()));
                }
            }
        }
    }

    fn serve_requests(&mut self) {
        let Some(asked) = self.requests.look(&self.connection, IDLE) else {
            return;
        };
        let started = Instant::now();
        let operations: Vec<&Operation> = asked.operations.iter().collect();
        let none = VecDeque::new();
        // A failure here has no caller. The requests stay in their table and are found again.
        match self.commit(&operations, Some(asked.last)) {
            Ok((_, settled)) => self.queue.settle(&none, &settled, started.elapsed()),
            Err(error) => self.queue.settle_failed(&none, &error),
        }
    }

    /// One transaction for all work; durable when this returns without error.
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
        self.watch.check()?;
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
            return Err(self.watch.written_by_another());
        }
        transaction
            .commit()
            .map_err(SpoolError::database(COMMITTING))?;
        // Before anything that can fail: the rows are there, whatever the callers are told.
        self.state = state;
        self.watch.check()?;
        // Without the counter the commit is as durable as with it; only a later loss of the log
        // would show less surely.
        let _ = self.counter.write(&self.state);
        Ok((answers, settled))
    }

    /// Between commits, with all receipts out. What fails here fails without harm: the log keeps
    /// every commit, and the next round tries again.
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
        let log_bytes = self.watch.log_bytes();
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

    /// After a commit that failed. On a full disk the log cannot grow, and without it not even
    /// an acknowledgement can be written; once its pages are in the database, it starts anew in
    /// the room that it has.
    fn free_log(&mut self) {
        if self.queue.failure().is_none()
            && maintenance::checkpoint_if_due(&self.connection, 0).is_ok()
        {
            self.allow_shorter();
        }
    }

    /// Before the files are closed. What fails here is left to whoever opens them again.
    fn end(&mut self) {
        if self.watch.check().is_err() {
            self.keep_log();
        } else if self.queue.take_damage() {
            self.empty_damaged_log();
        }
    }

    fn empty_damaged_log(&mut self) {
        if self.watch.check().is_ok() && maintenance::empty_log(&self.connection).is_ok() {
            self.allow_shorter();
        }
    }

    fn keep_log(&self) {
        // Fails only on a connection that is closed.
        let _ = connection::keep_log(&self.connection);
    }

    fn allow_shorter(&mut self) {
        // A file that is gone is found by the check of the next commit.
        if let Ok(bytes) = maintenance::database_bytes(&self.connection) {
            let _ = self.watch.allow_shorter(bytes);
        }
    }
}

/// The callback is the caller's code: its panic must not take the writer along.
fn resolve(done: Done, outcome: Result<Answer, SpoolError>) {
    let _ = catch_unwind(AssertUnwindSafe(|| done(outcome)));
}
