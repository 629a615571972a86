//! Definitions of a contract, held against each other.

use std::collections::{HashMap, HashSet};

use herald_diagnostics::Diagnostic;

use crate::fields::{Definition, Field, Type};
use crate::rules;
use crate::text::quote;

/// Reports definitions of which no value can ever be complete.
pub(crate) fn check_ends(definitions: &[Definition], diagnostics: &mut Vec<Diagnostic>) {
    for (definition, field) in endless(definitions) {
        diagnostics.push(
            Diagnostic::new(
                &rules::DEFINITION_ENDLESS,
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

/// Each of them with a field that never ends. Takes a time in proportion to what is written.
fn endless(definitions: &[Definition]) -> Vec<(&Definition, &Field)> {
    let needed = |definition: &'_ Definition| -> Vec<usize> {
        let fields = definition.fields.iter().enumerate();
        fields
            .filter_map(|(at, field)| field.required.then_some(at))
            .collect()
    };
    let needed: Vec<_> = definitions.iter().map(needed).collect();
    // Of each definition, how many of the needed fields are known to end.
    let mut known = vec![0; definitions.len()];
    let mut ending: HashSet<&str> = HashSet::new();
    let mut waiting: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut open: Vec<usize> = (0..definitions.len()).collect();
    let field = |index: usize, known: usize| -> Option<&Field> {
        Some(&definitions[index].fields[*needed[index].get(known)?])
    };
    while let Some(index) = open.pop() {
        while field(index, known[index]).is_some_and(|field| ends(&field.ty, &ending)) {
            known[index] += 1;
        }
        if let Some(field) = field(index, known[index]) {
            for name in names(&field.ty) {
                waiting.entry(name).or_default().push(index);
            }
        } else if ending.insert(&definitions[index].name) {
            let name = definitions[index].name.as_str();
            open.extend(waiting.remove(name).unwrap_or_default());
        }
    }
    let indices = 0..definitions.len();
    indices
        .filter_map(|index| Some((&definitions[index], field(index, known[index])?)))
        .collect()
}

/// Whether a type has a value that contains only these definitions.
fn ends(ty: &Type, ending: &HashSet<&str>) -> bool {
    match ty {
        Type::Defined(name) => ending.contains(name.as_str()),
        Type::Union(members) => members.iter().any(|member| ends(member, ending)),
        _ => true,
    }
}

/// The definitions that could end a type.
fn names(ty: &Type) -> Vec<&str> {
    match ty {
        Type::Defined(name) => vec![name],
        Type::Union(members) => members.iter().flat_map(names).collect(),
        _ => Vec::new(),
    }
}
