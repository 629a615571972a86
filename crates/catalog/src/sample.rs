//! Example values of declared fields.
//!
//! [`Samples::minimal`] makes the smallest valid objects, to begin tests with.
//! [`Samples::typical`] makes objects of a usual size, to estimate volumes: texts have
//! [`TEXT_LENGTH`] characters, lists and maps [`ITEMS`] items.

use serde_json::{Map, Number, Value, json};

use crate::fields::{Definition, Field, Limits, Privacy, Type};
use crate::regex_sample;
use crate::value::mismatch;

/// Characters of a typical text without limits.
pub const TEXT_LENGTH: u32 = 16;
/// Items of a typical list or map without limits.
pub const ITEMS: u32 = 3;

/// Bytes that a sample may have: what Kafka takes by default.
const MAX_BYTES: usize = 1 << 20;
/// Length of texts and lists that a minimal sample may have.
const MAX_MINIMAL_LENGTH: u32 = 1024;
/// Length of texts and lists that a typical sample may have.
const MAX_TYPICAL_LENGTH: u32 = 1 << 20;
/// Depth of definitions in each other.
const MAX_DEPTH: usize = 64;

/// Choices that differ between minimal and typical samples.
#[derive(Debug)]
struct Style {
    /// Whether optional fields are present.
    optional_fields: bool,
    /// Whether a value is made where none fits the limits.
    lenient: bool,
    boolean: bool,
    timestamp: &'static str,
    duration: &'static str,
    bytes: &'static str,
    number: f64,
    text_length: u32,
    items: u32,
    max_length: u32,
}

static MINIMAL: Style = Style {
    optional_fields: false,
    lenient: false,
    boolean: true,
    timestamp: "2026-01-01T00:00:00Z",
    duration: "PT0S",
    bytes: "",
    number: 1.0,
    text_length: 4,
    items: 0,
    max_length: MAX_MINIMAL_LENGTH,
};

static TYPICAL: Style = Style {
    optional_fields: true,
    lenient: true,
    boolean: false,
    timestamp: "2025-11-05T12:00:00.123456+00:00",
    duration: "P1DT2H30M15.123456S",
    bytes: "aGVyYWxkIGV4YW1w",
    number: 1234.5,
    text_length: TEXT_LENGTH,
    items: ITEMS,
    max_length: MAX_TYPICAL_LENGTH,
};

/// Returns the text that is published instead of a private value: the name of its type.
pub type Mask = fn(&Type, &[Definition]) -> String;

/// Maker of example values for the fields of a contract.
#[derive(Debug)]
pub struct Samples<'a> {
    definitions: &'a [Definition],
    style: &'static Style,
    mask: Option<Mask>,
    /// Definitions around the value that is being made.
    around: Vec<&'a str>,
    /// Bytes that may still be made.
    bytes_left: usize,
    /// Whether a value has fields that the contract does not declare.
    is_open: bool,
}

impl<'a> Samples<'a> {
    /// Creates a maker of the smallest valid objects: only required fields.
    pub fn minimal(definitions: &'a [Definition]) -> Self {
        Self {
            definitions,
            style: &MINIMAL,
            mask: None,
            around: Vec::new(),
            bytes_left: MAX_BYTES,
            is_open: false,
        }
    }

    /// Creates a maker of objects of a usual size: all fields, defaults where there are some, the
    /// longest text of an enumeration, and private values replaced by `mask`.
    pub fn typical(definitions: &'a [Definition], mask: Mask) -> Self {
        Self {
            style: &TYPICAL,
            ..Self::minimal(definitions).masked(mask)
        }
    }

    /// Replaces private values by `mask`, as publishers do.
    #[must_use]
    pub fn masked(self, mask: Mask) -> Self {
        Self {
            mask: Some(mask),
            ..self
        }
    }

    /// Whether a sample was cut at the size that Kafka takes by default.
    pub fn is_cut(&self) -> bool {
        self.bytes_left == 0
    }

    /// Whether a value is made where none fits the limits.
    pub(crate) fn is_lenient(&self) -> bool {
        self.style.lenient
    }

    /// Whether a sample has fields that the contract does not declare.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// Makes an object with these fields, each of its type and within its limits; `None` where
    /// no such value was found. Typical samples are always found. Without fields the object is
    /// open.
    pub fn object(&mut self, fields: &[Field]) -> Option<Map<String, Value>> {
        self.is_open |= fields.is_empty();
        self.fields(fields)
    }

    fn fields(&mut self, fields: &[Field]) -> Option<Map<String, Value>> {
        let mut object = Map::new();
        for field in fields {
            let is_present =
                field.required || (self.style.optional_fields && !self.is_around(&field.ty));
            if !is_present {
                continue;
            }
            self.spend(field.name.len() + 4);
            let value = match (self.mask, field.privacy) {
                (Some(mask), Privacy::Private) => Value::from(mask(&field.ty, self.definitions)),
                _ => self.field(field)?,
            };
            object.insert(field.name.clone(), value);
        }
        Some(object)
    }

