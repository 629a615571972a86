//! `fields.json_schema`: a JSON Schema of a field that can't be used.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::yaml::Yaml;

pub(crate) static RULE: Rule = Rule {
    code: "fields.json_schema",
    severity: Severity::Error,
    title: "the JSON Schema of a field can't be used",
    docs: "`json_schema` restricts values besides the type. It is a schema of draft 2020-12 without \
           `$ref`.",
    bad: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.paid\n    payload: {size: {type: 'list[any]', json_schema: {prefixItems: integer}}}",
    good: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.paid\n    payload: {size: {type: 'list[any]', json_schema: {prefixItems: [{type: integer}]}}}",
};

/// Reports a schema that is not valid.
pub(crate) fn invalid(problem: &str, yaml: &Yaml) -> Diagnostic {
    Diagnostic::new(&RULE, format!("this schema can't be used: {problem}"))
        .at(yaml.head())
        .help("write a JSON Schema of draft 2020-12 without `$ref`")
}
