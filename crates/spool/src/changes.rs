//! Row changes of one commit.

use std::sync::LazyLock;
use std::time::SystemTime;

use rusqlite::{Connection, OptionalExtension, Row, ffi, params};

use crate::dead::{DeadLetterRequest, REASON_DAMAGED};
use crate::job::{Answer, Operation};
use crate::key_counting::KeyCounting;
use crate::keys::KeyHasher;
use crate::record::{FailedAttempt, Record, Sequence, StoredRecord, bounded};
use crate::row::{self, COLUMNS, Damaged, Death, LENGTHS, TopicKey, weight_beside, weight_of};
use crate::schema::{DEAD, QUEUE};
use crate::sql_convert::{bytes, from_sql, micros, to_sql};
use crate::state::State;

static SELECT_LEAVING: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT sequence, topic, key, octet_length(headers), octet_length(payload)
         FROM {QUEUE} WHERE sequence BETWEEN ?1 AND ?2"
    )
});

static DELETE_LEAVING: LazyLock<String> =
    LazyLock::new(|| format!("DELETE FROM {QUEUE} WHERE sequence BETWEEN ?1 AND ?2"));

/// Maximum number of rows per statement: their pages must still be in the cache when they are deleted
/// after they were selected.
const DELETED_TOGETHER: usize = 500;

/// Without `WHERE`, SQLite deletes the table's content as a whole.
static DELETE_ALL: LazyLock<String> = LazyLock::new(|| format!("DELETE FROM {QUEUE}"));

/// Builds the statements. See [`row::init_statements`].
pub(crate) fn init_statements() {
    LazyLock::force(&SELECT_LEAVING);
    LazyLock::force(&DELETE_LEAVING);
    LazyLock::force(&DELETE_ALL);
}

/// Rows that left the queue.
#[derive(Default)]
struct Left {
    count: u64,
    weight: u64,
}

/// Open transaction to which operations are applied.
pub(crate) struct Changes<'a> {
    connection: &'a Connection,
    hasher: &'a KeyHasher,
    /// State that the transaction will commit.
    pub(crate) state: State,
    /// Progress of the count by key after the transaction.
    pub(crate) key_counting: KeyCounting,
    /// Key hashes of counted rows that leave the queue, one per row.
    pub(crate) keys_left: Vec<u64>,
    /// Key hashes of rows that entered the queue other than by an append, one per row.
    pub(crate) keys_returned: Vec<u64>,
}

impl<'a> Changes<'a> {
    pub(crate) fn new(
        connection: &'a Connection,
        hasher: &'a KeyHasher,
        state: State,
        key_counting: KeyCounting,
    ) -> Self {
        Self {
            connection,
            hasher,
            state,
            key_counting,
            keys_left: Vec::new(),
            keys_returned: Vec::new(),
        }
    }

    pub(crate) fn apply(&mut self, operation: &Operation) -> rusqlite::Result<Answer> {
        match operation {
            Operation::Append(record) => self.append(std::slice::from_ref(record)),
            Operation::AppendAll(records) => self.append(records),
            // The writer has made its record before.
            Operation::AppendLate => Ok(Answer::default()),
            Operation::AppendDead {
                record,
                reason,
                error,
            } => self.append_dead(record, reason, error),
            Operation::Acknowledge(sequences) => self.acknowledge(sequences),
            Operation::NoteAttempts(attempts) => {
                count(attempts, |attempt| self.note_attempt(attempt))
            }
            Operation::DeadLetter(requests) => count(requests, |request| self.dead_letter(request)),
            Operation::DeadLetterDamaged(sequences) => {
                count(sequences, |sequence| self.dead_letter_damaged(*sequence))
            }
            Operation::RetryDead(sequences) => {
                let first = Sequence::new(self.state.next_sequence);
                let answer = count(sequences, |sequence| self.retry_dead(*sequence))?;
                Ok(Answer { first, ..answer })
            }
            Operation::DropDead(sequences) => {
                count(sequences, |sequence| self.drop_dead(*sequence))
            }
            Operation::NoteCluster(cluster) => {
                cluster.store(self.connection)?;
                Ok(Answer::default())
            }
        }
    }