    fn field(&mut self, field: &Field) -> Option<Value> {
        match &field.default {
            Some(default) if self.style.optional_fields && !default.is_null() => {
                self.spend(default.to_string().len());
                Some(default.clone())
            }
            _ => self.value(&field.ty, &field.limits),
        }
    }

    fn value(&mut self, ty: &Type, limits: &Limits) -> Option<Value> {
        let value = self.value_of_type(ty, limits)?;
        let schema = limits.json_schema.as_ref();
        let fits = schema.is_none_or(|schema| schema.accepts(&value));
        (fits || self.style.lenient).then_some(value)
    }

    fn value_of_type(&mut self, ty: &Type, limits: &Limits) -> Option<Value> {
        let style = self.style;
        let value = match ty {
            Type::Any | Type::Model(_) => {
                self.is_open = true;
                json!({})
            }
            Type::Null => Value::Null,
            Type::Boolean => json!(style.boolean),
            Type::Bytes => json!(style.bytes),
            Type::Uuid => json!("00000000-0000-4000-8000-000000000000"),
            Type::DateTime => json!(style.timestamp),
            Type::Date => json!("2026-01-01"),
            Type::Duration => json!(style.duration),
            Type::Numbers(numbers) => json!(numbers.first()?),
            Type::Scalar(scalar) => return self.value(&scalar.ty, &scalar.limits),
            Type::Enum(texts) if style.optional_fields => {
                json!(texts.iter().max_by_key(|text| text.len())?)
            }
            Type::Enum(texts) => json!(texts.first()?),
            Type::String => self.within(ty, limits, self.text(limits)?)?,
            Type::Integer | Type::Number | Type::Decimal => self.number(ty, limits)?,
            Type::List(item) => return self.list(item, limits),
            Type::Map(item) => return self.map(item),
            Type::Defined(name) => return self.defined(name),
            Type::Union(members) => return self.member(members, limits),
        };
        self.spend(match &value {
            Value::String(text) => text.len() + 2,
            Value::Object(_) => 0,
            other => other.to_string().len(),
        });
        Some(value)
    }

    /// The value, where it fits its limits or need not.
    fn within(&self, ty: &Type, limits: &Limits, value: Value) -> Option<Value> {
        (self.style.lenient || fits(ty, limits, &value)).then_some(value)
    }

    /// A text that may be within the limits.
    fn text(&self, limits: &Limits) -> Option<Value> {
        let min = limits.min_length.unwrap_or(0);
        let max = limits.max_length.unwrap_or(self.style.max_length);
        let left = self.bytes_left;
        let capped = |length: u32| (length.min(self.style.max_length) as usize).min(left);
        let usual = max.min(self.style.text_length).max(min);
        if let Some(pattern) = &limits.pattern {
            let shortest = if self.style.lenient { usual } else { min };
            let text = regex_sample::sample(pattern, capped(shortest), capped(max));
            if text.is_some() || !self.style.lenient {
                return text.map(Value::from);
            }
        }
        let text = "text".chars().cycle().take(capped(usual));
        Some(json!(text.collect::<String>()))
    }

    /// The usual number, or the first one of the limits and between them that fits.
    fn number(&self, ty: &Type, limits: &Limits) -> Option<Value> {
        let usual = match ty {
            Type::Integer => self.style.number.trunc(),
            _ => self.style.number,
        };
        let fallback = || self.style.lenient.then(|| json!(usual));
        numbers(ty, limits, usual)
            .find(|number| fits(ty, limits, number))
            .or_else(fallback)
    }

    fn list(&mut self, item: &Type, limits: &Limits) -> Option<Value> {
        let of_items = limits.items.as_deref().cloned().unwrap_or_default();
        let wanted = self.items(item).min(limits.max_items.unwrap_or(u32::MAX));
        let wanted = wanted.max(limits.min_items.unwrap_or(0));
        if wanted > self.style.max_length && !self.style.lenient {
            return None;
        }
        let mut items = Vec::new();
        while items.len() < wanted as usize && self.bytes_left > 0 {
            self.spend(1);
            let value = match limits.unique_items {
                Some(true) => distinct(item, &of_items, items.len()),
                _ => None,
            };
            match value {
                Some(value) => items.push(value),
                None if limits.unique_items == Some(true) && !items.is_empty() => break,
                None => items.push(self.value(item, &of_items)?),
            }
        }
        let min = limits.min_items.unwrap_or(0) as usize;
        let max = limits.max_items.unwrap_or(u32::MAX) as usize;
        // The limits of an imported schema may contradict each other.
        let fits = (min..=max).contains(&items.len());
        (fits || self.style.lenient).then(|| Value::from(items))
    }

