//! `operations.duplicate`: an operation is listed twice.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::contract_file::ContractFile;
use crate::ident::is_meaningful;
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "operations.duplicate",
    severity: Severity::Error,
    title: "an operation is listed twice",
    docs: "Each operation has three events, and each event a method of its own. Listing an \
           operation twice would generate the same methods twice.",
    bad: "operations: [place, cancel, place]",
    good: "operations: [place, cancel]",
};

pub(crate) fn check(contract: &ContractFile, diagnostics: &mut Vec<Diagnostic>) {
    let mut first = HashMap::new();
    let operations = &contract.node.operations;
    for operation in operations.iter().filter(|o| is_meaningful(&o.ident)) {
        match first.entry(&operation.name) {
            Entry::Vacant(entry) => {
                entry.insert(operation.location);
            }
            Entry::Occupied(entry) => diagnostics.push(
                Diagnostic::new(
                    &RULE,
                    format!("the operation {} is listed twice", quote(&operation.name)),
                )
                .at(operation.location)
                .label(*entry.get(), "first listed here")
                .help("remove one of the two"),
            ),
        }
    }
}