    fn append(&mut self, records: &[Record]) -> rusqlite::Result<Answer> {
        let first = Sequence::new(self.state.next_sequence);
        let answer = count(records, |record| {
            let sequence = self.state.take_sequence();
            row::insert(self.connection, sequence, record, None, None)?;
            self.state.totals.add_record(record.weight());
            Ok(true)
        })?;
        Ok(Answer { first, ..answer })
    }

    fn append_dead(
        &mut self,
        record: &Record,
        reason: &str,
        error: &str,
    ) -> rusqlite::Result<Answer> {
        let sequence = self.state.take_sequence();
        let died = micros(SystemTime::now());
        let death = Death { reason, died };
        let error = Some(bounded(error));
        row::insert(self.connection, sequence, record, error, Some(death))?;
        self.state.totals.add_dead(record.weight());
        Ok(Answer {
            first: Sequence::new(sequence),
            count: 1,
        })
    }

    /// Deletes rows of the queue. Most sequences are adjacent: a range is one statement.
    fn acknowledge(&mut self, sequences: &[Sequence]) -> rusqlite::Result<Answer> {
        let mut sequences = sequences.to_vec();
        sequences.sort_unstable();
        sequences.dedup();
        if bytes(sequences.len()) == self.state.totals.records {
            return self.acknowledge_all(&sequences);
        }
        let mut answer = Answer::default();
        for range in ranges(&sequences) {
            for range in range.chunks(DELETED_TOGETHER) {
                answer.count += self.leave_queue(ends(range))?.count;
            }
        }
        Ok(answer)
    }

    /// Deletes as many rows as the queue has. If they are all of its rows, SQLite frees the pages of the
    /// table without writing them, at a fraction of the cost.
    fn acknowledge_all(&mut self, sequences: &[Sequence]) -> rusqlite::Result<Answer> {
        let records = self.state.totals.records;
        let mut answer = Answer::default();
        for range in ranges(sequences) {
            answer.count += self.note_leaving(ends(range))?.count;
        }
        if answer.count < records {
            for range in ranges(sequences) {
                self.delete_range(ends(range))?;
            }
            return Ok(answer);
        }
        let deleted = self.connection.prepare_cached(&DELETE_ALL)?.execute([])?;
        if bytes(deleted) == records {
            return Ok(answer);
        }
        // The others were never seen. The transaction is rolled back.
        let detail = format!("the queue has {deleted} rows instead of {records}");
        let code = ffi::Error::new(ffi::SQLITE_CORRUPT);
        Err(rusqlite::Error::SqliteFailure(code, Some(detail)))
    }

    /// Deletes the rows of the queue from the first to the last sequence, updates the totals, and returns
    /// the number of rows and their weight.
    ///
    /// Not by one statement with `RETURNING`: SQLite builds a table in memory for its rows.
    fn leave_queue(&mut self, ends: [Sequence; 2]) -> rusqlite::Result<Left> {
        let left = self.note_leaving(ends)?;
        self.delete_range(ends)?;
        Ok(left)
    }

    /// Updates the totals for rows that leave the queue.
    fn note_leaving(&mut self, ends: [Sequence; 2]) -> rusqlite::Result<Left> {
        let mut left = Left::default();
        let mut statement = self.connection.prepare_cached(&SELECT_LEAVING)?;
        let mut rows = statement.query(ends.map(|end| to_sql(end.get())))?;
        while let Some(row) = rows.next()? {
            let row_key = TopicKey::of(row, 1)?;
            if self.key_counting.leaves(from_sql(row.get(0)?)) {
                let hash = self.hasher.hash(row_key.topic, row_key.key);
                self.keys_left.push(hash);
            }
            let weight = weight_beside(&row_key, row, 3)?;
            self.state.totals.remove_record(weight);
            left.count += 1;
            left.weight += weight;
        }
        Ok(left)
    }

