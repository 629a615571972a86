//! Expected event volume of a node, as its contract states it.

use std::iter::Sum;
use std::ops::{Add, Mul};
use std::time::Duration;

use herald_diagnostics::Diagnostic;

use crate::checks;
use crate::duration;
use crate::yaml::Yaml;

/// Range of an expected number, from the lowest to the highest value; both are equal when it is known
/// exactly. Never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Range {
    /// The lowest value.
    pub low: f64,
    /// The highest value.
    pub high: f64,
}

impl Range {
    /// A range between two numbers in any order.
    pub const fn between(one: f64, other: f64) -> Self {
        Self {
            low: one.min(other),
            high: one.max(other),
        }
    }

    /// A number that is known exactly.
    pub const fn exactly(number: f64) -> Self {
        Self::between(number, number)
    }

    /// Reads a number, or a list of the lowest and the highest. `None` for other values, which the
    /// table of the format reports.
    pub(crate) fn read(yaml: &Yaml, diagnostics: &mut Vec<Diagnostic>) -> Option<Self> {
        let number = |yaml: &Yaml| yaml.as_f64().filter(|number| *number >= 0.0);
        let [low, high] = yaml.items() else {
            return number(yaml).map(Self::exactly);
        };
        let range = (number(low)?, number(high)?);
        if range.0 > range.1 {
            diagnostics.push(checks::volume::reversed(low, high));
        }
        Some(Self::between(range.0, range.1))
    }
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

/// Expected requests of a node, and settings of its topics unless they have their own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Volume {
    /// Requests per second.
    pub requests_per_second: Option<Range>,
    /// Changes of state in a request.
    pub state_changes_per_request: Option<Range>,
    /// Measured values of all metrics in a request.
    pub metrics_per_request: Option<Range>,
    /// Share of runs that fail, for operations without a share of their own.
    pub failure_ratio: Option<Range>,
    /// Retention of events.
    pub retention: Option<Duration>,
    /// Number of replicas.
    pub replication_factor: Option<u32>,
    /// Bytes per second for one partition.
    pub partition_bytes_per_second: Option<u32>,
    /// Events per second that one consumer handles.
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
                .and_then(|text| duration::parse(text).ok()),
            replication_factor: number("replication_factor"),
            partition_bytes_per_second: number("partition_bytes_per_second"),
            consumer_events_per_second: number("consumer_events_per_second"),
        }
    }
}
