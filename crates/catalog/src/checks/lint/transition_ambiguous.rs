//! `lint.transition_ambiguous`: two transitions of one state with the same trigger.

use std::collections::HashMap;

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::contract::Format;
use crate::node::Node;
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "lint.transition_ambiguous",
    severity: Severity::Warning,
    title: "a trigger leads to two states",
    docs: "From the same state, the same trigger leads to different states: which one is chance. \
           ONEX contracts are left alone, because their transitions may have conditions.",
    bad: "node_type: effect\nservice_name: orders\nstates:\n  names: [idle, busy, done]\n  transitions:\n    - {from: idle, to: busy, trigger: order}\n    - {from: idle, to: done, trigger: order}",
    good: "node_type: effect\nservice_name: orders\nstates:\n  names: [idle, busy, done]\n  transitions:\n    - {from: idle, to: busy, trigger: order}\n    - {from: idle, to: done, trigger: shutdown}",
};

pub(crate) fn check(node: &Node, diagnostics: &mut Vec<Diagnostic>) {
    let Some(machine) = node
        .states
        .as_ref()
        .filter(|_| node.format == Format::Native)
    else {
        return;
    };
    let mut known = HashMap::new();
    for transition in &machine.transitions {
        let Some(trigger) = transition.trigger.as_deref() else {
            continue;
        };
        let (from, to) = (&transition.from.value, &transition.to);
        let first = *known.entry((from, trigger)).or_insert(to);
        if first.value != to.value {
            diagnostics.push(
                Diagnostic::new(
                    &RULE,
                    format!(
                        "{} leads from {} to two states",
                        quote(trigger),
                        quote(from)
                    ),
                )
                .at(to.location)
                .label(first.location, "the other one")
                .help("give the transitions different triggers"),
            );
        }
    }
}