    fn map(&mut self, item: &Type) -> Option<Value> {
        let wanted = self.items(item) as usize;
        let mut items = Map::new();
        while items.len() < wanted && self.bytes_left > 0 {
            let name = format!("key_{}", items.len());
            self.spend(name.len() + 4);
            items.insert(name, self.value(item, &Limits::default())?);
        }
        Some(Value::Object(items))
    }

    /// Items that a list or a map has without limits.
    fn items(&self, item: &Type) -> u32 {
        if self.is_around(item) {
            0
        } else {
            self.style.items
        }
    }

    fn defined(&mut self, name: &str) -> Option<Value> {
        let definitions = self.definitions;
        let definition = definitions.iter().find(|known| known.name == name);
        let may_go_on = self.around.len() < MAX_DEPTH && self.bytes_left > 0;
        let Some(definition) = definition.filter(|_| may_go_on) else {
            return self.style.lenient.then(|| json!({}));
        };
        self.around.push(&definition.name);
        let object = self.fields(&definition.fields);
        self.around.pop();
        object.map(Value::Object)
    }

    /// The first member that has a value; typical samples are null only where nothing else is.
    fn member(&mut self, members: &[Type], limits: &Limits) -> Option<Value> {
        for member in members {
            let is_last_choice = *member == Type::Null || self.is_around(member);
            if self.style.optional_fields && is_last_choice {
                continue;
            }
            if let Some(value) = self.value(member, limits) {
                return Some(value);
            }
        }
        self.style.lenient.then_some(Value::Null)
    }

    /// Whether a value of the type would have a definition in it that it is part of itself: such
    /// a value ends as soon as it may.
    fn is_around(&self, ty: &Type) -> bool {
        match ty {
            Type::Defined(name) => self.around.contains(&name.as_str()),
            Type::List(item) | Type::Map(item) => self.is_around(item),
            Type::Union(members) => members.iter().any(|member| self.is_around(member)),
            _ => false,
        }
    }

    fn spend(&mut self, bytes: usize) {
        self.bytes_left = self.bytes_left.saturating_sub(bytes);
    }
}

/// The `index`th of some different values of a type, where it is within the limits.
fn distinct(ty: &Type, limits: &Limits, index: usize) -> Option<Value> {
    let value = match ty {
        Type::String => json!(format!("text_{index}")),
        Type::Integer | Type::Number => {
            let bound = |bound: &Option<Number>| bound.as_ref().and_then(Number::as_i64);
            let low = bound(&limits.minimum).or(bound(&limits.exclusive_minimum));
            let step = bound(&limits.multiple_of).unwrap_or(1);
            let first = low.unwrap_or(0) / step + 1;
            json!((first + i64::try_from(index).ok()?) * step)
        }
        Type::Boolean => json!([true, false].get(index)?),
        Type::Date => json!(format!("2026-01-{:02}", index % 28 + 1)),
        Type::Enum(texts) => json!(texts.get(index)?),
        Type::Numbers(numbers) => json!(numbers.get(index)?),
        Type::Scalar(scalar) => return distinct(&scalar.ty, &scalar.limits, index),
        Type::Union(members) => return distinct(members.first()?, limits, index),
        _ => return None,
    };
    fits(ty, limits, &value).then_some(value)
}

fn fits(ty: &Type, limits: &Limits, value: &Value) -> bool {
    mismatch(ty, limits, value, &[], "").is_none()
}

/// Numbers that may be within the limits: the usual one first, then those nearest to the limits.
fn numbers(ty: &Type, limits: &Limits, usual: f64) -> impl Iterator<Item = Value> {
    let bound = |bound: &Option<Number>| bound.as_ref().and_then(Number::as_f64);
    let (least, most) = (bound(&limits.minimum), bound(&limits.maximum));
    let step = bound(&limits.multiple_of);
    let above = bound(&limits.exclusive_minimum);
    let below = bound(&limits.exclusive_maximum);
    let low = least.or(above).unwrap_or(0.0);
    let high = most.or(below).unwrap_or(low + 1.0);
    let found = [
        Some(usual),
        Some(0.0),
        least.map(f64::ceil),
        most.map(f64::floor),
        above.map(|above| (above + 1.0).floor()),
        below.map(|below| (below - 1.0).ceil()),
        least,
        most,
        Some(f64::midpoint(low, high)),
        step.map(|step| (low / step).ceil() * step),
        step.map(|step| (low / step).floor() * step + step),
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
        Samples::minimal(&node.definitions)
            .object(&node.operations[0].input)
            .map(Value::Object)
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
    fn definitions_are_filled_and_cycles_end() {
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
