//! Salvage: creates a new database with the readable rows of a damaged one, if there is one.

use std::collections::HashSet;
use std::fs;
use std::time::SystemTime;

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

use crate::cluster::SpoolCluster;
use crate::connection;
use crate::dead::REASON_DAMAGED;
use crate::error::SpoolError;
use crate::files::{self, Files};
use crate::record::StoredRecord;
use crate::row::{self, COLUMNS, Damaged, Death, Values};
use crate::scan::scan;
use crate::schema::{self, DEAD, QUEUE};
use crate::sql_convert::{micros, to_sql};
use crate::state::{Removed, State};

const CONTEXT: &str = "salvaging the spool";

/// Number of copied rows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Salvaged {
    pub(crate) records: u64,
    pub(crate) dead: u64,
    pub(crate) damaged: u64,
}

/// Creates the new database, complete and durable, under a name that is not in use yet. `least` is
/// the least state known from elsewhere: sequences and commits up to it were used.
pub(crate) fn salvage(files: &Files, least: &State) -> Result<Salvaged, SpoolError> {
    let path = files.recovering();
    remove_if_there(&path)?;
    // Accessible to its owner only. SQLite gives its other files the same mode.
    files::open_private(&path).map_err(SpoolError::io("creating the spool"))?;
    let mut target = connection::examine(&path).map_err(SpoolError::database(CONTEXT))?;
    fill(files, &mut target, least)
        .and_then(|salvaged| {
            target
                .close()
                .map_err(|(_, error)| SpoolError::database(CONTEXT)(error))?;
            fs::File::open(&path)
                .and_then(|file| file.sync_all())
                .map_err(SpoolError::io(CONTEXT))?;
            Ok(salvaged)
        })
        .inspect_err(|_| {
            // An incomplete file is of no use, and it may have filled the disk.
            let _ = fs::remove_file(&path);
        })
}

pub(crate) fn remove_if_there(path: &std::path::Path) -> Result<(), SpoolError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(SpoolError::io(CONTEXT)(error))
        }
        _ => Ok(()),
    }
}

fn fill(files: &Files, target: &mut Connection, least: &State) -> Result<Salvaged, SpoolError> {
    connection::for_creating(target).map_err(SpoolError::database(CONTEXT))?;
    // After a crash the file is discarded, so nothing is journalled or flushed on the way.
    connection::without_durability(target).map_err(SpoolError::database(CONTEXT))?;
    schema::migrate(target)?;
    let connection = source(files);
    let stored = connection.as_ref().and_then(|file| State::load(file).ok());
    let cluster = connection
        .as_ref()
        .and_then(|file| SpoolCluster::load(file).ok()?);
    // From the commit counter if the file's own can't be read. The counter may be older than the file,
    // but never newer.
    let removed_to = stored.as_ref().unwrap_or(least).removed.to;
    let least = least.at_least(&stored.unwrap_or_default());
    let source = connection.map(|connection| Source {
        connection,
        removed_to,
        below: match stored {
            None => i64::MAX,
            Some(_) => to_sql(least.next_sequence),
        },
    });
    let mut copy = || {
        let transaction = target.transaction()?;
        let mut salvaged = Salvaged::default();
        if let Some(source) = &source {
            // Dead letters first: among pages of different ages, an old one may still have a row
            // in the queue that became a dead letter later.
            let mut damaged = copy_dead(source, &transaction, &mut salvaged)?;
            damaged |= copy_queue(source, &transaction, &mut salvaged)?;
            if damaged {
                let mut raw = RawRows::new(&transaction, &least)?;
                raw.copy(source, QUEUE)?;
                raw.copy(source, DEAD)?;
                salvaged.damaged = raw.copied;
            }
        }
        if let Some(cluster) = &cluster {
            cluster.store(&transaction)?;
        }
        write_state(&transaction, &least)?;
        transaction.commit()?;
        Ok(salvaged)
    };
    copy().map_err(SpoolError::database(CONTEXT))
}

/// Opens the damaged file, if SQLite can open it at all.
fn source(files: &Files) -> Option<Connection> {
    files::length(&files.database).filter(|length| *length > 0)?;
    connection::salvage(&files.database).ok()
}

fn write_state(target: &Connection, least: &State) -> rusqlite::Result<()> {
    let scan = scan(target, 0)?;
    let state = State {
        next_sequence: least.next_sequence.max(scan.last_sequence + 1),
        // Above the commit counter, or the next opening would report missing commits.
        commits: least.commits + 1,
        totals: scan.totals,
        removed: Removed::default(),
    };
    state.insert(target)
}

