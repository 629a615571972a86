//! `fsm.unknown_state`: a state that is not in the list of states.

use std::collections::HashSet;

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::contract::Located;
use crate::node::Node;
use crate::text::{did_you_mean, quote};

pub(crate) static RULE: Rule = Rule {
    code: "fsm.unknown_state",
    severity: Severity::Warning,
    title: "a transition names an unknown state",
    docs: "Transitions go between the states of the list; `*` means any of them.",
    bad: "states:\n  names: [idle, running]\n  transitions: [{from: idle, to: runing}]",
    good: "states:\n  names: [idle, running]\n  transitions: [{from: idle, to: running}]",
};

/// Checks the ends of transitions. Initial and terminal states are checked where they are read.
pub(crate) fn check(node: &Node, diagnostics: &mut Vec<Diagnostic>) {
    let machine = node.states.as_ref();
    let Some(machine) = machine.filter(|machine| !machine.states.is_empty()) else {
        return;
    };
    let known: HashSet<&str> = machine.states.iter().map(String::as_str).collect();
    for transition in &machine.transitions {
        for end in [&transition.from, &transition.to] {
            if end.value != "*" && !known.contains(end.value.as_str()) {
                diagnostics.push(unknown(end, &machine.states, diagnostics));
            }
        }
    }
}

/// Reports a state that is not in the list of states.
pub(crate) fn unknown(
    state: &Located<String>,
    states: &[String],
    diagnostics: &[Diagnostic],
) -> Diagnostic {
    let help = did_you_mean(&state.value, states.iter().map(String::as_str), diagnostics);
    Diagnostic::new(
        &RULE,
        format!("{} is not one of the states", quote(&state.value)),
    )
    .at(state.location)
    .help(help.unwrap_or_else(|| "add it to the states".to_owned()))
}
