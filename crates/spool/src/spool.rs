//! Spool: the API of its owner.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::append::Append;
use crate::cluster::SpoolCluster;
use crate::connection;
use crate::dead::{DeadLetter, DeadLetterRequest};
use crate::error::SpoolError;
use crate::files::{Files, Identity};
use crate::inspect::Inspector;
use crate::job::{Answer, Done, Job, LateRecord, Load, Operation};
use crate::key_counting;
use crate::keys::{self, KeyHash};
use crate::lock_file::LockFile;
use crate::open::{self, OpenReport, Parts};
use crate::options::SpoolOptions;
use crate::pending::{Pending, pending};
use crate::queue::Queue;
use crate::reader::{Batch, Found, READING, Reader};
use crate::record::{Acknowledged, FailedAttempt, Record, Sequence, SequenceRange};
use crate::recovery;
use crate::removal;
use crate::row;
use crate::scan::scan;
use crate::stats::SpoolStats;
use crate::sync::lock;
use crate::threads;
use crate::transfer::{self, Imported};
use crate::verify::Verification;

/// Durable queue on the local disk, owned by this process.
///
/// Methods may be called from any thread. Changes return a [`Pending`] at once and are made in the
/// order of the calls, many in one commit. When a `Pending` resolves without an error, the change
/// is flushed to the disk: it survives the end of the process, a system crash and a power cut.
/// Reads return what is committed.
///
/// Dropping a spool completes the waiting operations and closes the files; [`Spool::close`] also
/// returns an earlier failure.
pub struct Spool {
    queue: Arc<Queue>,
    /// `None` once closed. The mutex gives the connection to one reading at a time.
    reader: Mutex<Option<Reader>>,
    writer: Option<JoinHandle<()>>,
    files: Files,
    /// Identities of the open database and its WAL.
    identities: (Identity, Identity),
    /// Declared last, so that it is dropped last: no other process gets the lock before the files
    /// are closed.
    _lock_file: Arc<LockFile>,
}

impl Spool {
    /// Opens the spool, or creates it.
    ///
    /// The file is checked first (structure, number of rows, number of commits), which reads it
    /// twice: about half a second per gigabyte if it is in memory. If a check fails, the files are moved into a folder
    /// beside the spool with the time in its name, the readable rows are copied into a new file,
    /// and the report contains the numbers.
    ///
    /// # Errors
    /// [`SpoolError::Owned`], [`SpoolError::NewerSchema`], [`SpoolError::NotASpool`], or an error of
    /// the disk.
    pub fn open(options: SpoolOptions) -> Result<(Self, OpenReport), SpoolError> {
        threads::run(|| {
            let locked = open::lock(&options)?;
            Self::open_locked(options, locked)
        })
    }

    /// Opens the spool of which this process has the lock.
    fn open_locked(
        options: SpoolOptions,
        locked: (Files, Arc<LockFile>),
    ) -> Result<(Self, OpenReport), SpoolError> {
        keys::init_seed();
        row::init_statements();
        removal::init_statements();
        let Parts {
            files,
            lock_file,
            queue,
            reader,
            writer,
            report,
            identities,
        } = open::open(options, locked)?;
        let writer = threads::spawn("herald-spool", move || writer.run())?;
        let spool = Self {
            queue,
            reader: Mutex::new(Some(reader)),
            writer: Some(writer),
            files,
            identities,
            _lock_file: lock_file,
        };
        Ok((spool, report))
    }

    /// Opens only the rows of a spool for reading, for which [`Spool::open`] found no space. This
    /// process owns it from then on.
    ///
    /// # Errors
    /// [`SpoolError::NotFound`] if there is none, and the errors of [`crate::Inspector::open`].
    pub fn open_read_only(options: SpoolOptions) -> Result<OrphanedReader, SpoolError> {
        threads::run(|| {
            let (files, lock_file) = open::lock(&options)?;
            let inspector = Inspector::open(&files.database)?;
            let connection = inspector.connection();
            let removed_to = inspector.removed_to()?;
            let scan = scan(connection, removed_to).map_err(SpoolError::database(READING))?;
            let keys = key_counting::count_all(connection, removed_to)?;
            let queue = Queue::new(options, scan.totals);
            queue.set_keys(keys);
            Ok(OrphanedReader {
                reader: Mutex::new(Some(inspector.into_reader())),
                queue: Arc::new(queue),
                locked: Some((files, lock_file)),
            })
        })
    }