/// Copies the sound rows of the queue, and returns whether there are damaged ones.
fn copy_queue(
    source: &Source,
    target: &Connection,
    salvaged: &mut Salvaged,
) -> rusqlite::Result<bool> {
    let mut damaged = false;
    source.walk(QUEUE, |_, decoded| {
        let Ok(stored) = decoded else {
            damaged = true;
            return Ok(());
        };
        let sequence = stored.sequence.get();
        if sequence > source.removed_to && !holds(target, DEAD, to_sql(sequence))? {
            let error = stored.last_error.as_deref();
            row::insert(target, sequence, &stored.record, error, None)?;
            salvaged.records += 1;
        }
        Ok(())
    })?;
    Ok(damaged)
}

/// Copies the sound dead letters, and returns whether there are damaged ones.
fn copy_dead(
    source: &Source,
    target: &Connection,
    salvaged: &mut Salvaged,
) -> rusqlite::Result<bool> {
    let mut damaged = false;
    source.walk(DEAD, |row, decoded| {
        let Ok(stored) = decoded else {
            damaged = true;
            return Ok(());
        };
        let (reason, died) = death(row);
        let death = Death {
            reason: &reason,
            died,
        };
        let error = stored.last_error.as_deref();
        let sequence = stored.sequence.get();
        row::insert(target, sequence, &stored.record, error, Some(death))?;
        salvaged.dead += 1;
        Ok(())
    })?;
    Ok(damaged)
}

/// Reads reason and time of a dead letter, which the checksum does not cover.
fn death(row: &Row<'_>) -> (String, i64) {
    let reason = row.get(REASON_AT);
    (
        reason.unwrap_or_else(|_| REASON_DAMAGED.to_owned()),
        row.get(DIED_AT).unwrap_or_default(),
    )
}

fn holds(connection: &Connection, table: &str, sequence: i64) -> rusqlite::Result<bool> {
    connection
        .prepare_cached(&format!("SELECT 1 FROM {table} WHERE sequence = ?1"))?
        .exists([sequence])
}

/// Copier of damaged rows: keeps them unchanged among the dead letters, for an operator to look at.
struct RawRows<'a> {
    target: &'a Connection,
    /// Next free sequence. A damaged row may have any sequence; one that is taken, or that was
    /// never assigned, is replaced by this one. Otherwise a huge number would push all later
    /// sequences behind it.
    next_free: i64,
    seen: HashSet<(&'static str, i64)>,
    copied: u64,
}

impl<'a> RawRows<'a> {
    fn new(target: &'a Connection, least: &State) -> rusqlite::Result<Self> {
        let found = scan(target, 0)?;
        Ok(Self {
            target,
            next_free: to_sql(least.next_sequence.max(found.last_sequence + 1)),
            seen: HashSet::new(),
            copied: 0,
        })
    }

    fn copy(&mut self, source: &Source, table: &'static str) -> rusqlite::Result<()> {
        source.walk(table, |row, decoded| match decoded {
            Ok(_) => Ok(()),
            Err(Damaged) => self.keep(row, table),
        })
    }

    fn keep(&mut self, row: &Row<'_>, table: &'static str) -> rusqlite::Result<()> {
        let number: i64 = row.get(0)?;
        // Skipping an unreadable place may read the same row twice.
        if !self.seen.insert((table, number)) {
            return Ok(());
        }
        let columns = (TOPIC_AT..REASON_AT).map(|column| row.get(column));
        let Ok(mut values) = columns.collect::<rusqlite::Result<Vec<Value>>>() else {
            return Ok(());
        };
        // A page with a damaged number of rows has pointers to nothing behind the last one.
        if values.iter().all(|value| *value == Value::Null) {
            return Ok(());
        }
        let (reason, died) = if table == DEAD {
            death(row)
        } else {
            (REASON_DAMAGED.to_owned(), micros(SystemTime::now()))
        };
        values.push(Value::Text(reason));
        values.push(Value::Integer(died));
        let number = self.number(number)?;
        values.insert(0, Value::Integer(number));
        self.target
            .prepare_cached(&format!(
                "INSERT INTO {DEAD} ({COLUMNS}, reason, died)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
            ))?
            .execute(params_from_iter(values))?;
        self.copied += 1;
        Ok(())
    }

