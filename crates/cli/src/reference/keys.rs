//! Reference of a file format, from its JSON Schema, with example values from one complete file.

use std::fmt::Write as _;

use serde_json::Value;

use super::MADE;
use super::markdown::{block, cell, code, prose};

/// Characters of an example value in a table.
const LONGEST: usize = 40;

/// The page of one file.
///
/// # Panics
/// Panics if the example lacks a value for some key.
pub(super) fn page(title: &str, intro: &str, schema: &Value, example: &str) -> String {
    let values: Value = serde_saphyr::from_str(example).expect("the example is YAML");
    let mut page = format!("# {title}\n\n{MADE}\n{intro}\n\n");
    page += "All of it in one:\n\n";
    page += &block("yaml", example);
    section(
        &mut page,
        "At the top",
        schema,
        &examples(schema, schema, None, &values),
    );
    let definitions = schema["$defs"].as_object().into_iter().flatten();
    for (name, definition) in definitions {
        let found = examples(schema, schema, Some(name), &values);
        section(&mut page, &name.replace('_', " "), definition, &found);
    }
    page
}

fn section(page: &mut String, title: &str, map: &Value, examples: &[&Value]) {
    let doc = text(&map["description"]);
    let _ = write!(page, "\n## {title}\n\n{}\n\n", prose(doc));
    *page += "| key | value | left out | meaning | example |\n| --- | --- | --- | --- | --- |\n";
    let required = map["required"].as_array().expect("a list of keys");
    for (name, key) in map["properties"].as_object().expect("keys") {
        let default = match key.get("default") {
            Some(default) => code(&flow(default)),
            None if required.contains(&Value::from(name.as_str())) => "an error".to_owned(),
            None => String::new(),
        };
        let example = examples
            .iter()
            .find_map(|map| map.get(name))
            .unwrap_or_else(|| panic!("the example shows no `{name}` of {title}"));
        let cells = [
            code(name),
            sort(key),
            cell(&default),
            cell(text(&key["description"])),
            cell(&code(&short(example))),
        ];
        let _ = writeln!(page, "| {} |", cells.join(" | "));
    }
}

/// Returns all mappings of the example that match a definition, or the file itself.
fn examples<'v>(
    root: &Value,
    schema: &Value,
    wanted: Option<&str>,
    value: &'v Value,
) -> Vec<&'v Value> {
    if let Some(name) = reference(schema) {
        let mut found = examples(root, &root["$defs"][name], wanted, value);
        if wanted == Some(name) && value.is_object() {
            found.push(value);
        }
        return found;
    }
    let mut found = Vec::new();
    if wanted.is_none() && value.is_object() && std::ptr::eq(root, schema) {
        return vec![value];
    }
    for form in schema["anyOf"].as_array().into_iter().flatten() {
        let mapping = reference(form).is_some() || form["type"] == "object";
        if mapping == value.is_object() {
            found.extend(examples(root, form, wanted, value));
        }
    }
    for item in value.as_array().into_iter().flatten() {
        found.extend(examples(root, &schema["items"], wanted, item));
    }
    for (name, item) in value.as_object().into_iter().flatten() {
        let key = schema["properties"].get(name);
        let key = key.unwrap_or(&schema["additionalProperties"]);
        found.extend(examples(root, key, wanted, item));
    }
    found
}

fn reference(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")
}

/// Description of the values that a key takes.
fn sort(schema: &Value) -> String {
    if let Some(name) = reference(schema) {
        let name = name.replace('_', " ");
        return format!("[{name}](#{})", name.replace(' ', "-"));
    }
    if let Some(forms) = schema["anyOf"].as_array() {
        let forms: Vec<_> = forms.iter().map(sort).collect();
        return forms.join(" or ");
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<_> = words.iter().map(|word| code(text(word))).collect();
        return words.join(", ");
    }
    match &schema["type"] {
        Value::String(one) => match one.as_str() {
            "array" => format!("list of {}", sort(&schema["items"])),
            "object" => {
                let max = schema.get("maxProperties");
                let max = max.map(|max| format!(" at most {max}")).unwrap_or_default();
                format!(
                    "mapping of{max} names to {}",
                    sort(&schema["additionalProperties"])
                )
            }
            "string" => "text".to_owned(),
            "integer" => match &schema["minimum"] {
                Value::Number(least) => format!("whole number from {least}"),
                _ => "whole number".to_owned(),
            },
            "number" if schema["maximum"] == 1 => "number from 0 to 1".to_owned(),
            "boolean" => "`true`, `false`".to_owned(),
            other => other.to_owned(),
        },
        Value::Array(_) if schema.get("pattern").is_some() => {
            "number or text such as `1.2.0`".to_owned()
        }
        Value::Array(_) => "text, number or boolean".to_owned(),
        _ => "anything".to_owned(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text in a schema")
}

/// A value in one line of YAML.
fn flow(value: &Value) -> String {
    match value {
        Value::String(text) if is_plain(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(flow).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(entries) => {
            let entries: Vec<_> = entries
                .iter()
                .map(|(key, value)| format!("{key}: {}", flow(value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        other => other.to_string(),
    }
}

fn is_plain(text: &str) -> bool {
    let begins = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/');
    begins && !text.contains([':', '#', '{', '}', '[', ']', ',', '|', '"'])
}

/// A value cut to the width of a table cell; the complete example is above the table.
fn short(value: &Value) -> String {
    let inside = |value: &Value| match value {
        Value::Object(_) => "{…}".to_owned(),
        other => flow(other),
    };
    let text = match value {
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(inside).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(entries) => {
            let entries: Vec<_> = entries
                .iter()
                .map(|(key, value)| format!("{key}: {}", inside(value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        other => flow(other),
    };
    if text.chars().count() <= LONGEST {
        return text;
    }
    let cut: String = text.chars().take(LONGEST - 1).collect();
    format!("{cut}…")
}
