//! `types.*`: types of fields that Herald does not know. Reported by the field reader.

use herald_diagnostics::{Diagnostic, Location, Rule, Severity};

use crate::text::{did_you_mean, quote};

pub(super) static RULES: &[&Rule] = &[&NOT_UNDERSTOOD, &NOT_DEFINED];

static NOT_UNDERSTOOD: Rule = Rule {
    code: "types.not_understood",
    severity: Severity::Error,
    title: "a type is not understood",
    docs: "Known are `string`, `integer`, \
           `number`, `boolean`, `uuid`, `datetime`, `date`, `decimal`, `bytes`, `object`, `any`, \
           `list[T]`, `map[T]`, `T | null`, their Python spellings, and names of definitions. A value of any type is `any`. In ONEX \
           contracts this is a warning, and any value passes.",
    bad: "events:\n  - event_type: order.paid\n    payload: {total: floot}",
    good: "events:\n  - event_type: order.paid\n    payload: {total: float}",
};

static NOT_DEFINED: Rule = Rule {
    code: "types.not_defined",
    severity: Severity::Error,
    title: "a type names a definition that does not exist",
    docs: "Names in `PascalCase` refer to the \
           contract's `definitions`; a model that only your code knows is named with its module.",
    bad: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.paid\n    payload: {customer: Custmer}\ndefinitions:\n  Customer: {fields: {id: uuid}}",
    good: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.paid\n    payload: {customer: Customer, cart: shop.models.Cart}\ndefinitions:\n  Customer: {fields: {id: uuid}}",
};

/// Reports a type expression that can't be parsed; `known` are the words it may have meant.
pub(crate) fn not_understood<'a>(
    spelling: &str,
    location: Location,
    known: impl Iterator<Item = &'a str>,
    diagnostics: &[Diagnostic],
) -> Diagnostic {
    let help = did_you_mean(spelling, known, diagnostics).unwrap_or_else(|| {
        "explain it in `description` and give it a type such as `string`".to_owned()
    });
    Diagnostic::new(
        &NOT_UNDERSTOOD,
        format!("the type {} is not understood", quote(spelling)),
    )
    .at(location)
    .help(help)
}

/// Reports a name in `PascalCase` that no definition has; `known` are the words it may have meant.
pub(crate) fn not_defined<'a>(
    name: &str,
    location: Location,
    known: impl Iterator<Item = &'a str>,
    diagnostics: &[Diagnostic],
) -> Diagnostic {
    let help = did_you_mean(name, known, diagnostics).unwrap_or_else(|| {
        "add it to `definitions`, or name a model of your code with its module: `shop.Order`"
            .to_owned()
    });
    Diagnostic::new(
        &NOT_DEFINED,
        format!("there is no definition {}", quote(name)),
    )
    .at(location)
    .help(help)
}
