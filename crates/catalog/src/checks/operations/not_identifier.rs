//! `operations.not_identifier`: an operation of an ONEX contract is not a valid identifier.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::contract::Format;
use crate::contract_file::ContractFile;
use crate::ident::{ident, is_identifier};
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "operations.not_identifier",
    severity: Severity::Info,
    title: "an operation's name is not a valid identifier",
    docs: "Event types keep the name. In identifiers a run of characters outside `[A-Za-z0-9_]` \
           becomes one `_`.",
    bad: "name: node_sessions\nio_operations: [{operation: session.index.read}]",
    good: "name: node_sessions\nio_operations: [{operation: session_index_read}]",
};

pub(crate) fn check(contract: &ContractFile, diagnostics: &mut Vec<Diagnostic>) {
    if contract.node.format != Format::Onex {
        return;
    }
    let mut operations = (contract.node.operations.iter()).filter(|one| !is_identifier(&one.name));
    let Some(operation) = operations.next() else {
        return;
    };
    // One for all of them: the rule for their names is the same.
    let name = &operation.name;
    let message = match operations.count() {
        0 => format!("the operation {} is not a valid identifier", quote(name)),
        more => format!(
            "the operation {} and {more} more are not valid identifiers",
            quote(name)
        ),
    };
    diagnostics.push(
        Diagnostic::new(&RULE, message)
            .at(operation.location)
            .help(format!(
                "methods are named {}, event types {}",
                quote(&ident(name)),
                quote(name)
            )),
    );
}
