//! Values of declared fields, as a program might publish them.
//!
//! Where the contract sets no limits, texts have [`TEXT`] characters, lists and maps [`ITEMS`]
//! items, and numbers [`NUMBER`]'s digits. A field that has a default has that value, one that may
//! be left out is there, and of several texts the longest stands.

use herald_catalog::fields::{Field, Limits, Privacy, Type};
use herald_catalog::{Node, regex_sample};
use serde_json::{Map, Number, Value};

/// Characters of a text.
pub const TEXT: usize = 16;
/// Items of a list or a map.
pub const ITEMS: usize = 3;
/// A number.
const NUMBER: f64 = 1234.5;

/// More bytes than this are not made: it is what Kafka takes by default.
const MOST: usize = 1 << 20;
/// Definitions in each other end here, if nothing else ends them.
const DEEPEST: usize = 64;

/// Makes values for the fields of a node.
pub struct Examples<'a> {
    node: &'a Node,
    /// Definitions around the value that is being made.
    around: Vec<&'a str>,
    /// Bytes that may still be made.
    left: usize,
    /// Whether something has fields that the contract doesn't declare.
    pub is_open: bool,
}

impl<'a> Examples<'a> {
    pub fn new(node: &'a Node) -> Self {
        Self {
            node,
            around: Vec::new(),
            left: MOST,
            is_open: false,
        }
    }

    /// Whether more would be needed than Kafka takes by default.
    pub fn is_cut(&self) -> bool {
        self.left == 0
    }

    /// The fields as they leave the process: of what is private, the name of its type.
    pub fn published(&mut self, fields: &[Field]) -> Map<String, Value> {
        self.is_open |= fields.is_empty();
        self.object(fields)
    }

    fn object(&mut self, fields: &[Field]) -> Map<String, Value> {
        let mut object = Map::new();
        for field in fields {
            if !field.required && self.is_around(&field.ty) {
                continue;
            }
            self.spend(field.name.len() + 4);
            let value = match field.privacy {
                Privacy::Private => Value::from(self.type_name(&field.ty)),
                Privacy::Public => self.field(field),
            };
            object.insert(field.name.clone(), value);
        }
        object
    }

    fn field(&mut self, field: &Field) -> Value {
        match &field.default {
            Some(default) if !default.is_null() => {
                self.spend(default.to_string().len());
                default.clone()
            }
            _ => self.value(&field.ty, &field.limits),
        }
    }

    fn value(&mut self, ty: &Type, limits: &Limits) -> Value {
        match ty {
            Type::Null => Value::Null,
            Type::Boolean => {
                self.spend(5);
                Value::Bool(false)
            }
            Type::Any | Type::Model(_) => {
                self.is_open = true;
                Value::Object(Map::new())
            }
            Type::String => Value::from(self.text(limits)),
            Type::Integer => self.whole(limits),
            Type::Number => {
                self.spend(8);
                Number::from_f64(number(limits)).map_or(Value::Null, Value::Number)
            }
            Type::Decimal => {
                let text = number(limits).to_string();
                self.spend(text.len());
                Value::from(text)
            }
            Type::Uuid => self.fixed("0191c2a0-5b7e-4cc1-8d2f-6b6f0a1b2c3d"),
            Type::DateTime => self.fixed("2025-11-05T12:00:00.123456+00:00"),
            Type::Date => self.fixed("2025-11-05"),
            Type::Bytes => self.fixed("aGVyYWxkIGV4YW1w"),
            Type::Enum(texts) => {
                let longest = texts.iter().max_by_key(|text| text.len());
                self.fixed(longest.map_or("", String::as_str))
            }
            Type::List(item) => self.list(item, limits),
            Type::Map(item) => self.map(item),
            Type::Defined(name) => self.defined(name),
            Type::Union(members) => {
                let mut others = members.iter().filter(|member| **member != Type::Null);
                match others.find(|member| !self.is_around(member)) {
                    Some(member) => self.value(member, limits),
                    None => Value::Null,
                }
            }
        }
    }

    fn defined(&mut self, name: &str) -> Value {
        let node = self.node;
        match node.definition(name) {
            Some(definition) if self.around.len() < DEEPEST && self.left > 0 => {
                self.around.push(&definition.name);
                let object = self.object(&definition.fields);
                self.around.pop();
                Value::Object(object)
            }
            _ => Value::Object(Map::new()),
        }
    }

    /// Whether a value of the type would have a definition in it that it is in itself: that ends as
    /// soon as it may.
    fn is_around(&self, ty: &Type) -> bool {
        match ty {
            Type::Defined(name) => self.around.contains(&name.as_str()),
            Type::List(item) | Type::Map(item) => self.is_around(item),
            Type::Union(members) => members.iter().any(|member| self.is_around(member)),
            _ => false,
        }
    }

