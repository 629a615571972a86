//! Verification: SQLite's integrity check of every page, and the checksum of every row.

use rusqlite::{Connection, Row};

use crate::damage::Damage;
use crate::dead::REASON_DAMAGED;
use crate::error::SpoolError;
use crate::examine::missing_commits;
use crate::record::Sequence;
use crate::removal;
use crate::row::{self, COLUMNS, Damaged};
use crate::schema::{DEAD, QUEUE};
use crate::sql_convert::{from_sql, to_sql};
use crate::state::State;

const VERIFYING: &str = "verifying the spool";

/// Maximum number of problems that SQLite's check lists.
const MAX_PROBLEMS: usize = 100;

/// Result of a verification, from one consistent view of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// Number of records.
    pub records: u64,
    /// Number of dead letters.
    pub dead: u64,
    /// Rows that do not match their checksums, except dead letters with that reason.
    pub damaged: Vec<Sequence>,
    /// Problems of the file: at most 100 of SQLite's check, wrong totals, and missing commits. If
    /// there is one, opening the spool sets its files aside and salvages the readable rows, unless it is a value
    /// of the wrong type in a row, which is a damaged record.
    pub problems: Vec<String>,
}

impl Verification {
    /// Returns whether nothing is damaged.
    pub fn is_sound(&self) -> bool {
        self.damaged.is_empty() && self.problems.is_empty()
    }
}

/// Rows between two calls of the progress callback.
const PROGRESS_ROWS: u64 = 1000;

/// Verifies the file. It is read about one and a half times; a writer goes on meanwhile, but its
/// WAL grows, because a checkpoint cannot pass the open read transaction.
pub(crate) fn verify(
    connection: &Connection,
    counter: Option<&State>,
    mut progress: impl FnMut(u64),
) -> Result<Verification, SpoolError> {
    let mut verification = Verification::default();
    // A file that cannot be read any further is a result of this check, not a failure of it.
    let checked = check(connection, counter, &mut verification, &mut progress);
    match checked.map_err(SpoolError::database(VERIFYING)) {
        Err(SpoolError::Corrupt { detail, .. }) => verification.problems.push(detail),
        checked => checked?,
    }
    Ok(verification)
}

fn check(
    connection: &Connection,
    counter: Option<&State>,
    found: &mut Verification,
    progress: &mut impl FnMut(u64),
) -> rusqlite::Result<()> {
    // One transaction for all that follows, or a commit in between would look like a fault.
    let view = connection.unchecked_transaction()?;
    let state = State::load(&view)?;
    found.problems = integrity(&view)?;
    let commits = missing_commits(&state, counter);
    if commits > 0 {
        let damage = Damage::CommitsMissing { commits };
        found.problems.push(damage.to_string());
    }
    let mut read = 0;
    let mut count = |row: &Row<'_>, damaged: bool| -> rusqlite::Result<()> {
        if damaged {
            found.damaged.push(Sequence::new(from_sql(row.get(0)?)));
        }
        read += 1;
        if read % PROGRESS_ROWS == 0 {
            progress(read);
        }
        Ok(())
    };
    found.records = rows(&view, QUEUE, state.removed.to, "NULL", &mut count)?;
    found.dead = rows(&view, DEAD, 0, "reason", &mut count)?;
    let removed = removal::count_rows(&view, state.removed.to)?;
    if removed != state.removed.records {
        found.problems.push(format!(
            "{} rows of removed records should be there, but {removed} were found",
            state.removed.records
        ));
    }
    let expected = (state.totals.records, state.totals.dead);
    if expected != (found.records, found.dead) {
        found.problems.push(format!(
            "{} records and {} dead letters were committed, but {} and {} were found",
            expected.0, expected.1, found.records, found.dead
        ));
    }
    Ok(())
}

fn integrity(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(&format!("PRAGMA integrity_check({MAX_PROBLEMS})"))?;
    let diagnostics = statement
        .query_map([], |row| row.get::<_, String>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(diagnostics
        .into_iter()
        .filter(|text| text != "ok")
        .collect())
}

fn rows(
    connection: &Connection,
    table: &str,
    after: u64,
    reason: &str,
    each: &mut impl FnMut(&Row<'_>, bool) -> rusqlite::Result<()>,
) -> rusqlite::Result<u64> {
    let mut statement = connection.prepare(&format!(
        "SELECT {COLUMNS}, {reason} FROM {table} WHERE sequence > ?1 ORDER BY sequence"
    ))?;
    let mut rows = statement.query([to_sql(after)])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        count += 1;
        let reason: Option<String> = row.get(10)?;
        let damaged = row::decode(row)? == Err(Damaged);
        each(row, damaged && reason.as_deref() != Some(REASON_DAMAGED))?;
    }
    Ok(count)
}
