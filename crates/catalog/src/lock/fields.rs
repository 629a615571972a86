//! Fields in the form in which contracts declare them.

use serde_json::Value;

use crate::fields::{Field, Limits, Privacy, Type};
use crate::types::parse_type;
use crate::yaml_text::Text;

/// Fields below their names. `privacy` is what the reader assumes of fields that don't state it.
pub(super) fn fields(fields: &[Field], privacy: Privacy) -> Text {
    let entries = fields.iter();
    Text::Mapping(
        entries
            .map(|one| (one.name.clone(), field(one, privacy)))
            .collect(),
    )
}

fn field(field: &Field, privacy: Privacy) -> Text {
    let mut entries = limited_type(&field.ty, &field.limits, &field.spelling);
    let mut add = |key: &str, value: Text| entries.push((key.to_owned(), value));
    if field.required == field.default.is_some() {
        add("required", Text::Inline(field.required.to_string()));
    }
    if let Some(default) = &field.default {
        add("default", Text::json(default));
    }
    if let Some(name) = &field.renamed_from {
        add("renamed_from", Text::scalar(name));
    }
    if field.privacy != privacy {
        add("privacy", Text::scalar(field.privacy.as_str()));
    }
    shortest(entries)
}

/// A type alone where nothing else is stated.
fn shortest(mut entries: Vec<(String, Text)>) -> Text {
    if entries.len() == 1 && entries[0].0 == "type" {
        return entries.remove(0).1;
    }
    Text::Mapping(entries)
}

/// A type and its limits, as the keys of a field. `spelling` is another text for the type, for
/// types that are too long for their canonical text.
fn limited_type(ty: &Type, limits: &Limits, spelling: &str) -> Vec<(String, Text)> {
    let (core, nullable) = match ty {
        Type::Union(members) if members.len() == 2 && members[1] == Type::Null => {
            (&members[0], is_structured(&members[0], limits))
        }
        _ => (ty, false),
    };
    let ty = if nullable { core } else { ty };
    let mut entries = Vec::new();
    match ty {
        Type::Enum(values) => {
            entries.push((
                "enum".to_owned(),
                Text::words(values.iter().map(String::as_str)),
            ));
        }
        Type::List(item) if is_structured(ty, limits) => {
            let none = Limits::default();
            let of_items = limits.items.as_deref().unwrap_or(&none);
            entries.push(("type".to_owned(), Text::scalar("list")));
            let items = limited_type(item, of_items, "");
            entries.push(("items".to_owned(), shortest(items)));
        }
        _ => {
            let canonical = expression(ty);
            let text = match parse_type(&canonical) {
                None if !spelling.is_empty() => spelling,
                _ => &canonical,
            };
            entries.push(("type".to_owned(), Text::ty(text)));
        }
    }
    if nullable {
        entries.push(("nullable".to_owned(), Text::Inline("true".to_owned())));
    }
    let Ok(Value::Object(set)) = serde_json::to_value(limits) else {
        return entries;
    };
    let set = set
        .into_iter()
        .filter(|(key, value)| key != "items" && !value.is_null());
    entries.extend(set.map(|(key, value)| (key, Text::json(&value))));
    entries
}

/// Whether keys of a field express the type, because one expression does not.
fn is_structured(ty: &Type, limits: &Limits) -> bool {
    match ty {
        Type::Enum(_) => true,
        Type::List(item) => limits.items.is_some() || is_structured(item, &Limits::default()),
        _ => false,
    }
}

/// The type as an expression that the reader of types understands.
fn expression(ty: &Type) -> String {
    match ty {
        Type::List(item) => format!("list[{}]", expression(item)),
        Type::Map(value) => format!("map[{}]", expression(value)),
        Type::Union(members) => {
            let members: Vec<_> = members.iter().map(expression).collect();
            members.join(" | ")
        }
        Type::Enum(values) => {
            let quoted = values.iter().map(|value| {
                let quote = if value.contains('"') { '\'' } else { '"' };
                format!("{quote}{value}{quote}")
            });
            format!("literal[{}]", quoted.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
