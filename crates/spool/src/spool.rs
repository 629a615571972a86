//! The spool as its owner sees it.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::append::Append;
use crate::dead::{DeadLetter, DeadLetterRequest};
use crate::error::SpoolError;
use crate::files::Files;
use crate::inspect::Inspector;
use crate::job::{Answer, Job, Operation};
use crate::lock_file::LockFile;
use crate::open::{OpenReport, Parts, open};
use crate::options::SpoolOptions;
use crate::pending::{Pending, pending};
use crate::queue::Queue;
use crate::reader::{Batch, Found, READING, Reader};
use crate::record::{FailedAttempt, Record, Sequence, SequenceRange};
use crate::stats::SpoolStats;
use crate::verify::Verification;

/// A durable queue on the local disk, owned by this process.
///
/// All calls may come from any thread. Changes return a [`Pending`] at once and are made in the
/// order of the calls, many in one commit; when a `Pending` resolves without error, the change
/// is flushed to the disk: it survives the end of the process, a crash of the system and a power
/// cut. Reading sees what is committed.
///
/// Dropping a spool does the work that waits, then closes the files; [`Spool::close`] also says
/// how that ended.
pub struct Spool {
    queue: Arc<Queue>,
    /// `None` once closed. A mutex, because one reading uses the connection at a time.
    reader: Mutex<Option<Reader>>,
    writer: Option<JoinHandle<()>>,
    files: Files,
    /// Last, so that nobody gets the lock before the files are closed.
    _owner: LockFile,
}

impl Spool {
    /// Opens the spool, or makes one.
    ///
    /// The file is checked first (structure, number of rows, number of commits), which reads it
    /// once: one to two seconds per gigabyte. Where that fails, the files are moved into a
    /// folder beside the spool whose name has the time of day, what is readable comes over into
    /// a new file, and the report says how much.
    ///
    /// # Errors
    /// [`SpoolError::Owned`], [`SpoolError::NewerSchema`], [`SpoolError::NotASpool`], or what
    /// the disk has to say.
    pub fn open(options: SpoolOptions) -> Result<(Self, OpenReport), SpoolError> {
        let Parts {
            files,
            owner,
            queue,
            reader,
            writer,
            report,
        } = open(options)?;
        let writer = std::thread::Builder::new()
            .name("herald-spool".to_owned())
            .spawn(move || writer.run())
            .map_err(SpoolError::io("starting the spool's writer"))?;
        let spool = Self {
            queue,
            reader: Mutex::new(Some(reader)),
            writer: Some(writer),
            files,
            _owner: owner,
        };
        Ok((spool, report))
    }

    /// The database: a numbered one where the first was owned.
    pub fn path(&self) -> &Path {
        &self.files.database
    }

    /// Appends a record. Waits only while the writer's queue has no room, at most for a few
    /// commits. The sequence that it resolves to is the receipt.
    ///
    /// Records are stored in the order in which they are taken: of two calls on one thread the
    /// first comes first. [`Spool::holds_key`] counts the record from when this returns.
    ///
    /// # Errors
    /// At once: [`SpoolError::Full`], [`SpoolError::RecordTooLarge`], [`SpoolError::Forked`],
    /// [`SpoolError::Closed`], or what ended the spool before. Later: what the disk said; the
    /// record is not spooled then, and the next append may work.
    pub fn append(&self, record: Record) -> Result<Pending<Sequence>, SpoolError> {
        self.submit(Operation::Append(record), |answer| answer.first)
    }

    /// Appends a record and calls `then` with its receipt or the error, on the writer's thread:
    /// it must be quick, and must not wait for the spool. Not called where this fails at once.
    ///
    /// # Errors
    /// As [`Spool::append`].
    pub fn append_then(
        &self,
        record: Record,
        then: impl FnOnce(Result<Sequence, SpoolError>) + Send + 'static,
    ) -> Result<(), SpoolError> {
        let done = Box::new(move |outcome: Result<Answer, SpoolError>| {
            then(outcome.map(|answer| answer.first));
        });
        self.queue
            .hand_in(Job::new(Operation::Append(record), done))
    }

