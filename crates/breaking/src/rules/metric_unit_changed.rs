//! `metric.unit_changed`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::NodePair;
use crate::rule::{Check, breaking_rule};

breaking_rule! {
    /// The unit of a metric changed.
    METRIC_UNIT_CHANGED = "metric.unit_changed",
    breaks: [CONSUMER, PRODUCER],
    title: "the unit of a metric changed",
    docs: "The numbers stay valid and mean something else: a threshold of 500 for milliseconds is \
         never reached by seconds. Give the metric in the new unit a new name.",
    before: "operations: [place]\n\
         metrics:\n\
         \x20 - {name: latency, unit: ms}",
    after: "operations: [place]\n\
         metrics:\n\
         \x20 - {name: latency, unit: s}",
    safe: "operations: [place]\n\
         metrics:\n\
         \x20 - {name: latency, unit: ms}\n\
         \x20 - {name: latency_seconds, unit: s}",
    no_witness: "Every number stays valid; only its meaning changes.",
    check: Check::Node(check),
}

fn check(pair: &NodePair<'_>, changes: &mut Vec<Change>) {
    for old in &pair.old.metrics {
        let name = &old.name.value;
        let Some(new) = pair.new.metrics.iter().find(|new| new.name.value == *name) else {
            continue;
        };
        if old.unit == new.unit {
            continue;
        }
        let text = |unit: &Option<String>| unit.as_deref().unwrap_or("no unit").to_owned();
        let (before, after) = (text(&old.unit), text(&new.unit));
        changes.push(
            Change::new(
                &METRIC_UNIT_CHANGED,
                Directions::ALL,
                format!("the metric `{name}` was in {before} and is in {after}"),
            )
            .old(old.name.location, before)
            .new_at(new.name.location, after)
            .help("record the new unit under a new name, beside the old metric"),
        );
    }
}
