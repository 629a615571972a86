//! Row changes of one commit.

use std::time::SystemTime;

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::dead::{DeadLetterRequest, REASON_DAMAGED};
use crate::gaps::Gaps;
use crate::job::{Answer, Operation};
use crate::key_counting::KeyCounting;
use crate::keys;
use crate::record::{FailedAttempt, Record, Sequence, StoredRecord, bounded};
use crate::row::{self, COLUMNS, Damaged, Death, LENGTHS, weight_of};
use crate::schema::{DEAD, QUEUE};
use crate::sql_convert::{micros, to_sql};
use crate::state::State;

/// Open transaction to which operations are applied.
pub(crate) struct Changes<'a> {
    pub(crate) connection: &'a Connection,
    /// State that the transaction will commit.
    pub(crate) state: State,
    /// Progress of the count by key after the transaction.
    pub(crate) key_counting: KeyCounting,
    /// Key hashes of counted rows that leave the queue, one per row.
    pub(crate) keys_left: Vec<u64>,
    /// Key hashes of rows that entered the queue other than by an append, one per row.
    pub(crate) keys_returned: Vec<u64>,
    /// Gaps before the transaction.
    pub(crate) gaps: &'a Gaps,
    /// Gaps that the transaction makes.
    pub(crate) new_gaps: Vec<[u64; 2]>,
}

impl<'a> Changes<'a> {
    pub(crate) fn new(
        connection: &'a Connection,
        state: State,
        key_counting: KeyCounting,
        gaps: &'a Gaps,
    ) -> Self {
        Self {
            connection,
            state,
            key_counting,
            keys_left: Vec::new(),
            keys_returned: Vec::new(),
            gaps,
            new_gaps: Vec::new(),
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
            Operation::Acknowledge(records) => self.acknowledge(records),
            Operation::DeleteRemoved(most_bytes) => {
                self.delete_removed(*most_bytes)?;
                Ok(Answer::default())
            }
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
        self.new_gaps.push([sequence; 2]);
        self.state.totals.add_dead(record.weight());
        Ok(Answer {
            first: Sequence::new(sequence),
            count: 1,
        })
    }

    /// Rewrites the row with one more attempt, because the checksum covers the attempts. A damaged
    /// row is left as it is: the next read moves it to the dead letters.
    fn note_attempt(&mut self, attempt: &FailedAttempt) -> rusqlite::Result<bool> {
        let Some(Ok(mut stored)) = self.find_queued(attempt.sequence)? else {
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
        match self.find_queued(sequence)? {
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
        if self.state.removed.contains(request.sequence.get()) {
            return Ok(false);
        }
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
        let left = self.leave_queue([request.sequence.get(); 2])?;
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
        self.keys_returned.push(keys::hash_of(&record));
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

    fn find_queued(
        &self,
        sequence: Sequence,
    ) -> rusqlite::Result<Option<Result<StoredRecord, Damaged>>> {
        if self.state.removed.contains(sequence.get()) {
            return Ok(None);
        }
        self.find(QUEUE, sequence)
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
