//! One owner for a spool: an OS lock on a file beside it.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::SpoolError;
use crate::files::{self, Files};
use crate::options::WhenOwned;

/// The lock. It goes when the file is closed, so also when its process is killed.
///
/// A forked child holds it too, until it ends or starts another program: closing the child's
/// copy leaves the owner's lock alone, and unlocking is never done by hand.
#[derive(Debug)]
pub(crate) struct LockFile {
    file: File,
}

impl LockFile {
    /// The file behind the lock, to notice when its name points to another.
    pub(crate) fn identity(&self) -> Result<files::Identity, SpoolError> {
        self.file
            .metadata()
            .map(|metadata| files::identity(&metadata))
            .map_err(SpoolError::io(TAKING))
    }
}

const TAKING: &str = "taking the lock of the spool";

/// Takes the spool, or the first numbered one beside it that is free.
pub(crate) fn take(files: &Files, when_owned: WhenOwned) -> Result<(Files, LockFile), SpoolError> {
    let most = match when_owned {
        WhenOwned::Fail => 0,
        WhenOwned::Numbered { most } => most,
    };
    let mut number = 0;
    loop {
        let files = files.numbered(number);
        match take_one(&files) {
            Ok(owner) => return Ok((files, owner)),
            Err(SpoolError::Owned { .. }) if number < most => number += 1,
            Err(error) => return Err(error),
        }
    }
}

/// `is_owned` holds the lock for an instant, and an owner that starts in just that instant must
/// not fail for it.
const TRIES: u32 = 5;

fn take_one(files: &Files) -> Result<LockFile, SpoolError> {
    let path = files.lock();
    for attempt in 1.. {
        let mut file = files::open_private(&path).map_err(SpoolError::io(TAKING))?;
        match file.try_lock() {
            // Between opening and locking, somebody may have deleted the file, and a third one
            // have locked a new one: a lock counts only on the file that bears the name.
            Ok(()) if bears_name(&file, &path) => {
                write_owner(&mut file).map_err(SpoolError::io(TAKING))?;
                return Ok(LockFile { file });
            }
            Ok(()) => {}
            Err(TryLockError::WouldBlock) if attempt < TRIES => {
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

fn bears_name(file: &File, path: &Path) -> bool {
    let (Ok(open), Ok(named)) = (file.metadata(), fs::metadata(path)) else {
        return false;
    };
    files::identity(&open) == files::identity(&named)
}

/// The number is only for people: what counts is the lock.
fn write_owner(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
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

/// Whether some process has the spool open at this moment.
pub(crate) fn is_owned(files: &Files) -> bool {
    File::open(files.lock())
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// A spool's file, as found beside another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpoolFile {
    /// To be opened or inspected under this name.
    pub path: PathBuf,
    /// Whether a process has it open. One without owner waits for a process to drain it.
    pub owned: bool,
}

/// The spool at `path` and the numbered ones beside it, those that exist.
///
/// With [`WhenOwned::Numbered`] a machine may have more spools than processes after a restart
/// with fewer of them. Whoever drains looks here for those that nobody owns.
pub fn spool_files(path: &Path, most: u16) -> Vec<SpoolFile> {
    let base = Files::new(path);
    (0..=most)
        .map(|number| base.numbered(number))
        .filter(|files| files.database.exists())
        .map(|files| SpoolFile {
            owned: is_owned(&files),
            path: files.database,
        })
        .collect()
}
