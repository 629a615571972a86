//! Inspector: read access to a spool that another process may own.

use std::path::Path;
use std::time::SystemTime;

use crate::cluster::SpoolCluster;
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
use crate::reserve;
use crate::schema::{self, Kind};
#[cfg(doc)]
use crate::spool::Spool;
use crate::state::State;
use crate::threads;
use crate::transfer;
use crate::verify::{Verification, verify};

const INSPECTING: &str = "inspecting the spool";

/// Read access to a spool, with or without an owner. It changes nothing, with one exception:
/// [`Inspector::ask`] leaves a request for the owner.
pub struct Inspector {
    files: Files,
    reader: Reader,
}

/// Content of a spool as of the last commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpoolStatus {
    /// Records in the queue.
    pub records: u64,
    /// Weight of the records, see [`crate::Record::weight`].
    pub bytes: u64,
    /// Dead letters.
    pub dead: u64,
    /// Weight of the dead letters.
    pub dead_bytes: u64,
    /// Creation time of the first record in the queue.
    pub oldest: Option<SystemTime>,
    /// Size of database and WAL on the disk, in bytes.
    pub file_bytes: u64,
    /// Whether a process has the spool open.
    pub owned: bool,
    /// Process id of the owner, if it could be read.
    pub owner: Option<u32>,
    /// Requests that the owner has not served yet.
    pub requests: u64,
    /// Whether the disk has no space for more rows.
    pub disk_full: bool,
}

impl Inspector {
    /// Opens the spool at `path` for reading.
    ///
    /// # Errors
    /// [`SpoolError::NotFound`], [`SpoolError::NewerSchema`], [`SpoolError::NotASpool`], or
    /// [`SpoolError::Corrupt`] if SQLite cannot read it or the database is missing beside its other
    /// files: the next owner salvages what is left.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SpoolError> {
        let files = Files::new(path.as_ref());
        if files::length(&files.database).is_none_or(|length| length == 0) {
            return Err(if examine::held_records(&files) {
                SpoolError::Corrupt {
                    context: INSPECTING,
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
                reader: Reader::of(&files, connection),
                files,
            }),
            Kind::Newer(found) => Err(SpoolError::NewerSchema {
                found,
                known: schema::newest(),
            }),
            Kind::Foreign => Err(SpoolError::NotASpool {
                path: files.database,
            }),
            Kind::DamagedHeader => Err(SpoolError::Corrupt {
                context: INSPECTING,
                detail: "the header does not match the tables".to_owned(),
            }),
        }
    }

    pub(crate) fn connection(&self) -> &rusqlite::Connection {
        self.reader.connection()
    }

    pub(crate) fn removed_to(&self) -> Result<u64, SpoolError> {
        self.reader.removed_to()
    }

    pub(crate) fn into_reader(self) -> Reader {
        self.reader
    }

    /// Returns the content of the spool and its owner.
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
            disk_full: self
                .files
                .free_bytes()
                .is_some_and(|free| free < reserve::STEP),
        })
    }

    /// Returns the cluster of the rows, if one was noted.
    pub fn cluster(&self) -> Result<Option<SpoolCluster>, SpoolError> {
        self.reader.cluster()
    }

    /// Returns records after `after` in order: at most `limit`, and not more than `max_bytes`
    /// unless the first alone is larger. Damaged rows are listed and left where they are.
    pub fn batch(
        &self,
        limit: usize,
        max_bytes: u64,
        after: Sequence,
    ) -> Result<Batch, SpoolError> {
        self.reader.batch(limit, max_bytes, after)
    }

    /// Returns dead letters after `after` in order, bounded like [`Inspector::batch`].
    pub fn dead_letters(
        &self,
        limit: usize,
        max_bytes: u64,
        after: Sequence,
    ) -> Result<Vec<DeadLetter>, SpoolError> {
        self.reader.dead_letters(limit, max_bytes, after)
    }

    /// Returns the record with this sequence, from the queue or the dead letters.
    pub fn find(&self, sequence: Sequence) -> Result<Option<Found>, SpoolError> {
        self.reader.find(sequence)
    }

    /// Checks every page and every row. This takes seconds per gigabyte; the owner goes on
    /// meanwhile, but cannot shorten its WAL.
    pub fn verify(&self) -> Result<Verification, SpoolError> {
        self.verify_with(|_| ())
    }

    /// Checks like [`Inspector::verify`], and reports from time to time how many records and dead
    /// letters have been read. SQLite's own check, the longer part, comes before the first report.
    pub fn verify_with(&self, progress: impl FnMut(u64)) -> Result<Verification, SpoolError> {
        // Read before the transaction begins, or a commit in between would look like a lost one.
        let counter = commit_counter::read(&self.files.commit_counter());
        verify(self.reader.connection(), counter.as_ref(), progress)
    }

    /// Writes a copy of the spool as of the last commit to a new file, complete or not at all. The
    /// owner goes on meanwhile. The copy is a spool itself; [`Spool::import`] brings its rows back.
    ///
    /// # Errors
    /// [`SpoolError::Io`] if the file exists, or an error of the disk.
    pub fn export(&self, to: impl AsRef<Path>) -> Result<(), SpoolError> {
        transfer::export(self.reader.connection(), to.as_ref())
    }

    /// Requests the owner to retry or drop dead letters; the request is durable when this returns.
    /// A running owner serves it within about a second, otherwise the next owner does. Sequences
    /// that are not dead letters are skipped.
    ///
    /// Without an owner it is quicker to open the spool and do it there.
    pub fn ask(
        &self,
        action: DeadLetterAction,
        sequences: &[Sequence],
    ) -> Result<Request, SpoolError> {
        let database = &self.files.database;
        threads::run(|| {
            connection::guest(database)
                .and_then(|mut guest| requests::insert(&mut guest, action, sequences))
                .map_err(SpoolError::database("asking the owner of the spool"))
        })
    }

    /// Returns the number of sequences of the request that are not served yet, and of requests made
    /// before it; 0 when all are served.
    pub fn pending_sequences(&self, request: Request) -> Result<u64, SpoolError> {
        requests::pending(self.reader.connection(), request)
            .map_err(SpoolError::database(INSPECTING))
    }
}
