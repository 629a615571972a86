//! Checks of a spool's files at opening; they change nothing.

use std::path::Path;
use std::thread;

use rusqlite::{Connection, ErrorCode, MAIN_DB, OptionalExtension, StatementStatus};

use crate::commit_counter;
use crate::connection;
use crate::damage::{Damage, Rejected, reject};
use crate::error::SpoolError;
use crate::files::{self, Files};
use crate::recovery;
use crate::salvage;
use crate::scan::{RowCount, count_rows};
use crate::schema::{self, DEAD, Kind, QUEUE};
use crate::state::State;

const CONTEXT: &str = "examining the spool";

/// Sound file, and its content.
pub(crate) struct Examined {
    pub(crate) connection: Connection,
    pub(crate) state: State,
    pub(crate) created: bool,
}

/// Opens the spool's database if it is sound, or creates one if there never was any.
pub(crate) fn examine(files: &Files, counter: Option<&State>) -> Result<Examined, Rejected> {
    let has_database = files::length(&files.database).is_some_and(|length| length > 0);
    if !has_database {
        if had_records(files, counter) {
            return Err(Damage::DatabaseMissing.into());
        }
        let least = counter.copied().unwrap_or_default();
        salvage::salvage(files, &least)?;
        recovery::put_new_into_place(files)?;
    }
    let mut connection = connection::examine(&files.database).map_err(reject(CONTEXT))?;
    let protected = is_readonly(&connection)?;
    let found = match schema::kind(&connection).map_err(reject(CONTEXT))? {
        Kind::Spool => check_structure_and_count(&mut connection, &files.database)?,
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
    };
    // SQLite has read the header by now, and only reads files of a write version that is new to it.
    if !protected && is_readonly(&connection)? {
        return Err(Rejected::Damaged(Damage::Malformed {
            detail: "the header has an unknown write version".to_owned(),
        }));
    }
    schema::migrate(&mut connection)?;
    if !schema::is_as_declared(&connection).map_err(reject(CONTEXT))? {
        return Err(Rejected::Damaged(Damage::Malformed {
            detail: "the tables are not declared as this version declares them".to_owned(),
        }));
    }
    let state = State::load(&connection).map_err(reject(CONTEXT))?;
    check_commits(&state, counter)?;
    let found = found.map_or_else(|| count_rows(&connection), Ok);
    check_rows(&state, &found.map_err(reject(CONTEXT))?)?;
    Ok(Examined {
        connection,
        state,
        created: !has_database,
    })
}

fn is_readonly(connection: &Connection) -> Result<bool, Rejected> {
    connection.is_readonly(MAIN_DB).map_err(reject(CONTEXT))
}

/// Returns whether the files beside a missing database show that it held records.
pub(crate) fn held_records(files: &Files) -> bool {
    had_records(
        files,
        commit_counter::read(&files.commit_counter()).as_ref(),
    )
}

fn had_records(files: &Files, counter: Option<&State>) -> bool {
    // SQLite deletes a WAL without a database, and with it the records in it.
    let has_log = files::has_frames(&files.log());
    has_log || counter.is_some_and(|counter| counter.totals.all_records() > 0)
}

/// Number of commits that the file is behind the commit counter, which is only written after a
/// commit was confirmed.
pub(crate) fn missing_commits(state: &State, counter: Option<&State>) -> u64 {
    counter.map_or(0, |counter| counter.commits.saturating_sub(state.commits))
}

/// Checks the structure of the file while another thread counts its rows; both read all of its pages.
/// The count is `None` if a second connection can't be opened or can't read the file.
///
/// SQLite's check reads the pages backwards, for which no kernel reads ahead: alone it took 12 s for
/// 1,000,000 rows that were not in the page cache, and takes about 2 s beside the count, which reads
/// them forwards.
fn check_structure_and_count(
    connection: &mut Connection,
    path: &Path,
) -> Result<Option<RowCount>, Rejected> {
    thread::scope(|scope| {
        let count = || count_rows(&connection::shared_reader(path)?);
        let counting = thread::Builder::new()
            .name("herald-spool-count".to_owned())
            .spawn_scoped(scope, count);
        let checked = check_structure(connection);
        // Joined in any case: a scope passes on the panic of a thread that was not joined.
        let counted = counting.ok().and_then(|counting| counting.join().ok());
        checked.map(|()| counted.and_then(Result::ok))
    })
}

/// Checks that each page has its place in a B-tree or is free, that its cells are in order, and the rows of
/// all tables but those of records.
///
/// `quick_check` checks the pages first, and then reads every row, which takes longer. So it is interrupted
/// there, after more steps than the pages take.
fn check_structure(connection: &mut Connection) -> Result<(), Rejected> {
    let pages: i32 = connection
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .map_err(reject(CONTEXT))?;
    let steps = pages.saturating_mul(2).saturating_add(MORE_STEPS);
    let interrupt = || true;
    connection
        .progress_handler(steps, Some(interrupt))
        .map_err(reject(CONTEXT))?;
    let checked = quick_check(connection, steps);
    connection
        .progress_handler(0, None::<fn() -> bool>)
        .map_err(reject(CONTEXT))?;
    let diagnostic = match checked.map_err(reject(CONTEXT))? {
        Checked::Whole(diagnostic) => diagnostic,
        Checked::Pages => return check_small_tables(connection),
        // A damaged page may take any number of steps.
        Checked::SomePages => connection
            .query_row(QUICK_CHECK, [], |row| row.get(0))
            .map_err(reject(CONTEXT))?,
    };
    accept(diagnostic)
}

