//! Removal of acknowledged records from the queue, and deletion of their rows.
//!
//! To delete a row means to write its page, which for many rows is half the cost of an append. But
//! records are mostly delivered in the order of the queue. So those at its front are removed by a
//! number in the [state](Removed): all up to this sequence. Their rows are deleted
//!
//! - all at once when the queue is empty. SQLite frees the pages of the table without writing them;
//! - by appends that need the space while it is not empty;
//! - while nothing else is written, and on a full disk.

use std::sync::LazyLock;

use rusqlite::{Connection, ffi};

use crate::changes::Changes;
use crate::job::Answer;
use crate::keys;
use crate::record::Acknowledged;
use crate::row::{TopicKey, weight_beside};
use crate::schema::QUEUE;
use crate::sql_convert::{bytes, from_sql, to_sql};
use crate::state::Removed;

static SELECT_LEAVING: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT sequence, topic, key, octet_length(headers), octet_length(payload)
         FROM {QUEUE} WHERE sequence BETWEEN ?1 AND ?2"
    )
});

static DELETE_RANGE: LazyLock<String> =
    LazyLock::new(|| format!("DELETE FROM {QUEUE} WHERE sequence BETWEEN ?1 AND ?2"));

/// Without `WHERE`, SQLite deletes the table's content as a whole.
static DELETE_ALL: LazyLock<String> = LazyLock::new(|| format!("DELETE FROM {QUEUE}"));

static FIRST_IN_RANGE: LazyLock<String> =
    LazyLock::new(|| format!("SELECT min(sequence) FROM {QUEUE} WHERE sequence BETWEEN ?1 AND ?2"));

/// Builds the statements. See [`crate::row::init_statements`].
pub(crate) fn init_statements() {
    LazyLock::force(&SELECT_LEAVING);
    LazyLock::force(&DELETE_RANGE);
    LazyLock::force(&DELETE_ALL);
    LazyLock::force(&FIRST_IN_RANGE);
}

/// Rows that are deleted by one statement at most. Their pages must still be in the cache when they are
/// deleted after they were selected.
const DELETED_TOGETHER: usize = 500;

/// Bytes of removed records whose rows are deleted together.
const DELETED_BYTES: u64 = 4 * 1024 * 1024;

/// Bytes that are deleted together on a full disk, within the space that is reserved in the WAL.
const DELETED_BYTES_OF_FULL_DISK: u64 = 128 * 1024;

/// Bytes of removed records whose rows a commit deletes that appends this number of bytes: more than
/// those, so that they become fewer.
pub(crate) fn bytes_to_delete_for(appended: u64) -> u64 {
    const LEAST: u64 = 256 * 1024;
    appended.saturating_mul(2).max(LEAST)
}

/// Bytes of removed records whose rows a commit deletes that does nothing else.
pub(crate) fn bytes_to_delete(is_disk_full: bool) -> u64 {
    if is_disk_full {
        DELETED_BYTES_OF_FULL_DISK
    } else {
        DELETED_BYTES
    }
}

/// Weight of removed records up to which all rows of the table are deleted at once. That reads all of
/// their pages, and the next commit waits for it; of more rows, the first are deleted one by one.
pub(crate) const MAX_BYTES_AT_ONCE: u64 = 128 * 1024 * 1024;

/// Rows that left the queue.
#[derive(Default)]
pub(crate) struct Left {
    pub(crate) count: u64,
    pub(crate) weight: u64,
}

