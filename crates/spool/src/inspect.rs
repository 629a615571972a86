//! Looking into a spool that another process may be using.

use std::path::Path;
use std::time::SystemTime;

use crate::commit_counter;
use crate::connection;
use crate::damage::Damage;
use crate::dead::DeadLetter;
use crate::error::SpoolError;
use crate::examine;
use crate::files::{self, Files};
use crate::lock_file;
use crate::reader::{Batch, Found, Reader};
use crate::record::Sequence;
use crate::requests::{self, DeadLetterAction, Request};
use crate::schema::{self, Kind};
use crate::state::State;
use crate::verify::{Verification, verify};

const INSPECTING: &str = "inspecting the spool";

/// Reads a spool beside its owner, or without one. It changes nothing, with one exception:
/// [`Inspector::ask`] leaves the owner a request.
pub struct Inspector {
    files: Files,
    reader: Reader,
}

/// What a spool holds, as last committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpoolStatus {
    /// Records in the queue.
    pub records: u64,
    /// Their weight, see [`crate::Record::weight`].
    pub bytes: u64,
    /// Dead letters.
    pub dead: u64,
    /// Their weight.
    pub dead_bytes: u64,
    /// When the first record in the queue came to be.
    pub oldest: Option<SystemTime>,
    /// What the database and its log take on the disk, in bytes.
    pub file_bytes: u64,
    /// Whether a process has the spool open.
    pub owned: bool,
    /// That process, where its number could be read.
    pub owner: Option<u32>,
    /// Requests that no owner has served yet.
    pub requests: u64,
}

impl Inspector {
    /// Opens the spool at `path` for reading.
    ///
    /// # Errors
    /// [`SpoolError::NotFound`], [`SpoolError::NewerSchema`], [`SpoolError::NotASpool`], or
    /// [`SpoolError::Corrupt`] where SQLite cannot read it or the database is gone from beside
    /// its other files: its next owner will salvage what is there.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SpoolError> {
        let files = Files::new(path.as_ref());
        if files::length(&files.database).is_none_or(|length| length == 0) {
            return Err(if examine::held_records(&files) {
                SpoolError::Corrupt {
                    doing: INSPECTING,
                    detail: Damage::DatabaseMissing.to_string(),
                }
            } else {
                SpoolError::NotFound {
                    path: files.database,
                }
            });
        }
        let connection = connection::reader(&files.database)?;
        match schema::kind(&connection).map_err(SpoolError::database(INSPECTING))? {
            Kind::Spool => Ok(Self {
                files,
                reader: Reader::new(connection),
            }),
            Kind::Newer(found) => Err(SpoolError::NewerSchema {
                found,
                known: schema::newest(),
            }),
            Kind::Foreign => Err(SpoolError::NotASpool {
                path: files.database,
            }),
            Kind::DamagedHeader => Err(SpoolError::Corrupt {
                doing: INSPECTING,
                detail: "the header does not match the tables".to_owned(),
            }),
        }
    }

    /// What the spool holds, and who owns it.
    pub fn status(&self) -> Result<SpoolStatus, SpoolError> {
        let connection = self.reader.connection();
        let state = State::load(connection).map_err(SpoolError::database(INSPECTING))?;
        let requests = requests::waiting(connection).map_err(SpoolError::database(INSPECTING))?;
        let owned = lock_file::is_owned(&self.files);
        Ok(SpoolStatus {
            records: state.totals.records,
            bytes: state.totals.bytes,
            dead: state.totals.dead,
            dead_bytes: state.totals.dead_bytes,
            oldest: self.reader.oldest()?,
            file_bytes: self.files.bytes(),
            owned,
            owner: owned
                .then(|| lock_file::read_owner(&self.files.lock()))
                .flatten(),
            requests,
        })
    }

    /// Records behind `after` in order: at most `limit`, and not more than `max_bytes` unless
    /// the first alone is larger. Damaged rows are named and left where they are.
    pub fn batch(
        &self,
        limit: usize,
        max_bytes: u64,
        after: Sequence,
    ) -> Result<Batch, SpoolError> {
        self.reader.batch(limit, max_bytes, after)
    }

    /// Dead letters behind `after` in order, bounded as [`Inspector::batch`].
    pub fn dead_letters(
        &self,
        limit: usize,
        max_bytes: u64,
        after: Sequence,
    ) -> Result<Vec<DeadLetter>, SpoolError> {
        self.reader.dead_letters(limit, max_bytes, after)
    }

    /// The record with this sequence, in the queue or among the dead letters.
    pub fn find(&self, sequence: Sequence) -> Result<Option<Found>, SpoolError> {
        self.reader.find(sequence)
    }

    /// Checks every page and every row. Takes seconds per gigabyte; an owner goes on meanwhile,
    /// but cannot shorten its log.
    pub fn verify(&self) -> Result<Verification, SpoolError> {
        self.verify_with(|_| ())
    }

    /// As [`Inspector::verify`], and tells now and then how many rows have been read: records
    /// and dead letters. SQLite's own check, the longer part, comes before the first.
    pub fn verify_with(&self, progress: impl FnMut(u64)) -> Result<Verification, SpoolError> {
        // Before the view of the file, or a commit in between would look like a lost one.
        let counter = commit_counter::read(&self.files.commit_counter());
        verify(self.reader.connection(), counter.as_ref(), progress)
    }

    /// Asks the owner to retry or drop dead letters; the request is durable when this returns.
    /// A running owner serves it within about a second, else the next one does. Sequences that
    /// are not dead letters are passed over.
    ///
    /// Where there is no owner, opening the spool and doing it there is quicker.
    pub fn ask(
        &self,
        action: DeadLetterAction,
        sequences: &[Sequence],
    ) -> Result<Request, SpoolError> {
        connection::guest(&self.files.database)
            .and_then(|mut guest| requests::insert(&mut guest, action, sequences))
            .map_err(SpoolError::database("asking the owner of the spool"))
    }

    /// For how many of its sequences a request still waits, counting those that were asked
    /// before it; 0 when it has been served.
    pub fn waits_for(&self, request: Request) -> Result<u64, SpoolError> {
        requests::left(self.reader.connection(), request).map_err(SpoolError::database(INSPECTING))
    }
}
