//! `herald spool`: looking after the durable queue, beside its owner or without one.

mod change;
mod dead;
mod drain;
mod entry;
mod list;
mod place;
mod show;
mod status;
mod verify;

pub use change::tell_of_recovery;

use crate::Failure;
use crate::args::spool::{Spool, SpoolCommand};

/// Runs the command.
pub fn run(args: &Spool) -> Result<u8, Failure> {
    let path = place::find(args.spool.as_deref())?;
    match &args.command {
        SpoolCommand::Status(args) => status::run(&path, args),
        SpoolCommand::List(args) => list::queue(&path, args),
        SpoolCommand::Show(args) => show::run(&path, args, show::Of::Any),
        SpoolCommand::Verify => verify::run(&path),
        SpoolCommand::Drain(args) => drain::run(&path, args),
        SpoolCommand::Dead(args) => dead::run(&path, args),
    }
}
