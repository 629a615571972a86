//! `lint.unbounded_list`: public lists of any size.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use super::{any_type, published_fields};
use crate::fields::Type;
use crate::node::Node;
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "lint.unbounded_list",
    severity: Severity::Info,
    title: "a list has no maximum size",
    docs: "A list grows until the event no longer fits into a message of Kafka (1 MB by default). \
           Off by default.",
    bad: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.placed\n    payload: {lines: 'list[uuid]'}",
    good: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.placed\n    payload: {lines: {type: 'list[uuid]', max_items: 100}}",
};

pub(crate) fn check(node: &Node, diagnostics: &mut Vec<Diagnostic>) {
    for published in published_fields(node) {
        let field = published.field;
        let is_list = |ty: &Type| matches!(ty, Type::List(_));
        if any_type(&field.ty, &is_list) && field.limits.max_items.is_none() {
            diagnostics.push(
                Diagnostic::new(
                    &RULE,
                    format!(
                        "{} in {} has no maximum size",
                        quote(&field.name),
                        published.owner
                    ),
                )
                .at(field.location)
                .help("set `max_items`"),
            );
        }
    }
}
