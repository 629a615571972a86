//! Values that a contract's fields take, to begin tests with.

use serde_json::{Map, Number, Value, json};

use crate::fields::{Definition, Field, Limits, Type};
use crate::regex_sample;
use crate::value::mismatch;

/// How deep definitions may have each other in them; deeper is a circle.
const DEEPEST: usize = 16;

/// More repetitions than that nobody wants to read.
const MOST: u32 = 1024;

/// An object with the fields that must be there, each of its type and within its limits; `None`
/// where no such value was found.
pub fn object(fields: &[Field], definitions: &[Definition]) -> Option<Map<String, Value>> {
    object_below(fields, definitions, DEEPEST)
}

fn object_below(
    fields: &[Field],
    definitions: &[Definition],
    depth: usize,
) -> Option<Map<String, Value>> {
    let required = fields.iter().filter(|field| field.required);
    required
        .map(|field| {
            let value = value(&field.ty, &field.limits, definitions, depth)?;
            Some((field.name.clone(), value))
        })
        .collect()
}

fn value(ty: &Type, limits: &Limits, definitions: &[Definition], depth: usize) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    let made = match ty {
        Type::Any | Type::Model(_) | Type::Map(_) => json!({}),
        Type::Null => Value::Null,
        Type::Boolean => json!(true),
        Type::Bytes => json!(""),
        Type::Uuid => json!("00000000-0000-4000-8000-000000000000"),
        Type::DateTime => json!("2026-01-01T00:00:00Z"),
        Type::Date => json!("2026-01-01"),
        Type::Enum(values) => json!(values.first()?),
        Type::String => return text(limits).filter(|text| fits(ty, limits, text)),
        Type::Integer | Type::Number | Type::Decimal => {
            return numbers(ty, limits).find(|number| fits(ty, limits, number));
        }
        Type::Defined(name) => {
            let definition = definitions.iter().find(|known| known.name == *name)?;
            Value::Object(object_below(&definition.fields, definitions, depth)?)
        }
        Type::List(item) => {
            let items = limits.min_items.unwrap_or(0);
            if items > MOST {
                return None;
            }
            let of_items = limits.items.as_deref().cloned().unwrap_or_default();
            let items = (0..items).map(|_| value(item, &of_items, definitions, depth));
            Value::Array(items.collect::<Option<_>>()?)
        }
        Type::Union(members) => {
            let mut values = members
                .iter()
                .filter_map(|member| value(member, limits, definitions, depth));
            return values.next();
        }
    };
    Some(made)
}

fn fits(ty: &Type, limits: &Limits, value: &Value) -> bool {
    mismatch(ty, limits, value, &[], "").is_none()
}

/// A text that may be within the limits.
fn text(limits: &Limits) -> Option<Value> {
    let least = limits.min_length.unwrap_or(0);
    let most = limits.max_length.unwrap_or(MOST);
    if let Some(pattern) = &limits.pattern {
        return regex_sample::sample(pattern, least.min(MOST) as usize, most.min(MOST) as usize)
            .map(Value::from);
    }
    let length = most.min(4).max(least);
    let word = "text".chars().cycle().take(length.min(MOST) as usize);
    Some(json!(word.collect::<String>()))
}

/// Numbers that may be within the limits.
fn numbers(ty: &Type, limits: &Limits) -> impl Iterator<Item = Value> {
    let bound = |bound: &Option<Number>| bound.as_ref().and_then(Number::as_f64);
    let (least, most) = (bound(&limits.minimum), bound(&limits.maximum));
    let above = bound(&limits.exclusive_minimum);
    let below = bound(&limits.exclusive_maximum);
    let low = least.or(above).unwrap_or(0.0);
    let high = most.or(below).unwrap_or(low + 1.0);
    let found = [
        Some(1.0),
        Some(0.0),
        least.map(f64::ceil),
        most.map(f64::floor),
        above.map(|above| (above + 1.0).floor()),
        below.map(|below| (below - 1.0).ceil()),
        least,
        most,
        Some(f64::midpoint(low, high)),
    ];
    let ty = ty.clone();
    found.into_iter().flatten().filter_map(move |number| {
        let whole = format!("{number:.0}").parse::<i64>().ok();
        let whole = whole.filter(|_| number.fract() == 0.0);
        match ty {
            Type::Integer => whole.map(|whole| json!(whole)),
            Type::Decimal => Some(json!(
                whole.map_or_else(|| number.to_string(), |whole| whole.to_string())
            )),
            _ => Number::from_f64(number).map(Value::Number),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{Options, load_text};

    /// The input of the first operation.
    fn sample(contract: &str) -> Option<Value> {
        let contract = format!("node_type: effect\nservice_name: a\n{contract}");
        let loaded = load_text("a", &contract, &Options::default());
        let errors: Vec<_> = loaded
            .diagnostics
            .iter()
            .filter(|it| it.is_error())
            .collect();
        assert!(errors.is_empty(), "{errors:?}");
        let node = &loaded.catalog.nodes[0];
        object(&node.operations[0].input, &node.definitions).map(Value::Object)
    }

    fn field(ty: &str) -> Option<Value> {
        let value = sample(&format!(
            "operations: [{{name: place, input: {{x: {ty}}}}}]\n"
        ))?;
        Some(value["x"].clone())
    }

    #[test]
    fn values_are_of_their_types() {
        assert_eq!(field("string"), Some(json!("text")));
        assert_eq!(field("integer"), Some(json!(1)));
        assert_eq!(field("number"), Some(json!(1.0)));
        assert_eq!(field("decimal"), Some(json!("1")));
        assert_eq!(field("'list[string]'"), Some(json!([])));
        assert_eq!(field("{type: string, enum: [a, b]}"), Some(json!("a")));
    }

    #[test]
    fn limits_are_kept() {
        assert_eq!(
            field("{type: integer, minimum: 5, maximum: 7}"),
            Some(json!(5))
        );
        assert_eq!(
            field("{type: number, exclusive_minimum: 1, exclusive_maximum: 2}"),
            Some(json!(1.5))
        );
        assert_eq!(
            field("{type: string, min_length: 6}"),
            Some(json!("textte"))
        );
        assert_eq!(field("{type: string, max_length: 2}"), Some(json!("te")));
        assert_eq!(
            field("{type: 'list[integer]', min_items: 2}"),
            Some(json!([1, 1]))
        );
    }

    #[test]
    fn patterns_are_matched() {
        assert_eq!(
            field("{type: string, pattern: '^[A-Z]{3}-[0-9]{2}$'}"),
            Some(json!("AAA-00"))
        );
        assert_eq!(
            field("{type: string, pattern: '^(eu|us)-[a-z]+$', min_length: 7}"),
            Some(json!("eu-aaaa"))
        );
        let impossible = "{type: string, pattern: '^[a-z]{4}$', max_length: 2}";
        assert_eq!(field(impossible), None);
    }

    #[test]
    fn definitions_are_filled_and_circles_end() {
        let of = |more: &str| {
            sample(&format!(
                "definitions:\n  Item: {{fields: {{sku: string{more}}}}}\n\
                 operations: [{{name: place, input: {{item: Item}}}}]\n"
            ))
        };
        assert_eq!(of(""), Some(json!({"item": {"sku": "text"}})));
        let optional = ", next: {type: Item, required: false}";
        assert_eq!(of(optional), Some(json!({"item": {"sku": "text"}})));
    }
}
