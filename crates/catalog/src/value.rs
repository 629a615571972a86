//! Validation of JSON values against the fields that a contract declares.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::str::FromStr as _;
use std::sync::LazyLock;

use herald_diagnostics::did_you_mean;
use herald_envelope::Timestamp;
use regex::Regex;
use serde_json::{Map, Number, Value};

use crate::borrowed_value::{BorrowedObject, BorrowedValue};
use crate::fields::{Definition, Field, Limits, Privacy, Type, is_whole};

/// Place of a value. Most values have no problem, so it becomes text only in messages.
#[derive(Clone, Copy)]
enum Place<'p> {
    Root(&'p str),
    Field(&'p Place<'p>, &'p str),
    Item(&'p Place<'p>, usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(name) => f.write_str(name),
            Self::Field(object, name) => write!(f, "{object}.{name}"),
            Self::Item(list, at) => write!(f, "{list}[{at}]"),
        }
    }
}

/// Validates an object and returns its problems, one sentence each. Values are never quoted: they
/// may be private.
///
/// `place` names the object, such as `payload`.
pub fn check(
    fields: &[Field],
    object: &Map<String, Value>,
    definitions: &[Definition],
    place: &str,
) -> Vec<String> {
    check_borrowed(fields, &object.into(), definitions, place)
}

/// Validates an object as [`check`] does.
pub fn check_borrowed(
    fields: &[Field],
    object: &BorrowedObject<'_>,
    definitions: &[Definition],
    place: &str,
) -> Vec<String> {
    problems(fields, object, definitions, &Place::Root(place)).collect()
}

fn problems<'a>(
    fields: &'a [Field],
    object: &'a BorrowedObject<'a>,
    definitions: &'a [Definition],
    place: &'a Place<'a>,
) -> impl Iterator<Item = String> + 'a {
    let missing = fields
        .iter()
        .enumerate()
        .filter(|(_, field)| field.required && field.privacy == Privacy::Public)
        .filter(|(at, field)| object.get_near(*at, &field.name).is_none())
        .map(move |(_, field)| {
            format!("{place}.{} is missing: {}", field.name, expected(&field.ty))
        });
    let present = object
        .iter()
        .enumerate()
        .filter_map(move |(at, (name, value))| {
            // Mostly the members have the order of the contract.
            let near = fields.get(at).filter(|field| field.name == name);
            match near.or_else(|| fields.iter().find(|field| field.name == name)) {
                Some(field) if field.privacy == Privacy::Private => {
                    let is_name = value.as_str().is_some_and(|text| {
                        is_type_name(&field.ty, text) || field.may_be_null() && text == "NoneType"
                    });
                    (!is_name).then(|| {
                    format!(
                        "{place}.{name} is private by its contract: its value must not leave the \
                         process"
                    )
                })
                }
                // Many programs write null for fields that they leave out.
                Some(field) if *value == BorrowedValue::Null && field.may_be_null() => None,
                Some(field) => mismatch_at(
                    &field.ty,
                    &field.limits,
                    value,
                    definitions,
                    &Place::Field(place, name),
                ),
                None => Some(undeclared(name, fields, place)),
            }
        });
    missing.chain(present)
}

/// Whether a text is the name of the type of a private value, which Herald publishes instead of the
/// value.
fn is_type_name(ty: &Type, text: &str) -> bool {
    let names: &[&str] = match ty {
        Type::String | Type::Enum(_) => &["str"],
        Type::Integer => &["int"],
        Type::Number | Type::Numbers(_) => &["int", "float"],
        Type::Boolean => &["bool"],
        Type::Null => &["NoneType"],
        Type::Uuid => &["UUID", "str"],
        Type::DateTime => &["datetime", "str"],
        Type::Date => &["date", "str"],
        Type::Decimal => &["Decimal", "str", "int", "float"],
        Type::Bytes => &["bytes", "bytearray", "memoryview", "str"],
        Type::Duration => &["timedelta", "str"],
        Type::List(_) => &["list", "tuple", "set", "frozenset"],
        Type::Map(_) | Type::Defined(_) => &["dict"],
        Type::Any | Type::Model(_) => &[
            "str", "int", "float", "bool", "NoneType", "list", "tuple", "dict",
        ],
        Type::Scalar(scalar) => return is_class_name(text) || is_type_name(&scalar.ty, text),
        Type::Union(members) => return members.iter().any(|member| is_type_name(member, text)),
    };
    let has_class = matches!(
        ty,
        Type::Defined(_) | Type::Model(_) | Type::Any | Type::Enum(_)
    );
    let is_value = matches!(ty, Type::Enum(values) if values.iter().any(|value| value == text));
    names.contains(&text) || has_class && !is_value && is_class_name(text)
}

