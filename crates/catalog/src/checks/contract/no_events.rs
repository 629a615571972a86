//! `contract.no_events`: a native contract that publishes nothing.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use super::shape::UNKNOWN_KEY;
use crate::contract::Format;
use crate::node::Node;

pub(crate) static RULE: Rule = Rule {
    code: "contract.no_events",
    severity: Severity::Error,
    title: "no operations and no events",
    docs: "A native contract without operations and events publishes nothing, so nothing can be \
           generated from it. A contract that only consumes is fine: it has `consumes`.",
    bad: "node_type: effect\nservice_name: orders\noperations: []",
    good: "node_type: effect\nservice_name: orders\noperations: [place]",
};

pub(crate) fn check(node: &Node, diagnostics: &mut Vec<Diagnostic>) {
    // An unknown key may be a misspelled `operations`.
    let is_explained = diagnostics
        .iter()
        .any(|diagnostic| diagnostic.rule == &UNKNOWN_KEY);
    if node.format == Format::Native
        && node.operations.is_empty()
        && node.declared().next().is_none()
        && node.consumed.is_empty()
        && !is_explained
    {
        diagnostics.push(
            Diagnostic::new(&RULE, "the contract has no operations and no events")
                .at(node.location)
                .help("add `operations: [name]`, declare `events`, or state what it `consumes`"),
        );
    }
}
