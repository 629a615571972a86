//! Which files a spool consists of, and how they are made. No other place knows their names.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::path::{Path, PathBuf};

use crate::error::SpoolError;

/// Paths of one spool, all beside its database.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    /// The SQLite database: what the configuration names.
    pub(crate) database: PathBuf,
}

impl Files {
    pub(crate) fn new(database: &Path) -> Self {
        Self {
            database: database.to_owned(),
        }
    }

    /// The spool with a number beside this one: `spool.db` → `spool-1.db`. 0 is this one.
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

    /// SQLite's log of commits that are not in the database yet. SQLite gives the name.
    pub(crate) fn log(&self) -> PathBuf {
        self.beside("-wal")
    }

    /// SQLite's index of the log; holds nothing that the log does not say. SQLite gives the name.
    pub(crate) fn log_index(&self) -> PathBuf {
        self.beside("-shm")
    }

    /// Who holds the OS lock on this file owns the spool.
    pub(crate) fn lock(&self) -> PathBuf {
        self.beside(".lock")
    }

    /// See [`crate::commit_counter`].
    pub(crate) fn commit_counter(&self) -> PathBuf {
        self.beside(".commits")
    }

    /// A recovered database that is not complete yet: worth nothing.
    pub(crate) fn recovering(&self) -> PathBuf {
        self.beside(".recovering")
    }

    /// A complete recovered database on its way into its place. The stamp names the folder for
    /// the damaged files, so that an interrupted recovery ends where it began.
    pub(crate) fn recovered(&self, stamp: &str) -> PathBuf {
        self.beside(&format!("{RECOVERED}{stamp}"))
    }

    /// The stamp of a recovery that was interrupted.
    pub(crate) fn interrupted_recovery(&self) -> Result<Option<String>, SpoolError> {
        let doing = "looking for an interrupted recovery";
        let mut prefix = self.database.file_name().unwrap_or_default().to_owned();
        prefix.push(RECOVERED);
        let prefix = prefix.to_string_lossy().into_owned();
        for entry in fs::read_dir(self.folder()).map_err(SpoolError::io(doing))? {
            let name = entry.map_err(SpoolError::io(doing))?.file_name();
            if let Some(stamp) = name.to_string_lossy().strip_prefix(&prefix) {
                return Ok(Some(stamp.to_owned()));
            }
        }
        Ok(None)
    }

    /// Folder to which damaged files are moved.
    pub(crate) fn set_aside(&self, stamp: &str) -> PathBuf {
        self.beside(&format!(".damaged-{stamp}"))
    }

    /// What database and log take on the disk.
    pub(crate) fn bytes(&self) -> u64 {
        [&self.database, &self.log()]
            .into_iter()
            .filter_map(|path| length(path))
            .sum()
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

    /// Makes the folder for its owner only. One that exists is left as it is.
    pub(crate) fn create_folder(&self) -> Result<(), SpoolError> {
        create_private_folder(self.folder())
    }

    /// Makes an empty database for its owner only; SQLite gives its other files the same rights.
    pub(crate) fn create_database(&self, path: &Path) -> Result<(), SpoolError> {
        open_private(path)
            .and_then(|file| file.sync_all())
            .map_err(SpoolError::io("creating the spool"))?;
        self.sync_folder()
    }

    /// Makes names durable: without it, a power cut may undo a creation or a renaming whose
    /// content is on the disk already.
    pub(crate) fn sync_folder(&self) -> Result<(), SpoolError> {
        sync_folder(self.folder())
    }
}

const RECOVERED: &str = ".recovered-";

/// Length of a file; `None` where there is none.
pub(crate) fn length(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|metadata| metadata.len())
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

/// Opens for reading and writing, made for the owner only where it is not there.
pub(crate) fn open_private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> Result<(), SpoolError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(SpoolError::io("making the spool's folder durable"))
}

/// Elsewhere folders cannot be opened, and the file system's journal keeps names.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> Result<(), SpoolError> {
    Ok(())
}

/// What tells a file from another with the same name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity(u64, u64);

#[cfg(unix)]
pub(crate) fn identity(metadata: &fs::Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    Identity(metadata.dev(), metadata.ino())
}

/// Elsewhere an open file can be neither deleted nor replaced.
#[cfg(not(unix))]
pub(crate) fn identity(_: &fs::Metadata) -> Identity {
    Identity(0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numbered_spool_keeps_its_extension() {
        let name = |path: &str, number| Files::new(Path::new(path)).numbered(number).database;
        assert_eq!(name("a/spool.db", 0), Path::new("a/spool.db"));
        assert_eq!(name("a/spool.db", 2), Path::new("a/spool-2.db"));
        assert_eq!(name("spool", 1), Path::new("spool-1"));
    }
}
