//! Keeps the files in shape: the log short, and space given back after an outage.

use rusqlite::Connection;

use crate::sql_convert::from_sql;
use crate::state::Totals;

/// Space that is worth giving back.
const WORTH: u64 = 16 * 1024 * 1024;

/// Pages that are given back in one step, so that an append never waits long for it.
const STEP: u64 = 1024;

/// Writes the log into the database once it is long enough. Does not wait for readers: what
/// they still need stays for the next time.
pub(crate) fn checkpoint_if_due(connection: &Connection, due: u64) -> rusqlite::Result<bool> {
    let waiting = checkpoint(connection, "NOOP")?;
    if waiting.saturating_mul(page_size(connection)?) < due {
        return Ok(false);
    }
    checkpoint(connection, "PASSIVE")?;
    Ok(true)
}

/// Gives pages of delivered records back to the disk, and cuts a log that grew while a reader
/// held it open. True where a file may have become shorter.
pub(crate) fn give_space_back(
    connection: &Connection,
    totals: &Totals,
    log_bytes: u64,
    usual_log_bytes: u64,
) -> rusqlite::Result<bool> {
    let page = page_size(connection)?;
    let free = pragma(connection, "freelist_count")?;
    let used = pragma(connection, "page_count")?.saturating_sub(free);
    let mut shortened = false;
    if free > used && free.saturating_mul(page) > WORTH {
        // The pragma gives one row for every page, and stops where reading stops.
        let mut statement =
            connection.prepare_cached(&format!("PRAGMA incremental_vacuum({STEP})"))?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
        shortened = true;
    }
    if totals.records == 0 && log_bytes > usual_log_bytes.saturating_mul(4).max(WORTH) {
        checkpoint(connection, "TRUNCATE")?;
        shortened = true;
    }
    Ok(shortened)
}

/// Empties the log into the database. Who opens the files anew believes the log only up to its
/// first damaged frame; the index that the running process has of it leads to all of them.
pub(crate) fn empty_log(connection: &Connection) -> rusqlite::Result<()> {
    checkpoint(connection, "TRUNCATE").map(|_| ())
}

/// How long the database is by its own account, in bytes.
pub(crate) fn database_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    Ok(pragma(connection, "page_count")?.saturating_mul(page_size(connection)?))
}

/// Pages of the log that are not in the database.
fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<u64> {
    let mut statement = connection.prepare_cached(&format!("PRAGMA wal_checkpoint({mode})"))?;
    let (log, done) =
        statement.query_one([], |row| Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)))?;
    Ok(from_sql(log.saturating_sub(done)))
}

fn page_size(connection: &Connection) -> rusqlite::Result<u64> {
    pragma(connection, "page_size")
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<u64> {
    connection
        .prepare_cached(&format!("PRAGMA {name}"))?
        .query_one([], |row| row.get(0).map(from_sql))
}
