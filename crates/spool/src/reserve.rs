//! Reserved disk space, with which rows can be removed on a full disk.
//!
//! A removal is written to the WAL, and the WAL is only used again from its beginning once a
//! checkpoint has written all of its frames into the database. So that neither needs space that the
//! disk does not have,
//!
//! - the WAL has at least [`LOG_BYTES`] from the opening on, zeros behind its last frame. They
//!   suffice for the removal of the largest row that is accepted by default (about 40 pages);
//! - the database is extended before a commit that adds pages to it, and the commit is refused if
//!   it can't be. SQLite takes the number of pages from the header, not from the length, and cuts
//!   the rest off at the end of a checkpoint that wrote everything.
//!
//! Zeros are written rather than `fallocate` called: that works on every file system, and a file
//! system that reserves space when it is written to answers at once if there is none.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;

use rusqlite::{Connection, TransactionBehavior};

use crate::error::SpoolError;
use crate::files::{self, Files};
use crate::maintenance;

const RESERVING: &str = "reserving space for the spool";

/// Least length of the WAL.
pub(crate) const LOG_BYTES: u64 = 1024 * 1024;

/// Bytes by which the database is extended at a time, and that are written at once.
pub(crate) const STEP: u64 = 1024 * 1024;

/// Extender of the files of an open spool.
#[derive(Debug)]
pub(crate) struct Reserve {
    /// Kept open: closing a descriptor of the database releases all locks that this process has on
    /// it, also those of SQLite. Dropped after the connections of the writer and the reader.
    database: File,
    database_bytes: u64,
    /// Whether the database was written to since the last question.
    written: bool,
    log: PathBuf,
}

impl Reserve {
    /// Opens the database, which exists.
    pub(crate) fn new(files: &Files) -> Result<Self, SpoolError> {
        let database = OpenOptions::new()
            .write(true)
            .open(&files.database)
            .map_err(SpoolError::io(RESERVING))?;
        Ok(Self {
            database,
            database_bytes: files::length(&files.database).unwrap_or_default(),
            written: false,
            log: files.log(),
        })
    }

    /// Extends the WAL if it is too short.
    pub(crate) fn extend_log(&self, connection: &mut Connection) -> Result<(), SpoolError> {
        if files::length(&self.log).is_some_and(|length| length >= LOG_BYTES) {
            return Ok(());
        }
        // Nobody else may append frames where the zeros go.
        let lock = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(SpoolError::database(RESERVING))?;
        let extended = OpenOptions::new()
            .write(true)
            .open(&self.log)
            .and_then(|mut log| {
                // A log that was just cut must be short on the disk too before zeros take the place of
                // its frames. After a power cut the first frames alone could be left, and SQLite
                // would apply these old pages to a database that has newer ones.
                log.sync_all()?;
                write_zeros(&mut log, LOG_BYTES)
            });
        lock.rollback().map_err(SpoolError::database(RESERVING))?;
        extended.map_err(SpoolError::io(RESERVING))
    }

    /// Extends the database to the pages that it has with the transaction of this connection.
    pub(crate) fn extend_database(&mut self, connection: &Connection) -> Result<(), SpoolError> {
        let needed =
            maintenance::database_bytes(connection).map_err(SpoolError::database(RESERVING))?;
        self.extend_database_to(needed)
    }

    fn extend_database_to(&mut self, needed: u64) -> Result<(), SpoolError> {
        if needed <= self.database_bytes {
            return Ok(());
        }
        self.written = true;
        let failed = write_zeros(&mut self.database, needed.next_multiple_of(STEP)).err();
        let length = self
            .database
            .metadata()
            .map_err(SpoolError::io(RESERVING))?;
        self.database_bytes = length.len();
        match failed {
            Some(error) if self.database_bytes < needed => Err(SpoolError::io(RESERVING)(error)),
            _ => Ok(()),
        }
    }

    /// Returns whether the database was written to since the last call.
    pub(crate) fn take_written(&mut self) -> bool {
        std::mem::take(&mut self.written)
    }

    /// Notes that SQLite may have shortened the database.
    pub(crate) fn note_checkpoint(&mut self) {
        // 0 if it can't be read: then the next commit finds out.
        let metadata = self.database.metadata();
        self.database_bytes = metadata.map_or(0, |metadata| metadata.len());
    }

    /// Returns whether there is space again for one more step: on the disk, or on pages of the
    /// database from which rows were removed.
    pub(crate) fn has_space(&mut self, connection: &mut Connection) -> bool {
        let next = self.database_bytes.saturating_add(STEP);
        self.extend_log(connection).is_ok()
            && (maintenance::free_bytes(connection).is_ok_and(|free| free >= STEP)
                || self.extend_database_to(next).is_ok())
    }
}

/// Appends zeros to a file that is shorter. A failure leaves what was written.
fn write_zeros(file: &mut File, to: u64) -> std::io::Result<()> {
    let zeros = vec![0; 64 * 1024];
    let mut at = file.seek(SeekFrom::End(0))?;
    while at < to {
        let count = usize::try_from(to - at).map_or(zeros.len(), |left| left.min(zeros.len()));
        let written = file.write(&zeros[..count])?;
        if written == 0 {
            return Err(std::io::ErrorKind::WriteZero.into());
        }
        at += written as u64;
    }
    Ok(())
}