    /// Appends a record from async code: waits for room and for the disk without holding the
    /// thread.
    pub fn append_async(&self, record: Record) -> Append {
        let (job, pending) = self.job(Operation::Append(record), |answer| answer.first);
        Append {
            queue: self.queue.clone(),
            job: Some(job),
            pending,
        }
    }

    /// Appends records in this order, all or none.
    ///
    /// # Errors
    /// As [`Spool::append`].
    pub fn append_all(&self, records: Vec<Record>) -> Result<Pending<SequenceRange>, SpoolError> {
        self.submit(Operation::AppendAll(records), |answer| SequenceRange {
            first: answer.first,
            count: answer.count,
        })
    }

    /// Puts a record that was never in the queue among the dead letters.
    ///
    /// # Errors
    /// As [`Spool::append`].
    pub fn append_dead(
        &self,
        record: Record,
        reason: impl Into<String>,
        error: impl Into<String>,
    ) -> Result<Pending<Sequence>, SpoolError> {
        let work = Operation::AppendDead {
            record,
            reason: reason.into(),
            error: error.into(),
        };
        self.submit(work, |answer| answer.first)
    }

    /// Whether a record of this topic and key is in the queue or on its way there. While it is,
    /// a new event of the key must go behind it.
    ///
    /// True from when an append returns until the removal of the last such record is durable;
    /// never false too early, and true without need only where hashes of 64 bits collide.
    ///
    /// # Errors
    /// [`SpoolError::Forked`].
    pub fn holds_key(&self, topic: &str, key: Option<&[u8]>) -> Result<bool, SpoolError> {
        self.queue.process.check()?;
        Ok(self.queue.holds_key(topic, key))
    }

    /// Records in the queue, from memory. Those on their way are not counted.
    ///
    /// # Errors
    /// [`SpoolError::Forked`].
    pub fn depth(&self) -> Result<u64, SpoolError> {
        self.queue.process.check()?;
        Ok(self.queue.stored().records)
    }

    /// Records behind `after` in the order of their sequences: at most `limit`, and not more
    /// than `max_bytes` unless the first alone is larger. Records that wait for their
    /// not-before are among them: what may overtake what is for the relay to say.
    ///
    /// Rows that do not match their checksums are moved to the dead letters, durably, before
    /// this returns, and named in the batch.
    ///
    /// # Errors
    /// What the disk had to say; [`SpoolError::Corrupt`] asks for opening again with
    /// [`SpoolOptions::salvage`], also where a damaged row can't be moved.
    pub fn next_batch(
        &self,
        limit: usize,
        max_bytes: u64,
        after: Sequence,
    ) -> Result<Batch, SpoolError> {
        let mut moved: Vec<Sequence> = Vec::new();
        loop {
            let mut batch = self.read(|reader| reader.batch(limit, max_bytes, after))?;
            if batch.damaged.is_empty() {
                let is_dead = |at: &Sequence| matches!(self.find(*at), Ok(Some(Found::Dead(_))));
                batch.damaged = moved.into_iter().filter(is_dead).collect();
                return Ok(batch);
            }
            self.queue.note_damage();
            // A number that is damaged too names no row, or another one.
            if let Some(stuck) = batch.damaged.iter().find(|at| moved.contains(at)) {
                return Err(SpoolError::Corrupt {
                    doing: READING,
                    detail: format!("the damaged row {stuck} can't be moved"),
                });
            }
            self.submit(
                Operation::DeadLetterDamaged(batch.damaged.clone()),
                |answer| answer.count,
            )?
            .wait()?;
            moved.append(&mut batch.damaged);
        }
    }

    /// Removes records that Kafka has acknowledged; resolves to how many were there. Until then
    /// they may be read again, also after a crash.
    ///
    /// # Errors
    /// [`SpoolError::Forked`], [`SpoolError::Closed`], or what ended the spool before.
    pub fn acknowledge(&self, sequences: Vec<Sequence>) -> Result<Pending<u64>, SpoolError> {
        self.submit(Operation::Acknowledge(sequences), |answer| answer.count)
    }

