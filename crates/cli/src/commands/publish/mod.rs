//! `herald publish`: publishes events from files and reports a receipt for each.

mod contracts;
mod dry_run;
mod event_source;
pub mod input;
mod input_line;
mod message_builder;
mod receipts;
mod report;
mod send;

use herald_publish::PublisherOptions;

use crate::args::publish::Publish;
use crate::interrupt::Interrupt;
use crate::{Error, ExitStatus, connection, project, schema_registry};

use contracts::Contracts;
use event_source::EventSource;
use message_builder::MessageBuilder;

/// Runs the command.
pub fn run(args: &Publish) -> Result<ExitStatus, Error> {
    let project = project::find()?;
    let contracts = Contracts::load(&project, args)?;
    let builder = MessageBuilder::new(args, &project, contracts.as_ref());
    let events = EventSource::open(args)?;
    let interrupt = Interrupt::watch()?;
    if args.dry_run {
        return dry_run::run(&events, &builder, &interrupt);
    }
    let cluster = connection::options(&args.cluster, &project)?;
    let mut options = PublisherOptions::new(cluster);
    if let Some(schemas) = schema_registry::schemas(&args.schemas, &project.schema_registry)? {
        options = options.schemas(schemas);
    }
    send::run(&events, &builder, options, args, &interrupt)
}
