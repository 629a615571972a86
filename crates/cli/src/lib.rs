//! The command `herald` as a library, run by the binary and by the Python package.

mod args;
mod commands;
mod connection;
mod delivery;
#[cfg(doctest)]
mod doctests;
mod error;
mod events;
mod fixes;
mod format;
mod git;
mod interrupt;
mod json_format;
mod lock_file;
mod memory_guard;
mod output;
mod output_files;
mod package_name;
mod project;
mod quantity;
#[cfg(test)]
mod reference;
mod schema_registry;
mod system;
mod table;
mod templates;
mod terminal;
mod topic_selection;
mod wanted_topics;

use std::ffi::OsString;
use std::io;

use clap::Parser;

use crate::args::Args;
use crate::error::{Error, ExitStatus};

/// Runs the command line `args`, whose first item is the program's name, and returns the exit code.
/// Ends the process when the arguments can't be parsed or ask for help or the version.
pub fn run(args: impl IntoIterator<Item = OsString>) -> u8 {
    let args = Args::parse_from(args);
    args.color.write_global();
    let status = match commands::run(args.command) {
        Ok(status) => status,
        // The reader closed the pipe because it has seen enough: `herald catalog | head`.
        Err(Error::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitStatus::Success
        }
        Err(error) => {
            terminal::error(&error.to_string());
            ExitStatus::Failure
        }
    };
    status as u8
}