    fn delete_range(&self, ends: [Sequence; 2]) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached(&DELETE_LEAVING)?
            .execute(ends.map(|end| to_sql(end.get())))?;
        Ok(())
    }

    /// Rewrites the row with one more attempt, because the checksum covers the attempts. A damaged
    /// row is left as it is: the next read moves it to the dead letters.
    fn note_attempt(&mut self, attempt: &FailedAttempt) -> rusqlite::Result<bool> {
        let Some(Ok(mut stored)) = self.find(QUEUE, attempt.sequence)? else {
            return Ok(false);
        };
        stored.record.attempts = stored.record.attempts.saturating_add(1);
        stored.record.not_before = attempt.not_before;
        stored.last_error = Some(bounded(&attempt.error).to_owned());
        self.rewrite(&stored)?;
        Ok(true)
    }

    fn rewrite(&self, stored: &StoredRecord) -> rusqlite::Result<()> {
        self.delete(QUEUE, stored.sequence)?;
        let error = stored.last_error.as_deref();
        row::insert(
            self.connection,
            stored.sequence.get(),
            &stored.record,
            error,
            None,
        )
    }

    /// Moves a row that a reader found damaged to the dead letters. If this connection still has
    /// the sound row, because its page was cached before the file was damaged, it rewrites the row
    /// instead.
    fn dead_letter_damaged(&mut self, sequence: Sequence) -> rusqlite::Result<bool> {
        match self.find(QUEUE, sequence)? {
            None => Ok(false),
            Some(Ok(stored)) => self.rewrite(&stored).map(|()| true),
            Some(Err(Damaged)) => self.dead_letter(&DeadLetterRequest {
                sequence,
                reason: REASON_DAMAGED.to_owned(),
                error: "the row does not match its checksum".to_owned(),
            }),
        }
    }

    /// Moves a row to the dead letters.
    fn dead_letter(&mut self, request: &DeadLetterRequest) -> rusqlite::Result<bool> {
        // Copied in SQL, column by column, so that a damaged row is kept byte for byte.
        let copied = self
            .connection
            .prepare_cached(&format!(
                "INSERT INTO {DEAD} ({COLUMNS}, reason, died)
                 SELECT {COLUMNS}, ?2, ?3 FROM {QUEUE} WHERE sequence = ?1"
            ))?
            .execute(params![
                to_sql(request.sequence.get()),
                request.reason,
                micros(SystemTime::now()),
            ])?;
        if copied == 0 {
            return Ok(false);
        }
        self.connection
            .prepare_cached(&format!(
                "UPDATE {DEAD} SET last_error = ?2 WHERE sequence = ?1"
            ))?
            .execute(params![
                to_sql(request.sequence.get()),
                bounded(&request.error)
            ])?;
        let left = self.leave_queue([request.sequence; 2])?;
        self.state.totals.add_dead(left.weight);
        Ok(true)
    }

    /// Re-queues a dead letter at the end. Later events of its key have passed it already, so no
    /// earlier place would restore their order; and because rows are only added at the end, readers
    /// never have to look back.
    fn retry_dead(&mut self, sequence: Sequence) -> rusqlite::Result<bool> {
        let Some(Ok(stored)) = self.find(DEAD, sequence)? else {
            return Ok(false);
        };
        let mut record = stored.record;
        record.attempts = 0;
        record.not_before = None;
        self.delete(DEAD, sequence)?;
        self.state.totals.remove_dead(record.weight());
        let new = self.state.take_sequence();
        let error = stored.last_error.as_deref();
        row::insert(self.connection, new, &record, error, None)?;
        self.state.totals.add_record(record.weight());
        self.keys_returned.push(self.hasher.hash_of(&record));
        Ok(true)
    }

    fn drop_dead(&mut self, sequence: Sequence) -> rusqlite::Result<bool> {
        let weight = self
            .connection
            .prepare_cached(&format!(
                "DELETE FROM {DEAD} WHERE sequence = ?1 RETURNING {LENGTHS}"
            ))?
            .query_row([to_sql(sequence.get())], |row| weight_of(row, 0))
            .optional()?;
        if let Some(weight) = weight {
            self.state.totals.remove_dead(weight);
        }
        Ok(weight.is_some())
    }

    fn find(
        &self,
        table: &str,
        sequence: Sequence,
    ) -> rusqlite::Result<Option<Result<StoredRecord, Damaged>>> {
        self.connection
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM {table} WHERE sequence = ?1"
            ))?
            .query_row([to_sql(sequence.get())], |row: &Row<'_>| row::decode(row))
            .optional()
    }

    fn delete(&self, table: &str, sequence: Sequence) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached(&format!("DELETE FROM {table} WHERE sequence = ?1"))?
            .execute([to_sql(sequence.get())])?;
        Ok(())
    }
}

