//! `lint.terminal_state_left`: transitions from terminal states.

use std::collections::HashSet;

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::node::Node;
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "lint.terminal_state_left",
    severity: Severity::Warning,
    title: "a transition leaves a terminal state",
    docs: "A terminal state is the end: consumers release what belongs to the work. One of the two \
           declarations is wrong.",
    bad: "node_type: effect\nservice_name: orders\nstates:\n  names: [busy, done]\n  terminal: [done]\n  transitions: [{from: busy, to: done}, {from: done, to: busy}]",
    good: "node_type: effect\nservice_name: orders\nstates:\n  names: [busy, done]\n  terminal: [done]\n  transitions: [{from: busy, to: done}]",
};

pub(crate) fn check(node: &Node, diagnostics: &mut Vec<Diagnostic>) {
    let Some(machine) = &node.states else { return };
    let terminal: HashSet<&String> = machine.terminal.iter().collect();
    for transition in &machine.transitions {
        let from = &transition.from;
        if terminal.contains(&from.value) && transition.to.value != from.value {
            diagnostics.push(
                Diagnostic::new(
                    &RULE,
                    format!(
                        "{} is terminal, and a transition leaves it",
                        quote(&from.value)
                    ),
                )
                .at(from.location)
                .help("remove the transition, or the state from the terminal ones"),
            );
        }
    }
}
