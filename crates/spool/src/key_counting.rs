//! Count of the rows per key that a spool has when it is opened, in steps between commits.
//!
//! To count a million rows takes about half a second, so opening counts the last ones, and the others are
//! counted once a key is asked for: a spool may be drained before that. Until all are counted,
//! [`crate::Spool::holds_key`] is true for every key.
//!
//! Rows are counted from the last to the first, and removed from the first to the last: one that is removed
//! before it is counted need not be counted. A row that is appended meanwhile has a higher sequence than
//! all that are to be counted.

use std::time::Duration;

use rusqlite::Connection;

use crate::error::SpoolError;
use crate::keys::{self, KeyCounts};
use crate::row::TopicKey;
use crate::schema::QUEUE;
use crate::sql_convert::{bytes, from_sql, to_sql};
use crate::state::State;

const COUNTING: &str = "counting the keys of the spool";

/// Rows of a step: it takes some milliseconds, and a commit waits for it. A spool with fewer rows
/// is counted completely by its opening.
pub(crate) const STEP_ROWS: u64 = 5000;

/// Interval of the steps while the spool is drained, and while it is drained so fast that most of its rows
/// leave before they are counted.
const INTERVAL_OF_DRAIN: Duration = Duration::from_millis(20);
const INTERVAL_OF_FAST_DRAIN: Duration = Duration::from_millis(200);

/// Rows that leave between two steps of a fast drain.
const ROWS_OF_FAST_DRAIN: u64 = 1000;

/// Progress of the count. Like the state, the writer changes a copy and keeps it after the commit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyCounting {
    /// Sequence from which on rows are counted.
    from: u64,
    /// Rows that are neither counted nor removed.
    left: u64,
    /// Rows that left since the last step without being counted.
    skipped: u64,
}

impl KeyCounting {
    /// Begins to count the rows of a spool in this state.
    pub(crate) fn new(state: &State) -> Self {
        Self {
            from: state.next_sequence,
            left: state.totals.records,
            skipped: 0,
        }
    }

    /// Time from the last step to the next one.
    pub(crate) fn interval(&self) -> Duration {
        match self.skipped {
            0 => Duration::ZERO,
            1..ROWS_OF_FAST_DRAIN => INTERVAL_OF_DRAIN,
            ROWS_OF_FAST_DRAIN.. => INTERVAL_OF_FAST_DRAIN,
        }
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.from == 0
    }

    /// Notes that a row leaves the queue. Returns whether it was counted.
    pub(crate) fn leaves(&mut self, sequence: u64) -> bool {
        let is_counted = sequence >= self.from;
        if !is_counted {
            self.left = self.left.saturating_sub(1);
            self.skipped += 1;
        }
        is_counted
    }

    /// Counts at most `limit` rows, and returns the hashes of their keys, one per row. Must not be
    /// called within a transaction that changes rows.
    pub(crate) fn step(
        &mut self,
        connection: &Connection,
        removed_to: u64,
        limit: u64,
    ) -> Result<Vec<u64>, SpoolError> {
        let counted_keys = self
            .read(connection, removed_to, limit)
            .map_err(SpoolError::database(COUNTING))?;
        let count = bytes(counted_keys.len());
        self.skipped = 0;
        self.left = self.left.saturating_sub(count);
        if count < limit {
            self.from = 0;
        }
        // A damaged inner page can make SQLite skip rows without an error. Their keys would count
        // as free, and new events would overtake them.
        if self.is_complete() && self.left > 0 {
            return Err(SpoolError::Corrupt {
                context: COUNTING,
                detail: format!("{} rows are not found", self.left),
            });
        }
        Ok(counted_keys)
    }

    fn read(
        &mut self,
        connection: &Connection,
        removed_to: u64,
        limit: u64,
    ) -> rusqlite::Result<Vec<u64>> {
        let mut counted_keys = Vec::new();
        let mut statement = connection.prepare_cached(&format!(
            "SELECT sequence, topic, key FROM {QUEUE} WHERE sequence > ?1 AND sequence < ?2
             ORDER BY sequence DESC LIMIT ?3"
        ))?;
        let parameters = [removed_to, self.from, limit].map(to_sql);
        let mut rows = statement.query(parameters)?;
        while let Some(row) = rows.next()? {
            let row_key = TopicKey::of(row, 1)?;
            counted_keys.push(keys::hash(row_key.topic, row_key.key));
            self.from = from_sql(row.get(0)?);
        }
        Ok(counted_keys)
    }
}

