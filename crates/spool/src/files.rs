//! File names of a spool, and the creation of its files. No other module knows the names.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::error::SpoolError;

/// Paths of one spool, all in the folder of its database.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    /// SQLite database: the path of the configuration.
    pub(crate) database: PathBuf,
}

impl Files {
    pub(crate) fn new(database: &Path) -> Self {
        Self {
            database: database.to_owned(),
        }
    }

    /// Returns the numbered spool beside this one: `spool.db` → `spool-1.db`. 0 is this one.
    pub(crate) fn numbered(&self, number: u16) -> Self {
        if number == 0 {
            return self.clone();
        }
        let mut name = self.database.file_stem().unwrap_or_default().to_owned();
        name.push(format!("-{number}"));
        if let Some(extension) = self.database.extension() {
            name.push(".");
            name.push(extension);
        }
        Self::new(&self.database.with_file_name(name))
    }

    /// Path of SQLite's WAL: commits that are not in the database yet. SQLite sets the name.
    pub(crate) fn log(&self) -> PathBuf {
        self.beside("-wal")
    }

    /// Path of SQLite's index of the WAL, which can be rebuilt from the WAL. SQLite sets the name.
    pub(crate) fn log_index(&self) -> PathBuf {
        self.beside("-shm")
    }

    /// Path of the lock file: the process with an OS lock on it owns the spool.
    pub(crate) fn lock(&self) -> PathBuf {
        self.beside(".lock")
    }

    /// Path of the [commit counter](crate::commit_counter).
    pub(crate) fn commit_counter(&self) -> PathBuf {
        self.beside(".commits")
    }

    /// Path of a recovered database that is not complete yet, and so of no use.
    pub(crate) fn recovering(&self) -> PathBuf {
        self.beside(".recovering")
    }

    /// Path of a complete recovered database before it is moved into place. The stamp names the
    /// folder for the damaged files, so that an interrupted recovery continues with the same one.
    pub(crate) fn recovered(&self, stamp: &str) -> PathBuf {
        self.beside(&format!("{RECOVERED}{stamp}"))
    }

    /// Returns the stamp of an interrupted recovery.
    pub(crate) fn interrupted_recovery(&self) -> Result<Option<String>, SpoolError> {
        let context = "looking for an interrupted recovery";
        let mut prefix = self.database.file_name().unwrap_or_default().to_owned();
        prefix.push(RECOVERED);
        let prefix = prefix.to_string_lossy().into_owned();
        for entry in fs::read_dir(self.folder()).map_err(SpoolError::io(context))? {
            let name = entry.map_err(SpoolError::io(context))?.file_name();
            if let Some(stamp) = name.to_string_lossy().strip_prefix(&prefix) {
                return Ok(Some(stamp.to_owned()));
            }
        }
        Ok(None)
    }

    /// Path of the folder to which damaged files are moved.
    pub(crate) fn set_aside(&self, stamp: &str) -> PathBuf {
        self.beside(&format!(".damaged-{stamp}"))
    }

    /// Path of the folder to which a database is moved that took the place of an open one.
    pub(crate) fn replaced(&self, stamp: &str) -> PathBuf {
        self.beside(&format!(".replaced-{stamp}"))
    }

    /// Size of database and WAL on the disk, in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        [&self.database, &self.log()]
            .into_iter()
            .filter_map(|path| length(path))
            .sum()
    }

    /// Free space of the disk, in bytes. `None` if the system does not tell.
    pub(crate) fn free_bytes(&self) -> Option<u64> {
        free_bytes(self.folder())
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = OsString::from(&self.database);
        name.push(suffix);
        name.into()
    }

    fn folder(&self) -> &Path {
        match self.database.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    /// Creates the folder, accessible to its owner only. An existing one is left as it is.
    pub(crate) fn create_folder(&self) -> Result<(), SpoolError> {
        create_private_folder(self.folder())
    }

    /// Flushes the folder, which makes names durable. Without it, a power cut may undo the creation
    /// or renaming of a file whose content is already on the disk.
    pub(crate) fn sync_folder(&self) -> Result<(), SpoolError> {
        sync_folder(self.folder())
    }
}

const RECOVERED: &str = ".recovered-";

/// Length of a file; `None` if it does not exist.
pub(crate) fn length(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|metadata| metadata.len())
}

/// Returns whether a WAL may have frames: one that only has reserved space begins with zeros.
pub(crate) fn has_frames(log: &Path) -> bool {
    let mut begin = [0; 4];
    File::open(log)
        .and_then(|mut log| log.read_exact(&mut begin))
        .is_ok_and(|()| begin != [0; 4])
}

pub(crate) fn create_private_folder(folder: &Path) -> Result<(), SpoolError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .map_err(SpoolError::io("creating the folder of the spool"))
}

/// Opens a file for reading and writing; creates it, accessible to its owner only, if necessary.
pub(crate) fn open_private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
pub(crate) fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = nix::sys::statvfs::statvfs(folder).ok()?;
    // The types of these numbers depend on the system.
    #[allow(clippy::useless_conversion, clippy::unnecessary_cast)]
    Some((disk.blocks_available() as u64).saturating_mul(disk.fragment_size() as u64))
}

#[cfg(not(unix))]
pub(crate) fn free_bytes(_: &Path) -> Option<u64> {
    None
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> Result<(), SpoolError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(SpoolError::io("making the spool's folder durable"))
}

/// Does nothing: elsewhere folders cannot be opened, and the file system's journal keeps names.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> Result<(), SpoolError> {
    Ok(())
}

/// Identity of a file, to tell it from another with the same name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity(u64, u64);

#[cfg(unix)]
pub(crate) fn identity(metadata: &fs::Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    Identity(metadata.dev(), metadata.ino())
}

/// Returns a constant: elsewhere an open file can be neither deleted nor replaced.
#[cfg(not(unix))]
pub(crate) fn identity(_: &fs::Metadata) -> Identity {
    Identity(0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbered_spool_keeps_the_extension() {
        let name = |path: &str, number| Files::new(Path::new(path)).numbered(number).database;
        assert_eq!(name("a/spool.db", 0), Path::new("a/spool.db"));
        assert_eq!(name("a/spool.db", 2), Path::new("a/spool-2.db"));
        assert_eq!(name("spool", 1), Path::new("spool-1"));
    }
}
