//! Values of a type that are worth trying on a reader: edges of the limits of both sides.

use herald_catalog::fields::{Definition, Field, Limits, Type};
use herald_catalog::regex_sample;
use serde_json::{Map, Number, Value, json};

use crate::wire::{Typed, UNLIMITED, WireField};

/// Definitions may contain each other this deep in a candidate.
const MAX_DEPTH: usize = 5;

/// Longer texts and lists are not tried: nobody would read such a witness.
const MAX_SIZE: u32 = 2_000;

/// A value that `writer` allows and `reader` rejects, the simplest that was found.
pub(crate) fn witness(writer: Typed<'_>, reader: Typed<'_>) -> Option<Value> {
    witness_for_all(writer, &[reader])
}

/// A value that `writer` allows and all of `readers` reject, the simplest that was found at the
/// limits of the first one.
pub(crate) fn witness_for_all(writer: Typed<'_>, readers: &[Typed<'_>]) -> Option<Value> {
    let mut values = candidates(writer, *readers.first()?, MAX_DEPTH).into_iter();
    values
        .find(|value| writer.accepts(value) && !readers.iter().any(|reader| reader.accepts(value)))
}

/// The object with the fewest fields that `fields` allow; `None` where no value of a required
/// field was found.
pub(crate) fn least_object(fields: &[Field], definitions: &[Definition]) -> Option<Value> {
    let mut object = Map::new();
    for field in fields
        .iter()
        .map(WireField::of)
        .filter(|field| field.required)
    {
        let typed = field.typed(definitions);
        let mut values = candidates(typed, typed, MAX_DEPTH).into_iter();
        let value = values.find(|value| typed.accepts(value))?;
        object.insert(field.name.to_owned(), value);
    }
    Some(Value::Object(object))
}

/// Values of the writer's type, at the edges of what the reader takes.
fn candidates(writer: Typed<'_>, reader: Typed<'_>, depth: usize) -> Vec<Value> {
    let Some(depth) = depth.checked_sub(1) else {
        return Vec::new();
    };
    let (writer, reader) = (writer.without_name(), reader.without_name());
    match writer.ty {
        Type::Any | Type::Model(_) => vec![
            json!("text"),
            json!(1.5),
            json!({}),
            json!([]),
            json!(true),
            Value::Null,
        ],
        Type::Null => vec![Value::Null],
        Type::Boolean => vec![json!(true), json!(false)],
        Type::Uuid => vec![json!("00000000-0000-4000-8000-000000000000")],
        Type::DateTime => vec![
            json!("2026-01-01T00:00:00Z"),
            json!("2026-01-01T00:00:00.123456789+01:00"),
        ],
        Type::Date => vec![json!("2026-01-01")],
        Type::Duration => vec![json!("PT1H"), json!("-P1DT2H30M15.5S")],
        Type::Numbers(values) => values.iter().cloned().map(Value::Number).collect(),
        Type::Scalar(_) => Vec::new(),
        Type::Bytes => vec![json!("aGVyYWxk"), json!("")],
        Type::Enum(values) => values.iter().map(|value| json!(value)).collect(),
        Type::String => texts(writer.limits, reader.limits),
        Type::Integer | Type::Number | Type::Decimal => {
            numbers(writer.ty, writer.limits, reader.limits)
        }
        Type::Union(members) => members
            .iter()
            .flat_map(|member| candidates(writer.with(member), reader, depth))
            .collect(),
        Type::List(item) => lists(writer, reader, item, depth),
        Type::Map(value) => {
            let values = candidates(writer.values(value), part(reader), depth);
            let maps = values.into_iter().map(|value| json!({"key": value}));
            std::iter::once(json!({})).chain(maps).collect()
        }
        Type::Defined(name) => objects(writer, name, reader, depth),
    }
}

