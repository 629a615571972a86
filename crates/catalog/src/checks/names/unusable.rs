//! `names.unusable`: a name without any letter or digit.

use herald_diagnostics::{Diagnostic, Location, Rule, Severity};

use crate::contract_file::ContractFile;
use crate::ident::{ident, is_meaningful};
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "names.unusable",
    severity: Severity::Error,
    title: "a name can't be turned into an identifier",
    docs: "Identifiers consist of ASCII letters, digits and `_`. A name without any letter or digit \
           leaves nothing to call.",
    bad: "operations: [\"***\"]",
    good: "operations: [star]",
};

/// Checks the names of the node, its operations and its declared events.
pub(crate) fn check(contract: &ContractFile, diagnostics: &mut Vec<Diagnostic>) {
    let node = contract
        .name
        .iter()
        .map(|name| (&*name.value, name.location));
    let operations = contract.node.operations.iter();
    let events = contract.events.iter();
    let event_types: Vec<_> = events
        .map(|event| (event.event_type().0, event.location))
        .collect();
    let names = node
        .chain(operations.map(|operation| (&*operation.name, operation.location)))
        .chain(
            event_types
                .iter()
                .map(|(name, location)| (&**name, *location)),
        );
    for (name, location) in names.filter(|(name, _)| !is_meaningful(&ident(name))) {
        diagnostics.push(unusable(name, location));
    }
}

fn unusable(name: &str, location: Location) -> Diagnostic {
    Diagnostic::new(
        &RULE,
        format!(
            "the name {} can't be turned into an identifier",
            quote(name)
        ),
    )
    .at(location)
    .help("use at least one ASCII letter or digit")
}
