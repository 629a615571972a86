//! Topics that a command reads: names, patterns, or those of contracts.

use std::collections::BTreeSet;

use globset::GlobMatcher;
use herald_diagnostics::did_you_mean;
use herald_diagnostics::render::visible_line;
use herald_envelope::topic;

use crate::format::count;
use crate::terminal::{self, YELLOW};
use crate::{Error, events};

/// The topics to read.
#[derive(Clone, Default)]
pub struct TopicSelection {
    /// Named on the command line; they have to exist.
    named: BTreeSet<String>,
    patterns: Vec<GlobMatcher>,
    /// Topics of contracts; they may be created later.
    of_contracts: BTreeSet<String>,
}

impl TopicSelection {
    /// The topics of contracts.
    pub fn of_contracts(names: BTreeSet<String>) -> Self {
        Self {
            of_contracts: names,
            ..Self::default()
        }
    }

    /// Topics and patterns of the command line.
    pub fn of_arguments(texts: &[String]) -> Result<Self, Error> {
        let mut wanted = Self::default();
        for text in texts {
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

    /// Whether a topic is selected.
    pub fn takes(&self, name: &str) -> bool {
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
    pub fn check(&self, there: &BTreeSet<String>) -> Result<(), Error> {
        let missing: Vec<_> = self.named.difference(there).collect();
        for name in &missing {
            let candidates = there.iter().map(String::as_str);
            let help = match did_you_mean(name, candidates) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "the pattern `'*'` selects all topics".to_owned(),
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
