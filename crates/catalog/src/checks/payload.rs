//! `payload.*`: payloads that are defined outside of the contract. Reported by the field reader.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::text::quote;
use crate::yaml::Yaml;

pub(super) static RULES: &[&Rule] = &[&UNREADABLE, &NOT_EXPRESSED];

pub(super) static UNREADABLE: Rule = Rule {
    code: "payload.unreadable",
    severity: Severity::Error,
    title: "the schema of a payload can't be read",
    docs: "`{json_schema: FILE#/$defs/NAME}` names a JSON Schema (draft 2020-12) in a `.json` file \
           below the folder of the project, relative to the contract. References within the file are \
           followed; those to other files and addresses are not. The message contains the reason.",
    bad: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.paid\n    payload: {json_schema: 'https://example.com/order.json#/$defs/OrderPaid'}",
    good: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.paid\n    payload: {order_id: uuid}",
};

static NOT_EXPRESSED: Rule = Rule {
    code: "payload.not_expressed",
    severity: Severity::Info,
    title: "a part of a payload's schema has no type in contracts",
    docs: "A schema may say more than the types of contracts, with `prefixItems`, `not` or \
           `patternProperties` for instance. Values are validated by the schema itself, and generated \
           schemas repeat it; generated models have the nearest type.",
    bad: "# schemas/order.json: {\"properties\": {\"size\": {\"prefixItems\": [{\"type\": \"integer\"}, {\"type\": \"string\"}]}}}",
    good: "# schemas/order.json: {\"properties\": {\"size\": {\"items\": {\"type\": \"integer\"}}}}",
};

/// Reports a schema that can't be read.
pub(crate) fn unreadable(reference: &str, problem: &str, yaml: &Yaml) -> Diagnostic {
    Diagnostic::new(
        &UNREADABLE,
        format!("the schema {} can't be read: {problem}", quote(reference)),
    )
    .at(yaml.location)
    .help("write it as `FILE.json#/$defs/NAME`, with a path relative to the contract")
}

/// Reports a part of a schema that is kept as it is.
pub(crate) fn not_expressed(place: &str, what: &str, ty: &str, yaml: &Yaml) -> Diagnostic {
    Diagnostic::new(
        &NOT_EXPRESSED,
        format!("{}: contracts have no type for {what}", quote(place)),
    )
    .at(yaml.location)
    .help(format!(
        "values are validated by the schema itself; generated models have the type {}",
        quote(ty)
    ))
}

/// Reports how many parts of a schema are kept besides those that were reported.
pub(crate) fn more_not_expressed(document: &str, more: usize, yaml: &Yaml) -> Diagnostic {
    Diagnostic::new(
        &NOT_EXPRESSED,
        format!(
            "{more} more parts of {} have no type in contracts",
            quote(document)
        ),
    )
    .at(yaml.location)
    .help("values are validated by the schema itself")
}
