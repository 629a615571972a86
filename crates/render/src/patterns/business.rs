//! Business metrics: values that a service records besides its operations.

use std::str::FromStr;

use serde::Serialize;

use crate::patterns::error::InvalidArgument;

/// Kind of a business metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricKind {
    /// Sum that only grows.
    Counter,
    /// Values of which percentiles are published.
    Distribution,
    /// Current value.
    Gauge,
}

impl MetricKind {
    /// All kinds, in the order of their names.
    pub const ALL: [Self; 3] = [Self::Counter, Self::Distribution, Self::Gauge];

    /// The name, lowercase.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Distribution => "distribution",
            Self::Gauge => "gauge",
        }
    }
}

impl FromStr for MetricKind {
    type Err = InvalidArgument;

    fn from_str(name: &str) -> Result<Self, InvalidArgument> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == name)
            .ok_or_else(|| InvalidArgument::UnknownMetricKind(name.to_owned()))
    }
}

/// Business metric, such as the number of placed orders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BusinessMetric {
    /// Its name, in any characters.
    pub name: String,
    /// Its kind.
    pub kind: MetricKind,
    /// Unit of its values, such as `EUR`.
    pub unit: String,
}

impl BusinessMetric {
    /// Creates a metric. The generator validates its name and unit.
    pub fn new(name: &str, kind: MetricKind, unit: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            unit: unit.to_owned(),
        }
    }
}
