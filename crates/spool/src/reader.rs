//! Reader: bounded batches in order, on a connection of its own. In WAL mode a reader sees the
//! database as of its beginning, and neither waits for the writer nor blocks it.

use std::time::SystemTime;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row};

use crate::cluster::SpoolCluster;
use crate::dead::{DeadLetter, REASON_DAMAGED};
use crate::error::SpoolError;
use crate::record::{Sequence, StoredRecord};
use crate::row::{self, COLUMNS, weight_of_values};
use crate::schema::{DEAD, QUEUE};
use crate::sql_convert::{time, to_sql};
use crate::state::{Removed, State};

pub(crate) const READING: &str = "reading the spool";

/// Batch of records in the order of their sequences.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Records; empty at the end of the queue.
    pub records: Vec<StoredRecord>,
    /// Rows between the records that do not match their checksums.
    /// [`crate::Spool::next_batch`] has moved them to the dead letters.
    pub damaged: Vec<Sequence>,
    /// Last sequence that was read, after which the next batch begins. `None` at the end.
    pub last: Option<Sequence>,
}

/// Record found by its sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Record in the queue.
    Queued(StoredRecord),
    /// Damaged row in the queue.
    QueuedDamaged,
    /// Dead letter.
    Dead(DeadLetter),
}

pub(crate) struct Reader {
    connection: Connection,
}

impl Reader {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection }
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Returns records after `after`: at most `limit`, and not more than `max_bytes` unless the
    /// first alone is larger.
    pub(crate) fn batch(
        &self,
        limit: usize,
        max_bytes: u64,
        after: Sequence,
    ) -> Result<Batch, SpoolError> {
        let after = after.max(Sequence::new(self.removed()?.to));
        let sql = format!("SELECT {COLUMNS} FROM {QUEUE} WHERE sequence > ?1 ORDER BY sequence");
        let rows = self.bounded(&sql, limit, max_bytes, after, |row| {
            let decoded = row::decode(row)?;
            let weight = match &decoded {
                Ok(stored) => stored.record.weight(),
                Err(row::Damaged) => weight_of_values(row)?,
            };
            Ok(((sequence(row)?, decoded), weight))
        })?;
        let mut batch = Batch {
            records: Vec::with_capacity(rows.len()),
            last: rows.last().map(|(sequence, _)| *sequence),
            ..Batch::default()
        };
        for (sequence, decoded) in rows {
            match decoded {
                Ok(stored) => batch.records.push(stored),
                Err(row::Damaged) => batch.damaged.push(sequence),
            }
        }
        Ok(batch)
    }

    /// Returns the removed records, whose rows are not read.
    pub(crate) fn removed(&self) -> Result<Removed, SpoolError> {
        State::load(&self.connection)
            .map(|state| state.removed)
            .map_err(SpoolError::database(READING))
    }

    /// Returns dead letters after `after`, bounded like [`Reader::batch`].
    pub(crate) fn dead_letters(
        &self,
        limit: usize,
        max_bytes: u64,
        after: Sequence,
    ) -> Result<Vec<DeadLetter>, SpoolError> {
        let sql = format!(
            "SELECT {COLUMNS}, reason, died FROM {DEAD} WHERE sequence > ?1
             ORDER BY sequence"
        );
        self.bounded(&sql, limit, max_bytes, after, |row| {
            Ok((dead_letter(row)?, weight_of_values(row)?))
        })
    }

    /// Returns what `take` makes of the rows of a statement, within the limits. `take` also returns the
    /// weight of the row.
    fn bounded<T>(
        &self,
        sql: &str,
        limit: usize,
        max_bytes: u64,
        after: Sequence,
        take: impl Fn(&Row<'_>) -> rusqlite::Result<(T, u64)>,
    ) -> Result<Vec<T>, SpoolError> {
        let read = || {
            let mut statement = self.connection.prepare_cached(sql)?;
            let mut rows = statement.query([to_sql(after.get())])?;
            let mut taken = Vec::new();
            let mut bytes = 0_u64;
            while taken.len() < limit
                && let Some(row) = rows.next()?
            {
                let (item, weight) = take(row)?;
                bytes = bytes.saturating_add(weight);
                if bytes > max_bytes && !taken.is_empty() {
                    break;
                }
                taken.push(item);
            }
            Ok(taken)
        };
        read().map_err(SpoolError::database(READING))
    }

    pub(crate) fn find(&self, sequence: Sequence) -> Result<Option<Found>, SpoolError> {
        let is_removed = self.removed()?.contains(sequence.get());
        let queued = if is_removed {
            Ok(None)
        } else {
            self.find_queued(sequence)
        };
        queued
            .and_then(|queued| match queued {
                Some(found) => Ok(Some(found)),
                None => self.find_dead(sequence),
            })
            .map_err(SpoolError::database(READING))
    }

    fn find_queued(&self, sequence: Sequence) -> rusqlite::Result<Option<Found>> {
        self.connection
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM {QUEUE} WHERE sequence = ?1"
            ))?
            .query_row([to_sql(sequence.get())], row::decode)
            .optional()
            .map(|row| row.map(|decoded| decoded.map_or(Found::QueuedDamaged, Found::Queued)))
    }

    fn find_dead(&self, sequence: Sequence) -> rusqlite::Result<Option<Found>> {
        self.connection
            .prepare_cached(&format!(
                "SELECT {COLUMNS}, reason, died FROM {DEAD} WHERE sequence = ?1"
            ))?
            .query_row([to_sql(sequence.get())], dead_letter)
            .optional()
            .map(|row| row.map(Found::Dead))
    }

    pub(crate) fn cluster(&self) -> Result<Option<SpoolCluster>, SpoolError> {
        SpoolCluster::load(&self.connection).map_err(SpoolError::database(READING))
    }

    /// Creation time of the first record in the queue.
    pub(crate) fn oldest(&self) -> Result<Option<SystemTime>, SpoolError> {
        let removed = self.removed()?;
        self.connection
            .prepare_cached(&format!(
                "SELECT created FROM {QUEUE} WHERE sequence > ?1 ORDER BY sequence LIMIT 1"
            ))
            .and_then(|mut statement| {
                statement
                    .query_row([to_sql(removed.to)], |row| row.get(0))
                    .optional()
            })
            .map(|created| created.map(time))
            .map_err(SpoolError::database(READING))
    }
}

fn sequence(row: &Row<'_>) -> rusqlite::Result<Sequence> {
    row.get(0)
        .map(crate::sql_convert::from_sql)
        .map(Sequence::new)
}

fn dead_letter(row: &Row<'_>) -> rusqlite::Result<DeadLetter> {
    Ok(DeadLetter {
        sequence: sequence(row)?,
        stored: row::decode(row)?.ok(),
        // Not covered by the checksum: a dead letter with a damaged reason is still shown.
        reason: match row.get_ref("reason")? {
            ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
            _ => REASON_DAMAGED.to_owned(),
        },
        died: time(row.get("died").unwrap_or_default()),
    })
}
