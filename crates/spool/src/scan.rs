//! Scan of a file: totals and key counts, by one pass over all rows that does not read payloads.

use rusqlite::Connection;

use crate::keys::{KeyCounts, KeyHasher};
use crate::row::{LENGTHS, TopicKey, weight_of};
use crate::schema::{DEAD, QUEUE};
use crate::sql_convert::from_sql;
use crate::state::Totals;

/// Result of a scan.
#[derive(Default)]
pub(crate) struct Scan {
    pub(crate) totals: Totals,
    pub(crate) keys: KeyCounts,
    /// Highest sequence of both tables.
    pub(crate) last_sequence: u64,
}

pub(crate) fn scan(connection: &Connection, hasher: &KeyHasher) -> rusqlite::Result<Scan> {
    let mut scan = Scan::default();
    // SQLite computes `octet_length` of a column from the header of the row, so the overflow pages of
    // large payloads are not read.
    let sql = |table| format!("SELECT sequence, topic, key, {LENGTHS} FROM {table}");
    let mut statement = connection.prepare(&sql(QUEUE))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        scan.last_sequence = scan.last_sequence.max(from_sql(row.get(0)?));
        let row_key = TopicKey::of(row, 1)?;
        scan.keys.add(hasher.hash(row_key.topic, row_key.key));
        scan.totals.add_record(weight_of(row, 3)?);
    }
    let mut statement = connection.prepare(&sql(DEAD))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        scan.last_sequence = scan.last_sequence.max(from_sql(row.get(0)?));
        scan.totals.add_dead(weight_of(row, 3)?);
    }
    Ok(scan)
}