/// Groups sorted sequences that are adjacent.
fn ranges(sequences: &[Sequence]) -> impl Iterator<Item = &[Sequence]> {
    sequences.chunk_by(|one, next| next.get() - one.get() == 1)
}

/// First and last sequence of a group, which is not empty.
fn ends(range: &[Sequence]) -> [Sequence; 2] {
    [range[0], range[range.len() - 1]]
}

fn count<T>(
    items: &[T],
    mut change: impl FnMut(&T) -> rusqlite::Result<bool>,
) -> rusqlite::Result<Answer> {
    let mut answer = Answer::default();
    for item in items {
        answer.count += u64::from(change(item)?);
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;

    fn spool_of_three() -> (Connection, KeyHasher, State) {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::migrate(&mut connection).unwrap();
        let (hasher, state) = (KeyHasher::default(), State::default());
        let counting = KeyCounting::new(0, state.next_sequence);
        let mut changes = Changes::new(&connection, &hasher, state, counting);
        let records = (0..3).map(|key| Record::new("t", "payload").with_key([key]));
        let state = changes
            .apply(&Operation::AppendAll(records.collect()))
            .map(|_| changes.state)
            .unwrap();
        (connection, hasher, state)
    }

    fn sequences(connection: &Connection) -> Vec<u64> {
        let mut statement = connection
            .prepare("SELECT sequence FROM queue ORDER BY sequence")
            .unwrap();
        let rows = statement.query_map([], |row| row.get(0).map(from_sql));
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// Acknowledges sequences, and returns the number of rows and the new state.
    fn acknowledge(
        (connection, hasher, state): &(Connection, KeyHasher, State),
        acknowledged: &[u64],
    ) -> rusqlite::Result<(u64, State)> {
        let counting = KeyCounting::new(0, State::default().next_sequence);
        let mut changes = Changes::new(connection, hasher, *state, counting);
        let acknowledged = acknowledged.iter().copied().map(Sequence::new).collect();
        let answer = changes.apply(&Operation::Acknowledge(acknowledged))?;
        assert_eq!(bytes(changes.keys_left.len()), answer.count);
        Ok((answer.count, changes.state))
    }

    #[test]
    fn acknowledges_all_rows_at_once() {
        let spool = spool_of_three();
        let (count, state) = acknowledge(&spool, &[3, 1, 2, 2]).unwrap();
        assert_eq!((count, state.totals), (3, crate::state::Totals::default()));
        assert_eq!(sequences(&spool.0), []);
    }

    #[test]
    fn as_many_sequences_as_rows_are_not_all_rows() {
        let spool = spool_of_three();
        let (count, state) = acknowledge(&spool, &[1, 3, 7]).unwrap();
        assert_eq!((count, state.totals.records), (2, 1));
        assert_eq!(sequences(&spool.0), [2]);
    }

    #[test]
    fn deletes_no_row_that_the_state_does_not_count() {
        let spool = spool_of_three();
        let copy = "INSERT INTO queue SELECT 4, topic, key, created, not_before, attempts, checksum, \
                    last_error, headers, payload FROM queue WHERE sequence = 1";
        spool.0.execute(copy, []).unwrap();
        let transaction = spool.0.unchecked_transaction().unwrap();
        let refused = acknowledge(&spool, &[1, 2, 3]).unwrap_err();
        assert!(refused.to_string().contains("4 rows instead of 3"));
        drop(transaction);
        assert_eq!(sequences(&spool.0), [1, 2, 3, 4]);
    }
}
