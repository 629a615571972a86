//! SQLite as the spool wants it.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::error::SpoolError;

/// How long to wait for a lock that another program holds.
const BUSY: Duration = Duration::from_secs(5);

/// Kibibytes of pages in memory; negative is SQLite's way to say so.
const CACHE: i32 = -8192;

/// Opens a file that is there, for examination: nothing is written, and closing leaves the log
/// as it is, so that the log of a damaged spool can be set aside.
pub(crate) fn examine(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    keep_log(&connection)?;
    Ok(connection)
}

/// Opens a damaged file. The pragma lets SQLite read one that is shorter than its header says;
/// nothing is written with it.
pub(crate) fn salvage(path: &Path) -> rusqlite::Result<Connection> {
    let connection = examine(path)?;
    connection.pragma_update(None, "writable_schema", true)?;
    Ok(connection)
}

/// Makes an examined connection the one that writes.
///
/// `synchronous=FULL` flushes the log in every commit: what was confirmed survives a power cut.
/// Checkpoints are run by the writer, after the receipts are out.
pub(crate) fn for_writing(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Without these, a flush on macOS ends in the disk's cache.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    connection.pragma_update(None, "cache_size", CACHE)?;
    connection.set_prepared_statement_cache_capacity(32);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    Ok(())
}

/// For a file without tables, before the first is made: lets the file give space back to the
/// disk after an outage.
pub(crate) fn for_creating(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")
}

/// Closing then leaves the log alone. SQLite would delete the log by name, and after the files
/// were replaced, that name may be another spool's.
pub(crate) fn keep_log(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .map(|_| ())
}

/// Opens for reading beside a writer, of this process or another.
pub(crate) fn reader(path: &Path) -> Result<Connection, SpoolError> {
    let doing = "opening the spool for reading";
    let connection =
        open(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(SpoolError::database(doing))?;
    connection
        .pragma_update(None, "cache_size", CACHE)
        .map_err(SpoolError::database(doing))?;
    Ok(connection)
}

/// Opens for a few rows beside the owner, and leaves log and checkpoints to it.
pub(crate) fn guest(path: &Path) -> rusqlite::Result<Connection> {
    let connection = examine(path)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    Ok(connection)
}

fn open(path: &Path, mode: OpenFlags) -> rusqlite::Result<Connection> {
    // One thread at a time uses a connection, which Rust sees to, so SQLite need not.
    let connection = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    Ok(connection)
}