    /// Returns the path of the database: a numbered one if the first was owned.
    pub fn path(&self) -> &Path {
        &self.files.database
    }

    /// Appends a record. Blocks only while the writer's queue has no room, at most for a few
    /// commits. The sequence that it resolves to is the receipt.
    ///
    /// Records are stored in the order in which they are accepted: of two calls on one thread the
    /// first comes first. [`Spool::holds_key`] includes the record as soon as this returns.
    ///
    /// # Errors
    /// Immediately: [`SpoolError::Full`], [`SpoolError::RecordTooLarge`], [`SpoolError::Forked`],
    /// [`SpoolError::Closed`], or an earlier failure of the spool. Later: an error of the disk; then
    /// the record is not spooled, and the next append may succeed.
    pub fn append(&self, record: Record) -> Result<Pending<Sequence>, SpoolError> {
        self.submit(Operation::Append(record), |answer| answer.first)
    }

    /// Appends a record that is made when the writer takes it, unless it need not be stored by then.
    /// `key` is its [`crate::key_hash`], and `weight` its [`Record::weight`]. Neither method of
    /// `record` is called if this returns an error.
    ///
    /// # Errors
    /// See [`Spool::append`].
    pub fn append_late(
        &self,
        key: KeyHash,
        weight: u64,
        record: Arc<dyn LateRecord>,
    ) -> Result<(), SpoolError> {
        self.queue.submit(Job {
            operation: Operation::AppendLate,
            load: Load {
                records: 1,
                bytes: weight,
            },
            keys: vec![key.0],
            done: Done::Late(record),
        })
    }

    /// Appends a record from async code: waits for room and for the disk without blocking the
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
    /// See [`Spool::append`].
    pub fn append_all(&self, records: Vec<Record>) -> Result<Pending<SequenceRange>, SpoolError> {
        self.submit(Operation::AppendAll(records), |answer| SequenceRange {
            first: answer.first,
            count: answer.count,
        })
    }

    /// Appends a record to the dead letters that was never in the queue.
    ///
    /// # Errors
    /// See [`Spool::append`].
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

    /// Returns whether a record of this topic and key is in the queue or on its way there. While it
    /// is, a new event of the key must go behind it.
    ///
    /// It is true from the return of an append until the removal of the last such record is
    /// durable. It is never false too early. It is true without need if 64-bit hashes collide, and
    /// while the records of an opened spool are counted: for about a second after the first call if there are
    /// a million, and for some more while it is drained. The count begins with the next operation, or after
    /// a second.
    ///
    /// # Errors
    /// [`SpoolError::Forked`].
    pub fn holds_key(&self, topic: &str, key: Option<&[u8]>) -> Result<bool, SpoolError> {
        self.queue.fork_guard.check()?;
        Ok(self.queue.holds_key(topic, key))
    }

    /// Returns the number of committed records in the queue, from memory.
    ///
    /// # Errors
    /// [`SpoolError::Forked`].
    pub fn depth(&self) -> Result<u64, SpoolError> {
        self.queue.fork_guard.check()?;
        Ok(self.queue.stored().records)
    }

