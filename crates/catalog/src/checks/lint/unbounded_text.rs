//! `lint.unbounded_text`: public texts of any length.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use super::{any_type, published_fields};
use crate::fields::Type;
use crate::node::Node;
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "lint.unbounded_text",
    severity: Severity::Info,
    title: "a text has no maximum length",
    docs: "An event has to fit into a message of Kafka (1 MB by default), and into the columns of \
           those who store it. Off by default.",
    bad: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.placed\n    payload: {note: string}",
    good: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.placed\n    payload: {note: {type: string, max_length: 500}}",
};

pub(crate) fn check(node: &Node, diagnostics: &mut Vec<Diagnostic>) {
    for published in published_fields(node) {
        let field = published.field;
        let is_text = |ty: &Type| *ty == Type::String;
        let items = field.limits.items.as_deref();
        let has_limit = [Some(&field.limits), items]
            .into_iter()
            .flatten()
            .any(|limits| limits.max_length.is_some() || limits.pattern.is_some());
        if any_type(&field.ty, &is_text) && !has_limit {
            diagnostics.push(
                Diagnostic::new(
                    &RULE,
                    format!(
                        "{} in {} has no maximum length",
                        quote(&field.name),
                        published.owner
                    ),
                )
                .at(field.location)
                .help("set `max_length`, a `pattern` or an `enum`"),
            );
        }
    }
}
