//! Fields in the form in which contracts declare them.

use std::borrow::Cow;

use serde_json::Value;

use crate::fields::{Field, Limits, Privacy, Scalar, Type, is_whole};
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

/// A named type of single values.
pub(super) fn scalar(scalar: &Scalar) -> Text {
    let mut entries = limited_type(&scalar.ty, &scalar.limits, "");
    if scalar.is_open {
        entries.push(("open".to_owned(), Text::Inline("true".to_owned())));
    }
    Text::Mapping(entries)
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
    let (ty, is_open) = without_unknown(ty);
    let ty = &*ty;
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
        Type::Numbers(values) => {
            let name = if values.iter().all(is_whole) {
                "integer"
            } else {
                "number"
            };
            entries.push(("type".to_owned(), Text::scalar(name)));
            let values: Vec<_> = values.iter().cloned().map(Value::Number).collect();
            entries.push(("enum".to_owned(), Text::json(&Value::from(values))));
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
    if is_open {
        entries.push(("open".to_owned(), Text::Inline("true".to_owned())));
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

/// The enumeration of an open one, and whether it is one. That of a named type is a part of it.
fn without_unknown(ty: &Type) -> (Cow<'_, Type>, bool) {
    let Type::Union(members) = ty else {
        return (Cow::Borrowed(ty), false);
    };
    let mut members = members.clone();
    let mut is_open = false;
    let unknown = match members.first() {
        Some(first @ (Type::Enum(_) | Type::Numbers(_) | Type::Scalar(_))) => {
            match first.clone().or_unknown() {
                Type::Union(mut pair) => pair.pop(),
                _ => None,
            }
        }
        _ => None,
    };
    // In a larger union the enumeration is a member beside others.
    let others = members.iter().filter(|member| **member != Type::Null);
    if let Some(unknown) = unknown.filter(|_| others.count() == 2)
        && let Some(at) = members.iter().position(|member| *member == unknown)
    {
        let is_named = matches!(&members[0], Type::Scalar(scalar) if scalar.is_open);
        if is_named || !matches!(members[0], Type::Scalar(_)) {
            members.remove(at);
            is_open = !is_named;
        }
    }
    let ty = match members.len() {
        1 => members.swap_remove(0),
        _ => Type::Union(members),
    };
    (Cow::Owned(ty), is_open)
}

/// Whether keys of a field express the type, because one expression does not.
fn is_structured(ty: &Type, limits: &Limits) -> bool {
    match ty {
        Type::Enum(_) | Type::Numbers(_) => true,
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
        Type::Numbers(values) => {
            let values: Vec<_> = values.iter().map(serde_json::Number::to_string).collect();
            format!("literal[{}]", values.join(", "))
        }
        other => other.to_string(),
    }
}
