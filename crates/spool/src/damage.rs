//! How a file can be found damaged.

use std::fmt;

use rusqlite::ErrorCode;
use rusqlite::ffi::SQLITE_IOERR_SHORT_READ;

use crate::error::SpoolError;

/// What opening found wrong with the files.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Damage {
    /// The database is gone or empty although it held records, or its log is still there.
    DatabaseMissing,
    /// SQLite cannot read the file, or its check found a fault.
    Malformed {
        /// What SQLite said.
        detail: String,
    },
    /// The tables hold fewer or more rows than were committed.
    RowsMissing {
        /// Rows of both tables that were committed.
        expected: u64,
        /// Rows that are there.
        found: u64,
    },
    /// The last commits are missing, so the log was cut, deleted or damaged, or the files are
    /// from an older copy.
    CommitsMissing {
        /// How many commits.
        commits: u64,
    },
    /// The checks of opening find nothing, but the process that used the file before could not
    /// read or move all rows: see [`crate::SpoolOptions::salvage`].
    Unreadable,
    /// A recovery was interrupted, by a power cut for example, and has been completed now. What
    /// it had found is not known any more; the set-aside files are there.
    RecoveryInterrupted,
}

impl Damage {
    /// A name that stays the same in all versions.
    pub fn code(&self) -> &'static str {
        match self {
            Self::DatabaseMissing => "database_missing",
            Self::Malformed { .. } => "malformed",
            Self::RowsMissing { .. } => "rows_missing",
            Self::CommitsMissing { .. } => "commits_missing",
            Self::Unreadable => "unreadable",
            Self::RecoveryInterrupted => "recovery_interrupted",
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DatabaseMissing => write!(f, "the database is missing or empty"),
            Self::Malformed { detail } => write!(f, "the database is malformed: {detail}"),
            Self::RowsMissing { expected, found } => {
                write!(
                    f,
                    "the database should hold {expected} rows, but holds {found}"
                )
            }
            Self::CommitsMissing { commits } => {
                write!(f, "the last {commits} commits are missing")
            }
            Self::Unreadable => write!(f, "not all rows could be read or moved"),
            Self::RecoveryInterrupted => write!(f, "an earlier recovery was interrupted"),
        }
    }
}

/// Why a file was not taken as it is.
pub(crate) enum Rejected {
    /// To be set aside and salvaged.
    Damaged(Damage),
    /// Not the file's fault, or not ours to touch.
    Error(SpoolError),
}

impl From<SpoolError> for Rejected {
    fn from(error: SpoolError) -> Self {
        match error {
            SpoolError::Corrupt { detail, .. } => Self::Damaged(Damage::Malformed { detail }),
            error => Self::Error(error),
        }
    }
}

impl From<Damage> for Rejected {
    fn from(damage: Damage) -> Self {
        Self::Damaged(damage)
    }
}

/// Tells a damaged file from a system that failed: setting aside a sound spool because the
/// machine had no memory would be worse than the error.
pub(crate) fn reject(doing: &'static str) -> impl FnOnce(rusqlite::Error) -> Rejected {
    move |error| {
        if blames_file(&error) {
            return Rejected::Damaged(Damage::Malformed {
                detail: error.to_string(),
            });
        }
        Rejected::Error(SpoolError::database(doing)(error))
    }
}

/// Whether no sound file could lead to this error.
pub(crate) fn blames_file(error: &rusqlite::Error) -> bool {
    match error {
        rusqlite::Error::SqliteFailure(failure, _) => {
            matches!(
                failure.code,
                ErrorCode::DatabaseCorrupt
                    | ErrorCode::NotADatabase
                    // An error in SQL, which is right for a sound schema.
                    | ErrorCode::Unknown
                    // A length beyond what the spool takes, and a number that is there already.
                    | ErrorCode::TooBig
                    | ErrorCode::ConstraintViolation
                    | ErrorCode::TypeMismatch
            ) || failure.extended_code == SQLITE_IOERR_SHORT_READ
        }
        rusqlite::Error::SqlInputError { .. }
        | rusqlite::Error::QueryReturnedNoRows
        | rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::Utf8Error(..) => true,
        _ => false,
    }
}
