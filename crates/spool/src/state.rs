//! State of the spool: one row, written in every commit.

use rusqlite::Connection;

use crate::schema::STATE;
use crate::sql_convert::{from_sql, to_sql};

/// Totals of the two tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) records: u64,
    pub(crate) bytes: u64,
    pub(crate) dead: u64,
    pub(crate) dead_bytes: u64,
}

impl Totals {
    pub(crate) fn all_records(self) -> u64 {
        self.records.saturating_add(self.dead)
    }

    pub(crate) fn all_bytes(self) -> u64 {
        self.bytes.saturating_add(self.dead_bytes)
    }

    pub(crate) fn add_record(&mut self, weight: u64) {
        self.records += 1;
        self.bytes += weight;
    }

    pub(crate) fn remove_record(&mut self, weight: u64) {
        self.records = self.records.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(weight);
    }

    pub(crate) fn add_dead(&mut self, weight: u64) {
        self.dead += 1;
        self.dead_bytes += weight;
    }

    pub(crate) fn remove_dead(&mut self, weight: u64) {
        self.dead = self.dead.saturating_sub(1);
        self.dead_bytes = self.dead_bytes.saturating_sub(weight);
    }
}

/// State of the spool. It is committed with the records: a file whose tables have another number of
/// rows has lost some, and one with fewer commits than the [commit counter](crate::commit_counter)
/// has lost commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    /// Sequence of the next record; it never decreases.
    pub(crate) next_sequence: u64,
    /// Commits since the spool was created.
    pub(crate) commits: u64,
    pub(crate) totals: Totals,
}

impl Default for State {
    fn default() -> Self {
        Self {
            next_sequence: 1,
            commits: 0,
            totals: Totals::default(),
        }
    }
}

impl State {
    pub(crate) fn take_sequence(&mut self) -> u64 {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        sequence
    }

    /// Returns this state with at least the sequence and commits of the other.
    pub(crate) fn at_least(&self, other: &Self) -> Self {
        Self {
            next_sequence: self.next_sequence.max(other.next_sequence),
            commits: self.commits.max(other.commits),
            totals: self.totals,
        }
    }

    /// Reads the row. Fails like a value of the wrong type if it does not match its checksum: a
    /// damaged total would look like lost rows, or hide them.
    pub(crate) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        connection
            .prepare_cached(&format!("SELECT {COLUMNS}, checksum FROM {STATE}"))?
            .query_one([], |row| {
                let mut numbers = [0; NUMBERS];
                for (column, number) in numbers.iter_mut().enumerate() {
                    *number = row.get(column).map(from_sql)?;
                }
                let state = Self::from_numbers(numbers);
                let checksum = row.get::<_, i64>(6)?;
                if checksum == state.checksum() {
                    return Ok(state);
                }
                Err(rusqlite::Error::IntegralValueOutOfRange(6, checksum))
            })
    }

    /// Inserts the row into a new file.
    pub(crate) fn insert(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.execute(
            &format!(
                "INSERT INTO {STATE} ({COLUMNS}, checksum, id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
            ),
            self.parameters(1),
        )?;
        Ok(())
    }

    /// Updates the row. Returns false if it is not the one this process wrote last, because another
    /// program has written.
    pub(crate) fn update(&self, connection: &Connection, last: &Self) -> rusqlite::Result<bool> {
        let changed = connection
            // The condition makes it a compare-and-swap: the transaction of another program in between
            // has raised `commits`.
            .prepare_cached(&format!(
                "UPDATE {STATE} SET ({COLUMNS}, checksum) = (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 WHERE commits = ?8"
            ))?
            .execute(self.parameters(last.commits))?;
        Ok(changed == 1)
    }

    /// Returns the columns, their checksum, and one more parameter of the statement.
    fn parameters(&self, more: u64) -> [i64; 8] {
        let [sequence, commits, records, bytes, dead, dead_bytes] = self.numbers().map(to_sql);
        let checksum = self.checksum();
        let more = to_sql(more);
        [
            sequence, commits, records, bytes, dead, dead_bytes, checksum, more,
        ]
    }

    fn checksum(&self) -> i64 {
        let mut hasher = crc32fast::Hasher::new();
        for number in self.numbers() {
            hasher.update(&number.to_le_bytes());
        }
        i64::from(hasher.finalize())
    }

    /// Returns all numbers, in the order of the row and of the commit counter.
    pub(crate) fn numbers(&self) -> [u64; NUMBERS] {
        [
            self.next_sequence,
            self.commits,
            self.totals.records,
            self.totals.bytes,
            self.totals.dead,
            self.totals.dead_bytes,
        ]
    }

    /// Creates a state from [`State::numbers`].
    pub(crate) fn from_numbers(numbers: [u64; NUMBERS]) -> Self {
        let [next_sequence, commits, records, bytes, dead, dead_bytes] = numbers;
        Self {
            next_sequence,
            commits,
            totals: Totals {
                records,
                bytes,
                dead,
                dead_bytes,
            },
        }
    }
}

/// Number of numbers in a state.
pub(crate) const NUMBERS: usize = 6;

const COLUMNS: &str = "next_sequence, commits, records, bytes, dead, dead_bytes";
