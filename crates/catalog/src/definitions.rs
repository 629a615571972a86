//! Definitions of a contract, held against each other.

use std::collections::HashSet;

use herald_diagnostics::Diagnostic;

use crate::fields::{Definition, Type};
use crate::rules;
use crate::text::quote;

/// Reports definitions of which no value can ever be complete.
pub(crate) fn check_ends(definitions: &[Definition], findings: &mut Vec<Diagnostic>) {
    let mut ending: HashSet<&str> = HashSet::new();
    loop {
        let known = ending.len();
        for definition in definitions {
            let mut needed = definition.fields.iter().filter(|field| field.required);
            if needed.all(|field| ends(&field.ty, &ending)) {
                ending.insert(&definition.name);
            }
        }
        if ending.len() == known {
            break;
        }
    }
    for definition in definitions {
        let endless = |ty: &Type| !ends(ty, &ending);
        let mut needed = definition.fields.iter().filter(|field| field.required);
        if let Some(field) = needed.find(|field| endless(&field.ty)) {
            findings.push(
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
}

/// Whether a type has a value that contains only these definitions.
fn ends(ty: &Type, ending: &HashSet<&str>) -> bool {
    match ty {
        Type::Defined(name) => ending.contains(name.as_str()),
        Type::Union(members) => members.iter().any(|member| ends(member, ending)),
        _ => true,
    }
}
