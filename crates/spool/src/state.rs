//! State of the spool: one row, written in every commit.

use rusqlite::types::Type;
use rusqlite::{Connection, Row};

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

/// Records that were removed while their rows are still in the queue's table: to raise a sequence costs
/// one page, to delete the rows many. They are all rows up to that sequence, and are deleted later, see
/// [`crate::removal`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Removed {
    pub(crate) to: u64,
    pub(crate) records: u64,
    pub(crate) bytes: u64,
}

impl Removed {
    pub(crate) fn contains(&self, sequence: u64) -> bool {
        sequence <= self.to
    }

    fn numbers(&self) -> [u64; 3] {
        [self.to, self.records, self.bytes]
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
    pub(crate) removed: Removed,
}

impl Default for State {
    fn default() -> Self {
        Self {
            next_sequence: 1,
            commits: 0,
            totals: Totals::default(),
            removed: Removed::default(),
        }
    }
}

impl State {
    pub(crate) fn take_sequence(&mut self) -> u64 {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        sequence
    }

    /// Whether every sequence behind the removed ones has a row in the queue.
    pub(crate) fn is_gapless(&self) -> bool {
        self.removed.to.saturating_add(self.totals.records) == self.next_sequence - 1
    }

    /// Number of rows that the queue's table has.
    pub(crate) fn queue_rows(&self) -> u64 {
        self.totals.records.saturating_add(self.removed.records)
    }

    /// Returns this state with at least the sequence and commits of the other.
    pub(crate) fn at_least(&self, other: &Self) -> Self {
        Self {
            next_sequence: self.next_sequence.max(other.next_sequence),
            commits: self.commits.max(other.commits),
            ..*self
        }
    }

    /// Reads the row. Fails like a value of the wrong type if it does not match its checksum: a
    /// damaged total would look like lost rows, or hide them.
    pub(crate) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        // Every column: a file of an earlier version, which is only read, has no removed records.
        connection
            .prepare_cached(&format!("SELECT * FROM {STATE}"))?
            .query_one([], Self::decode)
    }

    fn decode(row: &Row<'_>) -> rusqlite::Result<Self> {
        let mut numbers = [0; NUMBERS];
        for (place, number) in numbers.iter_mut().enumerate() {
            *number = row.get(1 + place).map(from_sql)?;
        }
        let mut state = Self::from_numbers(numbers);
        if row.as_ref().column_count() > REMOVED_AT {
            state.removed = Removed {
                to: row.get(REMOVED_AT).map(from_sql)?,
                records: row.get(REMOVED_AT + 1).map(from_sql)?,
                bytes: row.get(REMOVED_AT + 2).map(from_sql)?,
            };
        }
        let checksum = row.get::<_, i64>(CHECKSUM_AT)?;
        if checksum == state.checksum() {
            return Ok(state);
        }
        Err(rusqlite::Error::FromSqlConversionFailure(
            CHECKSUM_AT,
            Type::Integer,
            "the totals of the spool do not match their checksum".into(),
        ))
    }

    /// Inserts the row into a new file.
    pub(crate) fn insert(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.execute(
            &format!("INSERT INTO {STATE} ({COLUMNS}, id) VALUES ({VALUES}, ?11)"),
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
                "UPDATE {STATE} SET ({COLUMNS}) = ({VALUES}) WHERE commits = ?11"
            ))?
            .execute(self.parameters(last.commits))?;
        Ok(changed == 1)
    }

    /// Returns the columns, and one more parameter of the statement.
    fn parameters(&self, more: u64) -> [i64; 11] {
        let [sequence, commits, records, bytes, dead, dead_bytes] = self.numbers().map(to_sql);
        let [removed_to, removed_records, removed_bytes] = self.removed.numbers().map(to_sql);
        [
            sequence,
            commits,
            records,
            bytes,
            dead,
            dead_bytes,
            self.checksum(),
            removed_to,
            removed_records,
            removed_bytes,
            to_sql(more),
        ]
    }

    fn checksum(&self) -> i64 {
        let mut hasher = crc32fast::Hasher::new();
        for number in self.numbers() {
            hasher.update(&number.to_le_bytes());
        }
        // An earlier version computed its checksum without them.
        if self.removed != Removed::default() {
            for number in self.removed.numbers() {
                hasher.update(&number.to_le_bytes());
            }
        }
        i64::from(hasher.finalize())
    }

    /// Returns the numbers of the commit counter, in their order in it and in the row.
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
            removed: Removed::default(),
        }
    }
}

/// Number of [`State::numbers`].
pub(crate) const NUMBERS: usize = 6;

/// Indices of columns, in the order of their declaration.
const CHECKSUM_AT: usize = 7;
const REMOVED_AT: usize = 8;

const COLUMNS: &str = "next_sequence, commits, records, bytes, dead, dead_bytes, checksum, \
                       removed_to, removed_records, removed_bytes";
const VALUES: &str = "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10";
