//! `metric.events_removed`.

use crate::change::Change;
use crate::pairs::NodePair;
use crate::rule::{Check, breaking_rule};
use crate::rules::category_removed;
use herald_catalog::category::METRIC_EVENTS;

breaking_rule! {
    /// Metrics are not published any more.
    METRIC_EVENTS_REMOVED = "metric.events_removed",
    breaks: [CONSUMER, SOURCE],
    title: "metrics are not published any more",
    docs: "`include_metric_events` was switched off, or the kind of the node is gone.",
    before: "operations: [place]\n\
         include_metric_events: true",
    after: "operations: [place]\n\
         include_metric_events: false",
    safe: "operations: [place, cancel]\n\
         include_metric_events: true",
    no_witness: "Events are missing: no single value shows it.",
    check: Check::Node(check),
}

fn check(pair: &NodePair<'_>, changes: &mut Vec<Change>) {
    changes.extend(category_removed(
        &METRIC_EVENTS_REMOVED,
        &METRIC_EVENTS,
        pair,
    ));
}
