//! Selection of the events that instrumented operations publish.

use std::str::FromStr;

use serde_json::Value;
use thiserror::Error;

use crate::shape::MAX_LABELS;
use crate::yaml::Yaml;

/// Instrumentation of an operation: which of its events are published, and with which metadata.
#[derive(Clone, Debug, PartialEq)]
pub struct Instrument {
    /// Selection of the published events.
    pub events: InstrumentedEvents,
    /// Share of calls, from 0 to 1, whose start is published. Their end always is.
    pub sample_started: f64,
    /// Texts, numbers and booleans in the metadata of each of its events, in the order of the
    /// contract.
    pub fields: Vec<(String, Value)>,
    /// Texts of errors in failed events and in the log.
    pub error_text: ErrorText,
}

impl Default for Instrument {
    fn default() -> Self {
        Self {
            events: InstrumentedEvents::All,
            sample_started: 1.0,
            fields: Vec::new(),
            error_text: ErrorText::Masked,
        }
    }
}

impl Instrument {
    /// Returns a copy with the written settings replaced. Fields of both are kept.
    pub(crate) fn overridden(&self, yaml: &Yaml) -> Self {
        let written = yaml.get("fields").map(Yaml::entries).unwrap_or_default();
        let mut fields = self.fields.clone();
        for (key, value) in written.iter().take(MAX_LABELS) {
            if value.as_text().is_none() {
                continue;
            }
            fields.retain(|(name, _)| *name != key.text);
            fields.push((key.text.clone(), value.to_json()));
        }
        let events = yaml.get("events").and_then(Yaml::as_str);
        let share = yaml.get("sample_started").and_then(Yaml::as_f64);
        let error_text = yaml.get("error_text").and_then(Yaml::as_str);
        Self {
            events: events
                .and_then(|word| word.parse().ok())
                .unwrap_or(self.events),
            sample_started: share
                .filter(|share| (0.0..=1.0).contains(share))
                .unwrap_or(self.sample_started),
            fields,
            error_text: error_text
                .and_then(|word| {
                    ErrorText::CHOICES
                        .into_iter()
                        .find(|it| it.as_str() == word)
                })
                .unwrap_or(self.error_text),
        }
    }
}

/// Selection of the events of an operation that are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstrumentedEvents {
    /// Started, completed and failed.
    All,
    /// Completed and failed.
    Outcomes,
    /// Failed.
    Failures,
}

impl InstrumentedEvents {
    /// All choices, in the order that messages list them.
    pub(crate) const CHOICES: [Self; 3] = [Self::All, Self::Outcomes, Self::Failures];

    /// The word in contracts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Outcomes => "outcomes",
            Self::Failures => "failures",
        }
    }
}

impl FromStr for InstrumentedEvents {
    type Err = UnknownInstrumentedEvents;

    fn from_str(word: &str) -> Result<Self, UnknownInstrumentedEvents> {
        Self::CHOICES
            .into_iter()
            .find(|known| known.as_str() == word)
            .ok_or_else(|| UnknownInstrumentedEvents(word.to_owned()))
    }
}

/// Texts of errors in failed events and in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorText {
    /// Private values of the input are replaced.
    Masked,
    /// Only the type of the error is published.
    Omitted,
}

impl ErrorText {
    /// All choices, in the order that messages list them.
    pub(crate) const CHOICES: [Self; 2] = [Self::Masked, Self::Omitted];

    /// The word in contracts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Masked => "masked",
            Self::Omitted => "omitted",
        }
    }
}

/// Error for a word that names no choice of [`InstrumentedEvents`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` does not select events of an operation; use all, outcomes or failures")]
pub struct UnknownInstrumentedEvents(pub String);