    /// Returns records after `after` in the order of their sequences: at most `limit`, and not more
    /// than `max_bytes` unless the first alone is larger. Records with a later `not_before` are
    /// included; the relay decides which record may overtake which.
    ///
    /// Rows that do not match their checksums are moved to the dead letters, durably, before this
    /// returns, and are listed in the batch.
    ///
    /// # Errors
    /// An error of the disk. After [`SpoolError::Corrupt`], also if a damaged row can't be moved,
    /// open the spool again with [`SpoolOptions::salvage`].
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
            // If the sequence is damaged too, it leads to no row, or to another one.
            if let Some(stuck) = batch.damaged.iter().find(|at| moved.contains(at)) {
                return Err(SpoolError::Corrupt {
                    context: READING,
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

    /// Removes records that Kafka has acknowledged; resolves to the number of removed records.
    /// Until then they may be read again, also after a crash.
    ///
    /// # Errors
    /// [`SpoolError::Forked`], [`SpoolError::Closed`], or an earlier failure of the spool.
    pub fn acknowledge(
        &self,
        records: impl IntoIterator<Item = impl Into<Acknowledged>>,
    ) -> Result<Pending<u64>, SpoolError> {
        let records = records.into_iter().map(Into::into).collect();
        self.submit(Operation::Acknowledge(records), |answer| answer.count)
    }

    /// Removes records like [`Spool::acknowledge`], and calls `then` with the number of removed
    /// records or the error. `then` runs on the writer thread: it must be quick and must not wait
    /// for the spool. It is not called if this returns an error.
    ///
    /// # Errors
    /// See [`Spool::acknowledge`].
    pub fn acknowledge_then(
        &self,
        records: Vec<Acknowledged>,
        then: impl FnOnce(Result<u64, SpoolError>) + Send + 'static,
    ) -> Result<(), SpoolError> {
        let done = Done::Call(Box::new(move |outcome| {
            then(outcome.map(|answer: Answer| answer.count));
        }));
        let operation = Operation::Acknowledge(records);
        self.queue.submit(Job::new(operation, done))
    }

    /// Stores failed attempts with their records; resolves to the number of records found.
    ///
    /// # Errors
    /// See [`Spool::acknowledge`].
    pub fn note_attempts(&self, attempts: Vec<FailedAttempt>) -> Result<Pending<u64>, SpoolError> {
        self.submit(Operation::NoteAttempts(attempts), |answer| answer.count)
    }

    /// Moves records to the dead letters; resolves to the number of moved records. They still count
    /// towards the spool's limits.
    ///
    /// # Errors
    /// See [`Spool::acknowledge`].
    pub fn dead_letter(
        &self,
        requests: Vec<DeadLetterRequest>,
    ) -> Result<Pending<u64>, SpoolError> {
        self.submit(Operation::DeadLetter(requests), |answer| answer.count)
    }

    /// Returns dead letters after `after` in order, bounded like [`Spool::next_batch`].
    ///
    /// # Errors
    /// An error of the disk.
    pub fn dead_letters(
        &self,
        limit: usize,
        max_bytes: u64,
        after: Sequence,
    ) -> Result<Vec<DeadLetter>, SpoolError> {
        self.read(|reader| reader.dead_letters(limit, max_bytes, after))
    }

    /// Re-queues dead letters at the end, with new sequences and without attempts; resolves to the
    /// number of sound dead letters found. Later events of the same key have passed them already,
    /// so no earlier place would restore their order.
    ///
    /// # Errors
    /// See [`Spool::acknowledge`].
    pub fn retry_dead(&self, sequences: Vec<Sequence>) -> Result<Pending<u64>, SpoolError> {
        self.submit(Operation::RetryDead(sequences), |answer| answer.count)
    }

    /// Deletes dead letters; resolves to the number of deleted ones.
    ///
    /// # Errors
    /// See [`Spool::acknowledge`].
    pub fn drop_dead(&self, sequences: Vec<Sequence>) -> Result<Pending<u64>, SpoolError> {
        self.submit(Operation::DropDead(sequences), |answer| answer.count)
    }

    /// Returns the record with this sequence, from the queue or the dead letters.
    ///
    /// # Errors
    /// An error of the disk.
    pub fn find(&self, sequence: Sequence) -> Result<Option<Found>, SpoolError> {
        self.read(|reader| reader.find(sequence))
    }

    /// Returns the statistics: totals from memory, age and sizes from the disk.
    ///
    /// # Errors
    /// An error of the disk.
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
            write_failure: self.write_failure().as_ref().map(SpoolError::code),
            commits: self.queue.commits(),
        })
    }

    /// Appends the rows of another spool that this one does not have, in their order. Rows that
    /// were delivered since the other one was written are delivered again. It can be repeated after
    /// a failure: what is there already is not added twice.
    ///
    /// # Errors
    /// See [`Spool::append`]; and errors of reading the other spool.
    pub fn import(&self, source: &Inspector) -> Result<Imported, SpoolError> {
        transfer::import(self, source)
    }

    /// Returns the number of records and dead letters, from memory.
    pub fn rows(&self) -> u64 {
        self.queue.stored().all_records()
    }

    /// Returns the cluster of the rows, if one was noted.
    ///
    /// # Errors
    /// An error of the disk.
    pub fn cluster(&self) -> Result<Option<SpoolCluster>, SpoolError> {
        self.read(Reader::cluster)
    }

