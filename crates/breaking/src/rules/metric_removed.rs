//! `metric.removed`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::NodePair;
use crate::rule::{Check, breaking_rule};

breaking_rule! {
    /// A metric is gone.
    METRIC_REMOVED = "metric.removed",
    breaks: [CONSUMER, SOURCE],
    title: "a metric is gone",
    docs: "Dashboards and alerts that use the metric get no values any more, and its generated \
         method is gone.",
    before: "operations: [place]\n\
         metrics: [latency, queue_length]",
    after: "operations: [place]\n\
         metrics: [latency]",
    safe: "operations: [place]\n\
         metrics: [latency, queue_length, retries]",
    no_witness: "Events are missing: no single value shows it.",
    check: Check::Node(check),
}

fn check(pair: &NodePair<'_>, changes: &mut Vec<Change>) {
    for metric in &pair.old.metrics {
        let name = &metric.name.value;
        if pair.new.metrics.iter().any(|new| new.name.value == *name) {
            continue;
        }
        changes.push(
            Change::new(
                &METRIC_REMOVED,
                Directions::ALL,
                format!("the metric `{name}` is gone"),
            )
            .old(metric.name.location, name)
            .new_at(pair.new.location, "")
            .help("record it until nothing reads it"),
        );
    }
}