const QUICK_CHECK: &str = "PRAGMA quick_check(1)";

/// Steps that a check may take besides those for pages.
const MORE_STEPS: i32 = 1000;

/// Extent of a check.
enum Checked {
    Whole(String),
    /// All pages are sound, and some of the rows.
    Pages,
    /// It was interrupted while it checked pages.
    SomePages,
}

/// Checks the file until a progress handler interrupts that after so many steps.
fn quick_check(connection: &Connection, steps: i32) -> rusqlite::Result<Checked> {
    let mut statement = connection.prepare(QUICK_CHECK)?;
    let diagnostic = statement.query_row([], |row| row.get(0));
    match diagnostic {
        Ok(diagnostic) => Ok(Checked::Whole(diagnostic)),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {
            // All pages are checked by one instruction.
            if statement.get_status(StatementStatus::VmStep) >= steps {
                Ok(Checked::Pages)
            } else {
                Ok(Checked::SomePages)
            }
        }
        Err(error) => Err(error),
    }
}

fn check_small_tables(connection: &Connection) -> Result<(), Rejected> {
    let diagnostic: Option<String> = connection
        .query_row(
            "SELECT quick_check FROM sqlite_schema AS tables, pragma_quick_check(tables.name)
             WHERE type = 'table' AND name NOT IN (?1, ?2) AND quick_check <> 'ok' LIMIT 1",
            [QUEUE, DEAD],
            |row| row.get(0),
        )
        .optional()
        .map_err(reject(CONTEXT))?;
    diagnostic.map_or(Ok(()), accept)
}

fn accept(diagnostic: String) -> Result<(), Rejected> {
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

/// Compares the state with the rows. They are committed together, so they differ only by damage.
fn check_rows(state: &State, found: &RowCount) -> Result<(), Rejected> {
    let (records, dead) = (state.queue_rows(), state.totals.dead);
    if (records, dead) != (found.records, found.dead) {
        return Err(Rejected::Damaged(Damage::RowsMissing {
            expected: records.saturating_add(dead),
            found: found.records.saturating_add(found.dead),
        }));
    }
    if state.next_sequence <= found.last_sequence.max(state.removed.to) {
        return Err(Rejected::Damaged(Damage::Malformed {
            detail: "a row has a sequence that was never assigned".to_owned(),
        }));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use tempfile::TempDir;

    use super::*;
    use crate::{Record, Spool, SpoolOptions};

    const PAGE_BYTES: usize = 8192;

    /// First byte of a page with rows.
    const LEAF: u8 = 0x0d;

    /// Creates a closed spool in a temporary folder.
    fn closed(records: u64) -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spool.db");
        let (spool, _) = Spool::open(SpoolOptions::new(&path)).unwrap();
        let created = (0..records).map(|_| Record::new("orders", [0; 700]));
        let appended = spool.append_all(created.collect()).unwrap();
        appended.wait().unwrap();
        spool.close().unwrap();
        (folder, path)
    }

    fn is_sound(path: &Path, bytes: &[u8]) -> bool {
        fs::write(path, bytes).unwrap();
        match check_structure(&mut connection::examine(path).unwrap()) {
            Ok(()) => true,
            Err(Rejected::Damaged(_)) => false,
            Err(Rejected::Error(error)) => panic!("{error}"),
        }
    }

    #[test]
    fn finds_a_page_that_lacks_a_row_wherever_it_is() {
        let (_folder, path) = closed(2000);
        let sound = fs::read(&path).unwrap();
        assert!(is_sound(&path, &sound));
        let mut leaves = 0;
        for (page, bytes) in sound.chunks(PAGE_BYTES).enumerate() {
            if bytes[0] != LEAF || bytes[4] == 0 {
                continue;
            }
            let number_of_cells = page * PAGE_BYTES + 4;
            let mut damaged = sound.clone();
            damaged[number_of_cells] -= 1;
            assert!(!is_sound(&path, &damaged), "page {page}");
            leaves += 1;
        }
        assert!(leaves > 150, "{leaves}");
    }

    /// SQLite takes a step for each entry of a list of free pages that is longer than the file.
    #[test]
    fn finds_a_list_of_free_pages_with_a_wrong_length() {
        let (_folder, path) = closed(4000);
        let file = Connection::open(&path).unwrap();
        file.execute("DELETE FROM queue WHERE sequence < 3000", [])
            .unwrap();
        drop(file);
        let sound = fs::read(&path).unwrap();
        assert!(is_sound(&path, &sound));
        let first = u32::from_be_bytes(sound[32..36].try_into().unwrap());
        assert_ne!(first, 0, "no page is free");
        let length = (usize::try_from(first).unwrap() - 1) * PAGE_BYTES + 4;
        for bit in 0..16 {
            let mut damaged = sound.clone();
            damaged[length + 3 - bit / 8] ^= 1 << (bit % 8);
            assert!(!is_sound(&path, &damaged), "bit {bit}");
        }
    }
}