    fn number(&mut self, number: i64) -> rusqlite::Result<i64> {
        let plausible = (1..self.next_free).contains(&number);
        if plausible && !holds(self.target, QUEUE, number)? && !holds(self.target, DEAD, number)? {
            return Ok(number);
        }
        self.next_free += 1;
        Ok(self.next_free - 1)
    }
}

/// Index of the topic. Rows are read as `rowid, *`, because the names of columns may be damaged
/// too: the sequence twice, then the columns in the order of their declaration.
const TOPIC_AT: usize = 2;
const REASON_AT: usize = 11;
const DIED_AT: usize = 12;

/// Damaged file.
struct Source {
    connection: Connection,
    /// Sequence up to which sound rows are not copied, because their records were removed. A damaged row
    /// may have had another sequence.
    removed_to: u64,
    /// Exclusive upper bound of the sequences that were assigned.
    below: i64,
}

enum Walked {
    End,
    Unreadable,
    Stopped(rusqlite::Error),
}

impl Source {
    /// Calls `each` for every row that can be reached, in order, and skips unreadable places. Fails
    /// only if `each` fails.
    fn walk(
        &self,
        table: &str,
        mut each: impl FnMut(&Row<'_>, Result<StoredRecord, Damaged>) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        let sql = format!("SELECT rowid, * FROM {table} WHERE rowid > ?1 ORDER BY rowid");
        // Below every row: a search for the first one goes astray on a page with a damaged header.
        let mut after = i64::MIN;
        loop {
            match self.walk_on(&sql, &mut after, &mut each) {
                Walked::End => return Ok(()),
                Walked::Stopped(error) => return Err(error),
                Walked::Unreadable => {}
            }
            let readable = |from: i64| {
                self.connection
                    .prepare_cached(&sql)
                    .and_then(|mut statement| {
                        let mut rows = statement.query([from])?;
                        rows.next().map(|_| ())
                    })
                    .is_ok()
            };
            match first_readable(after.max(0), readable) {
                Some(next) if next > after => after = next,
                _ => return Ok(()),
            }
        }
    }

    fn walk_on(
        &self,
        sql: &str,
        after: &mut i64,
        each: &mut impl FnMut(&Row<'_>, Result<StoredRecord, Damaged>) -> rusqlite::Result<()>,
    ) -> Walked {
        let Ok(mut statement) = self.connection.prepare_cached(sql) else {
            return Walked::End;
        };
        let Ok(mut rows) = statement.query([*after]) else {
            return Walked::Unreadable;
        };
        // The sequence of a damaged row may be wrong, so it is only used if reading ends there.
        let mut doubtful = 0;
        loop {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => return Walked::End,
                Err(_) => {
                    *after = doubtful.max(*after);
                    return Walked::Unreadable;
                }
            };
            let decoded = row
                .get::<_, i64>(0)
                .and_then(|number| Ok((number, Values::from(row, TOPIC_AT)?.decode())));
            let (number, decoded) = match decoded {
                Ok(decoded) => decoded,
                Err(error) => return Walked::Stopped(error),
            };
            match decoded {
                // Two pointers to one page would yield its rows twice.
                Ok(_) if number <= *after => return Walked::Unreadable,
                Ok(_) => *after = number,
                Err(Damaged) if number < self.below => doubtful = number,
                Err(Damaged) => {}
            }
            if let Err(error) = each(row, decoded) {
                return Walked::Stopped(error);
            }
        }
    }
}

/// Returns the lowest sequence after `bad` from which reading succeeds. The steps double, then a
/// bisection follows: a damaged leaf page spans a few sequences, a damaged interior page very many.
fn first_readable(bad: i64, readable: impl Fn(i64) -> bool) -> Option<i64> {
    let mut low = bad;
    let mut step: i64 = 1;
    let mut high = loop {
        let place = low.checked_add(step)?;
        if readable(place) {
            break place;
        }
        low = place;
        step = step.checked_mul(2)?;
    };
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if readable(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(high)
}

/// Reads the state of the damaged file: the rows that it should have.
pub(crate) fn expected_state(files: &Files) -> Option<State> {
    State::load(&source(files)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_first_readable_sequence_after_a_gap() {
        for bad in [0, 5, 1_000_000] {
            for gap in [1, 2, 3, 7, 8, 1000, 123_457] {
                let good_from = bad + gap;
                assert_eq!(first_readable(bad, |at| at >= good_from), Some(good_from));
            }
        }
    }

    #[test]
    fn gives_up_if_nothing_is_readable() {
        assert_eq!(first_readable(0, |_| false), None);
    }
}
