//! `lint.state_unreachable`: states that no transition leads to.

use std::collections::HashSet;

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::node::Node;
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "lint.state_unreachable",
    severity: Severity::Warning,
    title: "no transition leads to a state",
    docs: "From the initial state, no way of transitions ends in the state: a transition is \
           missing, or the state is left over. Machines without an initial state or without \
           transitions are left alone.",
    bad: "node_type: effect\nservice_name: orders\nstates:\n  names: [idle, busy, paused]\n  initial: idle\n  transitions: [{from: idle, to: busy}, {from: busy, to: idle}]",
    good: "node_type: effect\nservice_name: orders\nstates:\n  names: [idle, busy]\n  initial: idle\n  transitions: [{from: idle, to: busy}, {from: busy, to: idle}]",
};

pub(crate) fn check(node: &Node, diagnostics: &mut Vec<Diagnostic>) {
    let Some(machine) = &node.states else { return };
    let Some(initial) = machine.initial.as_deref() else {
        return;
    };
    let known: HashSet<&String> = machine.states.iter().collect();
    let is_known = |state: &String| state == "*" || known.contains(state);
    let mut ends = (machine.transitions.iter())
        .flat_map(|transition| [&transition.from.value, &transition.to.value]);
    // A misspelled state is reported as such.
    if machine.transitions.is_empty() || !ends.all(is_known) {
        return;
    }
    let next = machine.next_states();
    let mut reached: HashSet<&str> = HashSet::from([initial]);
    let mut open = vec!["*", initial];
    while let Some(state) = open.pop() {
        let ends = next.get(state).into_iter().flatten();
        open.extend(ends.filter(|end| reached.insert(end)));
    }
    for state in machine
        .states
        .iter()
        .filter(|state| !reached.contains(state.as_str()))
    {
        diagnostics.push(
            Diagnostic::new(
                &RULE,
                format!("no transition leads to the state {}", quote(state)),
            )
            .at(machine.location)
            .help(format!(
                "add a transition to it, or remove it; the initial state is {}",
                quote(initial)
            )),
        );
    }
}
