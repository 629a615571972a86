//! The command `herald`, as a library: the binary runs it, and so does the Python package.

mod args;
mod asked;
mod commands;
mod connection;
mod delivery;
mod events;
mod failure;
mod human;
mod interrupt;
mod output;
mod package;
mod pretty;
mod project;
mod quantity;
#[cfg(test)]
mod reference;
#[cfg(doctest)]
mod shown;
mod table;
mod templates;
mod terminal;
mod writing;

use std::ffi::OsString;
use std::io;

use clap::Parser;

use crate::args::Args;
use crate::failure::Failure;

/// Nothing is wrong.
const CLEAN: u8 = 0;
/// A diagnostic is an error, or a generated file is stale.
const DIAGNOSTICS: u8 = 1;
/// The command could not do what it was asked.
const FAILED: u8 = 2;

/// Runs the command that these arguments say, the first of which is the program's name; gives the
/// code to exit with. Arguments that are none end the process, as those that ask for help.
pub fn run(args: impl IntoIterator<Item = OsString>) -> u8 {
    let args = Args::parse_from(args);
    args.color.write_global();
    match commands::run(args.command) {
        Ok(code) => code,
        // Whoever reads the output has seen enough: `herald catalog | head`.
        Err(Failure::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => CLEAN,
        Err(failure) => {
            terminal::error(&failure.to_string());
            FAILED
        }
    }
}
