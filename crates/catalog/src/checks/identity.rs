//! `identity.*`: the name of the node.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::contract::Format;
use crate::contract_file::ContractFile;
use crate::ident::{is_identifier, slug};
use crate::text::quote;

pub(super) static RULES: &[&Rule] = &[&NAME_MISSING, &NAME_NOT_IDENTIFIER];

/// Reported by the table of native contracts too.
pub(crate) static NAME_MISSING: Rule = Rule {
    code: "identity.name_missing",
    severity: Severity::Error,
    title: "the node has no name",
    docs: "`service_name` (in ONEX contracts `name`, `contract_name` or `node_name`) is part of \
           topics, files and classes.",
    bad: "node_type: effect\noperations: [place]",
    good: "node_type: effect\nservice_name: orders\noperations: [place]",
};

static NAME_NOT_IDENTIFIER: Rule = Rule {
    code: "identity.name_not_identifier",
    severity: Severity::Warning,
    title: "the node's name is not a valid identifier",
    docs: "Files and classes are named after the node: characters other than letters, digits and \
           `_` become `_` there.",
    bad: "name: MCP Handler",
    good: "name: mcp_handler",
};

/// Checks the name of an ONEX contract, where a missing one is only a warning.
pub(crate) fn check(contract: &ContractFile, diagnostics: &mut Vec<Diagnostic>) {
    if contract.node.format != Format::Onex {
        return;
    }
    match &contract.name {
        None => {
            let mut diagnostic = Diagnostic::new(&NAME_MISSING, "the contract has no name")
                .at(contract.node.location)
                .help("add `name`; until then the file's name is used");
            diagnostic.severity = Severity::Warning;
            diagnostics.push(diagnostic);
        }
        Some(name) if !is_identifier(&name.value) => diagnostics.push(
            Diagnostic::new(
                &NAME_NOT_IDENTIFIER,
                format!("the name {} is not a valid identifier", quote(&name.value)),
            )
            .at(name.location)
            .help(format!(
                "files and topics are named {}",
                quote(&slug(&name.value))
            )),
        ),
        Some(_) => {}
    }
}
