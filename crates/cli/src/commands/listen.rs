//! `herald listen`: prints events as they arrive.

use std::collections::BTreeSet;

use herald_diagnostics::render::{Format, visible_line};
use herald_project::Project;
use herald_publish::kafka::{StartPosition, TopicReader};

use crate::args::events::Listen;
use crate::connection::{self, CONNECT_TIMEOUT, cluster_error};
use crate::format::count;
use crate::interrupt::Interrupt;
use crate::terminal::{self, DIM};
use crate::topic_selection::TopicSelection;
use crate::wanted_topics;
use crate::{Error, ExitStatus, events, project};

/// Runs the command.
pub fn run(args: &Listen) -> Result<ExitStatus, Error> {
    let project = project::find()?;
    let wanted = if args.topics.is_empty() {
        TopicSelection::of_contracts(of_contracts(args, &project)?)
    } else {
        TopicSelection::of_arguments(&args.topics)?
    };
    let options = connection::options(&args.cluster, &project)?;
    let mut listener =
        TopicReader::connect(&options, CONNECT_TIMEOUT).map_err(|f| cluster_error(&f))?;
    wanted.check(
        &listener
            .topic_names(CONNECT_TIMEOUT)
            .map_err(|f| cluster_error(&f))?,
    )?;
    let read = listener
        .follow(move |name| wanted.takes(name), args.from, CONNECT_TIMEOUT)
        .map_err(|failure| cluster_error(&failure))?;
    // Before this, an interruption ends the process at once.
    let interrupt = Interrupt::watch()?;
    let from = match args.from {
        StartPosition::Beginning => "from the beginning",
        StartPosition::Now => "from now on",
        StartPosition::At(_) => "from then on",
    };
    terminal::status(&format!(
        "{DIM}listening to {} on {} {from}; press Ctrl-C to stop{DIM:#}",
        count(read.len(), "topic"),
        visible_line(options.bootstrap_servers())
    ));
    events::watch(&mut listener, &args.show, &args.end, None, &interrupt)
}

fn of_contracts(args: &Listen, project: &Project) -> Result<BTreeSet<String>, Error> {
    if args.contracts.is_empty() && project.root.is_none() {
        return Err(Error::Message(
            "no topics given; name topics or give --contract PATH. `herald listen '*'` reads all \
             topics"
                .to_owned(),
        ));
    }
    let loaded = project::load(project, &args.contracts, Format::Human)?;
    // Conflicting settings do not matter for reading.
    // Not by clap, for which the variable would conflict with topics that are given.
    let of_environment = || std::env::var("HERALD_NAMESPACE").ok();
    let namespace = args.namespace.clone().or_else(of_environment);
    let namespace = namespace.filter(|namespace| !namespace.is_empty());
    let names = wanted_topics::names(&loaded.catalog, namespace.as_deref());
    if names.is_empty() {
        return Err(Error::Message(
            "the contracts do not publish to any topic".to_owned(),
        ));
    }
    Ok(names)
}
