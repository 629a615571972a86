//! How much a node publishes, as its contract says.

use std::iter::Sum;
use std::ops::{Add, Mul};
use std::time::Duration;

use herald_diagnostics::Diagnostic;

use crate::duration;
use crate::rules;
use crate::yaml::Yaml;

/// From the least to the most; both are the same where it is known exactly. Nothing of it is
/// negative.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Range {
    /// The least.
    pub low: f64,
    /// The most.
    pub high: f64,
}

impl Range {
    /// From the one to the other, whichever is the least.
    pub const fn between(one: f64, other: f64) -> Self {
        Self {
            low: one.min(other),
            high: one.max(other),
        }
    }

    /// One number.
    pub const fn exactly(number: f64) -> Self {
        Self::between(number, number)
    }

    /// Reads a number, or a list of the lowest and the highest. Nothing for what is neither, which
    /// the format's table reports.
    pub(crate) fn read(yaml: &Yaml, diagnostics: &mut Vec<Diagnostic>) -> Option<Self> {
        let number = |yaml: &Yaml| yaml.as_f64().filter(|number| *number >= 0.0);
        let [low, high] = yaml.items() else {
            return number(yaml).map(Self::exactly);
        };
        let range = (number(low)?, number(high)?);
        if range.0 > range.1 {
            diagnostics.push(reversed(low, high));
        }
        Some(Self::between(range.0, range.1))
    }
}

fn reversed(low: &Yaml, high: &Yaml) -> Diagnostic {
    let text = |yaml: &Yaml| yaml.as_text().unwrap_or_default().to_owned();
    let (low_text, high_text) = (text(low), text(high));
    Diagnostic::new(
        &rules::VOLUME_RANGE,
        format!("the range ends at {high_text}, below its beginning {low_text}"),
    )
    .at(high.location)
    .label(low.location, "it begins here")
    .help(format!(
        "write the lower number first: `[{high_text}, {low_text}]`"
    ))
}

impl Add for Range {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            low: self.low + other.low,
            high: self.high + other.high,
        }
    }
}

impl Mul for Range {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        Self {
            low: self.low * other.low,
            high: self.high * other.high,
        }
    }
}

impl Mul<f64> for Range {
    type Output = Self;

    fn mul(self, factor: f64) -> Self {
        self * Self::exactly(factor)
    }
}

impl Sum for Range {
    fn sum<I: Iterator<Item = Self>>(ranges: I) -> Self {
        ranges.fold(Self::default(), Add::add)
    }
}

/// What a contract says of its node's requests, and of how its topics are kept where they don't
/// say it themselves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Volume {
    /// Requests that the node serves in a second.
    pub requests_per_second: Option<Range>,
    /// Changes of its state in a request.
    pub state_changes_per_request: Option<Range>,
    /// Measured values of all metrics in a request.
    pub metrics_per_request: Option<Range>,
    /// Share of runs that fail, of operations that don't say it.
    pub failure_ratio: Option<Range>,
    /// How long events are kept.
    pub retention: Option<Duration>,
    /// Number of replicas.
    pub replication_factor: Option<u32>,
    /// Bytes that one partition is to take in a second.
    pub partition_bytes_per_second: Option<u32>,
    /// Events that one consumer handles in a second.
    pub consumer_events_per_second: Option<u32>,
}

impl Volume {
    pub(crate) fn read(yaml: &Yaml, diagnostics: &mut Vec<Diagnostic>) -> Self {
        let mut range = |key: &str| Range::read(yaml.get(key)?, diagnostics);
        let number = |key: &str| u32::try_from(yaml.get(key)?.as_u64()?).ok();
        Self {
            requests_per_second: range("requests_per_second"),
            state_changes_per_request: range("state_changes_per_request"),
            metrics_per_request: range("metrics_per_request"),
            failure_ratio: range("failure_ratio"),
            retention: yaml
                .get("retention")
                .and_then(Yaml::as_str)
                .and_then(duration::parse),
            replication_factor: number("replication_factor"),
            partition_bytes_per_second: number("partition_bytes_per_second"),
            consumer_events_per_second: number("consumer_events_per_second"),
        }
    }
}