    fn list(&mut self, item: &Type, limits: &Limits) -> Value {
        let of_items = limits.items.as_deref().cloned().unwrap_or_default();
        let wanted = clamped(self.items(item), limits.min_items, limits.max_items);
        let mut items = Vec::new();
        while items.len() < wanted && self.left > 0 {
            self.spend(1);
            items.push(self.value(item, &of_items));
        }
        Value::from(items)
    }

    fn map(&mut self, item: &Type) -> Value {
        let limits = Limits::default();
        let wanted = self.items(item);
        let mut items = Map::new();
        while items.len() < wanted && self.left > 0 {
            let name = format!("key_{}", items.len());
            self.spend(name.len() + 4);
            items.insert(name, self.value(item, &limits));
        }
        Value::Object(items)
    }

    /// Items that there usually are.
    fn items(&self, item: &Type) -> usize {
        if self.is_around(item) { 0 } else { ITEMS }
    }

    fn text(&mut self, limits: &Limits) -> String {
        let wanted = clamped(TEXT, limits.min_length, limits.max_length).min(self.left);
        let most = clamped(MOST, None, limits.max_length);
        let matching = limits.pattern.as_deref();
        let matching = matching.and_then(|pattern| regex_sample::sample(pattern, wanted, most));
        let text = matching.unwrap_or_else(|| "a".repeat(wanted));
        self.spend(text.len() + 2);
        text
    }

    fn whole(&mut self, limits: &Limits) -> Value {
        let float = |number: &Option<Number>| number.as_ref().and_then(Number::as_f64);
        let above = float(&limits.exclusive_minimum).map(|number| number.floor() + 1.0);
        let below = float(&limits.exclusive_maximum).map(|number| number.ceil() - 1.0);
        let low = [float(&limits.minimum), above].into_iter().flatten();
        let high = [float(&limits.maximum), below].into_iter().flatten();
        let (low, high) = (low.reduce(f64::max), high.reduce(f64::min));
        let mut number = NUMBER.trunc();
        number = high.map_or(number, |high| number.min(high.floor()));
        number = low.map_or(number, |low| number.max(low.ceil()));
        self.spend(8);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it is whole, and `as` saturates"
        )]
        Value::from(number as i64)
    }

    fn fixed(&mut self, text: &str) -> Value {
        self.spend(text.len() + 2);
        Value::from(text)
    }

    fn spend(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes);
    }

    /// Name of the type of a value in Python, which is published instead of a private value.
    fn type_name(&self, ty: &Type) -> String {
        let name = match ty {
            Type::String | Type::Enum(_) => "str",
            Type::Integer => "int",
            Type::Number => "float",
            Type::Boolean => "bool",
            Type::Uuid => "UUID",
            Type::DateTime => "datetime",
            Type::Date => "date",
            Type::Decimal => "Decimal",
            Type::Bytes => "bytes",
            Type::Null => "NoneType",
            Type::List(_) => "list",
            Type::Map(_) | Type::Any => "dict",
            Type::Model(name) => name.rsplit('.').next().unwrap_or(name),
            Type::Defined(name) => {
                let known = self.node.definition(name);
                known.map_or(name.as_str(), |known| &known.ident)
            }
            Type::Union(members) => {
                let first = members.iter().find(|member| **member != Type::Null);
                return first
                    .map_or_else(|| "NoneType".to_owned(), |member| self.type_name(member));
            }
        };
        name.to_owned()
    }
}

/// The size that is nearest to the usual one.
fn clamped(usual: usize, least: Option<u32>, most: Option<u32>) -> usize {
    let size = |limit: u32| usize::try_from(limit).unwrap_or(usize::MAX);
    let size_at_most = usual.min(most.map_or(usize::MAX, size));
    size_at_most.max(least.map_or(0, size))
}

/// The number within the limits that is nearest to the usual one, or between them.
fn number(limits: &Limits) -> f64 {
    let float = |number: &Option<Number>| number.as_ref().and_then(Number::as_f64);
    let low = [float(&limits.minimum), float(&limits.exclusive_minimum)];
    let high = [float(&limits.maximum), float(&limits.exclusive_maximum)];
    let low = low.into_iter().flatten().reduce(f64::max);
    let high = high.into_iter().flatten().reduce(f64::min);
    match (low, high) {
        (Some(low), _) if low >= NUMBER => match high {
            Some(high) => low.midpoint(high),
            None => low + 1.0,
        },
        (low, Some(high)) if high <= NUMBER => match low {
            Some(low) => low.midpoint(high),
            None => high - 1.0,
        },
        _ => NUMBER,
    }
}
