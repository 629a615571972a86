//! What an instrumented operation announces, and how often.

use serde_json::Value;

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
    /// The word in contracts.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Outcomes => "outcomes",
            Self::Failures => "failures",
        }
    }
}
