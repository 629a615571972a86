//! `lint.state_without_exit`: states that can't be left and are not terminal.

use std::collections::HashSet;

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::node::Node;
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "lint.state_without_exit",
    severity: Severity::Warning,
    title: "a state can't be left and is not terminal",
    docs: "A consumer that waits for a terminal state waits forever once the node is in this one. Machines \
           without terminal states or without transitions are left alone.",
    bad: "node_type: effect\nservice_name: orders\nstates:\n  names: [idle, stuck, done]\n  terminal: [done]\n  transitions: [{from: idle, to: stuck}, {from: idle, to: done}]",
    good: "node_type: effect\nservice_name: orders\nstates:\n  names: [idle, stuck, done]\n  terminal: [stuck, done]\n  transitions: [{from: idle, to: stuck}, {from: idle, to: done}]",
};

pub(crate) fn check(node: &Node, diagnostics: &mut Vec<Diagnostic>) {
    let Some(machine) = &node.states else { return };
    if machine.terminal.is_empty() || machine.transitions.is_empty() {
        return;
    }
    let terminal: HashSet<&String> = machine.terminal.iter().collect();
    let next = machine.next_states();
    for state in &machine.states {
        let starts = [state.as_str(), "*"].into_iter();
        let mut ends = starts.filter_map(|from| next.get(from)).flatten();
        if ends.any(|end| end != state) || terminal.contains(state) {
            continue;
        }
        diagnostics.push(
            Diagnostic::new(
                &RULE,
                format!("no transition leaves the state {}", quote(state)),
            )
            .at(machine.location)
            .help("add a transition, or list it as terminal"),
        );
    }
}
