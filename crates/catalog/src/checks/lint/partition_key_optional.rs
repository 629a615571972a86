//! `lint.partition_key_optional`: a partition key that events may lack.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::fields::Type;
use crate::node::Node;
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "lint.partition_key_optional",
    severity: Severity::Warning,
    title: "events may lack their partition key",
    docs: "An event without the field goes to the partition of its correlation id, and so passes \
           earlier events of the same thing: consumers see them in another order.",
    bad: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.placed\n    partition_key: order\n    payload: {order: {type: uuid, required: false}}",
    good: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.placed\n    partition_key: order\n    payload: {order: uuid}",
};

pub(crate) fn check(node: &Node, diagnostics: &mut Vec<Diagnostic>) {
    for (event, declared) in node.declared() {
        let Some(key) = &declared.partition_key else {
            continue;
        };
        let Some(field) = declared.payload.iter().find(|field| field.name == *key) else {
            continue;
        };
        let is_nullable =
            matches!(&field.ty, Type::Union(members) if members.contains(&Type::Null));
        if !is_nullable && (field.required || !field.may_be_null()) {
            continue;
        }
        let how = if is_nullable {
            "may be null"
        } else {
            "may be left out"
        };
        diagnostics.push(
            Diagnostic::new(
                &RULE,
                format!(
                    "the partition key {} of {} {how}",
                    quote(key),
                    quote(&event.event_type)
                ),
            )
            .at(field.location)
            .help("require the field, or take one that every event has"),
        );
    }
}