/// Counts all rows at once, for a spool that is only read.
pub(crate) fn count_all(connection: &Connection, removed_to: u64) -> Result<KeyCounts, SpoolError> {
    let mut keys = KeyCounts::default();
    let mut counting = KeyCounting {
        from: u64::MAX,
        left: 0,
        skipped: 0,
    };
    while !counting.is_complete() {
        for hash in counting.step(connection, removed_to, STEP_ROWS)? {
            keys.add(hash);
        }
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::changes::Changes;
    use crate::gaps::Gaps;
    use crate::job::Operation;
    use crate::options::SpoolOptions;
    use crate::queue::{Queue, Settled};
    use crate::record::{Record, Sequence};
    use crate::schema;

    /// Queue, its rows and the count of their keys, without a thread.
    struct World {
        connection: Connection,
        queue: Queue,
        state: State,
        counting: KeyCounting,
        /// Key of every row, by sequence.
        rows: BTreeMap<u64, u8>,
    }

    fn record(key: u8) -> Record {
        Record::new("t", "payload").with_key([key])
    }

    fn append(connection: &Connection, state: State, keys: &[u8]) -> State {
        let gaps = Gaps::of(&state);
        let mut changes = Changes::new(connection, state, KeyCounting::new(&state), &gaps);
        let records = keys.iter().map(|key| record(*key)).collect();
        changes.apply(&Operation::AppendAll(records)).unwrap();
        changes.state
    }

    impl World {
        fn open(keys: &[u8]) -> Self {
            let mut connection = Connection::open_in_memory().unwrap();
            schema::migrate(&mut connection).unwrap();
            let state = append(&connection, State::default(), keys);
            Self {
                connection,
                queue: Queue::new(SpoolOptions::new("unused"), state.totals),
                counting: KeyCounting::new(&state),
                state,
                rows: (1..).zip(keys.iter().copied()).collect(),
            }
        }

        fn count(&mut self, rows: u64) {
            let removed_to = self.state.removed.to;
            let counted_keys = self
                .counting
                .step(&self.connection, removed_to, rows)
                .unwrap();
            self.queue
                .add_counted(&counted_keys, self.counting.is_complete());
        }

        /// Removes rows in one transaction, which fails at its end if it is not `durable`.
        fn remove(&mut self, first: u64, last: u64, durable: bool) {
            let transaction = self.connection.transaction().unwrap();
            let gaps = Gaps::of(&self.state);
            let mut changes = Changes::new(&transaction, self.state, self.counting, &gaps);
            let records = (first..=last).map(|at| Sequence::new(at).into()).collect();
            changes.apply(&Operation::Acknowledge(records)).unwrap();
            if !durable {
                return;
            }
            self.state = changes.state;
            self.counting = changes.key_counting;
            let settled = Settled {
                stored: changes.state.totals,
                keys_left: changes.keys_left,
                keys_returned: changes.keys_returned,
            };
            transaction.commit().unwrap();
            let none = std::collections::VecDeque::new();
            self.queue
                .settle(&none, &settled, std::time::Duration::ZERO);
            self.rows
                .retain(|sequence, _| !(first..=last).contains(sequence));
        }

        fn append(&mut self, key: u8) {
            let hash = keys::hash_of(&record(key));
            self.queue.add_counted(&[hash], false);
            self.rows.insert(self.state.next_sequence, key);
            self.state = append(&self.connection, self.state, &[key]);
        }

        fn check(&self) {
            for key in 0..4 {
                let held = self.queue.holds_key("t", Some(&[key]));
                let expected =
                    !self.queue.are_keys_complete() || self.rows.values().any(|k| *k == key);
                assert_eq!(held, expected, "key {key}");
            }
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Count(u64),
        Remove {
            first: u64,
            rows: u64,
            durable: bool,
        },
        Append(u8),
    }

    fn step() -> impl Strategy<Value = Step> {
        let remove = (1_u64..40, 0_u64..10, prop::bool::weighted(0.8));
        prop_oneof![
            (1_u64..6).prop_map(Step::Count),
            remove.prop_map(|(first, rows, durable)| Step::Remove {
                first,
                rows,
                durable
            }),
            (0_u8..3).prop_map(Step::Append),
        ]
    }

    proptest! {
        #[test]
        fn holds_every_key_until_all_rows_are_counted_and_then_those_of_the_rows(
            keys in prop::collection::vec(0_u8..3, 0..30),
            steps in prop::collection::vec(step(), 0..40),
        ) {
            let mut world = World::open(&keys);
            for step in steps {
                match step {
                    Step::Count(rows) => world.count(rows),
                    Step::Remove { first, rows, durable } => {
                        world.remove(first, first + rows, durable);
                    }
                    Step::Append(key) => world.append(key),
                }
                world.check();
            }
            while !world.queue.are_keys_complete() {
                world.count(4);
            }
            world.check();
            world.remove(1, 1000, true);
            world.check();
        }
    }

    #[test]
    fn reports_rows_that_are_not_found() {
        let mut world = World::open(&[0, 1, 2, 0]);
        world.count(2);
        world
            .connection
            .execute("DELETE FROM queue WHERE sequence = 1", [])
            .unwrap();
        let removed_to = world.state.removed.to;
        let missing = world.counting.step(&world.connection, removed_to, 3);
        assert!(matches!(missing, Err(SpoolError::Corrupt { .. })));
        assert!(
            world.queue.holds_key("t", Some(&[9])),
            "not known to be free"
        );
    }

    #[test]
    fn counts_all_rows_at_once() {
        let world = World::open(&[0, 2]);
        let counts = count_all(&world.connection, world.state.removed.to).unwrap();
        let contains = |key| counts.contains(keys::hash_of(&record(key)));
        assert_eq!([0, 1, 2].map(contains), [true, false, true]);
    }
}