/// The reader of the values inside of a list, a map or an object; anything of it may be meant.
fn part(reader: Typed<'_>) -> Typed<'_> {
    match reader.ty {
        Type::List(item) => reader.items(item),
        Type::Map(value) => reader.values(value),
        Type::Union(members) => {
            let mut inner = members.iter().map(|member| part(reader.with(member)));
            inner.next().unwrap_or(reader)
        }
        _ => reader,
    }
}

fn lists(writer: Typed<'_>, reader: Typed<'_>, item: &Type, depth: usize) -> Vec<Value> {
    let min = writer.limits.min_items.unwrap_or(0);
    let of_items = candidates(writer.items(item), part(reader), depth);
    let mut lists = Vec::new();
    for length in sizes(
        (writer.limits.min_items, writer.limits.max_items),
        [reader.limits.min_items, reader.limits.max_items],
    ) {
        let first = of_items.first().cloned();
        if length == 0 {
            lists.push(json!([]));
        } else if let Some(first) = first {
            lists.push(Value::Array(vec![first; length as usize]));
        }
    }
    // Each item alone, or as the last of the fewest that are allowed.
    for value in &of_items {
        let mut values = vec![of_items[0].clone(); min.saturating_sub(1).min(MAX_SIZE) as usize];
        values.push(value.clone());
        lists.push(Value::Array(values));
    }
    // All kinds of items in one list, which no union of lists takes.
    if of_items.len() > 1 {
        lists.push(Value::Array(of_items));
    }
    lists
}

fn objects(writer: Typed<'_>, name: &str, reader: Typed<'_>, depth: usize) -> Vec<Value> {
    let fields: Vec<_> = writer.definition(name).iter().map(WireField::of).collect();
    let reader_fields: Vec<_> = match reader.ty {
        Type::Defined(name) => reader.definition(name).iter().map(WireField::of).collect(),
        _ => Vec::new(),
    };
    let anything = Typed {
        ty: &Type::Any,
        limits: &UNLIMITED,
        definitions: &[],
    };
    let of_fields: Vec<_> = fields
        .iter()
        .map(|field| {
            let same = reader_fields.iter().find(|other| other.name == field.name);
            let reader = match (reader.ty, same) {
                (_, Some(other)) => other.typed(reader.definitions),
                (Type::Map(value), None) => reader.values(value),
                _ => anything,
            };
            candidates(field.typed(writer.definitions), reader, depth)
        })
        .collect();
    let mut least = Map::new();
    for (field, values) in fields.iter().zip(&of_fields) {
        let allowed = |value: &&Value| field.typed(writer.definitions).accepts(value);
        match values.iter().find(allowed) {
            Some(value) if field.required => {
                least.insert(field.name.to_owned(), value.clone());
            }
            None if field.required => return Vec::new(),
            _ => {}
        }
    }
    let mut objects = vec![Value::Object(least.clone())];
    for (field, values) in fields.iter().zip(of_fields) {
        for value in values {
            let mut object = least.clone();
            object.insert(field.name.to_owned(), value);
            objects.push(Value::Object(object));
        }
    }
    objects
}

/// Sizes at the edges of both sides' limits.
fn sizes(
    (min, max): (Option<u32>, Option<u32>),
    others: impl IntoIterator<Item = Option<u32>>,
) -> Vec<u32> {
    let (min, max) = (min.unwrap_or(0), max.unwrap_or(u32::MAX));
    let mut sizes = vec![min];
    if max <= MAX_SIZE {
        sizes.push(max);
    }
    for other in others.into_iter().flatten() {
        sizes.extend([other.saturating_sub(1), other, other.saturating_add(1)]);
    }
    sizes.retain(|size| (min..=max.min(MAX_SIZE)).contains(size));
    sizes.dedup();
    sizes
}

fn texts(limits: &Limits, others: &Limits) -> Vec<Value> {
    let lengths = sizes(
        (limits.min_length, limits.max_length),
        [others.min_length, others.max_length],
    );
    let max = limits.max_length.unwrap_or(MAX_SIZE).min(MAX_SIZE);
    let mut texts = Vec::new();
    if let Some(pattern) = &limits.pattern {
        texts.extend(
            lengths
                .iter()
                .filter_map(|length| regex_sample::sample(pattern, *length as usize, max as usize)),
        );
    } else {
        texts.extend(["text", "", "Text 1", "-", "1"].map(str::to_owned));
        texts.extend(lengths.iter().map(|length| "x".repeat(*length as usize)));
    }
    texts.into_iter().map(Value::from).collect()
}

fn numbers(ty: &Type, limits: &Limits, others: &Limits) -> Vec<Value> {
    let mut found = vec![1.0, 0.0, 1.5, -1.0];
    for limits in [limits, others] {
        let bounds = [
            &limits.minimum,
            &limits.maximum,
            &limits.exclusive_minimum,
            &limits.exclusive_maximum,
        ];
        let bounds = bounds.into_iter().flatten().filter_map(Number::as_f64);
        for bound in bounds {
            found.extend([bound, bound - 1.0, bound + 1.0, bound - 0.5, bound + 0.5]);
            found.extend([bound.floor(), bound.ceil()]);
        }
    }
    let mut values = Vec::new();
    for number in found {
        let whole = format!("{number:.0}").parse::<i64>().ok();
        let whole = whole.filter(|_| number.fract() == 0.0);
        values.extend(match ty {
            Type::Integer => whole.map(Value::from),
            Type::Decimal => Some(
                whole
                    .map_or_else(|| number.to_string(), |whole| whole.to_string())
                    .into(),
            ),
            _ => whole
                .map(Value::from)
                .or_else(|| Number::from_f64(number).map(Value::Number)),
        });
    }
    values
}
