//! `lint.unused_definition`: definitions that no field has for its type.

use std::collections::HashSet;

use herald_diagnostics::{Diagnostic, Rule, Severity};

use super::definitions_of;
use crate::contract::Format;
use crate::fields::Field;
use crate::node::Node;
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "lint.unused_definition",
    severity: Severity::Warning,
    title: "no field has the definition for its type",
    docs: "The definition is left over, or the field that should have its type does not. ONEX \
           contracts are left alone: their definitions may be used elsewhere.",
    bad: "node_type: effect\nservice_name: orders\nevents:\n  - {event_type: order.placed, payload: {to: string}}\ndefinitions:\n  Address: {fields: {town: string}}",
    good: "node_type: effect\nservice_name: orders\nevents:\n  - {event_type: order.placed, payload: {to: Address}}\ndefinitions:\n  Address: {fields: {town: string}}",
};

pub(crate) fn check(node: &Node, diagnostics: &mut Vec<Diagnostic>) {
    if node.format != Format::Native {
        return;
    }
    let payloads = node.declared().map(|(_, declared)| &declared.payload);
    let operations = node
        .operations
        .iter()
        .flat_map(|one| [&one.input, &one.result]);
    // A definition that only names itself is not used either.
    let others = node
        .definitions
        .iter()
        .map(|definition| (Some(&definition.name), &definition.fields));
    let groups = payloads
        .chain(operations)
        .map(|fields| (None, fields))
        .chain(others);
    let mut used: HashSet<&str> = HashSet::new();
    for (owner, fields) in groups {
        let names = fields
            .iter()
            .flat_map(|field: &Field| definitions_of(&field.ty));
        used.extend(names.filter(|name| owner.is_none_or(|owner| owner != name)));
    }
    let groups = node.definitions.iter().map(|it| (&it.name, it.location));
    let scalars = node.scalars.iter().map(|it| (&it.name, it.location));
    for (name, location) in groups.chain(scalars) {
        if !used.contains(name.as_str()) {
            let name = quote(name);
            diagnostics.push(
                Diagnostic::new(&RULE, format!("no field has the type {name}"))
                    .at(location)
                    .help("remove the definition, or use it"),
            );
        }
    }
}
