//! `definitions.name`: a name that no type can refer to. Reported by the field reader.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::fields::Type;
use crate::text::quote;
use crate::types::parse_type;
use crate::yaml::Key;

pub(crate) static RULE: Rule = Rule {
    code: "definitions.name",
    severity: Severity::Error,
    title: "the name of a definition can't be used as a type",
    docs: "Fields refer to definitions by name in their types. A name begins with an uppercase \
           letter, consists of ASCII letters, digits and `_`, and does not stand for another type, \
           as `Date` does.",
    bad: "node_type: effect\nservice_name: orders\noperations: [place]\ndefinitions:\n  customer: {fields: {id: uuid}}",
    good: "node_type: effect\nservice_name: orders\noperations: [place]\ndefinitions:\n  Customer: {fields: {id: uuid}}",
};

/// Reports a definition without fields and without a type.
pub(crate) fn empty(key: &Key) -> Diagnostic {
    let name = quote(&key.text);
    Diagnostic::new(
        &RULE,
        format!("the definition {name} has neither fields nor a type"),
    )
    .at(key.location)
    .help("add `fields: …` for an object, or `type: …` for single values")
}

/// Reports a named type that is not one of single values.
pub(crate) fn not_single(key: &Key, ty: &Type) -> Diagnostic {
    let (name, ty) = (quote(&key.text), quote(&ty.to_string()));
    Diagnostic::new(&RULE, format!("the definition {name} has the type {ty}"))
        .at(key.location)
        .help(
            "a definition is an object with `fields`, or a type of single values such as `string`",
        )
}

/// Reports the key of a definition that types can't refer to.
pub(crate) fn invalid(key: &Key) -> Diagnostic {
    let name = quote(&key.text);
    let (message, help) = match parse_type(&key.text) {
        Some(ty) if !matches!(ty, Type::Model(_)) => (
            format!("{name} stands for the type {}", quote(&ty.to_string())),
            "give the definition another name".to_owned(),
        ),
        _ => (
            format!("{name} is not a valid name of a definition"),
            "begin it with an uppercase letter; only ASCII letters, digits and `_` may follow"
                .to_owned(),
        ),
    };
    Diagnostic::new(&RULE, message).at(key.location).help(help)
}
