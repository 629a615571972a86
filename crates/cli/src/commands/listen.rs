//! `herald listen`: prints events as they arrive.

use std::collections::BTreeSet;

use globset::GlobMatcher;
use herald_diagnostics::did_you_mean;
use herald_diagnostics::render::{Format, visible_line};
use herald_envelope::topic;
use herald_project::Project;
use herald_publish::kafka::{StartPosition, TopicReader};

use crate::args::events::Listen;
use crate::connection::{self, CONNECT_TIMEOUT, cluster_error};
use crate::format::count;
use crate::interrupt::Interrupt;
use crate::terminal::{self, DIM, YELLOW};
use crate::wanted_topics;
use crate::{Error, ExitStatus, events, project};

/// Runs the command.
pub fn run(args: &Listen) -> Result<ExitStatus, Error> {
    let project = project::find()?;
    let wanted = Wanted::new(args, &project)?;
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

/// The topics to listen to.
#[derive(Default)]
struct Wanted {
    /// Named on the command line; they have to exist.
    named: BTreeSet<String>,
    patterns: Vec<GlobMatcher>,
    /// Topics of contracts; they may be created later.
    of_contracts: BTreeSet<String>,
}

impl Wanted {
    fn new(args: &Listen, project: &Project) -> Result<Self, Error> {
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
                Error::Message(format!("`{text}` is not a valid topic name: {reason}"))
            })?;
            wanted.named.insert(text.clone());
        }
        Ok(wanted)
    }

    fn takes(&self, name: &str) -> bool {
        // Internal topics such as `__consumer_offsets` match only patterns that begin with `_`.
        let is_meant = |pattern: &GlobMatcher| {
            pattern.is_match(name)
                && (!name.starts_with("__") || pattern.glob().glob().starts_with('_'))
        };
        self.named.contains(name)
            || self.of_contracts.contains(name)
            || self.patterns.iter().any(is_meant)
    }

    /// Compares the wanted topics with those of the cluster.
    fn check(&self, there: &BTreeSet<String>) -> Result<(), Error> {
        let missing: Vec<_> = self.named.difference(there).collect();
        for name in &missing {
            let candidates = there.iter().map(String::as_str);
            let help = match did_you_mean(name, candidates) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`herald listen '*'` reads all topics".to_owned(),
            };
            terminal::error(&format!("the cluster has no topic `{name}`; {help}"));
        }
        if !missing.is_empty() {
            return Err(Error::Reported);
        }
        let absent = self.of_contracts.difference(there).count();
        if absent > 0 {
            terminal::status(&format!(
                "{YELLOW}note{YELLOW:#}: {absent} of {} of the contracts do not exist yet; \
                 `herald topics apply` creates them",
                count(self.of_contracts.len(), "topic")
            ));
        }
        let nothing = |pattern: &&GlobMatcher| !there.iter().any(|name| pattern.is_match(name));
        for pattern in self.patterns.iter().filter(nothing) {
            let pattern = visible_line(pattern.glob().glob());
            terminal::status(&format!(
                "{YELLOW}note{YELLOW:#}: no topic matches `{pattern}` yet"
            ));
        }
        Ok(())
    }
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
    let names = wanted_topics::names(&loaded.catalog, args.namespace.as_deref());
    if names.is_empty() {
        return Err(Error::Message(
            "the contracts do not publish to any topic".to_owned(),
        ));
    }
    Ok(names)
}
