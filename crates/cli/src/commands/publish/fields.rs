//! Payloads held against the fields that a contract declares.

use herald_catalog::fields::{Field, Privacy, Type};
use herald_diagnostics::did_you_mean;
use herald_envelope::Timestamp;
use serde_json::{Map, Value};

use crate::args::publish::uuid;

/// What is wrong with a payload, one sentence each; empty when nothing is. Values are not quoted.
pub fn check(fields: &[Field], payload: &Map<String, Value>) -> Vec<String> {
    let missing = fields
        .iter()
        .filter(|field| field.required && field.privacy == Privacy::Public)
        .filter(|field| !payload.contains_key(&field.name))
        .map(|field| format!("payload.{} is missing: {}", field.name, expected(&field.ty)));
    let present = payload.iter().filter_map(|(name, value)| {
        match fields.iter().find(|field| field.name == *name) {
            Some(field) if field.privacy == Privacy::Private => Some(format!(
                "payload.{name} is private by its contract: its value must not leave the process"
            )),
            // Many programs write null for what they leave out.
            Some(field) if value.is_null() && !field.required => None,
            Some(field) => mismatch(&field.ty, value, &format!("payload.{name}")),
            None => Some(undeclared(name, fields)),
        }
    });
    missing.chain(present).collect()
}

fn undeclared(name: &str, fields: &[Field]) -> String {
    let names = fields.iter().map(|field| field.name.as_str());
    match did_you_mean(name, names) {
        Some(meant) => {
            format!("payload.{name} is not declared by the contract; did you mean `{meant}`?")
        }
        None => format!("payload.{name} is not declared by the contract"),
    }
}

/// The first value at or below `place` that is not of its type.
fn mismatch(ty: &Type, value: &Value, place: &str) -> Option<String> {
    match (ty, value) {
        (Type::List(item), Value::Array(values)) => values
            .iter()
            .enumerate()
            .find_map(|(at, value)| mismatch(item, value, &format!("{place}[{at}]"))),
        (Type::Map(item), Value::Object(values)) => values
            .iter()
            .find_map(|(name, value)| mismatch(item, value, &format!("{place}.{name}"))),
        _ if holds(ty, value) => None,
        _ => Some(format!(
            "{place} must be {}, found {}",
            expected(ty),
            kind(value)
        )),
    }
}

fn holds(ty: &Type, value: &Value) -> bool {
    let text = value.as_str();
    match ty {
        // A model is only named: what it holds, its own code knows.
        Type::Any | Type::Defined(_) | Type::Model(_) => true,
        Type::String => value.is_string(),
        Type::Integer => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|n| n.fract() == 0.0)
        }
        Type::Number => value.is_number(),
        Type::Boolean => value.is_boolean(),
        Type::Null => value.is_null(),
        Type::Uuid => text.is_some_and(|text| uuid(text).is_some()),
        Type::DateTime => text.is_some_and(|text| text.parse::<Timestamp>().is_ok()),
        Type::Date => text.is_some_and(is_date),
        Type::Decimal => text.is_some_and(is_decimal),
        Type::Bytes => text.is_some_and(is_base64),
        Type::Enum(values) => text.is_some_and(|text| values.iter().any(|value| value == text)),
        Type::List(item) => value
            .as_array()
            .is_some_and(|values| values.iter().all(|value| holds(item, value))),
        Type::Map(item) => value
            .as_object()
            .is_some_and(|values| values.values().all(|value| holds(item, value))),
        Type::Union(members) => members.iter().any(|member| holds(member, value)),
    }
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && format!("{text}T00:00:00Z").parse::<Timestamp>().is_ok()
}

/// As Python's `Decimal` writes itself: `12.50`, `-3`, `0E-8`.
fn is_decimal(text: &str) -> bool {
    let (number, exponent) = text.split_once(['E', 'e']).unwrap_or((text, "0"));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    [
        whole.strip_prefix('-').unwrap_or(whole),
        fraction,
        exponent.strip_prefix(['-', '+']).unwrap_or(exponent),
    ]
    .iter()
    .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_base64(text: &str) -> bool {
    let content = text.trim_end_matches('=');
    text.len().is_multiple_of(4)
        && text.len() - content.len() <= 2
        && content
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte))
}

