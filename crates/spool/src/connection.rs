//! SQLite connections with the settings that the spool needs.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::ffi::SQLITE_IOERR_SHMSIZE;
use rusqlite::{Connection, OpenFlags};

use crate::at_fork;
use crate::error::SpoolError;

/// Time to wait for a lock that another program holds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Page cache of the writing connection. A negative `cache_size` is in kibibytes, a positive one in pages.
const WRITER_CACHE_SIZE: i32 = -8192;

/// Page cache of a reader, which reads each page once, in order. One that is larger than the caches of the
/// processor makes that half as long again.
const READER_CACHE_SIZE: i32 = -256;

/// Opens an existing file for examination. Nothing is written, and closing leaves the WAL as it
/// is, so that the WAL of a damaged spool can be set aside.
pub(crate) fn examine(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    keep_log(&connection)?;
    Ok(connection)
}

/// Opens a damaged file. `writable_schema` makes SQLite read a file that is shorter than in its
/// header; nothing is written through this connection.
pub(crate) fn salvage(path: &Path) -> rusqlite::Result<Connection> {
    let connection = examine(path)?;
    connection.pragma_update(None, "writable_schema", true)?;
    Ok(connection)
}

/// Turns an examined connection into the writing one.
///
/// `synchronous=FULL` flushes the WAL in every commit, so that a confirmed commit survives a power
/// cut; with `NORMAL` only checkpoints are flushed. The writer runs checkpoints itself, after the
/// receipts are out.
pub(crate) fn for_writing(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // On macOS fsync(2) ends in the disk's cache; F_FULLFSYNC reaches the medium.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    connection.pragma_update(None, "cache_size", WRITER_CACHE_SIZE)?;
    connection.set_prepared_statement_cache_capacity(32);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    Ok(())
}

/// Page size of a new file, twice SQLite's default. Files of earlier versions keep theirs.
///
/// With half as many pages an outage is drained with a sixth less CPU time, and a spool is opened in
/// two thirds of the time, while a single append takes as long. With 16 KiB it takes 15 % longer.
const PAGE_BYTES: u32 = 8192;

/// Prepares a file without tables, so that it can give space back to the disk after an outage.
/// SQLite ignores a change of these settings once there is a table.
pub(crate) fn for_creating(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")
}

/// Turns the journal and flushes off, for a file that is discarded after a crash.
pub(crate) fn without_durability(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "journal_mode", "OFF", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "OFF")
}

/// Makes closing leave the WAL alone. SQLite deletes the WAL by name, and after the files were
/// replaced, that name may belong to another spool.
pub(crate) fn keep_log(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .map(|_| ())
}

/// Opens a read-only connection beside a writer, of this process or another.
pub(crate) fn reader(path: &Path) -> Result<Connection, SpoolError> {
    let opened = match shared_reader(path) {
        Err(error) if has_no_index(&error) => lone_reader(path),
        opened => opened,
    };
    opened.map_err(SpoolError::database("opening the spool for reading"))
}

/// Opens a read-only connection that locks nobody out.
pub(crate) fn shared_reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.pragma_update(None, "cache_size", READER_CACHE_SIZE)?;
    read_once(&connection)?;
    Ok(connection)
}

/// Opens a connection that has the index of the WAL in its memory, because a full disk has no space
/// for it. It locks all others out while it is open.
fn lone_reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = examine(path)?;
    connection.pragma_update_and_check(None, "locking_mode", "EXCLUSIVE", |_| Ok(()))?;
    connection.pragma_update(None, "query_only", true)?;
    read_once(&connection)?;
    Ok(connection)
}

/// Reads something: SQLite opens the WAL and its index at the first read.
fn read_once(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_one("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
}

/// Returns whether the index of the WAL could not be created for lack of space.
pub(crate) fn has_no_index(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    code == Some(SQLITE_IOERR_SHMSIZE)
}

/// Opens a connection that adds requests beside the owner; WAL and checkpoints are left to the
/// owner.
pub(crate) fn guest(path: &Path) -> rusqlite::Result<Connection> {
    let connection = examine(path)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    Ok(connection)
}

fn open(path: &Path, mode: OpenFlags) -> rusqlite::Result<Connection> {
    at_fork::register();
    // `Connection` is not `Sync`, so one thread at a time uses it and SQLite's mutexes are not
    // needed.
    let connection = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}
