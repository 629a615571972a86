//! `events.reserved_field`: a payload field named `metadata`.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::contract_file::ContractFile;

pub(crate) static RULE: Rule = Rule {
    code: "events.reserved_field",
    severity: Severity::Warning,
    title: "a payload field has the name of metadata",
    docs: "Publish methods take `metadata` that a caller adds to one event, and put it into the \
           payload under that name. It would overwrite a declared field `metadata`.",
    bad: "events:\n  - event_type: order.placed\n    payload: {metadata: object}",
    good: "events:\n  - event_type: order.placed\n    payload: {details: object}",
};

pub(crate) fn check(contract: &ContractFile, diagnostics: &mut Vec<Diagnostic>) {
    let fields = contract.events.iter().flat_map(|e| &e.declared.payload);
    for field in fields.filter(|field| field.name == "metadata") {
        diagnostics.push(
            Diagnostic::new(
                &RULE,
                "the field `metadata` is overwritten by the metadata of the caller",
            )
            .at(field.location)
            .help("give it another name"),
        );
    }
}
