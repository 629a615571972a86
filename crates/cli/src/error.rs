//! The error that a command ends with.

use std::io;

/// A reason for which a command could not do what it was asked to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A complete sentence for the user, with advice where there is any.
    #[error("{0}")]
    Message(String),
    /// There are no contracts in the version to compare with.
    #[error("{0}")]
    NoContracts(String),
    /// Writing output failed.
    #[error("can't write the output: {0}")]
    Output(#[from] io::Error),
    /// Everything is on standard error already.
    #[error("")]
    Reported,
}

impl From<herald_registry::Error> for Error {
    fn from(error: herald_registry::Error) -> Self {
        Self::Message(error.to_string())
    }
}

/// Exit status of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum ExitStatus {
    /// Nothing is wrong.
    Success = 0,
    /// The command ran and found problems: a diagnostic at error level, a stale file, a difference.
    Problems = 1,
    /// The command could not do what it was asked to do.
    Failure = 2,
}
