//! `state.removed`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::NodePair;
use crate::rule::{Check, breaking_rule};

breaking_rule! {
    /// A state is gone.
    STATE_REMOVED = "state.removed",
    breaks: [PRODUCER, SOURCE],
    title: "a state is gone",
    docs: "Retained events name the state, and the new contract does not know it. Code that uses \
         its constant no longer compiles.",
    before: "operations: [place]\n\
         states: [idle, busy, draining]",
    after: "operations: [place]\n\
         states: [idle, busy]",
    safe: "operations: [place]\n\
         states: [idle, busy, draining, stopped]",
    no_witness: "The payload of `state.changed` is text for every contract; the state in it is one that the new contract does not list.",
    check: Check::Node(check),
}

fn check(pair: &NodePair<'_>, changes: &mut Vec<Change>) {
    let (Some(old), Some(new)) = (&pair.old.states, &pair.new.states) else {
        return;
    };
    for state in old
        .states
        .iter()
        .filter(|state| !new.states.contains(state))
    {
        changes.push(
            Change::new(
                &STATE_REMOVED,
                Directions::ALL,
                format!("the state `{state}` is gone"),
            )
            .old(old.location, state)
            .new_at(new.location, "")
            .help("keep the state until no retained event names it"),
        );
    }
}