/// A type in simple words.
fn expected(ty: &Type) -> String {
    match ty {
        Type::Any | Type::Defined(_) | Type::Model(_) => "anything".to_owned(),
        Type::String => "text".to_owned(),
        Type::Integer => "a whole number".to_owned(),
        Type::Number => "a number".to_owned(),
        Type::Boolean => "true or false".to_owned(),
        Type::Null => "null".to_owned(),
        Type::Uuid => "a UUID with hyphens".to_owned(),
        Type::DateTime => "a time with an offset, such as 2025-11-05T12:00:00Z".to_owned(),
        Type::Date => "a date such as 2025-11-05".to_owned(),
        Type::Decimal => "a decimal number as text, such as \"12.50\"".to_owned(),
        Type::Bytes => "bytes as Base64".to_owned(),
        Type::Enum(values) => format!("one of {}", values.join(", ")),
        Type::List(_) => "a list".to_owned(),
        Type::Map(_) => "an object".to_owned(),
        Type::Union(members) => {
            let members: Vec<_> = members.iter().map(expected).collect();
            members.join(", or ")
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "a number",
        Value::Number(_) => "a whole number",
        Value::String(_) => "other text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const CONTRACT: &str = "\
node_type: effect
service_name: orders
operations: []
events:
  - event_type: order.placed
    topic: shop.orders.v1
    payload:
      id: uuid
      at: datetime
      day: {type: date, required: false}
      total: decimal
      lines: {type: 'list[integer | null]', required: false}
      tags: {type: 'map[string]', required: false}
      currency: {type: string, enum: [EUR, USD]}
      blob: {type: bytes, required: false}
      email: {type: string, privacy: private}
";

    fn problems(change: impl FnOnce(&mut Map<String, Value>)) -> Vec<String> {
        let options = herald_catalog::load::Options::default();
        let loaded = herald_catalog::load::load_text("contract", CONTRACT, &options);
        assert!(!loaded.has_errors(), "{:?}", loaded.findings);
        let mut payload = json!({
            "id": "0191c2a0-5b7e-7cc1-8d2f-6b6f0a1b2c3d",
            "at": "2025-11-05T12:00:00+01:00",
            "total": "12.50",
            "currency": "EUR",
        });
        let payload = payload.as_object_mut().unwrap();
        change(payload);
        let (_, declared) = loaded.catalog.nodes[0].declared().next().unwrap();
        check(&declared.payload, payload)
    }

    fn with(name: &str, value: Value) -> Vec<String> {
        problems(|payload| {
            payload.insert(name.to_owned(), value);
        })
    }

    #[test]
    fn a_payload_as_declared_has_no_problems() {
        assert_eq!(problems(|_| ()), [""; 0]);
        for (name, value) in [
            ("lines", json!([1, null, 2.0])),
            ("tags", json!({"a": "b"})),
            ("day", json!("2024-02-29")),
            ("day", json!(null)),
            ("blob", json!("aGVyYWxk")),
            ("blob", json!("")),
            ("total", json!("-0E-8")),
        ] {
            assert_eq!(with(name, value), [""; 0], "{name}");
        }
    }

    #[test]
    fn what_is_missing_or_strange_is_named() {
        assert_eq!(
            problems(|payload| {
                payload.remove("total");
                payload.insert("totl".to_owned(), json!(1));
            }),
            [
                "payload.total is missing: a decimal number as text, such as \"12.50\"",
                "payload.totl is not declared by the contract; did you mean `total`?"
            ]
        );
    }

    #[test]
    fn a_value_of_another_type_is_placed_and_not_quoted() {
        for (name, value, problem) in [
            (
                "id",
                json!("hunter2"),
                "payload.id must be a UUID with hyphens, found other text",
            ),
            (
                "total",
                json!(12.5),
                "payload.total must be a decimal number as text, such as \"12.50\", found a number",
            ),
            (
                "lines",
                json!([1, 1.5]),
                "payload.lines[1] must be a whole number, or null, found a number",
            ),
            (
                "tags",
                json!({"a": 1}),
                "payload.tags.a must be text, found a whole number",
            ),
            (
                "tags",
                json!([]),
                "payload.tags must be an object, found a list",
            ),
            (
                "day",
                json!("2025-02-29"),
                "payload.day must be a date such as 2025-11-05, found other text",
            ),
            (
                "currency",
                json!("GBP"),
                "payload.currency must be one of EUR, USD, found other text",
            ),
            (
                "blob",
                json!("a==="),
                "payload.blob must be bytes as Base64, found other text",
            ),
            (
                "at",
                json!("2025-11-05T12:00:00"),
                "payload.at must be a time with an offset, such as 2025-11-05T12:00:00Z, found other text",
            ),
        ] {
            assert_eq!(with(name, value), [problem]);
        }
    }

    #[test]
    fn a_private_value_does_not_leave() {
        assert_eq!(
            with("email", json!("a@b.c")),
            ["payload.email is private by its contract: its value must not leave the process"]
        );
    }
}
