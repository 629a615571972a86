//! Recovery: sets damaged files aside and puts a salvaged database in their place.
//!
//! A crash at any point leads to the same result. Until the salvaged file is complete, the damaged
//! ones stay where they are. From then on the name of the salvaged file, which contains the stamp,
//! records that they have to be moved away, and the next opening continues with that.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::damage::Damage;
use crate::error::SpoolError;
use crate::files::{self, Files, Identity};
use crate::salvage;
use crate::state::State;

const CONTEXT: &str = "setting a damaged spool aside";

/// Report of a recovery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// Damage.
    pub damage: Damage,
    /// Folder of the damaged files, which the spool never deletes. `None` if there was no file to
    /// keep.
    pub set_aside: Option<PathBuf>,
    /// Records copied to the new queue.
    pub salvaged: u64,
    /// Dead letters copied.
    pub salvaged_dead: u64,
    /// Rows that do not match their checksums; they are dead letters now.
    pub damaged: u64,
    /// Lost rows. The number is exact unless commits are missing; then it is an upper bound,
    /// because some of the rows may have been delivered already. Damaged rows of delivered records count as
    /// found. `None` if it is not known.
    pub lost: Option<u64>,
}

/// Completes an interrupted recovery.
pub(crate) fn finish_interrupted(files: &Files) -> Result<Option<PathBuf>, SpoolError> {
    salvage::remove_if_there(&files.recovering())?;
    match files.interrupted_recovery()? {
        Some(stamp) => move_into_place(files, &stamp),
        None => Ok(None),
    }
}

/// Salvages the rows and sets the damaged files aside.
pub(crate) fn recover(
    files: &Files,
    damage: Damage,
    counter: Option<&State>,
) -> Result<Recovery, SpoolError> {
    let expected = salvage::expected_state(files);
    let least = counter.copied().unwrap_or_default();
    let salvaged = salvage::salvage(files, &least)?;
    let found = salvaged.records + salvaged.dead + salvaged.damaged;
    let lost = lost(expected.as_ref(), counter, found);
    let stamp = free_stamp(files)?;
    fs::rename(files.recovering(), files.recovered(&stamp)).map_err(SpoolError::io(CONTEXT))?;
    files.sync_folder()?;
    Ok(Recovery {
        damage,
        set_aside: move_into_place(files, &stamp)?,
        salvaged: salvaged.records,
        salvaged_dead: salvaged.dead,
        damaged: salvaged.damaged,
        lost,
    })
}

/// Moves a new database into place. Renaming makes it appear complete or not at all.
pub(crate) fn put_new_into_place(files: &Files) -> Result<(), SpoolError> {
    fs::rename(files.recovering(), &files.database).map_err(SpoolError::io(CONTEXT))?;
    files.sync_folder()
}

fn lost(expected: Option<&State>, counter: Option<&State>, found: u64) -> Option<u64> {
    let Some(expected) = expected else {
        return counter.map(|counter| counter.totals.all_records().saturating_sub(found));
    };
    let unreadable = expected.totals.all_records().saturating_sub(found);
    let missing = counter.map_or(0, |counter| {
        counter.next_sequence.saturating_sub(expected.next_sequence)
    });
    Some(unreadable + missing)
}

/// Moves the salvaged database into place. It can be repeated until its last step, which ends the
/// recovery.
fn move_into_place(files: &Files, stamp: &str) -> Result<Option<PathBuf>, SpoolError> {
    let aside = files.set_aside(stamp);
    for path in [files.database.clone(), files.log()] {
        if path.exists() {
            files::create_private_folder(&aside)?;
            let name = path.file_name().unwrap_or_default();
            fs::rename(&path, aside.join(name)).map_err(SpoolError::io(CONTEXT))?;
        }
    }
    // The index of another WAL would mislead the readers of the new one.
    salvage::remove_if_there(&files.log_index())?;
    // The old names have to be gone durably first: SQLite would apply an old WAL beside the new
    // database to it.
    files.sync_folder()?;
    fs::rename(files.recovered(stamp), &files.database).map_err(SpoolError::io(CONTEXT))?;
    files.sync_folder()?;
    Ok(aside.exists().then_some(aside))
}

/// Moves a database that was put in the place of the open one into a folder, with its log. The log
/// of the open one goes there too, under another name: SQLite would apply it to any database of its
/// name. Does nothing if the database was deleted or is the open one.
pub(crate) fn set_aside_replaced(
    files: &Files,
    open: Identity,
    open_log: Identity,
) -> Result<Option<PathBuf>, SpoolError> {
    let Ok(metadata) = fs::metadata(&files.database) else {
        return Ok(None);
    };
    if !metadata.is_file() || files::identity(&metadata) == open {
        return Ok(None);
    }
    let aside = files.replaced(&free_stamp(files)?);
    files::create_private_folder(&aside)?;
    let move_to = |path: &Path, name: std::ffi::OsString| match fs::rename(path, aside.join(name)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(SpoolError::io(CONTEXT)(error))
        }
        _ => Ok(()),
    };
    let name = |path: &Path| path.file_name().unwrap_or_default().to_owned();
    let log = files.log();
    let is_ours = fs::metadata(&log).is_ok_and(|metadata| files::identity(&metadata) == open_log);
    let mut log_name = name(&log);
    if is_ours {
        log_name = std::ffi::OsString::from("open-");
        log_name.push(name(&log));
    }
    move_to(&log, log_name)?;
    move_to(&files.database, name(&files.database))?;
    salvage::remove_if_there(&files.log_index())?;
    files.sync_folder()?;
    Ok(Some(aside))
}

/// Returns the current time as a unique stamp.
fn free_stamp(files: &Files) -> Result<String, SpoolError> {
    let now: String = Connection::open_in_memory()
        .and_then(|clock| {
            clock.query_row("SELECT strftime('%Y%m%dT%H%M%SZ', 'now')", [], |row| {
                row.get(0)
            })
        })
        .map_err(SpoolError::database(CONTEXT))?;
    let mut stamp = now.clone();
    let mut number = 1;
    while Path::exists(&files.set_aside(&stamp)) || Path::exists(&files.replaced(&stamp)) {
        number += 1;
        stamp = format!("{now}-{number}");
    }
    Ok(stamp)
}
