//! Reader: bounded batches in order, on a connection of its own. In WAL mode a reader sees the
//! database as of its beginning, and neither waits for the writer nor blocks it.

use std::cell::Cell;
use std::time::SystemTime;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row};

use crate::cluster::SpoolCluster;
use crate::commit_counter;
use crate::damage::blames_file;
use crate::dead::{DeadLetter, REASON_DAMAGED};
use crate::error::SpoolError;
use crate::files::Files;
use crate::record::{Sequence, StoredRecord};
use crate::row::{self, COLUMNS, Values};
use crate::schema::{DEAD, QUEUE};
use crate::sql_convert::{time, to_sql};
use crate::state::State;

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
    /// Last removed sequence, as it was read last.
    removed_to: Cell<u64>,
}

impl Reader {
    /// Creates a reader. `removed_to` is used if the state can't be read.
    pub(crate) fn new(connection: Connection, removed_to: u64) -> Self {
        Self {
            connection,
            removed_to: Cell::new(removed_to),
        }
    }

    /// Creates a reader of a spool that this process may not own.
    pub(crate) fn of(files: &Files, connection: Connection) -> Self {
        let counter = commit_counter::read(&files.commit_counter());
        Self::new(connection, counter.unwrap_or_default().removed.to)
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
        let after = after.max(Sequence::new(self.removed_to()?));
        let sql = format!("SELECT {COLUMNS} FROM {QUEUE} WHERE sequence > ?1 ORDER BY sequence");
        let mut batch = Batch::default();
        self.bounded(&sql, limit, max_bytes, after, |row, values| {
            let sequence = sequence(row)?;
            batch.last = Some(sequence);
            match values.decode() {
                Ok(stored) => batch.records.push(stored),
                Err(row::Damaged) => batch.damaged.push(sequence),
            }
            Ok(())
        })?;
        Ok(batch)
    }

    /// Returns the last removed sequence, up to which no rows are read. If the state is damaged, what was
    /// read last is returned: a row that is read again is better than one that is not read.
    pub(crate) fn removed_to(&self) -> Result<u64, SpoolError> {
        match State::load(&self.connection) {
            Ok(state) => self.removed_to.set(state.removed.to),
            Err(error) if blames_file(&error) => {}
            Err(error) => return Err(SpoolError::database(READING)(error)),
        }
        Ok(self.removed_to.get())
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
        let mut letters = Vec::new();
        self.bounded(&sql, limit, max_bytes, after, |row, _| {
            letters.push(dead_letter(row)?);
            Ok(())
        })?;
        Ok(letters)
    }

    /// Calls `each` for rows of a statement that begins with [`COLUMNS`], within the limits.
    fn bounded(
        &self,
        sql: &str,
        limit: usize,
        max_bytes: u64,
        after: Sequence,
        mut each: impl FnMut(&Row<'_>, &Values<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), SpoolError> {
        let mut read = || {
            let mut statement = self.connection.prepare_cached(sql)?;
            let mut rows = statement.query([to_sql(after.get())])?;
            let mut bytes = 0_u64;
            for count in 0..limit {
                let Some(row) = rows.next()? else { break };
                let values = Values::of(row)?;
                bytes = bytes.saturating_add(values.weight());
                if count > 0 && bytes > max_bytes {
                    break;
                }
                each(row, &values)?;
            }
            Ok(())
        };
        read().map_err(SpoolError::database(READING))
    }

    pub(crate) fn find(&self, sequence: Sequence) -> Result<Option<Found>, SpoolError> {
        let is_removed = sequence.get() <= self.removed_to()?;
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
        let removed_to = self.removed_to()?;
        self.connection
            .prepare_cached(&format!(
                "SELECT created FROM {QUEUE} WHERE sequence > ?1 ORDER BY sequence LIMIT 1"
            ))
            .and_then(|mut statement| {
                statement
                    .query_row([to_sql(removed_to)], |row| row.get(0))
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
