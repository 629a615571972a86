//! Makes a new file, with what is readable in a damaged one where there is one.

use std::fs;

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

use crate::connection;
use crate::dead::REASON_DAMAGED;
use crate::error::SpoolError;
use crate::files::{self, Files};
use crate::keys::KeyHasher;
use crate::number::{micros, to_sql};
use crate::row::{self, COLUMNS, Death};
use crate::schema::{self, DEAD, QUEUE};
use crate::state::State;
use crate::tally::tally;

const DOING: &str = "salvaging the spool";

/// How many rows came over.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Salvaged {
    pub(crate) records: u64,
    pub(crate) dead: u64,
    pub(crate) damaged: u64,
}

/// Makes the new file complete and durable, under the name of one that is not in use yet.
/// `least` is what is known otherwise of sequences and commits that were given out.
pub(crate) fn salvage(files: &Files, least: &State) -> Result<Salvaged, SpoolError> {
    let path = files.recovering();
    remove_if_there(&path)?;
    files.create_database(&path)?;
    let mut target = connection::examine(&path).map_err(SpoolError::database(DOING))?;
    fill(files, &mut target, least)
        .and_then(|salvaged| {
            target
                .close()
                .map_err(|(_, error)| SpoolError::database(DOING)(error))?;
            fs::File::open(&path)
                .and_then(|file| file.sync_all())
                .map_err(SpoolError::io(DOING))?;
            Ok(salvaged)
        })
        .inspect_err(|_| {
            // What is incomplete is worth nothing, and the disk may be full of it.
            let _ = fs::remove_file(&path);
        })
}

pub(crate) fn remove_if_there(path: &std::path::Path) -> Result<(), SpoolError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(SpoolError::io(DOING)(error))
        }
        _ => Ok(()),
    }
}

fn fill(files: &Files, target: &mut Connection, least: &State) -> Result<Salvaged, SpoolError> {
    connection::for_creating(target).map_err(SpoolError::database(DOING))?;
    schema::migrate(target)?;
    let source = source(files);
    let told = source.as_ref().and_then(|source| State::load(source).ok());
    let least = least.at_least(&told.unwrap_or_default());
    let mut copy = || {
        // A crash throws the file away, so nothing has to be journalled or flushed on the way.
        target.pragma_update_and_check(None, "journal_mode", "OFF", |_| Ok(()))?;
        target.pragma_update(None, "synchronous", "OFF")?;
        let transaction = target.transaction()?;
        let mut salvaged = Salvaged::default();
        if let Some(source) = &source {
            let below = plausible_below(&least);
            copy_queue(source, &transaction, below, &mut salvaged)?;
            copy_dead(source, &transaction, below, &mut salvaged)?;
        }
        write_state(&transaction, &least)?;
        transaction.commit()?;
        Ok(salvaged)
    };
    copy().map_err(SpoolError::database(DOING))
}

/// A damaged row may bear any number. One that was never given out would push all that follow
/// behind it, up to where numbers end.
fn plausible_below(least: &State) -> i64 {
    if *least == State::default() {
        return i64::MAX / 2;
    }
    to_sql(least.next_sequence)
}

/// The damaged file, where SQLite opens it at all.
fn source(files: &Files) -> Option<Connection> {
    files::length(&files.database).filter(|length| *length > 0)?;
    connection::salvage(&files.database).ok()
}

fn write_state(target: &Connection, least: &State) -> rusqlite::Result<()> {
    let tally = tally(target, &KeyHasher::default())?;
    let state = State {
        next_sequence: least.next_sequence.max(tally.last_sequence + 1),
        // Above what the witness saw, or the next opening would miss commits.
        commits: least.commits + 1,
        totals: tally.totals,
    };
    state.insert(target)
}

fn copy_queue(
    source: &Connection,
    target: &Connection,
    below: i64,
    salvaged: &mut Salvaged,
) -> rusqlite::Result<()> {
    walk(source, QUEUE, |row| {
        if let Ok(stored) = row::decode_from(row, TOPIC_AT)? {
            let error = stored.last_error.as_deref();
            row::insert(target, stored.sequence.get(), &stored.record, error, None)?;
            salvaged.records += 1;
        } else {
            let now = micros(std::time::SystemTime::now());
            salvaged.damaged += copy_raw(row, target, below, REASON_DAMAGED, now)?;
        }
        Ok(())
    })
}

