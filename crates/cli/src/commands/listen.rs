//! `herald listen`: events as they arrive.

use std::collections::BTreeSet;

use globset::GlobMatcher;
use herald_catalog::config::Project;
use herald_diagnostics::did_you_mean;
use herald_diagnostics::render::{Format, visible_line};
use herald_envelope::topic;
use herald_publish::kafka::{Listener, Start};

use crate::args::events::Listen;
use crate::asked;
use crate::connection::{self, PATIENCE, failed};
use crate::interrupt::Interrupt;
use crate::terminal::{self, DIM, YELLOW, count};
use crate::{Failure, events, project};

/// Runs the command.
pub fn run(args: &Listen) -> Result<u8, Failure> {
    let project = project::find()?;
    let wanted = Wanted::new(args, &project)?;
    let options = connection::options(&args.cluster, &project)?;
    let mut listener = Listener::connect(&options, PATIENCE).map_err(|f| failed(&f))?;
    wanted.check(&listener.topic_names(PATIENCE).map_err(|f| failed(&f))?)?;
    let read = listener
        .follow(move |name| wanted.takes(name), args.from, PATIENCE)
        .map_err(|failure| failed(&failure))?;
    // Until here, an interruption ends the process at once.
    let interrupt = Interrupt::watch()?;
    let from = match args.from {
        Start::Beginning => "from the beginning",
        Start::Now => "from now on",
        Start::At(_) => "from then on",
    };
    terminal::status(&format!(
        "{DIM}listening to {} of {} {from}; Ctrl-C ends{DIM:#}",
        count(read.len(), "topic"),
        visible_line(options.bootstrap_servers())
    ));
    events::watch(&mut listener, &args.show, &args.end, None, &interrupt)
}

/// The topics that are meant.
#[derive(Default)]
struct Wanted {
    /// Named by a person: they have to be there.
    named: BTreeSet<String>,
    patterns: Vec<GlobMatcher>,
    /// Of contracts: they may come later.
    of_contracts: BTreeSet<String>,
}

impl Wanted {
    fn new(args: &Listen, project: &Project) -> Result<Self, Failure> {
        let mut wanted = Self::default();
        if args.topics.is_empty() {
            wanted.of_contracts = of_contracts(args, project)?;
        }
        for text in &args.topics {
            if text.contains(['*', '?', '[', '{']) {
                wanted.patterns.push(events::glob("TOPIC", text)?);
                continue;
            }
            topic::validate(text).map_err(|reason| {
                Failure::Message(format!("`{text}` can't be a topic: {reason}"))
            })?;
            wanted.named.insert(text.clone());
        }
        Ok(wanted)
    }

    fn takes(&self, name: &str) -> bool {
        // Kafka's own topics are only meant when somebody says so.
        let is_meant = |pattern: &GlobMatcher| {
            pattern.is_match(name)
                && (!name.starts_with("__") || pattern.glob().glob().starts_with('_'))
        };
        self.named.contains(name)
            || self.of_contracts.contains(name)
            || self.patterns.iter().any(is_meant)
    }

    /// Holds it against the topics that there are.
    fn check(&self, there: &BTreeSet<String>) -> Result<(), Failure> {
        let missing: Vec<_> = self.named.difference(there).collect();
        for name in &missing {
            let candidates = there.iter().map(String::as_str);
            let help = match did_you_mean(name, candidates) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`herald listen '*'` reads all there are".to_owned(),
            };
            terminal::error(&format!("the cluster has no topic `{name}`; {help}"));
        }
        if !missing.is_empty() {
            return Err(Failure::Reported);
        }
        let absent = self.of_contracts.difference(there).count();
        if absent > 0 {
            terminal::status(&format!(
                "{YELLOW}note{YELLOW:#}: {absent} of the {} of the contracts are not there yet; \
                 `herald topics apply` makes them",
                count(self.of_contracts.len(), "topic")
            ));
        }
        let nothing = |pattern: &&GlobMatcher| !there.iter().any(|name| pattern.is_match(name));
        for pattern in self.patterns.iter().filter(nothing) {
            let pattern = visible_line(pattern.glob().glob());
            terminal::status(&format!(
                "{YELLOW}note{YELLOW:#}: no topic is like `{pattern}` yet"
            ));
        }
        Ok(())
    }
}

fn of_contracts(args: &Listen, project: &Project) -> Result<BTreeSet<String>, Failure> {
    if args.contracts.is_empty() && project.root.is_none() {
        return Err(Failure::Message(
            "which topics? Name them, or give --contract PATH; `herald listen '*'` reads all there \
             are"
                .to_owned(),
        ));
    }
    let loaded = project::load(project, &args.contracts, Format::Human)?;
    // What contracts disagree about are settings, which nobody needs for reading.
    let asked = asked::names(&loaded.catalog, args.namespace.as_deref());
    if asked.is_empty() {
        return Err(Failure::Message(
            "the contracts publish to no topic".to_owned(),
        ));
    }
    Ok(asked)
}
