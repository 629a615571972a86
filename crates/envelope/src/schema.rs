//! JSON Schema of the wire format.

use serde_json::{Map, Value, json};

use crate::field::{Kind, Presence, Row, TABLE};
use crate::{id, time};

/// Returns the wire format as JSON Schema, draft 2020-12, generated from the table of fields.
///
/// It describes what is read; Herald writes a subset of it: lowercase UUIDs, timestamps in UTC with
/// microseconds, null only for `correlation_id`. A schema can't express that fields must not occur
/// twice and that the bytes are UTF-8.
pub fn schema() -> Value {
    let properties: Map<_, _> = TABLE
        .iter()
        .map(|row| (row.name.to_owned(), property(row)))
        .collect();
    let required: Vec<_> = TABLE
        .iter()
        .filter(|row| row.presence == Presence::Always)
        .map(|row| row.name)
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "OnexEnvelopeV1",
        "description": "An event on the wire. Readers take unknown fields and keep them.",
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": true,
    })
}

fn property(row: &Row) -> Value {
    let kind = match row.kind {
        Kind::Object => "object",
        _ => "string",
    };
    let nullable = row.presence != Presence::Always || row.kind == Kind::TextOrNull;
    let mut property = Map::new();
    let mut say = |keyword: &str, value| property.insert(keyword.to_owned(), value);
    say("description", json!(row.doc));
    say(
        "type",
        if nullable {
            json!([kind, "null"])
        } else {
            json!(kind)
        },
    );
    match row.kind {
        Kind::Exactly(text) => {
            say("const", json!(text));
        }
        Kind::NonEmptyText => {
            say("minLength", json!(1));
        }
        Kind::Uuid => {
            say("format", json!("uuid"));
            say("pattern", json!(id::PATTERN));
        }
        Kind::Timestamp => {
            say("format", json!("date-time"));
            say("pattern", json!(time::PATTERN));
        }
        Kind::Text | Kind::TextOrNull | Kind::Object => {}
    }
    Value::Object(property)
}
