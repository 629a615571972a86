//! Reading in order, a bounded piece at a time, on a connection of its own: a reader sees what
//! was committed when it began, and neither waits for the writer nor holds it up.

use std::time::SystemTime;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row};

use crate::dead::{DeadLetter, REASON_DAMAGED};
use crate::error::SpoolError;
use crate::record::{Sequence, StoredRecord};
use crate::row::{self, COLUMNS, LENGTHS, weight_of};
use crate::schema::{DEAD, QUEUE};
use crate::sql_convert::{time, to_sql};

pub(crate) const READING: &str = "reading the spool";

/// Records in the order of their sequences.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The records; empty at the queue's end.
    pub records: Vec<StoredRecord>,
    /// Rows between them that do not match their checksums and were not handed out.
    /// [`crate::Spool::next_batch`] has moved them to the dead letters.
    pub damaged: Vec<Sequence>,
    /// The last sequence that was looked at: where the next batch goes on. `None` at the end.
    pub last: Option<Sequence>,
}

/// Where a record was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// On its way to Kafka.
    Queued(StoredRecord),
    /// In the queue, but its row is damaged.
    QueuedDamaged,
    /// Among the dead letters.
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

    /// Records behind `after`: at most `limit`, and not more than `max_bytes` unless the first
    /// alone is larger.
    pub(crate) fn batch(
        &self,
        limit: usize,
        max_bytes: u64,
        after: Sequence,
    ) -> Result<Batch, SpoolError> {
        let mut batch = Batch::default();
        let sql = format!(
            "SELECT {COLUMNS}, {LENGTHS} FROM {QUEUE} WHERE sequence > ?1 ORDER BY sequence"
        );
        self.bounded(&sql, limit, max_bytes, after, |row| {
            let sequence = sequence(row)?;
            batch.last = Some(sequence);
            match row::decode(row)? {
                Ok(stored) => batch.records.push(stored),
                Err(row::Damaged) => batch.damaged.push(sequence),
            }
            Ok(())
        })?;
        Ok(batch)
    }

    /// Dead letters behind `after`, bounded as a batch is.
    pub(crate) fn dead_letters(
        &self,
        limit: usize,
        max_bytes: u64,
        after: Sequence,
    ) -> Result<Vec<DeadLetter>, SpoolError> {
        let mut letters = Vec::new();
        let sql = format!(
            "SELECT {COLUMNS}, {LENGTHS}, reason, died FROM {DEAD} WHERE sequence > ?1
             ORDER BY sequence"
        );
        self.bounded(&sql, limit, max_bytes, after, |row| {
            letters.push(dead_letter(row)?);
            Ok(())
        })?;
        Ok(letters)
    }

    /// Steps through rows whose lengths stand behind their columns.
    fn bounded(
        &self,
        sql: &str,
        limit: usize,
        max_bytes: u64,
        after: Sequence,
        mut each: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), SpoolError> {
        let mut read = || {
            let mut statement = self.connection.prepare_cached(sql)?;
            let mut rows = statement.query([to_sql(after.get())])?;
            let mut bytes = 0_u64;
            for count in 0..limit {
                let Some(row) = rows.next()? else { break };
                bytes = bytes.saturating_add(weight_of(row, LENGTHS_AT)?);
                if count > 0 && bytes > max_bytes {
                    break;
                }
                each(row)?;
            }
            Ok(())
        };
        read().map_err(SpoolError::database(READING))
    }

    pub(crate) fn find(&self, sequence: Sequence) -> Result<Option<Found>, SpoolError> {
        self.find_queued(sequence)
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

    /// When the first record of the queue came to be.
    pub(crate) fn oldest(&self) -> Result<Option<SystemTime>, SpoolError> {
        self.connection
            .prepare_cached(&format!(
                "SELECT created FROM {QUEUE} ORDER BY sequence LIMIT 1"
            ))
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)).optional())
            .map(|created| created.map(time))
            .map_err(SpoolError::database(READING))
    }
}

/// Where the lengths stand behind [`COLUMNS`].
const LENGTHS_AT: usize = 10;

fn sequence(row: &Row<'_>) -> rusqlite::Result<Sequence> {
    row.get(0)
        .map(crate::sql_convert::from_sql)
        .map(Sequence::new)
}

fn dead_letter(row: &Row<'_>) -> rusqlite::Result<DeadLetter> {
    Ok(DeadLetter {
        sequence: sequence(row)?,
        stored: row::decode(row)?.ok(),
        // Not covered by the checksum: a letter whose reason is damaged is still shown.
        reason: match row.get_ref("reason")? {
            ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
            _ => REASON_DAMAGED.to_owned(),
        },
        died: time(row.get("died").unwrap_or_default()),
    })
}