fn copy_dead(
    source: &Connection,
    target: &Connection,
    below: i64,
    salvaged: &mut Salvaged,
) -> rusqlite::Result<()> {
    walk(source, DEAD, |row| {
        let reason: String = row
            .get(REASON_AT)
            .unwrap_or_else(|_| REASON_DAMAGED.to_owned());
        let died: i64 = row.get(DIED_AT).unwrap_or_default();
        if let Ok(stored) = row::decode_from(row, TOPIC_AT)? {
            let error = stored.last_error.as_deref();
            let reason = reason.as_str();
            let death = Some(Death { reason, died });
            row::insert(target, stored.sequence.get(), &stored.record, error, death)?;
            salvaged.dead += 1;
        } else {
            salvaged.damaged += copy_raw(row, target, below, &reason, died)?;
        }
        Ok(())
    })
}

/// Keeps a row as it is among the dead letters: a person may still make something of it.
fn copy_raw(
    row: &Row<'_>,
    target: &Connection,
    below: i64,
    reason: &str,
    died: i64,
) -> rusqlite::Result<u64> {
    let mut values = std::iter::once(0)
        .chain(TOPIC_AT..REASON_AT)
        .map(|column| row.get(column))
        .collect::<rusqlite::Result<Vec<Value>>>()
        .unwrap_or_default();
    match values.first() {
        Some(Value::Integer(sequence)) if *sequence < below => {}
        _ => return Ok(0),
    }
    values.push(Value::Text(reason.to_owned()));
    values.push(Value::Integer(died));
    let copied = target
        .prepare_cached(&format!(
            "INSERT OR IGNORE INTO {DEAD} ({COLUMNS}, reason, died)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
        ))?
        .execute(params_from_iter(values))?;
    Ok(crate::number::bytes(copied))
}

/// Rows are read as `rowid, *`, without the names of columns, which may be damaged too: the
/// sequence twice, then the columns in the order of their declaration.
const TOPIC_AT: usize = 2;
const REASON_AT: usize = 11;
const DIED_AT: usize = 12;

/// Calls `each` for every row that can be reached, in order, and goes around places that cannot
/// be read. Fails only where `each` does.
fn walk(
    source: &Connection,
    table: &str,
    mut each: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let sql = format!("SELECT rowid, * FROM {table} WHERE rowid > ?1 ORDER BY rowid");
    let mut after = 0;
    loop {
        match walk_on(source, &sql, &mut after, &mut each) {
            Walked::End => return Ok(()),
            Walked::Stopped(error) => return Err(error),
            Walked::Unreadable => {}
        }
        let readable = |from: i64| {
            source
                .prepare_cached(&sql)
                .and_then(|mut statement| {
                    let mut rows = statement.query([from])?;
                    rows.next().map(|_| ())
                })
                .is_ok()
        };
        match first_readable(after, readable) {
            Some(next) if next > after => after = next,
            _ => return Ok(()),
        }
    }
}

enum Walked {
    End,
    Unreadable,
    Stopped(rusqlite::Error),
}

fn walk_on(
    source: &Connection,
    sql: &str,
    after: &mut i64,
    each: &mut impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
) -> Walked {
    let Ok(mut statement) = source.prepare_cached(sql) else {
        return Walked::End;
    };
    let Ok(mut rows) = statement.query([*after]) else {
        return Walked::Unreadable;
    };
    loop {
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => return Walked::End,
            Err(_) => return Walked::Unreadable,
        };
        // Two pointers to one page would show its rows twice.
        match row.get::<_, i64>(0) {
            Ok(sequence) if sequence > *after => *after = sequence,
            _ => return Walked::Unreadable,
        }
        if let Err(error) = each(row) {
            return Walked::Stopped(error);
        }
    }
}

/// The lowest place behind `bad` from which reading works, by growing steps and then halving:
/// a damaged page spans a few sequences, a damaged branch of the tree very many.
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

/// Rows that the damaged file says it should hold.
pub(crate) fn told(files: &Files) -> Option<State> {
    State::load(&source(files)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_readable_place_behind_a_gap_is_found() {
        for bad in [0, 5, 1_000_000] {
            for gap in [1, 2, 3, 7, 8, 1000, 123_457] {
                let good_from = bad + gap;
                assert_eq!(first_readable(bad, |at| at >= good_from), Some(good_from));
            }
        }
    }

    #[test]
    fn a_gap_without_end_is_given_up() {
        assert_eq!(first_readable(0, |_| false), None);
    }
}
