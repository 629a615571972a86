//! `fields.limit`: a limit that does not apply to the type of its field.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::fields::Type;
use crate::limits::Subject;
use crate::text::quote;
use crate::yaml::Yaml;

pub(crate) static RULE: Rule = Rule {
    code: "fields.limit",
    severity: Severity::Error,
    title: "a limit does not apply to its type",
    docs: "`minimum`, `maximum` and their exclusive forms apply to numbers, `min_length`, \
           `max_length` and `pattern` to texts, `min_items` and `max_items` to lists, `multiple_of` to \
           integers, `unique_items` to lists of single values. Limits of a \
           list's items stand in `items`.",
    bad: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.paid\n    payload: {name: {type: string, maximum: 80}}",
    good: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.paid\n    payload: {name: {type: string, max_length: 80}}",
};

/// Reports a limit of values that the type does not have.
pub(crate) fn wrong_subject(key: &str, ty: &Type, subject: Subject, value: &Yaml) -> Diagnostic {
    let (about, example) = match subject {
        Subject::Numbers => ("numbers", "`integer`, `number` or `decimal`"),
        Subject::Texts => ("texts", "`string`"),
        Subject::WholeNumbers => (
            "whole numbers (fractions have no exact multiples)",
            "`integer`",
        ),
        Subject::Lists => ("lists", "`list[…]`"),
        Subject::ListsOfScalars => (
            "lists of texts, numbers, booleans, dates or enumerations, which have one form each",
            "`list[string]`, for example",
        ),
    };
    Diagnostic::new(
        &RULE,
        format!(
            "`{key}` is a limit of {about}, and the type of the field is {}",
            quote(&ty.to_string())
        ),
    )
    .at(value.head())
    .help(format!("remove it, or make the type {example}"))
}

/// Reports fields of a type that is not an object.
pub(crate) fn not_object(ty: &Type, value: &Yaml) -> Diagnostic {
    Diagnostic::new(
        &RULE,
        format!(
            "`fields` are those of an object, and the type of the field is {}",
            quote(&ty.to_string())
        ),
    )
    .at(value.head())
    .help("remove the type, or make it `object`; the fields of a list's items stand in `items`")
}

/// Reports a limit of an integer with a fraction.
pub(crate) fn not_whole(key: &str, value: &Yaml) -> Diagnostic {
    Diagnostic::new(
        &RULE,
        format!("`{key}` of an integer has to be a whole number"),
    )
    .at(value.location)
    .help("round it, or make the type `number`")
}
