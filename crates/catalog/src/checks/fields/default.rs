//! `fields.default`: a default that its own field does not accept.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::fields::{Limits, Type};
use crate::value;
use crate::yaml::Yaml;

pub(crate) static RULE: Rule = Rule {
    code: "fields.default",
    severity: Severity::Error,
    title: "a default is not a value of its field",
    docs: "The default of a field has to be of its type, and within its limits. `null` means that \
           there is no default.",
    bad: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.paid\n    payload: {count: {type: integer, default: one}}",
    good: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.paid\n    payload: {count: {type: integer, default: 1}}",
};

/// Reports a default that is not of the type `ty`; `problem` is the message.
pub(crate) fn mismatch(problem: String, written: &Yaml, ty: &Type) -> Diagnostic {
    let plain = written.as_text().filter(|_| written.as_str().is_none());
    let problem_as_text = value::mismatch(
        ty,
        &Limits::default(),
        &plain.unwrap_or_default().into(),
        &[],
        "",
    );
    let help = match (plain, problem_as_text) {
        (Some(text), None) if text.len() <= 40 => format!("put it in quotes: \"{text}\""),
        _ => "change the default, or the type".to_owned(),
    };
    Diagnostic::new(&RULE, problem)
        .at(written.head())
        .help(help)
}
