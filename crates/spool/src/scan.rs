//! Numbers of rows of a file.

use rusqlite::Connection;

use crate::row::{LENGTHS, weight_of};
use crate::schema::{DEAD, QUEUE};
use crate::sql_convert::{from_sql, to_sql};
use crate::state::Totals;

/// Result of a scan.
#[derive(Default)]
pub(crate) struct Scan {
    pub(crate) totals: Totals,
    /// Highest sequence of both tables.
    pub(crate) last_sequence: u64,
}

/// Reads the rows of all records that are not removed, without their payloads.
pub(crate) fn scan(connection: &Connection, removed_to: u64) -> rusqlite::Result<Scan> {
    let mut scan = Scan::default();
    // SQLite computes `octet_length` of a column from the header of the row, so the overflow pages of
    // large payloads are not read.
    let sql = |table| format!("SELECT sequence, {LENGTHS} FROM {table} WHERE sequence > ?1");
    let mut statement = connection.prepare(&sql(QUEUE))?;
    let mut rows = statement.query([to_sql(removed_to)])?;
    while let Some(row) = rows.next()? {
        scan.last_sequence = scan.last_sequence.max(from_sql(row.get(0)?));
        scan.totals.add_record(weight_of(row, 1)?);
    }
    let mut statement = connection.prepare(&sql(DEAD))?;
    let mut rows = statement.query([i64::MIN])?;
    while let Some(row) = rows.next()? {
        scan.last_sequence = scan.last_sequence.max(from_sql(row.get(0)?));
        scan.totals.add_dead(weight_of(row, 1)?);
    }
    Ok(scan)
}

/// Number of rows of both tables, and their highest sequence.
pub(crate) struct RowCount {
    pub(crate) records: u64,
    pub(crate) dead: u64,
    pub(crate) last_sequence: u64,
}

/// Counts the rows, which is faster than a scan. The header of each row is read up to the last column, so a
/// malformed one is an error, but not its columns.
pub(crate) fn count_rows(connection: &Connection) -> rusqlite::Result<RowCount> {
    let number = |sql: String| -> rusqlite::Result<u64> {
        let number: Option<i64> = connection.query_one(&sql, [], |row| row.get(0))?;
        Ok(number.map_or(0, from_sql))
    };
    let count = |table, column| number(format!("SELECT count(typeof({column})) FROM {table}"));
    let last = |table| number(format!("SELECT max(sequence) FROM {table}"));
    Ok(RowCount {
        records: count(QUEUE, "payload")?,
        dead: count(DEAD, "died")?,
        last_sequence: last(QUEUE)?.max(last(DEAD)?),
    })
}