    /// Checks that no rows wait for another cluster than the one with this id.
    ///
    /// # Errors
    /// [`SpoolError::OtherCluster`], or an error of the disk.
    pub fn check_cluster(&self, id: &str) -> Result<(), SpoolError> {
        let noted = self.cluster()?;
        check_cluster(&self.files, &self.queue, noted, id)
    }

    /// Notes the cluster of the rows, also in place of another one.
    ///
    /// # Errors
    /// See [`Spool::acknowledge`].
    pub fn note_cluster(&self, cluster: SpoolCluster) -> Result<Pending<()>, SpoolError> {
        self.submit(Operation::NoteCluster(cluster), |_| ())
    }

    /// Returns the error that ended the spool, if one did: it accepts nothing more.
    pub fn failure(&self) -> Option<SpoolError> {
        self.queue.failure()
    }

    /// Returns the error with which the disk refused the last rows, until it accepts rows again.
    /// Removals go on meanwhile, in space that is reserved for them.
    pub fn write_failure(&self) -> Option<SpoolError> {
        self.queue.write_failure()
    }

    /// Checks every page and every row while the spool is in use.
    ///
    /// # Errors
    /// An error if the file cannot be opened. Damage is in the result.
    pub fn verify(&self) -> Result<Verification, SpoolError> {
        self.queue.fork_guard.check()?;
        Inspector::open(&self.files.database)?.verify()
    }

    /// Completes the waiting operations and closes the files.
    ///
    /// # Errors
    /// An earlier failure of the spool. Errors of operations went to their callers.
    pub fn close(mut self) -> Result<(), SpoolError> {
        self.queue.fork_guard.check()?;
        let failure = self.queue.failure();
        self.shut_down();
        failure.map_or(Ok(()), Err)
    }

    /// Closes the spool, but keeps the reading connection: after [`SpoolError::FileChanged`] the
    /// rows of a deleted or replaced file can still be read through it. `None` if the spool was
    /// closed already.
    ///
    /// A database that was put in the place of the open one is moved to a folder beside it, and is
    /// not read: its rows may have the sequences of others that this process still knows. They can
    /// be imported from there.
    pub fn into_orphaned_reader(mut self) -> Option<OrphanedReader> {
        if self.queue.fork_guard.is_forked() {
            return None;
        }
        let reader = self
            .reader
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        let reader = reader.take()?;
        self.shut_down();
        // If they can't be counted, every key counts as held.
        if !self.queue.are_keys_complete()
            && let Ok(keys) = reader
                .removed_to()
                .and_then(|removed_to| key_counting::count_all(reader.connection(), removed_to))
        {
            self.queue.set_keys(keys);
        }
        // If it can't be moved, the next opening fails, or finds what there is.
        let (database, log) = self.identities;
        let _ = recovery::set_aside_replaced(&self.files, database, log);
        Some(OrphanedReader {
            reader: Mutex::new(Some(reader)),
            queue: self.queue.clone(),
            locked: None,
        })
    }

    fn submit<T: Send + 'static>(
        &self,
        operation: Operation,
        answer: fn(Answer) -> T,
    ) -> Result<Pending<T>, SpoolError> {
        let (job, pending) = self.job(operation, answer);
        self.queue.submit(job)?;
        Ok(pending)
    }

    fn job<T: Send + 'static>(
        &self,
        operation: Operation,
        answer: fn(Answer) -> T,
    ) -> (Job, Pending<T>) {
        let (completer, pending) = pending(self.queue.fork_guard);
        let done = Done::Call(Box::new(move |outcome| {
            completer.complete(outcome.map(answer));
        }));
        (Job::new(operation, done), pending)
    }

    fn read<T>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, SpoolError>,
    ) -> Result<T, SpoolError> {
        self.queue.fork_guard.check()?;
        let reader = lock(&self.reader);
        let outcome = read(reader.as_ref().ok_or(SpoolError::Closed)?);
        outcome.inspect_err(|error| {
            if matches!(error, SpoolError::Corrupt { .. }) {
                self.queue.note_damage();
            }
        })
    }

    fn shut_down(&mut self) {
        // Closed before the writer: the last connection to close checkpoints the WAL and removes
        // it, which the read-only connection cannot do.
        self.reader
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        self.queue.close();
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has failed all jobs already.
            let _ = writer.join();
        }
    }
}

