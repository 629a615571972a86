//! Whether a file is a sound spool, found without changing it.

use rusqlite::Connection;

use crate::commit_counter;
use crate::connection;
use crate::damage::{Damage, Rejected, reject};
use crate::error::SpoolError;
use crate::files::{self, Files};
use crate::keys::KeyHasher;
use crate::recovery;
use crate::salvage;
use crate::scan::{Scan, scan};
use crate::schema::{self, Kind};
use crate::state::State;

const DOING: &str = "examining the spool";

/// A file that may be used, and what is in it.
pub(crate) struct Examined {
    pub(crate) connection: Connection,
    pub(crate) state: State,
    pub(crate) scan: Scan,
    pub(crate) created: bool,
}

/// Opens the spool's database where it is sound, or makes one where there is none and never was.
pub(crate) fn examine(
    files: &Files,
    counter: Option<&State>,
    hasher: &KeyHasher,
) -> Result<Examined, Rejected> {
    let has_database = files::length(&files.database).is_some_and(|length| length > 0);
    if !has_database {
        if told_of_records(files, counter) {
            return Err(Damage::DatabaseMissing.into());
        }
        let least = counter.copied().unwrap_or_default();
        salvage::salvage(files, &least)?;
        recovery::put_new_into_place(files)?;
    }
    let mut connection = connection::examine(&files.database).map_err(reject(DOING))?;
    match schema::kind(&connection).map_err(reject(DOING))? {
        Kind::Spool => quick_check(&connection)?,
        Kind::DamagedHeader => {
            return Err(Rejected::Damaged(Damage::Malformed {
                detail: "the header does not match the tables".to_owned(),
            }));
        }
        Kind::Newer(found) => {
            return Err(Rejected::Error(SpoolError::NewerSchema {
                found,
                known: schema::newest(),
            }));
        }
        Kind::Foreign => {
            return Err(Rejected::Error(SpoolError::NotASpool {
                path: files.database.clone(),
            }));
        }
    }
    schema::migrate(&mut connection)?;
    if !schema::is_as_declared(&connection).map_err(reject(DOING))? {
        return Err(Rejected::Damaged(Damage::Malformed {
            detail: "the tables are not declared as they were".to_owned(),
        }));
    }
    let mut state = State::load(&connection).map_err(reject(DOING))?;
    check_commits(&state, counter)?;
    let scan = scan(&connection, hasher).map_err(reject(DOING))?;
    check_rows(&mut state, &scan)?;
    Ok(Examined {
        connection,
        state,
        scan,
        created: !has_database,
    })
}

/// Whether what lies beside a database that is gone says that it held records.
pub(crate) fn held_records(files: &Files) -> bool {
    told_of_records(
        files,
        commit_counter::read(&files.commit_counter()).as_ref(),
    )
}

fn told_of_records(files: &Files, counter: Option<&State>) -> bool {
    // SQLite would delete a log without a database, and the records in it.
    let has_log = files::length(&files.log()).is_some_and(|length| length > 0);
    has_log || counter.is_some_and(|counter| counter.totals.all_records() > 0)
}

/// How many commits the file knows less than the commit counter, which is only ever written after a
/// commit was confirmed.
pub(crate) fn missing_commits(state: &State, counter: Option<&State>) -> u64 {
    counter.map_or(0, |counter| counter.commits.saturating_sub(state.commits))
}

fn quick_check(connection: &Connection) -> Result<(), Rejected> {
    let diagnostic: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(reject(DOING))?;
    if diagnostic == "ok" {
        return Ok(());
    }
    Err(Damage::Malformed { detail: diagnostic }.into())
}

fn check_commits(state: &State, counter: Option<&State>) -> Result<(), Rejected> {
    match missing_commits(state, counter) {
        0 => Ok(()),
        commits => Err(Damage::CommitsMissing { commits }.into()),
    }
}

/// The state commits with the rows, so the two differ only by damage.
fn check_rows(state: &mut State, scan: &Scan) -> Result<(), Rejected> {
    let (told, found) = (state.totals, scan.totals);
    if (told.records, told.dead) != (found.records, found.dead) {
        return Err(Rejected::Damaged(Damage::RowsMissing {
            expected: told.all_records(),
            found: found.all_records(),
        }));
    }
    if state.next_sequence <= scan.last_sequence {
        return Err(Rejected::Damaged(Damage::Malformed {
            detail: "a sequence was used that had not been given out".to_owned(),
        }));
    }
    state.totals = found;
    Ok(())
}
