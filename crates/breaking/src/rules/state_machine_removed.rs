//! `state.machine_removed`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::NodePair;
use crate::rule::{Check, breaking_rule};

breaking_rule! {
    /// The states of a node are gone.
    STATE_MACHINE_REMOVED = "state.machine_removed",
    breaks: [SOURCE],
    title: "the states of a node are gone",
    docs: "The generated module has no class of states and no state machine any more.",
    before: "operations: [place]\n\
         states: [idle, busy]",
    after: "operations: [place]",
    safe: "operations: [place]\n\
         states: [idle, busy, draining]",
    no_witness: "Generated code changes; events stay as they are.",
    check: Check::Node(check),
}

fn check(pair: &NodePair<'_>, changes: &mut Vec<Change>) {
    let (Some(old), None) = (&pair.old.states, &pair.new.states) else {
        return;
    };
    changes.push(
        Change::new(
            &STATE_MACHINE_REMOVED,
            Directions::SOURCE,
            "the node has no states any more: the generated class of its states is gone",
        )
        .old(old.location, "")
        .new_at(pair.new.location, "")
        .help("keep `states` until no code uses the generated class"),
    );
}
