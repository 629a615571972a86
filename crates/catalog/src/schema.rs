//! JSON Schema (draft 2020-12) of the files that Herald defines, from the tables that check them.

use serde_json::{Map, Value, json};

use crate::duration;
use crate::native::CONTRACT;
use crate::shape::{DATE_PATTERN, MAX_INTEGER, MAX_LABELS, MapShape, Shape};
use crate::version;

/// Returns the schema of native contracts.
pub fn contract() -> Value {
    of(&CONTRACT, "Herald contract")
}

/// Returns the schema of a file of this shape.
pub fn of(root: &'static MapShape, title: &str) -> Value {
    let mut definitions = Map::new();
    let mut schema = map_schema(root, &mut definitions);
    schema.insert(
        "$schema".into(),
        json!("https://json-schema.org/draft/2020-12/schema"),
    );
    schema.insert("title".into(), json!(title));
    if !definitions.is_empty() {
        schema.insert("$defs".into(), Value::Object(definitions));
    }
    Value::Object(schema)
}

fn map_schema(map: &'static MapShape, definitions: &mut Map<String, Value>) -> Map<String, Value> {
    let mut properties = Map::new();
    for key in map.keys {
        let mut property = shape_schema(&key.shape, definitions);
        property.insert("description".into(), json!(key.doc));
        if let Some(default) = key.default {
            let default = serde_json::from_str(default).expect("defaults in the table are JSON");
            property.insert("default".into(), default);
        }
        properties.insert(key.name.to_owned(), Value::Object(property));
    }
    let required: Vec<_> = map
        .keys
        .iter()
        .filter(|key| key.required)
        .map(|key| key.name)
        .collect();
    let mut schema = Map::new();
    schema.insert("type".into(), json!("object"));
    schema.insert("description".into(), json!(map.doc));
    schema.insert("properties".into(), Value::Object(properties));
    schema.insert("required".into(), json!(required));
    schema.insert("additionalProperties".into(), json!(false));
    schema
}

fn shape_schema(shape: &'static Shape, definitions: &mut Map<String, Value>) -> Map<String, Value> {
    let value = match shape {
        Shape::List(item) => json!({"type": "array", "items": shape_schema(item, definitions)}),
        Shape::Dict(value) => {
            json!({"type": "object", "additionalProperties": shape_schema(value, definitions)})
        }
        Shape::Labels => json!({
            "type": "object",
            "maxProperties": MAX_LABELS,
            "additionalProperties": shape_schema(&Shape::Scalar, definitions),
        }),
        Shape::OneOf(shapes) => {
            let options: Vec<_> = shapes
                .iter()
                .map(|shape| shape_schema(shape, definitions))
                .collect();
            json!({"anyOf": options})
        }
        Shape::Map(map) => {
            if !definitions.contains_key(map.name) {
                // Shapes are recursive (items of fields are fields), so the name is inserted first.
                definitions.insert(map.name.to_owned(), Value::Null);
                let definition = map_schema(map, definitions);
                definitions.insert(map.name.to_owned(), Value::Object(definition));
            }
            json!({"$ref": format!("#/$defs/{}", map.name)})
        }
        Shape::Any => json!({}),
        Shape::Text => json!({"type": "string", "pattern": "[^ \\t\\r\\n]"}),
        Shape::Word(words) => json!({"enum": words}),
        Shape::Bool => json!({"type": "boolean"}),
        Shape::Integer(least) => {
            json!({"type": "integer", "minimum": least, "maximum": MAX_INTEGER})
        }
        Shape::Number => json!({"type": "number"}),
        Shape::Share => json!({"type": "number", "minimum": 0, "maximum": 1}),
        Shape::Range(most) => {
            let number = json!({"type": "number", "minimum": 0, "maximum": most});
            json!({"anyOf": [
                number,
                {"type": "array", "items": number, "minItems": 2, "maxItems": 2},
            ]})
        }
        Shape::Duration => json!({"type": "string", "pattern": duration::PATTERN}),
        Shape::Date => json!({"type": "string", "pattern": DATE_PATTERN}),
        Shape::Version => json!({
            "type": ["string", "number"],
            "pattern": version::PATTERN,
            "minimum": 0,
            "maximum": MAX_INTEGER,
        }),
        Shape::Scalar => json!({"type": ["string", "number", "boolean"]}),
    };
    match value {
        Value::Object(map) => map,
        _ => unreachable!("every shape is an object"),
    }
}
