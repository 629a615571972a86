//! Maintenance of the files: checkpoints, and giving space back after an outage.

use rusqlite::Connection;

use crate::sql_convert::from_sql;
use crate::state::Totals;

/// Least free space that is given back.
const MIN_FREED_BYTES: u64 = 16 * 1024 * 1024;

/// Bytes that one step gives back, so that an append never waits long for it.
pub(crate) const VACUUM_BYTES: u64 = 4 * 1024 * 1024;

/// Bytes of a step on a full disk: it writes a few pages to the WAL for each page, within the space
/// that is reserved there.
pub(crate) const VACUUM_BYTES_OF_FULL_DISK: u64 = 128 * 1024;

/// Least share of free pages, to used ones, while records are delivered: most of them would be moved for
/// nothing.
pub(crate) const SHARE_WHILE_BUSY: u64 = 8;

/// Least share while nothing is written, and on a full disk.
pub(crate) const SHARE_WHILE_IDLE: u64 = 1;

/// Whether a file may have become shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shortened {
    No,
    /// It can't become shorter.
    Wholly,
    /// Another step may shorten it further.
    ByAStep,
}

/// Checkpoints the WAL once it is long enough. A `PASSIVE` checkpoint does not wait for readers;
/// frames that they still need stay for the next time.
pub(crate) fn checkpoint_if_due(connection: &Connection, due: u64) -> rusqlite::Result<bool> {
    let waiting = checkpoint(connection, "NOOP")?;
    if waiting.saturating_mul(page_size(connection)?) < due {
        return Ok(false);
    }
    checkpoint(connection, "PASSIVE")?;
    Ok(true)
}

/// Gives pages of delivered records back to the disk, and truncates a WAL that grew while a reader
/// held it open. Pages at the end of the file are moved for that, so it is done once the free pages are
/// `least_share` times as many as the used ones.
pub(crate) fn give_space_back(
    connection: &Connection,
    totals: &Totals,
    log_bytes: u64,
    usual_log_bytes: u64,
    vacuum_bytes: u64,
    least_share: u64,
) -> rusqlite::Result<Shortened> {
    let page = page_size(connection)?;
    let free = pragma(connection, "freelist_count")?;
    let used = pragma(connection, "page_count")?.saturating_sub(free);
    let mut shortened = Shortened::No;
    if free > used.saturating_mul(least_share) && free.saturating_mul(page) > MIN_FREED_BYTES {
        // The pragma yields a row per page and frees pages only as far as its rows are read.
        let pages = vacuum_bytes / page;
        let mut statement =
            connection.prepare_cached(&format!("PRAGMA incremental_vacuum({pages})"))?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
        drop(rows);
        drop(statement);
        // Another program may have written the file anew, without `auto_vacuum`: nothing is freed then.
        if pragma(connection, "freelist_count")? < free {
            shortened = Shortened::ByAStep;
        }
    }
    if totals.records == 0 && log_bytes > usual_log_bytes.saturating_mul(4).max(MIN_FREED_BYTES) {
        checkpoint(connection, "TRUNCATE")?;
        shortened = shortened.max(Shortened::Wholly);
    }
    Ok(shortened)
}

/// Writes the whole WAL into the database and truncates it. A new opening would use the WAL only up
/// to its first damaged frame; the WAL index of the running process leads to all frames.
pub(crate) fn empty_log(connection: &Connection) -> rusqlite::Result<()> {
    checkpoint(connection, "TRUNCATE").map(|_| ())
}

/// Writes the WAL into the database, and shortens it if no reader needs it. It does not wait for
/// readers.
pub(crate) fn prepare_for_closing(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(std::time::Duration::ZERO)?;
    checkpoint(connection, "TRUNCATE").map(|_| ())
}

/// Length of the database according to its header, in bytes.
pub(crate) fn database_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    Ok(pragma(connection, "page_count")?.saturating_mul(page_size(connection)?))
}

/// Pages without content, in bytes.
pub(crate) fn free_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    Ok(pragma(connection, "freelist_count")?.saturating_mul(page_size(connection)?))
}

/// Runs a checkpoint and returns the number of WAL frames that are not in the database. `NOOP` only
/// counts.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::for_creating;

    /// Creates a file whose rows were all deleted.
    fn emptied(prepare: impl FnOnce(&Connection)) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        prepare(&connection);
        let large = MIN_FREED_BYTES + 2 * VACUUM_BYTES;
        let rows =
            format!("CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob({large})); DELETE FROM t;");
        connection.execute_batch(&rows).unwrap();
        connection
    }

    fn step(connection: &Connection) -> Shortened {
        let totals = Totals::default();
        let share = SHARE_WHILE_BUSY;
        give_space_back(connection, &totals, 0, 0, VACUUM_BYTES, share).unwrap()
    }

    #[test]
    fn a_file_becomes_shorter_in_steps_until_little_is_free() {
        let connection = emptied(|new| for_creating(new).unwrap());
        assert_eq!(step(&connection), Shortened::ByAStep);
        let steps = std::iter::repeat_with(|| step(&connection));
        let steps = steps.take(9).take_while(|it| *it == Shortened::ByAStep);
        assert_eq!(steps.count(), 2);
        assert!(free_bytes(&connection).unwrap() <= MIN_FREED_BYTES);
    }

    #[test]
    fn a_file_that_cannot_become_shorter_is_not_tried_without_a_pause() {
        // As after `VACUUM INTO` or `.recover` of another program.
        let connection = emptied(|_| {});
        assert_eq!(step(&connection), Shortened::No);
        assert!(free_bytes(&connection).unwrap() > MIN_FREED_BYTES);
    }
}