    /// Removes records as [`Spool::acknowledge`] does, and calls `then` with how many were there
    /// or with the error, on the writer's thread: it must be quick, and must not wait for the
    /// spool. Not called where this fails at once.
    ///
    /// # Errors
    /// As [`Spool::acknowledge`].
    pub fn acknowledge_then(
        &self,
        sequences: Vec<Sequence>,
        then: impl FnOnce(Result<u64, SpoolError>) + Send + 'static,
    ) -> Result<(), SpoolError> {
        let done = Box::new(move |outcome: Result<Answer, SpoolError>| {
            then(outcome.map(|answer| answer.count));
        });
        self.queue
            .hand_in(Job::new(Operation::Acknowledge(sequences), done))
    }

    /// Remembers failed tries with their records; resolves to how many were there.
    ///
    /// # Errors
    /// As [`Spool::acknowledge`].
    pub fn note_attempts(&self, attempts: Vec<FailedAttempt>) -> Result<Pending<u64>, SpoolError> {
        self.submit(Operation::NoteAttempts(attempts), |answer| answer.count)
    }

    /// Moves records to the dead letters; resolves to how many were there. They go on counting
    /// towards the spool's bounds.
    ///
    /// # Errors
    /// As [`Spool::acknowledge`].
    pub fn dead_letter(
        &self,
        requests: Vec<DeadLetterRequest>,
    ) -> Result<Pending<u64>, SpoolError> {
        self.submit(Operation::DeadLetter(requests), |answer| answer.count)
    }

    /// Dead letters behind `after` in order, bounded as [`Spool::next_batch`].
    ///
    /// # Errors
    /// What the disk had to say.
    pub fn dead_letters(
        &self,
        limit: usize,
        max_bytes: u64,
        after: Sequence,
    ) -> Result<Vec<DeadLetter>, SpoolError> {
        self.read(|reader| reader.dead_letters(limit, max_bytes, after))
    }

    /// Moves dead letters to the queue's end, under new sequences and with no attempts counted;
    /// resolves to how many were there and sound. At the end, because later events of the same
    /// key have passed already: no place in front would mend their order.
    ///
    /// # Errors
    /// As [`Spool::acknowledge`].
    pub fn retry_dead(&self, sequences: Vec<Sequence>) -> Result<Pending<u64>, SpoolError> {
        self.submit(Operation::RetryDead(sequences), |answer| answer.count)
    }

    /// Deletes dead letters for good; resolves to how many were there.
    ///
    /// # Errors
    /// As [`Spool::acknowledge`].
    pub fn drop_dead(&self, sequences: Vec<Sequence>) -> Result<Pending<u64>, SpoolError> {
        self.submit(Operation::DropDead(sequences), |answer| answer.count)
    }

    /// The record with this sequence, in the queue or among the dead letters.
    ///
    /// # Errors
    /// What the disk had to say.
    pub fn find(&self, sequence: Sequence) -> Result<Option<Found>, SpoolError> {
        self.read(|reader| reader.find(sequence))
    }

    /// Figures: counts from memory, age and sizes from the disk.
    ///
    /// # Errors
    /// What the disk had to say.
    pub fn stats(&self) -> Result<SpoolStats, SpoolError> {
        let oldest = self.read(Reader::oldest)?;
        let stored = self.queue.stored();
        Ok(SpoolStats {
            records: stored.records,
            bytes: stored.bytes,
            dead: stored.dead,
            dead_bytes: stored.dead_bytes,
            oldest,
            file_bytes: self.files.bytes(),
            commits: self.queue.commits(),
        })
    }

    /// Checks every page and every row, beside everything else that goes on.
    ///
    /// # Errors
    /// Where the file cannot be opened for it. What it finds is in the result.
    pub fn verify(&self) -> Result<Verification, SpoolError> {
        self.queue.process.check()?;
        Inspector::open(&self.files.database)?.verify()
    }

