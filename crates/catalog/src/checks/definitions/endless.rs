//! `definitions.endless`: a definition of which no value can ever be complete.

use std::collections::{HashMap, HashSet};

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::contract::Format;
use crate::contract_file::ContractFile;
use crate::fields::{Definition, Field, Type};
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "definitions.endless",
    severity: Severity::Error,
    title: "a definition contains itself without end",
    docs: "A definition may contain itself in a list, a map, or where it can be left out or be \
           null. A required field of its own type would make every value endless.",
    bad: "node_type: effect\nservice_name: orders\noperations: [place]\ndefinitions:\n  Category: {fields: {parent: Category}}",
    good: "node_type: effect\nservice_name: orders\noperations: [place]\ndefinitions:\n  Category: {fields: {parent: Category | null}}",
};

pub(crate) fn check(contract: &ContractFile, diagnostics: &mut Vec<Diagnostic>) {
    if contract.node.format != Format::Native {
        return;
    }
    for (definition, field) in endless(&contract.node.definitions) {
        diagnostics.push(
            Diagnostic::new(
                &RULE,
                format!(
                    "the definition {} contains itself without end",
                    quote(&definition.name)
                ),
            )
            .at(field.location)
            .help("let it be null or left out, or make it a list"),
        );
    }
}

/// Returns the endless definitions, each with a field that never ends.
///
/// A worklist instead of a search along every path: definitions may refer to each other in
/// exponentially many ways, and contracts come from strangers. The time is linear in their size.
fn endless(definitions: &[Definition]) -> Vec<(&Definition, &Field)> {
    let required = |definition: &'_ Definition| -> Vec<usize> {
        let fields = definition.fields.iter().enumerate();
        fields
            .filter_map(|(index, field)| field.required.then_some(index))
            .collect()
    };
    let required: Vec<_> = definitions.iter().map(required).collect();
    // Number of required fields of each definition that are known to end.
    let mut finite_fields = vec![0; definitions.len()];
    let mut finite: HashSet<&str> = HashSet::new();
    let mut waiting: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut worklist: Vec<usize> = (0..definitions.len()).collect();
    let field = |index: usize, known: usize| -> Option<&Field> {
        Some(&definitions[index].fields[*required[index].get(known)?])
    };
    while let Some(index) = worklist.pop() {
        while field(index, finite_fields[index]).is_some_and(|f| is_finite(&f.ty, &finite)) {
            finite_fields[index] += 1;
        }
        if let Some(field) = field(index, finite_fields[index]) {
            for name in referenced(&field.ty) {
                waiting.entry(name).or_default().push(index);
            }
        } else if finite.insert(&definitions[index].name) {
            let name = definitions[index].name.as_str();
            worklist.extend(waiting.remove(name).unwrap_or_default());
        }
    }
    let indices = 0..definitions.len();
    indices
        .filter_map(|index| Some((&definitions[index], field(index, finite_fields[index])?)))
        .collect()
}

/// Whether a type has a value that contains no definition outside of `finite`.
fn is_finite(ty: &Type, finite: &HashSet<&str>) -> bool {
    match ty {
        Type::Defined(name) => finite.contains(name.as_str()),
        Type::Union(members) => members.iter().any(|member| is_finite(member, finite)),
        _ => true,
    }
}

/// Returns the definitions that a value of the type may be.
fn referenced(ty: &Type) -> Vec<&str> {
    match ty {
        Type::Defined(name) => vec![name],
        Type::Union(members) => members.iter().flat_map(referenced).collect(),
        _ => Vec::new(),
    }
}
