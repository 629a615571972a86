//! `operation.sampling_reduced`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::NodePair;
use crate::rule::{Check, breaking_rule};
use crate::rules::same_operations;

breaking_rule! {
    /// Fewer starts of an operation are published.
    OPERATION_SAMPLING_REDUCED = "operation.sampling_reduced",
    breaks: [CONSUMER],
    title: "fewer starts of an operation are published",
    docs: "`instrument.sample_started` is lower than before, so that operations complete or fail \
         without a start that consumers can find.",
    before: "operations:\n\
         \x20 - {name: place, instrument: {sample_started: 1}}",
    after: "operations:\n\
         \x20 - {name: place, instrument: {sample_started: 0.1}}",
    safe: "operations:\n\
         \x20 - {name: place, instrument: {sample_started: 1, fields: {team: shop}}}",
    no_witness: "Events are missing: no single value shows it.",
    check: Check::Node(check),
}

fn check(pair: &NodePair<'_>, changes: &mut Vec<Change>) {
    for (old, new) in same_operations(pair) {
        let (before, after) = (old.instrument.sample_started, new.instrument.sample_started);
        if after >= before {
            continue;
        }
        changes.push(
            Change::new(
                &OPERATION_SAMPLING_REDUCED,
                Directions::CONSUMER,
                format!(
                    "the start of `{}` is published for a share of {after} of its runs, before it was {before}",
                    old.name
                ),
            )
            .old(old.location, before.to_string())
            .new_at(new.location, after.to_string())
            .help("consumers that need every start must read `completed` and `failed` instead"),
        );
    }
}