fn check_cluster(
    files: &Files,
    queue: &Queue,
    noted: Option<SpoolCluster>,
    found: &str,
) -> Result<(), SpoolError> {
    let stored = queue.stored();
    match noted {
        Some(noted) if noted.id != found && stored.all_records() > 0 => {
            Err(SpoolError::OtherCluster {
                path: files.database.clone(),
                rows: format!(
                    "{} records and {} dead letters",
                    stored.records, stored.dead
                ),
                noted: Box::new(noted),
                found: found.to_owned(),
            })
        }
        _ => Ok(()),
    }
}

/// Reader of a closed spool, whose files may have been deleted, or of one that can't be opened for
/// writing. See [`Spool::into_orphaned_reader`] and [`Spool::open_read_only`].
pub struct OrphanedReader {
    /// The mutex gives the connection to one reading at a time. `None` once the spool is open
    /// again.
    reader: Mutex<Option<Reader>>,
    queue: Arc<Queue>,
    /// Lock of a spool that is still there.
    locked: Option<(Files, Arc<LockFile>)>,
}

impl OrphanedReader {
    /// Returns the number of records and dead letters, from memory. No more are added.
    pub fn rows(&self) -> u64 {
        self.queue.stored().all_records()
    }

    /// Returns records after `after` in order, bounded like [`Spool::next_batch`]. Damaged rows are
    /// listed and left where they are.
    ///
    /// # Errors
    /// An error of the disk.
    pub fn batch(
        &self,
        limit: usize,
        max_bytes: u64,
        after: Sequence,
    ) -> Result<Batch, SpoolError> {
        self.read(|reader| reader.batch(limit, max_bytes, after))
    }

    /// Returns dead letters after `after` in order, bounded like [`Spool::next_batch`].
    ///
    /// # Errors
    /// An error of the disk.
    pub fn dead_letters(
        &self,
        limit: usize,
        max_bytes: u64,
        after: Sequence,
    ) -> Result<Vec<DeadLetter>, SpoolError> {
        self.read(|reader| reader.dead_letters(limit, max_bytes, after))
    }

    fn read<T>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, SpoolError>,
    ) -> Result<T, SpoolError> {
        read(lock(&self.reader).as_ref().ok_or(SpoolError::Closed)?)
    }

    /// Checks like [`Spool::check_cluster`]. The rows of deleted files were checked before.
    ///
    /// # Errors
    /// [`SpoolError::OtherCluster`], or an error of the disk.
    pub fn check_cluster(&self, id: &str) -> Result<(), SpoolError> {
        let Some((files, _)) = &self.locked else {
            return Ok(());
        };
        check_cluster(files, &self.queue, self.read(Reader::cluster)?, id)
    }

    /// Returns whether the rows are still in the files of the spool, as opposed to deleted ones.
    pub fn is_on_disk(&self) -> bool {
        self.locked.is_some()
    }

    /// Opens a spool: the one that has these rows if it is still there, otherwise that of the
    /// options. After a failure this goes on to read.
    ///
    /// # Errors
    /// See [`Spool::open`].
    pub fn reopen(&self, options: SpoolOptions) -> Result<(Spool, OpenReport), SpoolError> {
        let Some((files, lock_file)) = &self.locked else {
            return Spool::open(options);
        };
        let mut reader = lock(&self.reader);
        // It may lock all others out.
        *reader = None;
        let locked = (files.clone(), lock_file.clone());
        let opened = threads::run(|| Spool::open_locked(options, locked));
        if opened.is_err() {
            let connection = connection::reader(&files.database).ok();
            *reader = connection.map(|connection| Reader::of(files, connection));
        }
        opened
    }

    /// Number of dead letters when the spool was closed.
    pub fn dead(&self) -> u64 {
        self.queue.stored().dead
    }

    /// Number of records in the queue when the spool was closed.
    pub fn records(&self) -> u64 {
        self.queue.stored().records
    }

    /// Returns whether a record of this topic and key was in the queue when the spool was closed.
    pub fn holds_key(&self, topic: &str, key: Option<&[u8]>) -> bool {
        self.queue.holds_key(topic, key)
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if self.queue.fork_guard.is_forked() {
            // SQLite's connections must not be carried across a fork, not even to close them, the
            // mutexes may have been copied locked, and the writer thread does not exist here. The
            // lock file may be closed: the owner keeps its own descriptor.
            std::mem::forget(std::mem::replace(&mut self.reader, Mutex::new(None)));
            std::mem::forget(self.writer.take());
            return;
        }
        self.shut_down();
    }
}
