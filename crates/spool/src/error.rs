//! What can go wrong, as codes that callers act on.

use std::fmt;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::damage::blames_file;

/// Which of the two bounds of a spool was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// `max_records`.
    Records,
    /// `max_bytes`.
    Bytes,
}

/// Why the spool could not do what was asked.
///
/// An append that ended in an error has no receipt. Its event may still come out of the spool
/// after a crash, if the disk kept what it refused to confirm: at least once, never a false
/// receipt. No message shows a key, a header's value or a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpoolError {
    /// Another process, or another `Spool` in this one, owns the file.
    Owned {
        /// The spool's file.
        path: PathBuf,
        /// Process that wrote its number into the lock file, where that could be read.
        owner: Option<u32>,
    },
    /// The file was written by a newer Herald; nothing was changed.
    NewerSchema {
        /// Version in the file.
        found: i64,
        /// Newest version that this build knows.
        known: i64,
    },
    /// The file is a database of somebody else; nothing was changed.
    NotASpool {
        /// The file.
        path: PathBuf,
    },
    /// There is no file to inspect.
    NotFound {
        /// The file.
        path: PathBuf,
    },
    /// The spool holds as much as it may, dead letters included; nothing was dropped.
    Full {
        /// Which bound was reached.
        bound: Bound,
        /// The bound, in records or bytes.
        most: u64,
    },
    /// A single record is larger than the spool takes.
    RecordTooLarge {
        /// Weight of the record in bytes.
        bytes: u64,
        /// Most that a record may weigh.
        most: u64,
    },
    /// The disk has no room. The spool goes on as soon as it has.
    DiskFull {
        /// What was being done.
        doing: &'static str,
    },
    /// The system refused a read or a write: a quota, a limit on file sizes, a failing disk.
    Io {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        detail: String,
    },
    /// Another program held a lock on the database for longer than five seconds.
    Busy {
        /// What was being done.
        doing: &'static str,
    },
    /// The database is damaged. Opening the spool again sets the file aside and salvages.
    Corrupt {
        /// What was being done.
        doing: &'static str,
        /// What SQLite said.
        detail: String,
    },
    /// A file of the spool was deleted, replaced, truncated or written to by another program
    /// under the running process. What is written now would not be found after a restart, so
    /// nothing more is accepted; open the spool again.
    FileChanged {
        /// The file.
        path: PathBuf,
        /// What happened to it.
        what: &'static str,
    },
    /// This process is a fork of the one that opened the spool. It must open its own.
    Forked {
        /// Process that owns the spool.
        owner: u32,
    },
    /// The spool was closed, or its writer ended, before the work was done.
    Closed,
    /// SQLite refused for a reason that is none of the above.
    Database {
        /// What was being done.
        doing: &'static str,
        /// What SQLite said.
        detail: String,
    },
}

impl SpoolError {
    /// A name that stays the same in all versions, for logs, metrics and callers of other
    /// languages.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Owned { .. } => "spool_owned",
            Self::NewerSchema { .. } => "spool_newer_schema",
            Self::NotASpool { .. } => "spool_not_a_spool",
            Self::NotFound { .. } => "spool_not_found",
            Self::Full { .. } => "spool_full",
            Self::RecordTooLarge { .. } => "spool_record_too_large",
            Self::DiskFull { .. } => "spool_disk_full",
            Self::Io { .. } => "spool_io",
            Self::Busy { .. } => "spool_busy",
            Self::Corrupt { .. } => "spool_corrupt",
            Self::FileChanged { .. } => "spool_file_changed",
            Self::Forked { .. } => "spool_forked",
            Self::Closed => "spool_closed",
            Self::Database { .. } => "spool_database",
        }
    }

    /// Whether the same call on the same spool can succeed later without anybody's code
    /// changing: once there is room, or another program let go.
    pub fn is_retriable(&self) -> bool {
        matches!(
            self,
            Self::Owned { .. }
                | Self::Full { .. }
                | Self::DiskFull { .. }
                | Self::Io { .. }
                | Self::Busy { .. }
        )
    }

    /// Whether no later work of this spool can succeed.
    pub fn ends_the_spool(&self) -> bool {
        matches!(
            self,
            Self::Corrupt { .. } | Self::FileChanged { .. } | Self::Closed
        )
    }

    pub(crate) fn io(doing: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |error| match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { doing }
            }
            kind => Self::Io {
                doing,
                detail: kind.to_string(),
            },
        }
    }

    pub(crate) fn database(doing: &'static str) -> impl FnOnce(rusqlite::Error) -> Self {
        move |error| Self::of_sqlite(doing, &error)
    }

    fn of_sqlite(doing: &'static str, error: &rusqlite::Error) -> Self {
        let detail = error.to_string();
        if blames_file(error) {
            return Self::Corrupt { doing, detail };
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull { doing },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { doing },
            Some(
                ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied,
            ) => Self::Io { doing, detail },
            _ => Self::Database { doing, detail },
        }
    }

    pub(crate) fn file_changed(path: &Path, what: &'static str) -> Self {
        Self::FileChanged {
            path: path.to_owned(),
            what,
        }
    }
}

impl fmt::Display for SpoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owned { path, owner } => {
                write!(f, "the spool {} is in use", path.display())?;
                owner.map_or(Ok(()), |pid| write!(f, " by process {pid}"))
            }
            Self::NewerSchema { found, known } => write!(
                f,
                "the spool has schema version {found}, but this version of Herald knows only \
                 versions up to {known}"
            ),
            Self::NotASpool { path } => {
                write!(f, "{} is a database, but not a spool", path.display())
            }
            Self::NotFound { path } => write!(f, "there is no spool at {}", path.display()),
            Self::Full { bound, most } => match bound {
                Bound::Records => write!(f, "the spool is full: it may hold {most} records"),
                Bound::Bytes => write!(f, "the spool is full: it may hold {most} bytes"),
            },
            Self::RecordTooLarge { bytes, most } => write!(
                f,
                "the record has {bytes} bytes, but the spool takes at most {most}"
            ),
            Self::DiskFull { doing } => write!(f, "{doing}: the disk is full"),
            Self::Busy { doing } => {
                write!(f, "{doing}: another program holds a lock on the spool")
            }
            Self::Corrupt { doing, detail } => {
                write!(f, "{doing}: the spool is damaged ({detail})")
            }
            Self::Io { doing, detail } | Self::Database { doing, detail } => {
                write!(f, "{doing}: {detail}")
            }
            Self::FileChanged { path, what } => write!(
                f,
                "{} {what} while the spool was in use; nothing more can be kept safely",
                path.display()
            ),
            Self::Forked { owner } => write!(
                f,
                "the spool belongs to process {owner}, and this is a fork of it: open a spool \
                 after forking"
            ),
            Self::Closed => write!(f, "the spool is closed"),
        }
    }
}

impl std::error::Error for SpoolError {}
