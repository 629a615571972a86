//! `lint.untyped_field`: public fields of any type.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use super::published_fields;
use crate::contract::Format;
use crate::fields::Type;
use crate::node::Node;
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "lint.untyped_field",
    severity: Severity::Info,
    title: "a public field has no type",
    docs: "Consumers can't know what they will find, and no change of it is ever found to break \
           them. ONEX contracts are left alone: the types of their fields are in Python.",
    bad: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.placed\n    payload: {total: any}",
    good: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.placed\n    payload: {total: decimal}",
};

pub(crate) fn check(node: &Node, diagnostics: &mut Vec<Diagnostic>) {
    if node.format != Format::Native {
        return;
    }
    for published in published_fields(node) {
        let field = published.field;
        if field.ty == Type::Any {
            diagnostics.push(
                Diagnostic::new(
                    &RULE,
                    format!(
                        "{} in {} may be anything",
                        quote(&field.name),
                        published.owner
                    ),
                )
                .at(field.location)
                .help("give it a type, or `map[any]` for an object of unknown fields"),
            );
        }
    }
}
