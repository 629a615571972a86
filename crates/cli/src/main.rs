//! The command `herald`.

mod args;
mod asked;
mod commands;
mod connection;
mod delivery;
mod events;
mod human;
mod interrupt;
mod output;
mod pretty;
mod project;
mod table;
mod terminal;
mod writing;

use std::io;
use std::process::ExitCode;

use clap::Parser;

use crate::args::Args;

/// Nothing is wrong.
const CLEAN: u8 = 0;
/// A finding is an error, or a generated file is stale.
const FINDINGS: u8 = 1;
/// The command could not do what it was asked.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    let args = Args::parse();
    args.color.write_global();
    match commands::run(args.command) {
        Ok(code) => ExitCode::from(code),
        // Whoever reads the output has seen enough: `herald catalog | head`.
        Err(Failure::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::from(CLEAN)
        }
        Err(failure) => {
            terminal::error(&failure.to_string());
            ExitCode::from(FAILED)
        }
    }
}

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
