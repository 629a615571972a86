//! Notices when a file of the spool is taken away under the running process.
//!
//! A system lets anybody delete or truncate a file that is open. SQLite goes on writing to a
//! file without name and reports success; nobody would find that after a restart. So the names
//! are held against the open files around every commit.

use std::fs;
use std::path::PathBuf;

use crate::error::SpoolError;
use crate::files::{Files, Identity, identity};

/// A file, and what it was when it was last looked at.
#[derive(Debug)]
struct Watched {
    path: PathBuf,
    identity: Identity,
    /// The file never gets shorter than this by the spool's own doing.
    length: u64,
}

impl Watched {
    fn new(path: PathBuf, expected: Option<Identity>) -> Result<Self, SpoolError> {
        let mut watched = Self {
            identity: Identity::default(),
            length: 0,
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
            _ => SpoolError::io("looking at the spool's files")(error),
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
        self.length = metadata.len();
        Ok(())
    }
}

/// The files that must stay what they are.
#[derive(Debug)]
pub(crate) struct FileWatcher {
    database: Watched,
    log: Watched,
    lock: Watched,
}

impl FileWatcher {
    /// To be made when the database is open and has a log.
    pub(crate) fn new(files: &Files, lock: Identity) -> Result<Self, SpoolError> {
        Ok(Self {
            database: Watched::new(files.database.clone(), None)?,
            log: Watched::new(files.log(), None)?,
            lock: Watched::new(files.lock(), Some(lock))?,
        })
    }

    /// Fails with [`SpoolError::FileChanged`] where a name no longer leads to the open file.
    ///
    /// Called before a commit, so that a log that was cut is not written behind its hole, and
    /// after it, before any receipt, because what was deleted in between took the commit along.
    pub(crate) fn check(&mut self) -> Result<(), SpoolError> {
        self.database.check()?;
        self.log.check()?;
        self.lock.check()
    }

    /// To be called after the spool itself may have made its files shorter.
    /// `database_bytes` is how long the database is by its own account.
    pub(crate) fn allow_shorter(&mut self, database_bytes: u64) -> Result<(), SpoolError> {
        self.database.length = self.database.metadata()?.len().min(database_bytes);
        self.log.length = self.log.metadata()?.len();
        Ok(())
    }

    /// The error for a commit that found rows of another writer.
    pub(crate) fn written_by_another(&self) -> SpoolError {
        SpoolError::file_changed(&self.database.path, "was written to by another program")
    }

    /// Length of the log's file, used or not.
    pub(crate) fn log_bytes(&self) -> u64 {
        self.log.length
    }
}
