//! `herald publish`: events from files to a cluster, each with a receipt.

mod contracts;
mod dry_run;
mod event;
mod events;
mod input;
mod make;
mod receipts;
mod report;
mod send;

use herald_publish::PublisherOptions;

use crate::args::publish::Publish;
use crate::interrupt::Interrupt;
use crate::{Failure, connection, project};

use contracts::Contracts;
use events::Events;
use make::Maker;

/// Runs the command.
pub fn run(args: &Publish) -> Result<u8, Failure> {
    let project = project::find()?;
    let contracts = Contracts::load(&project, args)?;
    let maker = Maker::new(args, &project, contracts.as_ref());
    let events = Events::open(args)?;
    let interrupt = Interrupt::watch()?;
    if args.dry_run {
        return dry_run::run(&events, &maker, &interrupt);
    }
    let cluster = connection::options(&args.cluster, &project)?;
    let options = PublisherOptions::new(cluster);
    send::run(&events, &maker, options, args, &interrupt)
}
