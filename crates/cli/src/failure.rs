//! How commands fail.

use std::io;

/// Why a command could not do what it was asked.
#[derive(Debug)]
pub enum Failure {
    /// Said to the user as it stands.
    Message(String),
    /// Output could not be written.
    Io(io::Error),
    /// Everything has been said already.
    Reported,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Message(message) => f.write_str(message),
            Self::Io(error) => write!(f, "can't write: {error}"),
            Self::Reported => Ok(()),
        }
    }
}
