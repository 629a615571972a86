//! `lint.*`: valid contracts that are probably not what was meant.

use std::collections::HashSet;

use crate::fields::{Field, Privacy, Type};
use crate::node::Node;
use crate::text::quote;

pub(crate) mod description_missing;
pub(crate) mod event_not_past_tense;
pub(crate) mod event_separators;
pub(crate) mod ignore;
pub(crate) mod lifecycle_declared_too;
pub(crate) mod metric_duplicate;
pub(crate) mod partition_key_optional;
pub(crate) mod personal_data;
pub(crate) mod replication_one;
pub(crate) mod retention_missing;
pub(crate) mod secret_published;
pub(crate) mod state_unreachable;
pub(crate) mod state_without_exit;
pub(crate) mod terminal_state_left;
pub(crate) mod too_few_partitions;
pub(crate) mod transition_ambiguous;
pub(crate) mod unbounded_list;
pub(crate) mod unbounded_text;
pub(crate) mod untyped_field;
pub(crate) mod unused_definition;
pub(crate) mod version_disagreement;

/// A field whose value leaves the process.
pub(crate) struct PublishedField<'a> {
    pub(crate) field: &'a Field,
    /// In messages: "the payload of `order.placed`".
    pub(crate) owner: String,
}

/// The fields whose values leave the process, each once: those of payloads, public ones of
/// operations, and those of the definitions that they lead to.
pub(crate) fn published_fields(node: &Node) -> Vec<PublishedField<'_>> {
    let mut found = Vec::new();
    for (event, declared) in node.declared() {
        let owner = format!("the payload of {}", quote(&event.event_type));
        add(&mut found, &declared.payload, &owner);
    }
    for operation in &node.operations {
        for (part, fields) in [("input", &operation.input), ("result", &operation.result)] {
            add(
                &mut found,
                fields,
                &format!("the {part} of {}", quote(&operation.name)),
            );
        }
    }
    let mut seen = HashSet::new();
    let mut next = 0;
    while next < found.len() {
        for name in definitions_of(&found[next].field.ty) {
            if let Some(definition) = node.definition(name).filter(|_| seen.insert(name)) {
                let owner = format!("the definition {}", quote(name));
                add(&mut found, &definition.fields, &owner);
            }
        }
        next += 1;
    }
    found
}

fn add<'a>(found: &mut Vec<PublishedField<'a>>, fields: &'a [Field], owner: &str) {
    let public = fields
        .iter()
        .filter(|field| field.privacy == Privacy::Public);
    found.extend(public.map(|field| PublishedField {
        field,
        owner: owner.to_owned(),
    }));
}

/// Names of the definitions in a type.
pub(crate) fn definitions_of(ty: &Type) -> Vec<&str> {
    match ty {
        Type::Defined(name) => vec![name],
        Type::Scalar(scalar) => vec![&scalar.name],
        Type::List(item) | Type::Map(item) => definitions_of(item),
        Type::Union(members) => members.iter().flat_map(definitions_of).collect(),
        _ => Vec::new(),
    }
}

/// Words of a name in `snake_case`, `kebab-case`, `dotted.case` or `camelCase`, in lowercase.
pub(crate) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut was_lowercase = false;
    for c in name.chars() {
        let is_boundary = !c.is_alphanumeric() || (c.is_uppercase() && was_lowercase);
        if is_boundary {
            words.push(String::new());
        }
        if c.is_alphanumeric() {
            words
                .last_mut()
                .expect("never empty")
                .extend(c.to_lowercase());
        }
        was_lowercase = c.is_lowercase() || c.is_ascii_digit();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether any type inside has this property.
pub(crate) fn any_type(ty: &Type, test: &dyn Fn(&Type) -> bool) -> bool {
    test(ty)
        || match ty {
            Type::List(item) | Type::Map(item) => any_type(item, test),
            Type::Union(members) => members.iter().any(|member| any_type(member, test)),
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_split_into_words() {
        for name in [
            "first_name",
            "firstName",
            "first-name",
            "First.name",
            "FIRST_NAME",
        ] {
            assert_eq!(super::words(name), ["first", "name"], "{name}");
        }
        assert_eq!(super::words("address2"), ["address2"]);
    }
}
