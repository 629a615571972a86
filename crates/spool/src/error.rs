//! Errors of the spool.

use std::fmt;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::cluster::SpoolCluster;
use crate::connection::has_no_index;
use crate::damage::{self, blames_file};
use herald_process::Forked;

/// Limit of a spool that was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Limit {
    /// [`SpoolOptions::max_records`](crate::SpoolOptions::max_records).
    #[error("records")]
    Records,
    /// [`SpoolOptions::max_bytes`](crate::SpoolOptions::max_bytes).
    #[error("bytes")]
    Bytes,
}

/// Error of a spool.
///
/// An append that ended in an error has no receipt. Its event may still come out of the spool
/// after a crash, if the disk kept what it did not confirm: at least once, never a false receipt.
/// No message shows a key, a header value or a payload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpoolError {
    /// Another process, or another `Spool` in this one, owns the file.
    #[error("the spool {} is in use{}", path.display(), by_process(*owner))]
    Owned {
        /// Database of the spool.
        path: PathBuf,
        /// Process id from the lock file, if it could be read.
        owner: Option<u32>,
    },
    /// The file was written by a newer version of Herald; nothing was changed.
    #[error(
        "the spool has schema version {found}, but this version of Herald knows only versions up \
         to {known}"
    )]
    NewerSchema {
        /// Version in the file.
        found: i64,
        /// Newest version that this build knows.
        known: i64,
    },
    /// The file is a database of another program; nothing was changed.
    #[error("{} is a database, but not a spool", path.display())]
    NotASpool {
        /// Path of the file.
        path: PathBuf,
    },
    /// The rows of the spool are for another cluster than the one that was reached; nothing was
    /// delivered to it.
    #[error(
        "the spool {} has {rows} for the cluster {noted}, but the cluster here is {found}: deliver \
         them there with `herald spool drain`, assign them to this one with `herald spool adopt`, \
         or use a spool at another path",
        path.display()
    )]
    OtherCluster {
        /// Database of the spool.
        path: PathBuf,
        /// Number of records and dead letters, for people.
        rows: String,
        /// Cluster of the rows.
        noted: Box<SpoolCluster>,
        /// Id of the cluster that was reached.
        found: String,
    },
    /// There is no file to inspect.
    #[error("there is no spool at {}", path.display())]
    NotFound {
        /// Path of the file.
        path: PathBuf,
    },
    /// The spool is full, including dead letters; nothing was dropped.
    #[error("the spool is full: its limit is {max} {limit}")]
    Full {
        /// Limit that was reached.
        limit: Limit,
        /// Its value, in records or bytes.
        max: u64,
    },
    /// A single record is larger than the spool accepts.
    #[error("the record has {bytes} bytes, but the spool accepts at most {max}")]
    RecordTooLarge {
        /// Weight of the record in bytes.
        bytes: u64,
        /// Maximum weight of a record.
        max: u64,
    },
    /// The disk is full. The spool continues as soon as there is space.
    #[error("{context}: the disk is full")]
    DiskFull {
        /// Operation that failed.
        context: &'static str,
    },
    /// The system refused a read or a write: a quota, a limit on file sizes, a failing disk.
    #[error("{context}: {detail}")]
    Io {
        /// Operation that failed.
        context: &'static str,
        /// Message of the system.
        detail: String,
    },
    /// Another program held a lock on the database for longer than five seconds.
    #[error("{context}: another program holds a lock on the spool")]
    Busy {
        /// Operation that failed.
        context: &'static str,
    },
    /// The database is damaged. Opening the spool again with [`crate::SpoolOptions::salvage`] sets the file
    /// aside and salvages its rows.
    #[error("{context}: the spool is damaged ({detail})")]
    Corrupt {
        /// Operation that failed.
        context: &'static str,
        /// Message of SQLite.
        detail: String,
    },
    /// A file of the spool was deleted, replaced, truncated or written to by another program under
    /// the running process. Further writes would not be found after a restart, so no more are
    /// accepted; open the spool again.
    #[error("{} {what} while the spool was in use; nothing more can be kept safely", path.display())]
    FileChanged {
        /// Path of the file.
        path: PathBuf,
        /// Description of the change.
        what: &'static str,
    },
    /// This process is a fork of the one that opened the spool. Open another one in it.
    #[error(
        "the spool belongs to process {owner}, and this is a fork of it: open a spool after forking"
    )]
    Forked {
        /// Process that owns the spool.
        owner: u32,
    },
    /// The spool was closed, or its writer ended, before the operation was done.
    #[error("the spool is closed")]
    Closed,
    /// SQLite failed for any other reason.
    #[error("{context}: {detail}")]
    Database {
        /// Operation that failed.
        context: &'static str,
        /// Message of SQLite.
        detail: String,
    },
}

