//! Sets damaged files aside and puts a salvaged one into their place.
//!
//! A crash at any point leads to the same end: until the salvaged file is complete, the damaged
//! ones stay where they are; from then on its name, which carries the stamp, says that they are
//! to be moved away, and whoever opens next goes on with that.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::damage::Damage;
use crate::error::SpoolError;
use crate::files::{self, Files};
use crate::salvage;
use crate::state::State;

const DOING: &str = "setting a damaged spool aside";

/// What became of damaged files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// What was wrong.
    pub damage: Damage,
    /// Folder that has the damaged files now; the spool never deletes it. `None` where there
    /// was nothing left to keep.
    pub set_aside: Option<PathBuf>,
    /// Records that came over into the new queue.
    pub salvaged: u64,
    /// Dead letters that came over.
    pub salvaged_dead: u64,
    /// Rows that could be reached, but are not what was written: they are dead letters now.
    pub damaged: u64,
    /// Rows that are lost: exact unless commits are missing, else the most it can be, because
    /// some of them may have been delivered already. `None` where nothing is left that could
    /// tell.
    pub lost: Option<u64>,
}

/// Ends a recovery that was interrupted.
pub(crate) fn finish_interrupted(files: &Files) -> Result<Option<PathBuf>, SpoolError> {
    salvage::remove_if_there(&files.recovering())?;
    match files.interrupted_recovery()? {
        Some(stamp) => move_into_place(files, &stamp),
        None => Ok(None),
    }
}

/// Salvages, sets aside, and leaves a sound file.
pub(crate) fn recover(
    files: &Files,
    damage: Damage,
    counter: Option<&State>,
) -> Result<Recovery, SpoolError> {
    let told = salvage::told(files);
    let least = counter.copied().unwrap_or_default();
    let salvaged = salvage::salvage(files, &least)?;
    let found = salvaged.records + salvaged.dead + salvaged.damaged;
    let lost = lost(told.as_ref(), counter, found);
    let stamp = free_stamp(files)?;
    fs::rename(files.recovering(), files.recovered(&stamp)).map_err(SpoolError::io(DOING))?;
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

/// For a spool that has no file yet: it is complete when it gets its name.
pub(crate) fn put_new_into_place(files: &Files) -> Result<(), SpoolError> {
    fs::rename(files.recovering(), &files.database).map_err(SpoolError::io(DOING))?;
    files.sync_folder()
}

fn lost(told: Option<&State>, counter: Option<&State>, found: u64) -> Option<u64> {
    let Some(told) = told else {
        return counter.map(|counter| counter.totals.all_records().saturating_sub(found));
    };
    let unreadable = told.totals.all_records().saturating_sub(found);
    let never_seen = counter.map_or(0, |counter| {
        counter.next_sequence.saturating_sub(told.next_sequence)
    });
    Some(unreadable + never_seen)
}

/// Repeatable up to its last step, which ends it.
fn move_into_place(files: &Files, stamp: &str) -> Result<Option<PathBuf>, SpoolError> {
    let aside = files.set_aside(stamp);
    for path in [files.database.clone(), files.log()] {
        if path.exists() {
            files::create_private_folder(&aside)?;
            let name = path.file_name().unwrap_or_default();
            fs::rename(&path, aside.join(name)).map_err(SpoolError::io(DOING))?;
        }
    }
    // An index of another log would mislead the readers of the new one.
    salvage::remove_if_there(&files.log_index())?;
    // First the old names away, durably: the old log beside the new database would be taken for
    // the new one's.
    files.sync_folder()?;
    fs::rename(files.recovered(stamp), &files.database).map_err(SpoolError::io(DOING))?;
    files.sync_folder()?;
    Ok(aside.exists().then_some(aside))
}

/// The time of day, for people, and made unique.
fn free_stamp(files: &Files) -> Result<String, SpoolError> {
    let now: String = Connection::open_in_memory()
        .and_then(|clock| {
            clock.query_row("SELECT strftime('%Y%m%dT%H%M%SZ', 'now')", [], |row| {
                row.get(0)
            })
        })
        .map_err(SpoolError::database(DOING))?;
    let mut stamp = now.clone();
    let mut number = 1;
    while Path::exists(&files.set_aside(&stamp)) {
        number += 1;
        stamp = format!("{now}-{number}");
    }
    Ok(stamp)
}
