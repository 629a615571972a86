//! `fields.no_value`: two limits that exclude every value.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::yaml::Yaml;

pub(crate) static RULE: Rule = Rule {
    code: "fields.no_value",
    severity: Severity::Error,
    title: "limits exclude every value",
    docs: "No value is at least one number and at most another when the first number is greater.",
    bad: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.paid\n    payload: {count: {type: integer, minimum: 10, maximum: 1}}",
    good: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.paid\n    payload: {count: {type: integer, minimum: 1, maximum: 10}}",
};

/// Reports the limits under the keys `low` and `high` of a field.
pub(crate) fn contradiction(field: &Yaml, low: &str, high: &str) -> Diagnostic {
    let at = |key: &str| {
        field
            .get(key)
            .map_or(field.location, |value| value.location)
    };
    Diagnostic::new(&RULE, format!("no value is within `{low}` and `{high}`"))
        .at(at(high))
        .label(at(low), "the other limit is here")
        .help("raise the one or lower the other")
}