/// Whether a text has the form `CustomerName`.
fn is_class_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_uppercase())
        && text.contains(|letter: char| letter.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn undeclared(name: &str, fields: &[Field], place: &Place<'_>) -> String {
    let names = fields.iter().map(|field| field.name.as_str());
    match did_you_mean(name, names) {
        Some(meant) => {
            format!("{place}.{name} is not declared by the contract; did you mean `{meant}`?")
        }
        None => format!("{place}.{name} is not declared by the contract"),
    }
}

/// Returns whether a value is of a type without definitions, and within its limits.
pub fn is_scalar_of(ty: &Type, limits: &Limits, value: &Value) -> bool {
    mismatch(ty, limits, value, &[], "").is_none()
}

/// Returns a message about the first value at or below `place` that is not of its type, or not within
/// its limits.
pub(crate) fn mismatch(
    ty: &Type,
    limits: &Limits,
    value: &Value,
    definitions: &[Definition],
    place: &str,
) -> Option<String> {
    mismatch_at(ty, limits, &value.into(), definitions, &Place::Root(place))
}

fn mismatch_at(
    ty: &Type,
    limits: &Limits,
    value: &BorrowedValue<'_>,
    definitions: &[Definition],
    place: &Place<'_>,
) -> Option<String> {
    if let Some(schema) = &limits.json_schema
        && let Some(violation) = schema.violation(&value.into())
    {
        return Some(format!("{place} {violation}"));
    }
    let none = Limits::default();
    match (ty, value) {
        (Type::List(item), BorrowedValue::List(values)) => {
            let of_items = limits.items.as_deref().unwrap_or(&none);
            let mut values = values.iter().enumerate();
            values
                .find_map(|(at, value)| {
                    let place = Place::Item(place, at);
                    mismatch_at(item, of_items, value, definitions, &place)
                })
                .or_else(|| limit_violation(ty, limits, value, place))
        }
        (Type::Map(item), BorrowedValue::Object(values)) => {
            values.iter().find_map(|(name, value)| {
                let place = Place::Field(place, name);
                mismatch_at(item, &none, value, definitions, &place)
            })
        }
        (Type::Scalar(scalar), _) => {
            mismatch_at(&scalar.ty, &scalar.limits, value, definitions, place)
        }
        (Type::Defined(name), BorrowedValue::Object(values)) => {
            let definition = definitions.iter().find(|known| known.name == *name)?;
            problems(&definition.fields, values, definitions, place).next()
        }
        (Type::Union(members), _) => {
            let of = |member| mismatch_at(member, limits, value, definitions, place);
            let mut problems = Vec::new();
            for member in members {
                problems.push(of(member)?);
            }
            // A message about the member that was probably meant helps more than "none of them".
            let mut of_members = members.iter().zip(problems);
            let meant = of_members.find(|(member, _)| is_of_sort(member, value));
            meant
                .map(|(_, problem)| problem)
                .or_else(|| Some(other_type(ty, value, place)))
        }
        _ if holds(ty, value) => match ty {
            Type::String | Type::Integer | Type::Number | Type::Decimal => {
                limit_violation(ty, limits, value, place)
            }
            _ => None,
        },
        _ => Some(other_type(ty, value, place)),
    }
}

fn other_type(ty: &Type, value: &BorrowedValue<'_>, place: &Place<'_>) -> String {
    let is_local_time = |text| Timestamp::from_str(&format!("{text}Z")).is_ok();
    let found = match value {
        BorrowedValue::Text(text) if *ty == Type::DateTime && is_local_time(text) => {
            "a time without an offset"
        }
        _ => kind(value),
    };
    format!("{place} must be {}, found {found}", expected(ty))
}

/// Whether a value is of a type, regardless of its contents and limits.
fn is_of_sort(ty: &Type, value: &BorrowedValue<'_>) -> bool {
    match ty {
        Type::List(_) => matches!(value, BorrowedValue::List(_)),
        Type::Map(_) | Type::Defined(_) => matches!(value, BorrowedValue::Object(_)),
        _ => holds(ty, value),
    }
}

/// Returns a message about a value of the type that exceeds its limits.
fn limit_violation(
    ty: &Type,
    limits: &Limits,
    value: &BorrowedValue<'_>,
    place: &Place<'_>,
) -> Option<String> {
    let violation = match value {
        BorrowedValue::List(items) => {
            size(items.len(), limits.min_items, limits.max_items, "items")
                .or_else(|| repetition(limits, items))
        }
        BorrowedValue::Text(text) if *ty == Type::Decimal => number(limits, text.parse().ok()?),
        BorrowedValue::Text(text) => {
            let length = text.chars().count();
            size(length, limits.min_length, limits.max_length, "characters")
                .or_else(|| unmatched(limits.pattern.as_deref()?, text))
        }
        BorrowedValue::Number(given) => number(limits, given.as_f64()?),
        _ => None,
    };
    violation.map(|violation| format!("{place} must {violation}"))
}

fn size(found: usize, min: Option<u32>, max: Option<u32>, unit: &str) -> Option<String> {
    let is = |limit: u32| usize::try_from(limit).unwrap_or(usize::MAX);
    match (min, max) {
        (Some(min), _) if found < is(min) => {
            Some(format!("have at least {min} {unit}, found {found}"))
        }
        (_, Some(max)) if found > is(max) => {
            Some(format!("have at most {max} {unit}, found {found}"))
        }
        _ => None,
    }
}

fn repetition(limits: &Limits, items: &[BorrowedValue<'_>]) -> Option<String> {
    let is_unique = limits.unique_items == Some(true);
    let mut known = HashSet::with_capacity(items.len());
    let is_repeated = is_unique && items.iter().any(|item| !known.insert(form(item)));
    is_repeated.then(|| "not have an item twice".to_owned())
}

/// The form of a single value; `1` and `1.0` are one number.
fn form(value: &BorrowedValue<'_>) -> String {
    match value {
        BorrowedValue::Number(number) if number.is_f64() && is_whole(number) => {
            format!("{:.0}", number.as_f64().unwrap_or_default())
        }
        BorrowedValue::Number(number) => number.to_string(),
        other => format!("{other:?}"),
    }
}

fn unmatched(pattern: &str, text: &str) -> Option<String> {
    (!matches(pattern, text)?).then(|| format!("match the pattern {pattern}"))
}

/// Whether a text matches a pattern; `None` if that is not a regular expression. Compiling one takes
/// a thousand times as long as most searches, so the compiled ones are kept for each thread.
fn matches(pattern: &str, text: &str) -> Option<bool> {
    const MAX_COMPILED: usize = 1_000;
    thread_local! {
        static COMPILED: RefCell<HashMap<String, Option<Regex>>> = RefCell::default();
    }
    COMPILED.with_borrow_mut(|compiled| {
        if let Some(regex) = compiled.get(pattern) {
            return Some(regex.as_ref()?.is_match(text));
        }
        if compiled.len() >= MAX_COMPILED {
            compiled.clear();
        }
        let regex = compiled
            .entry(pattern.to_owned())
            .or_insert_with(|| Regex::new(pattern).ok());
        Some(regex.as_ref()?.is_match(text))
    })
}

fn number(limits: &Limits, found: f64) -> Option<String> {
    let limit = |number: &Option<Number>| Some((number.as_ref()?.as_f64()?, number.clone()?));
    if let Some((_, min)) = limit(&limits.minimum).filter(|(min, _)| found < *min) {
        return Some(format!("be at least {min}"));
    }
    if let Some((_, max)) = limit(&limits.maximum).filter(|(max, _)| found > *max) {
        return Some(format!("be at most {max}"));
    }
    if let Some((_, min)) = limit(&limits.exclusive_minimum).filter(|(min, _)| found <= *min) {
        return Some(format!("be greater than {min}"));
    }
    if let Some((_, max)) = limit(&limits.exclusive_maximum).filter(|(max, _)| found >= *max) {
        return Some(format!("be less than {max}"));
    }
    if let Some((_, step)) = limit(&limits.multiple_of).filter(|(step, _)| found % step != 0.0) {
        return Some(format!("be a multiple of {step}"));
    }
    None
}

fn holds(ty: &Type, value: &BorrowedValue<'_>) -> bool {
    let text = value.as_str();
    match ty {
        // The contract only names the model; its fields are defined elsewhere.
        Type::Any | Type::Model(_) => true,
        Type::Defined(_) => matches!(value, BorrowedValue::Object(_)),
        Type::String => text.is_some(),
        Type::Integer => matches!(value, BorrowedValue::Number(number) if is_whole(number)),
        Type::Number => matches!(value, BorrowedValue::Number(_)),
        Type::Boolean => matches!(value, BorrowedValue::Bool(_)),
        Type::Null => *value == BorrowedValue::Null,
        Type::Uuid => text.is_some_and(is_uuid),
        Type::DateTime => text.is_some_and(|text| text.parse::<Timestamp>().is_ok()),
        Type::Date => text.is_some_and(is_date),
        Type::Decimal => text.is_some_and(is_decimal),
        Type::Bytes => text.is_some_and(is_base64),
        Type::Duration => text.is_some_and(is_duration),
        Type::Numbers(values) => match value {
            BorrowedValue::Number(number) => values.iter().any(|known| are_equal(known, number)),
            _ => false,
        },
        Type::Scalar(scalar) => holds(&scalar.ty, value),
        Type::Enum(values) => text.is_some_and(|text| values.iter().any(|value| value == text)),
        Type::List(item) => match value {
            BorrowedValue::List(values) => values.iter().all(|value| holds(item, value)),
            _ => false,
        },
        Type::Map(item) => match value {
            BorrowedValue::Object(values) => values.iter().all(|(_, value)| holds(item, value)),
            _ => false,
        },
        Type::Union(members) => members.iter().any(|member| holds(member, value)),
    }
}

/// Whether a text is a UUID with hyphens (RFC 9562).
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && format!("{text}T00:00:00Z").parse::<Timestamp>().is_ok()
}

/// Whether a text is a decimal number in the form of Python's `Decimal`: `12.50`, `-3`, `0E-8`.
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

/// Pattern of the text of Python's `Decimal`: `12.50`, `-3`, `0E-8`.
pub const DECIMAL: &str = r"^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$";

/// Pattern of Base64 (RFC 4648). `contentEncoding` alone does not reject other text.
pub const BASE64: &str = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$";

/// Pattern of durations in ISO 8601, without months, whose lengths differ. A year is 365 days, as pydantic
/// writes them. The numbers of digits keep them within the range of Python's `timedelta`.
pub const DURATION: &str = "^-?P([0-9]{1,8}W|([0-9]{1,6}Y([0-9]{1,3}D)?|[0-9]{1,8}D)(T([0-9]{1,9}H([0-9]{1,9}M)?([0-9]{1,9}([.][0-9]{1,6})?S)?|[0-9]{1,9}M([0-9]{1,9}([.][0-9]{1,6})?S)?|[0-9]{1,9}([.][0-9]{1,6})?S))?|T([0-9]{1,9}H([0-9]{1,9}M)?([0-9]{1,9}([.][0-9]{1,6})?S)?|[0-9]{1,9}M([0-9]{1,9}([.][0-9]{1,6})?S)?|[0-9]{1,9}([.][0-9]{1,6})?S))$";

fn is_duration(text: &str) -> bool {
    static REGEX: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(DURATION).ok());
    REGEX.as_ref().is_some_and(|regex| regex.is_match(text))
}

