//! `lint.description_missing`: declared events and operations without a description.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::node::Node;
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "lint.description_missing",
    severity: Severity::Info,
    title: "a declared event or an operation has no description",
    docs: "The description is what consumers read first: in generated docstrings, schemas and \
           catalogs. Off by default.",
    bad: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.placed",
    good: "node_type: effect\nservice_name: orders\nevents:\n  - {event_type: order.placed, description: An order was accepted.}",
};

pub(crate) fn check(node: &Node, diagnostics: &mut Vec<Diagnostic>) {
    let events = node.declared().map(|(event, _)| {
        (
            &event.event_type,
            event.description.as_ref(),
            event.location,
        )
    });
    let operations = node.operations.iter();
    let operations = operations.map(|one| (&one.name, one.description.as_ref(), one.location));
    for (name, description, location) in events.chain(operations) {
        if description.is_none() {
            diagnostics.push(
                Diagnostic::new(&RULE, format!("{} has no description", quote(name)))
                    .at(location)
                    .help("say in `description` what happened, and when it is published"),
            );
        }
    }
}
