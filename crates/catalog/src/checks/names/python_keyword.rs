//! `names.python_keyword`: a name is a keyword of Python.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::contract::Format;
use crate::contract_file::ContractFile;
use crate::fields::Field;
use crate::ident::is_python_keyword;
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "names.python_keyword",
    severity: Severity::Warning,
    title: "a name is a Python keyword",
    docs: "Generated methods contain it in a longer name and work, but fields and variables of \
           that name can't be written in Python.",
    bad: "operations: [import]",
    good: "operations: [import_orders]",
};

/// Checks operations, payload fields of declared events, and fields of native definitions.
pub(crate) fn check(contract: &ContractFile, diagnostics: &mut Vec<Diagnostic>) {
    let node = &contract.node;
    for operation in node
        .operations
        .iter()
        .filter(|o| is_python_keyword(&o.ident))
    {
        diagnostics.push(
            Diagnostic::new(
                &RULE,
                format!(
                    "the operation {} is a Python keyword",
                    quote(&operation.name)
                ),
            )
            .at(operation.location)
            .help(format!(
                "name its object too, as in `{}_orders`",
                operation.ident
            )),
        );
    }
    for event in &contract.events {
        check_fields(&event.declared.payload, diagnostics);
    }
    if node.format == Format::Native {
        for definition in &node.definitions {
            check_fields(&definition.fields, diagnostics);
        }
    }
}

fn check_fields(fields: &[Field], diagnostics: &mut Vec<Diagnostic>) {
    for field in fields.iter().filter(|field| is_python_keyword(&field.name)) {
        diagnostics.push(
            Diagnostic::new(
                &RULE,
                format!("the field {} is a Python keyword", quote(&field.name)),
            )
            .at(field.location)
            .help(format!(
                "another name, such as `{}_`, is easier to use",
                field.name
            )),
        );
    }
}
