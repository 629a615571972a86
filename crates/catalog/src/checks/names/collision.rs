//! `names.collision`: two names become one identifier. Reported where identifiers are assigned.

use herald_diagnostics::{Diagnostic, Location, Rule, Severity};

use crate::contract::Format;
use crate::ident::ident;
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "names.collision",
    severity: Severity::Error,
    title: "two names become one identifier",
    docs: "Generated methods and constants are named after operations and events; case is not \
           enough to tell two apart, because constants are in uppercase.",
    bad: "operations: [order.place, order_place]",
    good: "operations: [order.place, order_replace]",
};

/// Reports two names with one identifier. Names of ONEX contracts were not chosen for code, so
/// there it is a warning, and one of the identifiers gets a number.
pub(crate) fn collision(
    format: Format,
    first: (&str, Location),
    second: (&str, Location),
) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(
        &RULE,
        format!(
            "{} and {} both become the identifier {}",
            quote(first.0),
            quote(second.0),
            quote(&ident(second.0).to_ascii_lowercase())
        ),
    )
    .at(second.1)
    .label(first.1, "the other one is here")
    .help("rename one of the two");
    if format == Format::Onex {
        diagnostic.severity = Severity::Warning;
    }
    diagnostic
}