impl Changes<'_> {
    /// Removes records from the queue: those at its front by their sequence, others with their rows.
    pub(crate) fn acknowledge(&mut self, records: &[Acknowledged]) -> rusqlite::Result<Answer> {
        let mut records = records.to_vec();
        records.sort_unstable_by_key(|record| record.sequence);
        records.dedup_by_key(|record| record.sequence);
        let removed = &self.state.removed;
        let new = records.partition_point(|record| removed.contains(record.sequence.get()));
        let records = &records[new..];
        let (at_front, others) = records.split_at(self.count_at_front(records));
        let mut count = self.remove_front(at_front)?;
        for range in ranges(others) {
            for range in range.chunks(DELETED_TOGETHER) {
                count += self.leave_queue(ends(range))?.count;
            }
        }
        if self.state.totals.records == 0 {
            // No sequence that was given out has a row that counts.
            self.state.removed.to = self.state.next_sequence - 1;
        }
        Ok(Answer {
            count,
            ..Answer::default()
        })
    }

    /// Returns how many of these records are at the front of the queue: up to the last of them, each is
    /// in the queue, and nothing else is.
    fn count_at_front(&self, records: &[Acknowledged]) -> usize {
        if !self.new_gaps.is_empty() {
            // They are not among the known gaps yet.
            return 0;
        }
        let mut count = 0;
        let mut next = self.state.removed.to + 1;
        for range in ranges(records) {
            let [first, last] = ends(range);
            let is_at_front = self.gaps.next_row(next) == Some(first)
                && self.gaps.have_rows([first, last])
                && last < self.state.next_sequence;
            if !is_at_front {
                break;
            }
            count += range.len();
            next = last + 1;
        }
        count
    }

    /// Removes the records at the front of the queue, and returns their number.
    fn remove_front(&mut self, records: &[Acknowledged]) -> rusqlite::Result<u64> {
        let Some(last) = records.last() else {
            return Ok(0);
        };
        let before = self.state.totals;
        for range in ranges(records) {
            for range in range.chunk_by(|one, next| one.counted.is_some() == next.counted.is_some())
            {
                if range[0].counted.is_none() {
                    self.note_leaving(ends(range))?;
                }
                for record in range {
                    if let Some((key, weight)) = record.counted {
                        self.note_left(record.sequence.get(), weight, || key.get());
                    }
                }
            }
        }
        let count = before.records - self.state.totals.records;
        if count != bytes(records.len()) {
            return Err(corrupt(format!(
                "{} rows are not found",
                bytes(records.len()) - count
            )));
        }
        self.state.removed = Removed {
            to: last.sequence.get(),
            records: self.state.removed.records + count,
            bytes: self.state.removed.bytes + (before.bytes - self.state.totals.bytes),
        };
        Ok(count)
    }

    /// Deletes the rows of the queue from the first to the last sequence, updates the totals, and returns
    /// the number of rows and their weight.
    ///
    /// Not by one statement with `RETURNING`: SQLite builds a table in memory for its rows.
    pub(crate) fn leave_queue(&mut self, ends: [u64; 2]) -> rusqlite::Result<Left> {
        let left = self.note_leaving(ends)?;
        self.delete_range(ends)?;
        let [first, last] = ends;
        // A sequence that was not given out yet will have a row.
        let last = last.min(self.state.next_sequence - 1);
        if first <= last {
            self.new_gaps.push([first, last]);
        }
        Ok(left)
    }

    /// Updates the totals for rows that leave the queue.
    fn note_leaving(&mut self, ends: [u64; 2]) -> rusqlite::Result<Left> {
        let mut left = Left::default();
        let mut statement = self.connection.prepare_cached(&SELECT_LEAVING)?;
        let mut rows = statement.query(ends.map(to_sql))?;
        while let Some(row) = rows.next()? {
            let row_key = TopicKey::of(row, 1)?;
            let weight = weight_beside(&row_key, row, 3)?;
            let hash = || keys::hash(row_key.topic, row_key.key);
            self.note_left(from_sql(row.get(0)?), weight, hash);
            left.count += 1;
            left.weight += weight;
        }
        Ok(left)
    }

    fn note_left(&mut self, sequence: u64, weight: u64, key: impl FnOnce() -> u64) {
        if self.key_counting.leaves(sequence) {
            self.keys_left.push(key());
        }
        self.state.totals.remove_record(weight);
    }

    fn delete_range(&self, ends: [u64; 2]) -> rusqlite::Result<u64> {
        self.connection
            .prepare_cached(&DELETE_RANGE)?
            .execute(ends.map(to_sql))
            .map(bytes)
    }

    /// Deletes rows of removed records, about so many bytes of them, or all if that is cheap.
    pub(crate) fn delete_removed(&mut self, most_bytes: u64) -> rusqlite::Result<()> {
        let removed = self.state.removed;
        let weight = removed.bytes / removed.records.max(1);
        let may_be_emptied = self.state.totals.records == 0
            && removed.bytes <= MAX_BYTES_AT_ONCE
            && most_bytes >= DELETED_BYTES_OF_FULL_DISK;
        let deleted = if may_be_emptied {
            let deleted = self.connection.prepare_cached(&DELETE_ALL)?.execute([])?;
            // None is left, also if there were fewer: a damaged page hides rows.
            bytes(deleted).max(removed.records)
        } else {
            self.delete_first((most_bytes / weight.max(1)).max(1))?
        };
        let Some(records) = removed.records.checked_sub(deleted) else {
            // The others were never seen. The transaction is rolled back.
            let counted = removed.records;
            return Err(corrupt(format!(
                "the queue has {deleted} rows instead of {counted}"
            )));
        };
        self.state.removed = Removed {
            to: removed.to,
            records,
            // Their share: the rows were not read.
            bytes: weight * records,
        };
        Ok(())
    }

    /// Deletes the first removed rows within a range of `most` sequences, and returns their number.
    fn delete_first(&self, most: u64) -> rusqlite::Result<u64> {
        let removed = self.state.removed;
        let first: Option<i64> = self
            .connection
            .prepare_cached(&FIRST_IN_RANGE)?
            .query_one([0, removed.to].map(to_sql), |row| row.get(0))?;
        let Some(first) = first.map(from_sql) else {
            return Ok(removed.records);
        };
        let last = first.saturating_add(most.saturating_sub(1));
        self.delete_range([first, last.min(removed.to)])
    }
}

