//! `state.transition_removed`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::NodePair;
use crate::rule::{Check, breaking_rule};

breaking_rule! {
    /// A transition between states is not legal any more.
    STATE_TRANSITION_REMOVED = "state.transition_removed",
    breaks: [PRODUCER, SOURCE],
    title: "a transition between states is not legal any more",
    docs: "The generated state machine refuses the transition at run time, and retained events that \
         made it are illegal by the new contract.",
    before: "operations: [place]\n\
         states:\n\
         \x20 names: [idle, busy]\n\
         \x20 transitions:\n\
         \x20   - {from: idle, to: busy}\n\
         \x20   - {from: busy, to: idle}",
    after: "operations: [place]\n\
         states:\n\
         \x20 names: [idle, busy]\n\
         \x20 transitions:\n\
         \x20   - {from: idle, to: busy}",
    safe: "operations: [place]\n\
         states:\n\
         \x20 names: [idle, busy]\n\
         \x20 transitions:\n\
         \x20   - {from: '*', to: busy}\n\
         \x20   - {from: '*', to: idle}",
    no_witness: "The payload of `state.changed` is text for every contract; the transition is one that the new contract does not list.",
    check: Check::Node(check),
}

fn check(pair: &NodePair<'_>, changes: &mut Vec<Change>) {
    let (Some(old), Some(new)) = (&pair.old.states, &pair.new.states) else {
        return;
    };
    // Without transitions every one is legal.
    if new.transitions.is_empty() {
        return;
    }
    for transition in &old.transitions {
        let (from, to) = (&transition.from.value, &transition.to.value);
        let is_legal = new.transitions.iter().any(|legal| {
            legal.to.value == *to && (legal.from.value == *from || legal.from.value == "*")
        });
        // States that are gone are reported as such.
        let is_known = |state: &String| state == "*" || new.states.contains(state);
        if is_legal || !is_known(from) || !is_known(to) {
            continue;
        }
        changes.push(
            Change::new(
                &STATE_TRANSITION_REMOVED,
                Directions::ALL,
                format!("the transition from `{from}` to `{to}` is not legal any more"),
            )
            .old(transition.to.location, format!("{from} to {to}"))
            .new_at(new.location, "")
            .help("keep the transition until no running instance makes it"),
        );
    }
}