fn are_equal(one: &Number, other: &Number) -> bool {
    one == other || (one.as_f64() == other.as_f64() && (one.is_f64() || other.is_f64()))
}

fn is_base64(text: &str) -> bool {
    let content = text.trim_end_matches('=');
    text.len().is_multiple_of(4)
        && text.len() - content.len() <= 2
        && content
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte))
}

/// Describes a type for messages.
fn expected(ty: &Type) -> String {
    match ty {
        Type::Any | Type::Model(_) => "anything".to_owned(),
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
        Type::Duration => "a duration such as P1DT2H30M".to_owned(),
        Type::Enum(values) => format!("one of {}", values.join(", ")),
        Type::Numbers(values) => {
            let values: Vec<_> = values.iter().map(Number::to_string).collect();
            format!("one of {}", values.join(", "))
        }
        Type::Scalar(scalar) => expected(&scalar.ty),
        Type::List(_) => "a list".to_owned(),
        Type::Map(_) | Type::Defined(_) => "an object".to_owned(),
        Type::Union(members) => {
            let members: Vec<_> = members.iter().map(expected).collect();
            members.join(", or ")
        }
    }
}

fn kind(value: &BorrowedValue<'_>) -> &'static str {
    match value {
        BorrowedValue::Null => "null",
        BorrowedValue::Bool(_) => "true or false",
        BorrowedValue::Number(number) if number.is_f64() => "a number",
        BorrowedValue::Number(_) => "a whole number",
        BorrowedValue::Text(_) => "other text",
        BorrowedValue::List(_) => "a list",
        BorrowedValue::Object(_) => "an object",
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
      name: {type: 'string | null', required: false, min_length: 2, max_length: 3, pattern: '^[a-z]+$'}
      count: {type: integer, required: false, minimum: 1, exclusive_maximum: 3}
      price: {type: decimal, required: false, minimum: 0.5}
      codes: {type: list, required: false, max_items: 1, items: {type: string, max_length: 2}}
      home: {type: 'Address | null', required: false}
definitions:
  Address:
    fields:
      city: string
      phone: {type: string, privacy: private}
      others: {type: 'list[Address]', required: false}
";

    fn problems(change: impl FnOnce(&mut Map<String, Value>)) -> Vec<String> {
        let options = crate::load::Options::default();
        let loaded = crate::load::load_text("contract", CONTRACT, &options);
        assert!(!loaded.has_errors(), "{:?}", loaded.diagnostics);
        let mut payload = json!({
            "id": "0191c2a0-5b7e-7cc1-8d2f-6b6f0a1b2c3d",
            "at": "2025-11-05T12:00:00+01:00",
            "total": "12.50",
            "currency": "EUR",
        });
        let payload = payload.as_object_mut().unwrap();
        change(payload);
        let (_, declared) = loaded.catalog.nodes[0].declared().next().unwrap();
        check(
            &declared.payload,
            payload,
            &loaded.catalog.nodes[0].definitions,
            "payload",
        )
    }

    fn with(name: &str, value: Value) -> Vec<String> {
        problems(|payload| {
            payload.insert(name.to_owned(), value);
        })
    }

    #[test]
    fn accepts_declared_payloads() {
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
    fn reports_missing_and_undeclared_fields() {
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
    fn reports_the_place_of_a_wrong_type_without_the_value() {
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
                "payload.at must be a time with an offset, such as 2025-11-05T12:00:00Z, found a time without an offset",
            ),
        ] {
            assert_eq!(with(name, value), [problem]);
        }
    }

    #[test]
    fn checks_limits_of_nested_values() {
        for (name, value, problem) in [
            (
                "name",
                json!("é"),
                "name must have at least 2 characters, found 1",
            ),
            (
                "name",
                json!("abcd"),
                "name must have at most 3 characters, found 4",
            ),
            ("name", json!("AB"), "name must match the pattern ^[a-z]+$"),
            ("count", json!(0), "count must be at least 1"),
            ("count", json!(3), "count must be less than 3"),
            ("price", json!("0.49"), "price must be at least 0.5"),
            (
                "codes",
                json!(["a", "b"]),
                "codes must have at most 1 items, found 2",
            ),
            (
                "codes",
                json!(["abc"]),
                "codes[0] must have at most 2 characters, found 3",
            ),
        ] {
            assert_eq!(with(name, value), [format!("payload.{problem}")]);
        }
        for (name, value) in [
            ("name", json!("abc")),
            ("name", json!(null)),
            ("count", json!(1)),
            ("price", json!("0.50")),
            ("codes", json!(["ab"])),
        ] {
            assert_eq!(with(name, value), [""; 0], "{name}");
        }
    }

    #[test]
    fn checks_fields_of_definitions() {
        let good = json!({"city": "Bonn", "others": [{"city": "Köln"}]});
        assert_eq!(with("home", good), [""; 0]);
        for (value, problem) in [
            (
                json!("Bonn"),
                "home must be an object, or null, found other text",
            ),
            (json!({}), "home.city is missing: text"),
            (
                json!({"city": "Bonn", "others": [{"city": 1}]}),
                "home.others[0].city must be text, found a whole number",
            ),
            (
                json!({"city": "Bonn", "phone": "1"}),
                "home.phone is private by its contract: its value must not leave the process",
            ),
        ] {
            assert_eq!(with("home", value), [format!("payload.{problem}")]);
        }
    }

    #[test]
    fn rejects_values_of_private_fields() {
        for value in [
            json!("a@b.c"),
            json!("Bob"),
            json!(7),
            json!({}),
            json!(null),
        ] {
            assert_eq!(
                with("email", value),
                ["payload.email is private by its contract: its value must not leave the process"]
            );
        }
    }

    #[test]
    fn names_of_the_types_of_private_fields_are_no_values() {
        assert_eq!(with("email", json!("str")), [""; 0]);
        let names = |ty: &Type| {
            let names = ["str", "int", "list", "dict", "Customer", "EUR", "Bob"];
            names
                .into_iter()
                .filter(|name| is_type_name(ty, name))
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&Type::Decimal), ["str", "int"]);
        assert_eq!(names(&Type::List(Box::new(Type::String))), ["list"]);
        assert_eq!(names(&Type::String.or_null()), ["str"]);
        assert!(is_type_name(&Type::String.or_null(), "NoneType"));
        assert!(!is_type_name(&Type::String, "NoneType"));
        assert_eq!(
            names(&Type::Defined("Customer".to_owned())),
            ["dict", "Customer", "Bob"]
        );
        let channels = Type::Enum(vec!["EUR".to_owned(), "Bob".to_owned()]);
        assert_eq!(names(&channels), ["str", "Customer"]);
    }
}