    /// Does the work that waits and closes the files.
    ///
    /// # Errors
    /// What ended the spool before, where something did. Each piece of work has told its own
    /// caller how it ended.
    pub fn close(mut self) -> Result<(), SpoolError> {
        self.queue.process.check()?;
        let failure = self.queue.failure();
        self.shut_down();
        failure.map_or(Ok(()), Err)
    }

    /// Closes the spool, but keeps the reading connection: after [`SpoolError::FileChanged`] the
    /// rows of a file that was deleted can still be read. `None` where it was closed already.
    pub fn into_orphaned_reader(mut self) -> Option<OrphanedReader> {
        if self.queue.process.is_forked() {
            return None;
        }
        let reader = self
            .reader
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        let reader = reader.take()?;
        self.shut_down();
        Some(OrphanedReader {
            reader: Mutex::new(reader),
            queue: self.queue.clone(),
        })
    }

    fn submit<T: Send + 'static>(
        &self,
        operation: Operation,
        answer: fn(Answer) -> T,
    ) -> Result<Pending<T>, SpoolError> {
        let (job, pending) = self.job(operation, answer);
        self.queue.hand_in(job)?;
        Ok(pending)
    }

    fn job<T: Send + 'static>(
        &self,
        operation: Operation,
        answer: fn(Answer) -> T,
    ) -> (Job, Pending<T>) {
        let (completer, pending) = pending(self.queue.process);
        let done = Box::new(move |outcome: Result<Answer, SpoolError>| {
            completer.complete(outcome.map(answer));
        });
        (Job::new(operation, done), pending)
    }

    fn read<T>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, SpoolError>,
    ) -> Result<T, SpoolError> {
        self.queue.process.check()?;
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = read(reader.as_ref().ok_or(SpoolError::Closed)?);
        outcome.inspect_err(|error| {
            if matches!(error, SpoolError::Corrupt { .. }) {
                self.queue.note_damage();
            }
        })
    }

    fn shut_down(&mut self) {
        // Before the writer: the connection that closes last writes the log into the database
        // and removes it, and the reader may not write.
        self.reader
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        self.queue.close();
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has failed all work already.
            let _ = writer.join();
        }
    }
}

/// What can still be read of a spool that is closed. See [`Spool::into_orphaned_reader`].
pub struct OrphanedReader {
    /// A mutex, because one reading uses the connection at a time.
    reader: Mutex<Reader>,
    queue: Arc<Queue>,
}

impl OrphanedReader {
    /// Records behind `after` in order, bounded as [`Spool::next_batch`]. Damaged rows are named
    /// and left where they are.
    ///
    /// # Errors
    /// What the disk had to say.
    pub fn batch(
        &self,
        limit: usize,
        max_bytes: u64,
        after: Sequence,
    ) -> Result<Batch, SpoolError> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader.batch(limit, max_bytes, after)
    }

    /// Dead letters behind `after` in order, bounded as [`Spool::next_batch`].
    ///
    /// # Errors
    /// What the disk had to say.
    pub fn dead_letters(
        &self,
        limit: usize,
        max_bytes: u64,
        after: Sequence,
    ) -> Result<Vec<DeadLetter>, SpoolError> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader.dead_letters(limit, max_bytes, after)
    }

    /// Dead letters that were there when the spool was closed.
    pub fn dead(&self) -> u64 {
        self.queue.stored().dead
    }

    /// Records that were in the queue when the spool was closed.
    pub fn records(&self) -> u64 {
        self.queue.stored().records
    }

    /// Whether a record of this topic and key was in the queue when the spool was closed.
    pub fn holds_key(&self, topic: &str, key: Option<&[u8]>) -> bool {
        self.queue.holds_key(topic, key)
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if self.queue.process.is_forked() {
            // SQLite's connections must not be closed in a fork, the mutexes may have been
            // copied locked, and the writer is not here. The lock's file may be closed: the
            // owner keeps its own.
            std::mem::forget(std::mem::replace(&mut self.reader, Mutex::new(None)));
            std::mem::forget(self.writer.take());
            return;
        }
        self.shut_down();
    }
}
