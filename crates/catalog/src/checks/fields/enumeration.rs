//! `fields.enum`: a list of values with entries that do not count.

use herald_diagnostics::{Diagnostic, Edit, Fix, Rule, Severity};

use crate::fields::Type;
use crate::text::quote;
use crate::yaml::Yaml;

pub(crate) static RULE: Rule = Rule {
    code: "fields.enum",
    severity: Severity::Warning,
    title: "a list of values does not fit its field",
    docs: "`enum` lists the texts or numbers that a field may be, each once. Text that looks like a number or \
           a boolean needs quotes.",
    bad: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.paid\n    payload: {size: {type: string, enum: [1, 2]}}",
    good: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.paid\n    payload: {size: {type: string, enum: ['1', '2']}}",
};

/// Reports values of a field that is not text.
pub(crate) fn not_text(ty: &Type, values: &Yaml) -> Diagnostic {
    Diagnostic::new(
        &RULE,
        format!(
            "`enum` lists texts or numbers, and the type of the field is {}; any value of it is \
             accepted",
            quote(&ty.to_string())
        ),
    )
    .at(values.head())
    .help("make the type `string`, `integer` or `number`, or remove the list")
}

/// Reports a value that YAML reads as a number or a boolean.
pub(crate) fn unquoted(text: &str, value: &Yaml) -> Diagnostic {
    Diagnostic::new(
        &RULE,
        format!(
            "{} is {}; it is taken as text",
            quote(text),
            value.describe()
        ),
    )
    .at(value.location)
    .help(format!("put it in quotes: \"{text}\""))
    .fix(Fix {
        title: "put the text in quotes",
        edits: vec![Edit {
            location: value.location,
            text: format!("\"{text}\""),
        }],
    })
}

/// Reports a value that is not a number, or not a whole one where the type is `integer`.
pub(crate) fn not_a_number(value: &Yaml) -> Diagnostic {
    let message = format!("{} is not a value of the type", value.describe());
    Diagnostic::new(&RULE, message)
        .at(value.location)
        .help("list numbers of the type of the field; texts need the type `string`")
}

/// Reports a value that is listed already.
pub(crate) fn repeated(text: &str, value: &Yaml) -> Diagnostic {
    Diagnostic::new(&RULE, format!("{} is listed twice", quote(text)))
        .at(value.location)
        .help("remove one of the two")
}
