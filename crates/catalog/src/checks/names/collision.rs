//! `names.collision`: two names become one identifier. Reported where identifiers are assigned.

use herald_diagnostics::{Diagnostic, Location, Rule, Severity};

use crate::contract::Format;
use crate::ident::ident;
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "names.collision",
    severity: Severity::Error,
    title: "two names become one identifier",
    docs: "Generated methods and members of enumerations are named after operations and events; case \
           is not enough to tell two apart, because members are in uppercase. The method that \
           publishes a declared event is `publish_…`, which no operation can be.",
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
    let message = format!(
        "{} and {} both become the identifier {}",
        quote(first.0),
        quote(second.0),
        quote(&ident(second.0).to_ascii_lowercase())
    );
    diagnostic(format, message, first.1, second.1)
}

/// Reports an operation with the name of the method that publishes a declared event, which a method
/// of the operation would override.
pub(crate) fn method_collision(
    format: Format,
    event: (&str, Location),
    operation: (&str, Location),
) -> Diagnostic {
    let message = format!(
        "the operation {} has the name of the method that publishes {}",
        quote(operation.0),
        quote(event.0)
    );
    diagnostic(format, message, event.1, operation.1)
}

fn diagnostic(format: Format, message: String, first: Location, second: Location) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(&RULE, message)
        .at(second)
        .label(first, "the other one is here")
        .help("rename one of the two");
    if format == Format::Onex {
        diagnostic.severity = Severity::Warning;
    }
    diagnostic
}
