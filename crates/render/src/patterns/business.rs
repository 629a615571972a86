//! Business metrics: values that a service records besides its operations.

use std::str::FromStr;

use serde::Serialize;

use crate::patterns::error::InvalidArgument;
use crate::python::prose::{sanitize, wrap};
use crate::python::text::escape;

/// Kind of a business metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// Indentation of the docstring of a method.
const DOC_INDENT: usize = 8;

/// Values that the template of a metric prints.
#[derive(Debug, Serialize)]
pub(crate) struct BusinessView {
    ident: String,
    name: String,
    unit: String,
    kind: &'static str,
    parameter: &'static str,
    summary: String,
    explained: &'static str,
    call: &'static str,
}

impl BusinessView {
    pub(crate) fn new(metric: &BusinessMetric, ident: String) -> Self {
        let (verb, parameter, explained, call) = match metric.kind {
            MetricKind::Counter => (
                "Add to the counter",
                "amount: float = 1",
                "amount: So much more.",
                "add(amount)",
            ),
            MetricKind::Distribution => (
                "Record a value of",
                "value: float",
                "value: What was measured, from 0.",
                "record(value)",
            ),
            MetricKind::Gauge => (
                "Set the gauge",
                "value: float",
                "value: What it is now.",
                "set(value)",
            ),
        };
        let (name, unit) = (sanitize(&metric.name), sanitize(&metric.unit));
        let sentence = format!("{verb} `{name}`, in `{unit}`.");
        Self {
            ident,
            name: escape(&metric.name),
            unit: escape(&metric.unit),
            kind: metric.kind.as_str(),
            parameter,
            summary: wrap(&sentence, DOC_INDENT + 3, DOC_INDENT),
            explained,
            call,
        }
    }
}
