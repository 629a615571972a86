//! Lock file: an OS lock on a file beside the spool ensures that it has one owner.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::SpoolError;
use crate::files::{self, Files};
use crate::options::WhenOwned;

/// Held lock. The system releases it when the file is closed, so also when the process is killed.
///
/// `flock` belongs to the open file description, which a forked child shares until it ends or
/// executes another program. Closing the child's descriptor leaves the lock alone; an explicit
/// unlock there would release it for the owner too, so there is none.
#[derive(Debug)]
pub(crate) struct LockFile {
    file: File,
}

impl LockFile {
    /// Identity of the locked file, to detect that its name leads to another file.
    pub(crate) fn identity(&self) -> Result<files::Identity, SpoolError> {
        self.file
            .metadata()
            .map(|metadata| files::identity(&metadata))
            .map_err(SpoolError::io(TAKING))
    }
}

const TAKING: &str = "taking the lock of the spool";

/// Locks the spool, or the first free numbered one beside it.
pub(crate) fn take(files: &Files, when_owned: WhenOwned) -> Result<(Files, LockFile), SpoolError> {
    let max = match when_owned {
        WhenOwned::Fail => 0,
        WhenOwned::Numbered { max } => max,
    };
    let mut number = 0;
    loop {
        let files = files.numbered(number);
        match take_one(&files) {
            Ok(owner) => return Ok((files, owner)),
            Err(SpoolError::Owned { .. }) if number < max => number += 1,
            Err(error) => return Err(error),
        }
    }
}

/// Attempts to take the lock: `is_owned` holds it for an instant, and an owner that starts in that
/// instant must not fail.
const MAX_ATTEMPTS: u32 = 5;

fn take_one(files: &Files) -> Result<LockFile, SpoolError> {
    let path = files.lock();
    for attempt in 1.. {
        let mut file = files::open_private(&path).map_err(SpoolError::io(TAKING))?;
        match file.try_lock() {
            // Between open and lock another process may have deleted the file, and a third one may
            // have locked a new file of the same name. Only a lock on the file that the name leads
            // to counts.
            Ok(()) if is_named(&file, &path) => {
                // A full disk does not matter: only the lock counts.
                let _ = write_owner(&mut file);
                return Ok(LockFile { file });
            }
            Ok(()) => {}
            Err(TryLockError::WouldBlock) if attempt < MAX_ATTEMPTS => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(TryLockError::WouldBlock) => break,
            Err(TryLockError::Error(error)) => return Err(SpoolError::io(TAKING)(error)),
        }
    }
    Err(SpoolError::Owned {
        path: files.database.clone(),
        owner: read_owner(&path),
    })
}

fn is_named(file: &File, path: &Path) -> bool {
    let (Ok(open), Ok(named)) = (file.metadata(), fs::metadata(path)) else {
        return false;
    };
    files::identity(&open) == files::identity(&named)
}

/// Writes the process id, which is for people. It is written over the old one: a full disk would
/// not give back the space of a file that was emptied first.
fn write_owner(file: &mut File) -> std::io::Result<()> {
    let owner = format!("{}\n", std::process::id());
    file.rewind()?;
    file.write_all(owner.as_bytes())?;
    file.set_len(owner.len() as u64)
}

pub(crate) fn read_owner(path: &Path) -> Option<u32> {
    let mut text = String::new();
    File::open(path)
        .ok()?
        .take(16)
        .read_to_string(&mut text)
        .ok()?;
    text.trim().parse().ok()
}

/// Returns whether a process has the spool open.
pub(crate) fn is_owned(files: &Files) -> bool {
    File::open(files.lock())
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Spool found on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpoolFile {
    /// Path by which the spool is opened or inspected.
    pub path: PathBuf,
    /// Whether a process has it open. A spool without an owner waits to be drained.
    pub owned: bool,
}

/// Lists the spool at `path` and the numbered ones beside it, as far as they exist.
///
/// With [`WhenOwned::Numbered`] a machine may have more spools than processes after a restart
/// with fewer processes. A program that drains finds the spools without an owner here.
pub fn spool_files(path: &Path, max: u16) -> Vec<SpoolFile> {
    let base = Files::new(path);
    (0..=max)
        .map(|number| base.numbered(number))
        .filter(|files| files.database.exists())
        .map(|files| SpoolFile {
            owned: is_owned(&files),
            path: files.database,
        })
        .collect()
}
