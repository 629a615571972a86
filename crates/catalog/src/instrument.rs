//! What an instrumented operation announces, and how often.

use serde_json::Value;

use crate::shape::MOST_LABELS;
use crate::yaml::Yaml;

/// How an operation announces itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Instrument {
    /// Which of its events are published.
    pub events: Announced,
    /// Share of calls, from 0 to 1, whose start is announced. How they end always is.
    pub sample_started: f64,
    /// Texts, numbers and booleans that stand in the metadata of each of its events, in the order
    /// of the contract.
    pub fields: Vec<(String, Value)>,
}

impl Default for Instrument {
    fn default() -> Self {
        Self {
            events: Announced::All,
            sample_started: 1.0,
            fields: Vec::new(),
        }
    }
}

impl Instrument {
    /// The same, but for what is written. Fields of both are kept.
    pub(crate) fn overridden(&self, yaml: &Yaml) -> Self {
        let written = yaml.get("fields").map(Yaml::entries).unwrap_or_default();
        let mut fields = self.fields.clone();
        for (key, value) in written.iter().take(MOST_LABELS) {
            if value.as_text().is_none() {
                continue;
            }
            fields.retain(|(name, _)| *name != key.text);
            fields.push((key.text.clone(), value.to_json()));
        }
        let events = yaml.get("events").and_then(Yaml::as_str);
        let share = yaml.get("sample_started").and_then(Yaml::as_f64);
        Self {
            events: events.and_then(Announced::named).unwrap_or(self.events),
            sample_started: share
                .filter(|share| (0.0..=1.0).contains(share))
                .unwrap_or(self.sample_started),
            fields,
        }
    }
}

/// Which events of an operation are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announced {
    /// That it started, and how it ended.
    All,
    /// How it ended.
    Outcomes,
    /// That it failed.
    Failures,
}

impl Announced {
    fn named(word: &str) -> Option<Self> {
        let all = [Self::All, Self::Outcomes, Self::Failures];
        all.into_iter().find(|known| known.name() == word)
    }

    /// The word in contracts.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Outcomes => "outcomes",
            Self::Failures => "failures",
        }
    }
}
