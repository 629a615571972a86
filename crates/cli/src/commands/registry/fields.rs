//! Fields that a schema has and an older one has not.

use serde_json::{Map, Value};

/// Depth at which definitions that contain themselves end.
const MAX_DEPTH: usize = 16;

/// A field that is new.
#[derive(Debug, PartialEq, Eq)]
pub struct NewField {
    /// Path in the value, such as `payload.lines[].price`.
    pub path: String,
    /// Whether events must have it.
    pub is_required: bool,
    /// Whether the object that it is in took undeclared fields before.
    pub was_open: bool,
}

/// Returns the fields that `new` has and `old` has not.
pub fn added(old: &Value, new: &Value) -> Vec<NewField> {
    let mut walk = Walk {
        old,
        new,
        found: Vec::new(),
    };
    walk.object(old, new, "", 0);
    // Of a union, the events that both have.
    for name in new["anyOf"].as_array().into_iter().flatten() {
        let old_members = old["anyOf"].as_array().into_iter().flatten();
        if name.get("$ref").is_some() && old_members.into_iter().any(|member| member == name) {
            walk.object(name, name, "", 0);
        }
    }
    walk.found
}

/// Returns whether an object takes fields that it does not declare.
fn is_open(schema: &Map<String, Value>) -> bool {
    match schema.get("additionalProperties") {
        None => true,
        Some(Value::Bool(is_open)) => *is_open,
        Some(_) => false,
    }
}

struct Walk<'a> {
    old: &'a Value,
    new: &'a Value,
    found: Vec<NewField>,
}

impl<'a> Walk<'a> {
    fn object(&mut self, old: &'a Value, new: &'a Value, path: &str, depth: usize) {
        let old = resolved(self.old, old).as_object();
        let new = resolved(self.new, new).as_object();
        let (Some(old), Some(new), true) = (old, new, depth < MAX_DEPTH) else {
            return;
        };
        let properties = |schema: &'a Map<String, Value>| schema.get("properties")?.as_object();
        let required = new.get("required").and_then(Value::as_array);
        let old_properties = properties(old);
        for (name, field) in properties(new).into_iter().flatten() {
            let path = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            };
            match old_properties.and_then(|known| known.get(name)) {
                Some(known) => self.object(known, field, &path, depth + 1),
                None => self.found.push(NewField {
                    path,
                    is_required: required
                        .is_some_and(|names| names.iter().any(|one| one == name.as_str())),
                    was_open: is_open(old),
                }),
            }
        }
        for (keyword, suffix) in [("items", "[]"), ("additionalProperties", ".*")] {
            if let (Some(old), Some(new)) = (old.get(keyword), new.get(keyword)) {
                self.object(old, new, &format!("{path}{suffix}"), depth + 1);
            }
        }
    }
}

/// Follows a reference within a document.
fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let reference = schema.get("$ref").and_then(Value::as_str);
    let target = reference.and_then(|reference| root.pointer(reference.strip_prefix('#')?));
    target.unwrap_or(schema)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn new_fields_are_found_in_objects_lists_and_definitions() {
        let old = json!({
            "properties": {
                "a": {"type": "string"},
                "lines": {"items": {"$ref": "#/definitions/Line"}},
            },
            "definitions": {"Line": {"properties": {}, "additionalProperties": false}},
        });
        let new = json!({
            "properties": {
                "a": {"type": "string"},
                "b": {"type": "string"},
                "lines": {"items": {"$ref": "#/definitions/Line"}},
            },
            "required": ["b"],
            "definitions": {"Line": {
                "properties": {"price": {}, "next": {"$ref": "#/definitions/Line"}},
            }},
        });
        let of = |path: &str, is_required, was_open| NewField {
            path: path.to_owned(),
            is_required,
            was_open,
        };
        let expected = [
            of("b", true, true),
            of("lines[].price", false, false),
            of("lines[].next", false, false),
        ];
        assert_eq!(added(&old, &new), expected);
        assert_eq!(added(&new, &new), []);
    }
}