/// Code of a [`SpoolError`], for logs, metrics and other languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SpoolErrorCode {
    /// Another process owns the spool.
    Owned,
    /// The file was written by a newer version.
    NewerSchema,
    /// The file is not a spool.
    NotASpool,
    /// The rows of the spool are for another cluster.
    OtherCluster,
    /// There is no spool at the path.
    NotFound,
    /// A limit of the spool is reached.
    Full,
    /// The record alone exceeds a limit.
    RecordTooLarge,
    /// The disk has no space left.
    DiskFull,
    /// The disk failed.
    Io,
    /// Another program locks the database.
    Busy,
    /// The file is damaged.
    Corrupt,
    /// A file was deleted, replaced, truncated or written by another program.
    FileChanged,
    /// The process is a fork of the owner.
    Forked,
    /// The spool is closed.
    Closed,
    /// SQLite failed for any other reason.
    Database,
}

impl SpoolErrorCode {
    /// Returns the name, such as `spool_full`, which is the same in all versions.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owned => "spool_owned",
            Self::NewerSchema => "spool_newer_schema",
            Self::NotASpool => "spool_not_a_spool",
            Self::OtherCluster => "spool_other_cluster",
            Self::NotFound => "spool_not_found",
            Self::Full => "spool_full",
            Self::RecordTooLarge => "spool_record_too_large",
            Self::DiskFull => "spool_disk_full",
            Self::Io => "spool_io",
            Self::Busy => "spool_busy",
            Self::Corrupt => "spool_corrupt",
            Self::FileChanged => "spool_file_changed",
            Self::Forked => "spool_forked",
            Self::Closed => "spool_closed",
            Self::Database => "spool_database",
        }
    }
}

impl fmt::Display for SpoolErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Compares with the name.
impl PartialEq<&str> for SpoolErrorCode {
    fn eq(&self, name: &&str) -> bool {
        self.as_str() == *name
    }
}

impl SpoolError {
    /// Returns the code of the error.
    pub fn code(&self) -> SpoolErrorCode {
        match self {
            Self::Owned { .. } => SpoolErrorCode::Owned,
            Self::NewerSchema { .. } => SpoolErrorCode::NewerSchema,
            Self::NotASpool { .. } => SpoolErrorCode::NotASpool,
            Self::OtherCluster { .. } => SpoolErrorCode::OtherCluster,
            Self::NotFound { .. } => SpoolErrorCode::NotFound,
            Self::Full { .. } => SpoolErrorCode::Full,
            Self::RecordTooLarge { .. } => SpoolErrorCode::RecordTooLarge,
            Self::DiskFull { .. } => SpoolErrorCode::DiskFull,
            Self::Io { .. } => SpoolErrorCode::Io,
            Self::Busy { .. } => SpoolErrorCode::Busy,
            Self::Corrupt { .. } => SpoolErrorCode::Corrupt,
            Self::FileChanged { .. } => SpoolErrorCode::FileChanged,
            Self::Forked { .. } => SpoolErrorCode::Forked,
            Self::Closed => SpoolErrorCode::Closed,
            Self::Database { .. } => SpoolErrorCode::Database,
        }
    }

    /// Returns whether the same call can succeed later, for example once there is space again.
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

    /// Returns whether no later operation of this spool can succeed.
    pub fn ends_the_spool(&self) -> bool {
        matches!(
            self,
            Self::Corrupt { .. } | Self::FileChanged { .. } | Self::Closed
        )
    }

    /// Returns whether the disk refused a write that it may accept once there is space again.
    pub fn is_out_of_space(&self) -> bool {
        matches!(self, Self::DiskFull { .. } | Self::Io { .. })
    }

    pub(crate) fn io(context: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |error| match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { context }
            }
            kind => Self::Io {
                context,
                detail: kind.to_string(),
            },
        }
    }

    pub(crate) fn database(context: &'static str) -> impl FnOnce(rusqlite::Error) -> Self {
        move |error| Self::from_sqlite(context, &error)
    }

    fn from_sqlite(context: &'static str, error: &rusqlite::Error) -> Self {
        let detail = damage::detail(error);
        if blames_file(error) {
            return Self::Corrupt { context, detail };
        }
        if has_no_index(error) {
            return Self::DiskFull { context };
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull { context },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { context },
            Some(
                ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied,
            ) => Self::Io { context, detail },
            _ => Self::Database { context, detail },
        }
    }

    pub(crate) fn file_changed(path: &Path, what: &'static str) -> Self {
        Self::FileChanged {
            path: path.to_owned(),
            what,
        }
    }
}

impl From<Forked> for SpoolError {
    fn from(Forked { owner }: Forked) -> Self {
        Self::Forked { owner }
    }
}

fn by_process(owner: Option<u32>) -> String {
    owner.map_or_else(String::new, |pid| format!(" by process {pid}"))
}
