//! `herald spool`: inspects and manages a spool, also while a publisher has it open.

mod adopt;
mod dead_letter_change;
mod dead_letters;
mod drain;
mod entry;
mod list;
pub mod location;
mod show;
mod status;
mod transfer;
mod verify;

use crate::args::spool::{Spool, SpoolCommand};
use crate::{Error, ExitStatus};

/// Runs the command.
pub fn run(args: &Spool) -> Result<ExitStatus, Error> {
    if let SpoolCommand::Status(status) = &args.command
        && let Some(directory) = &status.directory
    {
        return status::of_directory(directory, status);
    }
    let path = location::find(args.spool.as_deref())?;
    match &args.command {
        SpoolCommand::Status(args) => status::run(&path, args),
        SpoolCommand::List(args) => list::queue(&path, args),
        SpoolCommand::Show(args) => show::run(&path, args, show::Scope::Any),
        SpoolCommand::Verify => verify::run(&path),
        SpoolCommand::Drain(args) => drain::run(&path, args),
        SpoolCommand::Export(args) => transfer::export(&path, args),
        SpoolCommand::Import(args) => transfer::import(&path, args),
        SpoolCommand::Adopt(args) => adopt::run(&path, args),
        SpoolCommand::Dead(args) => dead_letters::run(&path, args),
    }
}
