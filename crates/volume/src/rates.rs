//! Events per request.
//!
//! A run of an operation publishes its start, and then that it completed or failed. Sums count each
//! run once, however it ends, so that totals are smaller than the sum over the topics.

use herald_catalog::category::{METRIC_EVENTS, Occasion, STATE_EVENTS};
use herald_catalog::volume::Range;
use herald_catalog::{Event, Node};

/// Rate of an occurrence, such as a run of an operation, with the events that it publishes.
#[derive(Clone, Debug, PartialEq)]
pub struct Rate {
    /// Occurrence.
    pub trigger: Trigger,
    /// Number of occurrences per request.
    pub per_request: Range,
    /// Whether the contract sets the number, as opposed to an assumed one.
    pub is_declared: bool,
    /// Share of runs that fail; if it is `None`, any share is assumed possible.
    pub failure_ratio: Option<Range>,
    /// Events by index, each with its condition.
    pub events: Vec<(usize, When)>,
}

/// Trigger of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// A run of the operation with this index.
    Operation(usize),
    /// A change of state.
    StateChange,
    /// A measured value.
    Metric,
    /// The declared event with this index in [`Node::events`].
    Declared(usize),
}

/// Condition on which an event is published.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// This share of all cases.
    Share(f64),
    /// A run completes.
    Completed,
    /// A run fails.
    Failed,
}

/// Returns the rates of a node, in the order of its events.
pub fn rates(node: &Node) -> Vec<Rate> {
    let of_operations = (0..node.operations.len()).map(|index| of_operation(node, index));
    let others = node.events.iter().enumerate();
    let others = others.filter_map(|(index, event)| other(node, index, event));
    let rates = of_operations.chain(others);
    rates.filter(|rate| !rate.events.is_empty()).collect()
}

/// Returns the weighted sum of the events of a request; the weight `|_| 1.0` counts them.
pub fn per_request(rates: &[Rate], weight: impl Fn(usize) -> f64) -> Range {
    rates
        .iter()
        .map(|rate| rate.per_request * rate.each(&weight))
        .sum()
}

impl Rate {
    /// Returns the share of all cases in which an event is published.
    pub fn share(&self, when: When) -> Range {
        let failed = self.failed();
        match when {
            When::Share(share) => Range::exactly(share),
            When::Completed => Range::between(1.0 - failed.low, 1.0 - failed.high),
            When::Failed => failed,
        }
    }

    fn failed(&self) -> Range {
        self.failure_ratio.unwrap_or(Range::between(0.0, 1.0))
    }

    /// Returns the weighted sum of the events of one occurrence.
    fn each(&self, weight: &impl Fn(usize) -> f64) -> Range {
        // The sum is linear in the share of failures, so its extremes are at the ends of the range.
        let with = |failed: f64| -> f64 {
            let shares = self.events.iter().map(|(event, when)| {
                weight(*event)
                    * match when {
                        When::Share(share) => *share,
                        When::Completed => 1.0 - failed,
                        When::Failed => failed,
                    }
            });
            shares.sum()
        };
        let failed = self.failed();
        Range::between(with(failed.low), with(failed.high))
    }
}

fn of_operation(node: &Node, index: usize) -> Rate {
    let operation = &node.operations[index];
    let instrument = &operation.instrument;
    let events = node.events.iter().enumerate();
    let events = events.filter(|(_, event)| event.operation == Some(index));
    let published = events.filter_map(|(at, event)| {
        let occasion = event.stage?.occasion;
        let when = match occasion {
            Occasion::Start => When::Share(instrument.sample_started),
            Occasion::Completion => When::Completed,
            Occasion::Failure => When::Failed,
            Occasion::Always => When::Share(1.0),
        };
        occasion
            .is_published(instrument.events)
            .then_some((at, when))
    });
    Rate {
        trigger: Trigger::Operation(index),
        per_request: operation.per_request.unwrap_or(Range::exactly(1.0)),
        is_declared: operation.per_request.is_some(),
        failure_ratio: operation.failure_ratio.or(node.volume.failure_ratio),
        events: published.collect(),
    }
}

fn other(node: &Node, index: usize, event: &Event) -> Option<Rate> {
    let (trigger, declared_rate, assumed) = match &event.declared {
        Some(declared) => (Trigger::Declared(index), declared.per_request, 1.0),
        None if event.category == &STATE_EVENTS => {
            let declared_rate = node.volume.state_changes_per_request;
            (Trigger::StateChange, declared_rate, 1.0)
        }
        None if event.category == &METRIC_EVENTS => of_metrics(node),
        None => return None,
    };
    Some(Rate {
        trigger,
        per_request: declared_rate.unwrap_or(Range::exactly(assumed)),
        is_declared: declared_rate.is_some(),
        failure_ratio: None,
        events: vec![(index, When::Share(1.0))],
    })
}

/// Returns the declared rate of all metrics, else the sum of the rates of each metric, 1 for a metric
/// without a rate.
fn of_metrics(node: &Node) -> (Trigger, Option<Range>, f64) {
    let of_each = || {
        let metrics = node.metrics.iter();
        let is_declared = metrics.clone().any(|metric| metric.per_request.is_some());
        is_declared.then(|| {
            metrics
                .map(|metric| metric.per_request.unwrap_or(Range::exactly(1.0)))
                .sum()
        })
    };
    let declared_rate = node.volume.metrics_per_request.or_else(of_each);
    #[expect(clippy::cast_precision_loss, reason = "a contract has no 2⁵³ metrics")]
    let assumed = node.metrics.len().max(1) as f64;
    (Trigger::Metric, declared_rate, assumed)
}