/// Number of rows that the table has of removed records.
pub(crate) fn count_rows(connection: &Connection, removed_to: u64) -> rusqlite::Result<u64> {
    let sql = format!("SELECT count(*) FROM {QUEUE} WHERE sequence <= ?1");
    connection.query_one(&sql, [to_sql(removed_to)], |row| row.get(0).map(from_sql))
}

fn corrupt(detail: String) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CORRUPT), Some(detail))
}

/// Groups sorted records that are adjacent.
fn ranges(records: &[Acknowledged]) -> impl Iterator<Item = &[Acknowledged]> {
    records.chunk_by(|one, next| next.sequence.get() - one.sequence.get() == 1)
}

/// First and last sequence of a group, which is not empty.
fn ends(range: &[Acknowledged]) -> [u64; 2] {
    [range[0], range[range.len() - 1]].map(|record| record.sequence.get())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gaps::Gaps;
    use crate::job::Operation;
    use crate::key_counting::KeyCounting;
    use crate::keys::key_hash;
    use crate::record::{Record, Sequence};
    use crate::schema;
    use crate::state::{State, Totals};

    /// Database, and the state of its rows.
    struct World {
        connection: Connection,
        state: State,
        gaps: Gaps,
    }

    fn record(key: u8) -> Record {
        Record::new("t", "payload").with_key([key])
    }

    /// Acknowledgement of a record whose key is its sequence.
    fn counted(sequence: u64) -> Acknowledged {
        let key = u8::try_from(sequence).unwrap();
        let weight = record(key).weight();
        Acknowledged::counted(Sequence::new(sequence), key_hash("t", Some(&[key])), weight)
    }

    fn uncounted(sequence: u64) -> Acknowledged {
        Sequence::new(sequence).into()
    }

    impl World {
        fn of_rows(count: u8) -> Self {
            let mut connection = Connection::open_in_memory().unwrap();
            schema::migrate(&mut connection).unwrap();
            let mut world = Self {
                connection,
                state: State::default(),
                gaps: Gaps::of(&State::default()),
            };
            let records = (1..=count).map(record).collect();
            world.run(&Operation::AppendAll(records)).unwrap();
            world
        }

        /// Applies an operation, and returns its count and the hashes of the keys that left.
        fn run(&mut self, operation: &Operation) -> rusqlite::Result<(u64, Vec<u64>)> {
            let counting = KeyCounting::new(&State::default());
            let transaction = self.connection.unchecked_transaction()?;
            let mut changes = Changes::new(&transaction, self.state, counting, &self.gaps);
            let answer = changes.apply(operation)?;
            let (state, keys_left, new_gaps) = (changes.state, changes.keys_left, changes.new_gaps);
            transaction.commit()?;
            self.state = state;
            self.gaps.follow(&state, &new_gaps);
            Ok((answer.count, keys_left))
        }

        fn acknowledge(&mut self, records: &[Acknowledged]) -> u64 {
            let before = self.state.totals;
            let operation = Operation::Acknowledge(records.to_vec());
            let (count, keys_left) = self.run(&operation).unwrap();
            assert_eq!(bytes(keys_left.len()), count);
            let weight = record(1).weight();
            assert_eq!(self.state.totals.records, before.records - count);
            assert_eq!(self.state.totals.bytes, before.bytes - count * weight);
            count
        }

        /// Deletes rows, and returns how many are left of removed records.
        fn delete_removed(&mut self, rows: u64) -> rusqlite::Result<u64> {
            let bytes = rows * record(1).weight();
            self.run(&Operation::DeleteRemoved(bytes))?;
            Ok(self.state.removed.records)
        }

        /// Sequences of all rows of the table.
        fn rows(&self) -> Vec<u64> {
            let mut statement = self
                .connection
                .prepare("SELECT sequence FROM queue ORDER BY sequence")
                .unwrap();
            let rows = statement.query_map([], |row| row.get(0).map(from_sql));
            rows.unwrap().map(Result::unwrap).collect()
        }

        fn removed(&self) -> (u64, u64) {
            (self.state.removed.to, self.state.removed.records)
        }
    }

    #[test]
    fn records_at_the_front_are_removed_without_their_rows() {
        for acknowledged in [counted, uncounted] {
            let mut world = World::of_rows(4);
            let records = [2, 1, 2].map(acknowledged);
            assert_eq!(world.acknowledge(&records), 2);
            assert_eq!(world.removed(), (2, 2));
            assert_eq!(world.rows(), [1, 2, 3, 4]);
            assert_eq!(world.acknowledge(&records), 0, "removed already");
        }
    }

    #[test]
    fn records_behind_others_are_removed_with_their_rows() {
        let mut world = World::of_rows(5);
        assert_eq!(world.acknowledge(&[1, 3, 4].map(counted)), 3);
        assert_eq!(world.removed(), (1, 1));
        assert_eq!(world.rows(), [1, 2, 5]);
        assert_eq!(world.acknowledge(&[2, 5].map(counted)), 2, "over a gap");
        assert_eq!(world.removed(), (5, 3));
        assert_eq!(world.state.totals, Totals::default());
    }

    #[test]
    fn sequences_that_are_not_in_the_queue_are_not_counted() {
        let mut world = World::of_rows(3);
        assert_eq!(world.acknowledge(&[1, 3, 7].map(counted)), 2);
        assert_eq!(world.rows(), [1, 2]);
        assert_eq!(world.acknowledge(&[1, 2, 3].map(counted)), 1);
        assert_eq!(world.removed(), (3, 1), "3 was acknowledged before");
        assert_eq!(world.acknowledge(&[8, 9].map(counted)), 0);
        assert_eq!(world.state.totals, Totals::default());
    }

    #[test]
    fn records_that_are_appended_later_are_not_taken_for_removed() {
        let mut world = World::of_rows(3);
        let append = Operation::AppendAll([4, 5, 6].map(record).to_vec());
        assert_eq!(
            world.acknowledge(&[2, 5].map(counted)),
            1,
            "5 is not given out yet"
        );
        world.run(&append).unwrap();
        world.acknowledge(&[counted(1)]);
        world.acknowledge(&[3, 4, 6].map(counted));
        assert_eq!(world.removed().0, 4);
        assert_eq!(
            (world.state.totals.records, world.rows()),
            (1, vec![1, 3, 4, 5])
        );
    }

    #[test]
    fn missing_rows_of_removed_records_do_not_stay_counted() {
        let mut world = World::of_rows(4);
        world.acknowledge(&[1, 2, 3, 4].map(counted));
        world
            .connection
            .execute("DELETE FROM queue WHERE sequence > 2", [])
            .unwrap();
        assert_eq!(world.delete_removed(1 << 20).unwrap(), 0);
        world = World::of_rows(4);
        world.acknowledge(&[1, 2].map(counted));
        world
            .connection
            .execute("DELETE FROM queue WHERE sequence < 3", [])
            .unwrap();
        assert_eq!(world.delete_removed(1).unwrap(), 0);
    }

    #[test]
    fn a_record_is_removed_once_by_one_transaction() {
        let mut world = World::of_rows(5);
        let counting = KeyCounting::new(&State::default());
        let mut changes = Changes::new(&world.connection, world.state, counting, &world.gaps);
        let mut acknowledge = |records: Vec<_>| {
            let answer = changes.apply(&Operation::Acknowledge(records)).unwrap();
            (answer.count, changes.state.totals.records)
        };
        assert_eq!(acknowledge(vec![counted(4)]), (1, 4));
        assert_eq!(acknowledge([1, 2, 3, 4].map(counted).to_vec()), (3, 1));
        assert_eq!(acknowledge(vec![counted(2)]), (0, 1));
        assert_eq!(acknowledge(vec![counted(5)]), (1, 0));
        world.state = changes.state;
        assert_eq!(world.removed(), (5, 0));
        assert!(world.rows().is_empty());
    }

    #[test]
    fn removed_records_are_not_found_and_do_not_change() {
        let mut world = World::of_rows(2);
        world.acknowledge(&[counted(1)]);
        let attempt = crate::record::FailedAttempt {
            sequence: Sequence::new(1),
            not_before: None,
            error: String::new(),
        };
        let letter = crate::dead::DeadLetterRequest {
            sequence: Sequence::new(1),
            reason: String::new(),
            error: String::new(),
        };
        for operation in [
            Operation::NoteAttempts(vec![attempt]),
            Operation::DeadLetter(vec![letter]),
            Operation::DeadLetterDamaged(vec![Sequence::new(1)]),
        ] {
            assert_eq!(world.run(&operation).unwrap().0, 0);
        }
        assert_eq!(world.state.totals.dead, 0);
    }

    #[test]
    fn deletes_rows_of_removed_records_only() {
        let mut world = World::of_rows(6);
        world.acknowledge(&[1, 2, 3, 4].map(counted));
        assert_eq!(world.delete_removed(3).unwrap(), 1);
        assert_eq!((world.removed(), world.rows()), ((4, 1), vec![4, 5, 6]));
        assert_eq!(world.delete_removed(3).unwrap(), 0);
        assert_eq!((world.removed(), world.rows()), ((4, 0), vec![5, 6]));
        assert_eq!(world.delete_removed(3).unwrap(), 0);
        world.acknowledge(&[5, 6].map(counted));
        assert_eq!(world.delete_removed(1 << 20).unwrap(), 0, "all at once");
        assert_eq!((world.removed(), world.rows()), ((6, 0), vec![]));
        assert_eq!(world.state.removed.bytes, 0);
    }

    #[test]
    fn deletes_no_row_that_the_state_does_not_count() {
        let mut world = World::of_rows(3);
        world.acknowledge(&[1, 2, 3].map(counted));
        let copy = "INSERT INTO queue SELECT 4, topic, key, created, not_before, attempts, checksum, \
                    last_error, headers, payload FROM queue WHERE sequence = 1";
        world.connection.execute(copy, []).unwrap();
        let refused = world.delete_removed(1 << 20).unwrap_err();
        assert!(refused.to_string().contains("4 rows instead of 3"));
        assert_eq!(world.rows(), [1, 2, 3, 4]);
    }

    #[test]
    fn rows_that_are_not_found_are_not_taken_for_removed() {
        let mut world = World::of_rows(9);
        // SQLite passes rows behind a damaged page without an error.
        world
            .connection
            .execute("DELETE FROM queue WHERE sequence = 4", [])
            .unwrap();
        world.acknowledge(&[counted(8)]);
        let behind = Operation::Acknowledge(vec![counted(5)]);
        world.run(&behind).unwrap();
        assert_eq!(world.removed(), (0, 0), "4 was not acknowledged");
        let missing = Operation::Acknowledge([1, 2, 3, 4].map(uncounted).to_vec());
        let refused = world.run(&missing).unwrap_err();
        assert!(refused.to_string().contains("1 rows are not found"));
    }
}
