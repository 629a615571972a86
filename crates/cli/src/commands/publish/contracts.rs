//! Look-up of events in contracts.

use std::collections::HashMap;

use herald_catalog::load::Loaded;
use herald_catalog::{Event, Node};
use herald_diagnostics::did_you_mean;
use herald_diagnostics::render::Format;
use herald_project::Project;

use crate::args::publish::Publish;
use crate::terminal;
use crate::{Error, project};

/// Contracts with an index by event type.
pub struct Contracts {
    loaded: Loaded,
    /// Indices of nodes and of their events.
    by_type: HashMap<String, Vec<(usize, usize)>>,
}

impl Contracts {
    /// Loads the contracts of the command line, else of the project; `None` if there are none or
    /// `--no-contract` is given.
    pub fn load(project: &Project, args: &Publish) -> Result<Option<Self>, Error> {
        if args.no_contract || (args.contracts.is_empty() && project.contracts.is_empty()) {
            return Ok(None);
        }
        let mut loaded = project::load(project, &args.contracts, Format::Human)?;
        terminal::print_errors(&mut loaded);
        if loaded.has_errors() {
            return Err(Error::Message(
                "the contracts have errors; nothing was published. --no-contract publishes without \
                 contracts"
                    .to_owned(),
            ));
        }
        Ok(Some(Self::new(loaded)))
    }

    fn new(loaded: Loaded) -> Self {
        let mut by_type: HashMap<String, Vec<_>> = HashMap::new();
        for (number, node) in loaded.catalog.nodes.iter().enumerate() {
            for (at, event) in node.events.iter().enumerate() {
                let places = by_type.entry(event.event_type.clone()).or_default();
                places.push((number, at));
            }
        }
        Self { loaded, by_type }
    }

    /// All nodes.
    pub fn nodes(&self) -> &[Node] {
        &self.loaded.catalog.nodes
    }

    /// Finds the event of a type and the index of its node, within one version and one service if
    /// they are given.
    pub fn find(
        &self,
        event_type: &str,
        version: Option<u64>,
        service: Option<&str>,
    ) -> Result<(usize, &Event), String> {
        let nodes = self.nodes();
        let event = |(node, at): &(usize, usize)| &nodes[*node].events[*at];
        let all = self.by_type.get(event_type).map_or(&[][..], Vec::as_slice);
        let of_service: Vec<_> = all
            .iter()
            .filter(|(node, _)| service.is_none_or(|name| nodes[*node].service_name == name))
            .collect();
        let mut found = of_service.clone();
        found.retain(|place| {
            version.is_none_or(|version| u64::from(event(place).version) == version)
        });
        match found[..] {
            [place] => Ok((place.0, event(place))),
            [] if all.is_empty() => Err(self.unknown(event_type)),
            [] if of_service.is_empty() => Err(format!(
                "no contract of the service {} declares `{event_type}`",
                service.unwrap_or_default()
            )),
            [] => Err(format!(
                "no contract declares version {} of `{event_type}`",
                version.unwrap_or_default()
            )),
            [first, .., last] if first.0 == last.0 => Err(format!(
                "{} declares `{event_type}` in versions {} and {}; choose one with `event_version`",
                nodes[first.0].origin.path,
                event(first).version,
                event(last).version
            )),
            [(first, _), .., (last, _)] => Err(format!(
                "several contracts declare `{event_type}`, such as {} and {}; choose one with \
                 --contract or --service",
                nodes[*first].origin.path, nodes[*last].origin.path
            )),
        }
    }

    fn unknown(&self, event_type: &str) -> String {
        let known = self.by_type.keys().map(String::as_str);
        match did_you_mean(event_type, known) {
            Some(suggestion) => {
                format!("no contract declares `{event_type}`; did you mean `{suggestion}`?")
            }
            None => {
                format!("no contract declares `{event_type}`; `herald catalog` lists all events")
            }
        }
    }
}
