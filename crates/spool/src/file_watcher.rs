//! Detects that a file of the spool was deleted, replaced or truncated under the running process.
//!
//! On Unix anybody may delete or truncate a file that is open. SQLite goes on writing to the file
//! without a name and reports success, and the commit would not be found after a restart. So the
//! names are compared with the open files before and after every commit. A file that is copied over
//! the database keeps its identity: its time of modification tells, because only checkpoints and
//! extensions write to the database, and both are made by this process.

use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::error::SpoolError;
use crate::files::{Files, Identity, identity};

/// File with its identity and its length at the last check.
#[derive(Debug)]
struct Watched {
    path: PathBuf,
    identity: Identity,
    /// Length that the spool itself never goes below.
    length: u64,
    /// Time of the last write of this process. `None` if others may write too.
    modified: Option<SystemTime>,
}

impl Watched {
    fn new(path: PathBuf, expected: Option<Identity>) -> Result<Self, SpoolError> {
        let mut watched = Self {
            identity: Identity::default(),
            length: 0,
            modified: None,
            path,
        };
        let metadata = watched.metadata()?;
        watched.identity = expected.unwrap_or_else(|| identity(&metadata));
        watched.length = metadata.len();
        Ok(watched)
    }

    fn metadata(&self) -> Result<fs::Metadata, SpoolError> {
        fs::metadata(&self.path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => SpoolError::file_changed(&self.path, "was deleted"),
            _ => SpoolError::io("checking the spool's files")(error),
        })
    }

    fn check(&mut self) -> Result<(), SpoolError> {
        let metadata = self.metadata()?;
        if identity(&metadata) != self.identity {
            return Err(SpoolError::file_changed(&self.path, "was replaced"));
        }
        if metadata.len() < self.length {
            return Err(SpoolError::file_changed(&self.path, "was truncated"));
        }
        if self.modified.is_some() && self.modified != metadata.modified().ok() {
            return Err(SpoolError::file_changed(&self.path, "was written to"));
        }
        self.length = metadata.len();
        Ok(())
    }
}

/// Watcher of the files that must not change under the running process.
#[derive(Debug)]
pub(crate) struct FileWatcher {
    database: Watched,
    log: Watched,
    lock: Watched,
}

impl FileWatcher {
    /// Creates a watcher. The database must be open and have a WAL.
    pub(crate) fn new(files: &Files, lock: Identity) -> Result<Self, SpoolError> {
        Ok(Self {
            database: Watched::new(files.database.clone(), None)?,
            log: Watched::new(files.log(), None)?,
            lock: Watched::new(files.lock(), Some(lock))?,
        })
    }

    /// Fails with [`SpoolError::FileChanged`] if a name no longer leads to the open file.
    ///
    /// Called before a commit, so that a truncated WAL is not continued behind its hole, and after
    /// it, before any receipt, because a file deleted in between took the commit with it.
    pub(crate) fn check(&mut self) -> Result<(), SpoolError> {
        self.database.check()?;
        self.log.check()?;
        self.lock.check()
    }

    /// Identities of the open database and its WAL.
    pub(crate) fn identities(&self) -> (Identity, Identity) {
        (self.database.identity, self.log.identity)
    }

    /// Notes that this process has written to the database.
    pub(crate) fn note_own_writes(&mut self) {
        let metadata = self.database.metadata().ok();
        self.database.modified = metadata.and_then(|metadata| metadata.modified().ok());
    }

    /// Notes it if something was written.
    pub(crate) fn note_own_writes_if(&mut self, written: bool) {
        if written {
            self.note_own_writes();
        }
    }

    /// Accepts shorter files, after the spool itself may have shortened them. `database_bytes` is
    /// the length of the database according to its header.
    pub(crate) fn allow_shorter(&mut self, database_bytes: u64) -> Result<(), SpoolError> {
        self.database.length = self.database.metadata()?.len().min(database_bytes);
        self.log.length = self.log.metadata()?.len();
        Ok(())
    }

    /// Returns the error of a commit that found rows of another writer.
    pub(crate) fn written_by_another(&self) -> SpoolError {
        SpoolError::file_changed(&self.database.path, "was written to by another program")
    }

    /// Length of the WAL file, including unused frames.
    pub(crate) fn log_bytes(&self) -> u64 {
        self.log.length
    }
}
