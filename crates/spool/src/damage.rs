//! Damage of a spool's files.

use rusqlite::ErrorCode;
use rusqlite::ffi::SQLITE_IOERR_SHORT_READ;

use crate::error::SpoolError;

/// Damage found when the spool was opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// The database is gone or empty although it held records, or its log is still there.
    #[error("the database is missing or empty")]
    DatabaseMissing,
    /// SQLite cannot read the file, or its integrity check found a fault.
    #[error("the database is malformed: {detail}")]
    Malformed {
        /// SQLite's message.
        detail: String,
    },
    /// The tables hold fewer or more rows than were committed.
    #[error("the database should have {expected} rows, but has {found}")]
    RowsMissing {
        /// Committed rows of both tables.
        expected: u64,
        /// Rows that were found.
        found: u64,
    },
    /// The last commits are missing: the WAL was truncated, deleted or damaged, or the files are
    /// an older copy.
    #[error("the last {commits} commits are missing")]
    CommitsMissing {
        /// Number of missing commits.
        commits: u64,
    },
    /// The checks at opening found nothing, but the process that used the file before could not
    /// read or move all rows; see [`crate::SpoolOptions::salvage`].
    #[error("not all rows could be read or moved")]
    Unreadable,
    /// A recovery was interrupted, for example by a power cut, and has been completed now. Its
    /// cause is not known any more; the damaged files were kept.
    #[error("an earlier recovery was interrupted")]
    RecoveryInterrupted,
}

impl Damage {
    /// Returns the name, which is the same in all versions.
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

/// Reason not to use a file as it is.
pub(crate) enum Rejected {
    /// The file is damaged: set it aside and salvage its rows.
    Damaged(Damage),
    /// The file is not the cause, or not ours to touch.
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

/// Converts an error of SQLite, keeping damaged files and failing systems apart: setting aside a
/// sound spool because the machine had no memory would be worse than the error.
pub(crate) fn reject(context: &'static str) -> impl FnOnce(rusqlite::Error) -> Rejected {
    move |error| {
        if blames_file(&error) {
            return Rejected::Damaged(Damage::Malformed {
                detail: detail(&error),
            });
        }
        Rejected::Error(SpoolError::database(context)(error))
    }
}

/// Describes an error of SQLite, or one that was found in what it returned.
pub(crate) fn detail(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::FromSqlConversionFailure(_, _, cause) => cause.to_string(),
        error => error.to_string(),
    }
}

/// Returns whether only a damaged file can lead to this error.
pub(crate) fn blames_file(error: &rusqlite::Error) -> bool {
    match error {
        rusqlite::Error::SqliteFailure(failure, _) => {
            matches!(
                failure.code,
                ErrorCode::DatabaseCorrupt
                    | ErrorCode::NotADatabase
                    // SQLITE_ERROR: the statements are valid for a sound schema.
                    | ErrorCode::Unknown
                    // A length above the spool's limit, and a duplicate sequence.
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
