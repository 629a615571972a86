//! Number of each event per request.
//!
//! A run of an operation publishes its start, and then that it completed or that it failed. Of
//! every sum over events each run is counted once, however it ends, so that totals are smaller than
//! the sum of what may become of their topics.

use herald_catalog::category::{METRIC_EVENTS, Occasion, STATE_EVENTS};
use herald_catalog::volume::Range;
use herald_catalog::{Event, Node};

/// Events of one source of a node.
#[derive(Clone, Debug, PartialEq)]
pub struct Rate {
    /// Source of the events.
    pub of: Happening,
    /// Occurrences per request.
    pub per_request: Range,
    /// Whether the contract sets the rate; otherwise it is assumed to be one.
    pub is_said: bool,
    /// Share of runs that fail; up to all of them if the contract does not set it.
    pub failure_ratio: Option<Range>,
    /// Condition of each of its events.
    pub events: Vec<(usize, When)>,
}

/// Source of events of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A run of the operation with this index.
    Operation(usize),
    /// A change of state.
    StateChange,
    /// A measured value.
    Metric,
    /// The declared event with this index in [`Node::events`].
    Declared(usize),
}

/// Condition under which an event is published.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// In this share of all cases.
    Share(f64),
    /// If a run completes.
    Completed,
    /// If a run fails.
    Failed,
}

/// The rates of a node, in the order of its events.
pub fn rates(node: &Node) -> Vec<Rate> {
    let of_operations = (0..node.operations.len()).map(|index| of_operation(node, index));
    let others = node.events.iter().enumerate();
    let others = others.filter_map(|(index, event)| other(node, index, event));
    let rates = of_operations.chain(others);
    rates.filter(|rate| !rate.events.is_empty()).collect()
}

/// The sum over all events of a request, each with its weight: `|_| 1.0` counts them.
pub fn per_request(rates: &[Rate], weight: impl Fn(usize) -> f64) -> Range {
    rates
        .iter()
        .map(|rate| rate.per_request * rate.each(&weight))
        .sum()
}

impl Rate {
    /// Share of all cases in which an event is published.
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

    /// The sum of weights of what happens once.
    fn each(&self, weight: &impl Fn(usize) -> f64) -> Range {
        // The sum grows or falls evenly with the share that fails, so its ends are those of the
        // share.
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
    let announced = events.filter_map(|(at, event)| {
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
        of: Happening::Operation(index),
        per_request: operation.per_request.unwrap_or(Range::exactly(1.0)),
        is_said: operation.per_request.is_some(),
        failure_ratio: operation.failure_ratio.or(node.volume.failure_ratio),
        events: announced.collect(),
    }
}

fn other(node: &Node, index: usize, event: &Event) -> Option<Rate> {
    let (of, said, assumed) = match &event.declared {
        Some(declared) => (Happening::Declared(index), declared.per_request, 1.0),
        None if event.category == &STATE_EVENTS => {
            let said = node.volume.state_changes_per_request;
            (Happening::StateChange, said, 1.0)
        }
        None if event.category == &METRIC_EVENTS => of_metrics(node),
        None => return None,
    };
    Some(Rate {
        of,
        per_request: said.unwrap_or(Range::exactly(assumed)),
        is_said: said.is_some(),
        failure_ratio: None,
        events: vec![(index, When::Share(1.0))],
    })
}

/// Rate of all metrics together, otherwise of each; a metric without a rate is recorded once.
fn of_metrics(node: &Node) -> (Happening, Option<Range>, f64) {
    let of_each = || {
        let metrics = node.metrics.iter();
        let said = metrics.clone().any(|metric| metric.per_request.is_some());
        said.then(|| {
            metrics
                .map(|metric| metric.per_request.unwrap_or(Range::exactly(1.0)))
                .sum()
        })
    };
    let said = node.volume.metrics_per_request.or_else(of_each);
    #[expect(clippy::cast_precision_loss, reason = "a contract has no 2⁵³ metrics")]
    let assumed = node.metrics.len().max(1) as f64;
    (Happening::Metric, said, assumed)
}
