//! Counts what is in a file, by one walk over all rows that leaves payloads on the disk.

use rusqlite::Connection;

use crate::keys::{KeyCounts, KeyHasher};
use crate::number::from_sql;
use crate::row::{LENGTHS, Place, weight_of};
use crate::schema::{DEAD, QUEUE};
use crate::state::Totals;

#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) totals: Totals,
    pub(crate) keys: KeyCounts,
    /// The highest sequence in either table.
    pub(crate) last_sequence: u64,
}

pub(crate) fn tally(connection: &Connection, hasher: &KeyHasher) -> rusqlite::Result<Tally> {
    let mut tally = Tally::default();
    let sql = |table| format!("SELECT sequence, topic, key, {LENGTHS} FROM {table}");
    let mut statement = connection.prepare(&sql(QUEUE))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        tally.last_sequence = tally.last_sequence.max(from_sql(row.get(0)?));
        let place = Place::of(row, 1)?;
        tally.keys.add(hasher.hash(place.topic, place.key));
        tally.totals.add_record(weight_of(row, 3)?);
    }
    let mut statement = connection.prepare(&sql(DEAD))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        tally.last_sequence = tally.last_sequence.max(from_sql(row.get(0)?));
        tally.totals.add_dead(weight_of(row, 3)?);
    }
    Ok(tally)
}
