//! Types of values, as far as they were seen.

use std::collections::BTreeSet;

use herald_catalog::borrowed_value::{BorrowedObject, BorrowedValue};
use herald_catalog::fields::{Limits, Type};
use herald_catalog::value::is_scalar_of;
use serde_json::Value;

/// Depth below which values may be anything.
const MAX_DEPTH: usize = 8;
/// Members of an object that are fields; an object with more is a map.
pub(super) const MAX_FIELDS: usize = 100;
/// Values of an enumeration.
const MAX_ENUM_VALUES: usize = 12;
/// Characters of a value of an enumeration.
const MAX_ENUM_LENGTH: usize = 32;
/// Times that each value of an enumeration was seen, on average.
const MIN_ENUM_REPETITIONS: u64 = 10;

/// Parts of names of fields whose values are never quoted: they may be about people, or secret.
const UNQUOTED_NAMES: &[&str] = &[
    "address",
    "birth",
    "card",
    "city",
    "comment",
    "cookie",
    "credential",
    "description",
    "email",
    "hash",
    "iban",
    "key",
    "mail",
    "message",
    "name",
    "note",
    "passw",
    "phone",
    "pin",
    "secret",
    "session",
    "signature",
    "street",
    "text",
    "title",
    "token",
    "url",
    "user",
];

/// Observations of the values at one place.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    pub nulls: u64,
    booleans: u64,
    integers: u64,
    fractions: u64,
    pub texts: Texts,
    lists: u64,
    pub items: Option<Box<Shape>>,
    pub objects: u64,
    /// Members of objects; `None` if there are too many different ones.
    pub fields: Option<Vec<FieldShape>>,
    /// Values of an object with too many different members.
    pub values: Option<Box<Shape>>,
    /// Values that are nested too deeply.
    deep: u64,
}

/// Observations of a field.
#[derive(Clone, Debug)]
pub(super) struct FieldShape {
    pub name: String,
    pub shape: Shape,
    /// Objects that had it.
    pub count: u64,
    /// The last of them.
    last: u64,
}

/// Observations of texts.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts {
    pub count: u64,
    /// Types that all of them had so far.
    formats: Vec<Type>,
    has_fraction: bool,
    has_leading_zero: bool,
    /// Different values, as long as they may be an enumeration.
    values: Option<BTreeSet<String>>,
}

impl Shape {
    pub(super) fn object() -> Self {
        Self {
            fields: Some(Vec::new()),
            ..Self::default()
        }
    }

    pub(super) fn add(&mut self, value: &BorrowedValue<'_>, depth: usize) {
        match value {
            _ if depth > MAX_DEPTH => self.deep += 1,
            BorrowedValue::Null => self.nulls += 1,
            BorrowedValue::Bool(_) => self.booleans += 1,
            BorrowedValue::Number(number) if number.is_f64() => self.fractions += 1,
            BorrowedValue::Number(_) => self.integers += 1,
            BorrowedValue::Text(text) => self.texts.add(text),
            BorrowedValue::List(items) => {
                self.lists += 1;
                let shape = self.items.get_or_insert_default();
                for item in items {
                    shape.add(item, depth + 1);
                }
            }
            BorrowedValue::Object(object) => self.add_object(object, depth),
        }
    }

    pub(super) fn add_object(&mut self, object: &BorrowedObject<'_>, depth: usize) {
        if self.objects == 0 && self.values.is_none() {
            self.fields = Some(Vec::new());
        }
        self.objects += 1;
        for (name, value) in object.iter() {
            self.add_member(name, value, depth + 1);
        }
    }

    fn add_member(&mut self, name: &str, value: &BorrowedValue<'_>, depth: usize) {
        let number = self.objects;
        let Some(fields) = &mut self.fields else {
            return self.values.get_or_insert_default().add(value, depth);
        };
        if let Some(field) = fields.iter_mut().find(|field| field.name == name) {
            // A name that an object repeats counts once.
            field.count += u64::from(field.last != number);
            field.last = number;
            return field.shape.add(value, depth);
        }
        if fields.len() < MAX_FIELDS {
            let mut shape = Self::default();
            shape.add(value, depth);
            fields.push(FieldShape {
                name: name.to_owned(),
                shape,
                count: 1,
                last: number,
            });
            return;
        }
        let mut all = Self::default();
        for field in self.fields.take().unwrap_or_default() {
            all.merge(field.shape);
        }
        all.add(value, depth);
        self.values = Some(Box::new(all));
    }

    fn merge(&mut self, other: Self) {
        self.nulls += other.nulls;
        self.booleans += other.booleans;
        self.integers += other.integers;
        self.fractions += other.fractions;
        self.lists += other.lists;
        self.deep += other.deep;
        self.texts.merge(other.texts);
        if let Some(items) = other.items {
            self.items.get_or_insert_default().merge(*items);
        }
        // Objects below one that is a map are not told apart any more.
        self.deep += other.objects;
    }

    /// The alternatives of a union, without objects.
    pub(super) fn scalars(&self, name: &str) -> Vec<ScalarType> {
        let mut found = Vec::new();
        if self.texts.count > 0 {
            found.push(self.texts.ty(name));
        }
        if self.fractions > 0 {
            found.push(ScalarType::Named("number"));
        } else if self.integers > 0 {
            found.push(ScalarType::Named("integer"));
        }
        if self.booleans > 0 {
            found.push(ScalarType::Named("boolean"));
        }
        found
    }

    pub(super) fn has_lists(&self) -> bool {
        self.lists > 0
    }

    pub(super) fn is_deep(&self) -> bool {
        self.deep > 0
    }
}

/// Type of scalars in a contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ScalarType {
    Named(&'static str),
    Enum(Vec<String>),
}

impl Texts {
    fn add(&mut self, text: &str) {
        let formats = [Type::Uuid, Type::DateTime, Type::Date, Type::Decimal];
        let is = |ty: &Type| {
            let value = Value::String(text.to_owned());
            is_scalar_of(ty, &Limits::default(), &value)
        };
        if self.count == 0 {
            self.formats = formats.into_iter().filter(|ty| is(ty)).collect();
            self.values = Some(BTreeSet::new());
        } else if !self.formats.is_empty() {
            self.formats.retain(is);
        }
        self.count += 1;
        self.has_fraction |= text.contains('.');
        let digits = text.trim_start_matches('-');
        self.has_leading_zero |=
            digits.starts_with('0') && !digits.starts_with("0.") && digits != "0";
        if let Some(values) = &mut self.values {
            if !values.contains(text) {
                values.insert(text.to_owned());
            }
            if !may_be_quoted(text) || values.len() > MAX_ENUM_VALUES {
                self.values = None;
            }
        }
    }

    fn merge(&mut self, other: Self) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = other;
            self.values = None;
            return;
        }
        self.count += other.count;
        self.formats.retain(|ty| other.formats.contains(ty));
        self.has_fraction |= other.has_fraction;
        self.has_leading_zero |= other.has_leading_zero;
        self.values = None;
    }

    fn ty(&self, name: &str) -> ScalarType {
        let has = |ty: &Type| self.formats.contains(ty);
        // Whole numbers in texts are rather ids.
        if has(&Type::Decimal) && self.has_fraction && !self.has_leading_zero {
            return ScalarType::Named("decimal");
        }
        for (ty, word) in [
            (Type::Uuid, "uuid"),
            (Type::DateTime, "datetime"),
            (Type::Date, "date"),
        ] {
            if has(&ty) {
                return ScalarType::Named(word);
            }
        }
        match &self.values {
            Some(values) if self.is_enumeration(name, values) => {
                ScalarType::Enum(values.iter().cloned().collect())
            }
            _ => ScalarType::Named("string"),
        }
    }

    fn is_enumeration(&self, name: &str, values: &BTreeSet<String>) -> bool {
        let name = name.to_lowercase();
        let is_common = |value: &String| {
            let pair = format!("{name}={value}");
            herald_redact::redact(&pair) == pair.as_str()
        };
        // One value that is always there tells nothing.
        values.len() > 1
            && !UNQUOTED_NAMES.iter().any(|part| name.contains(part))
            && name != "id"
            && !name.ends_with("_id")
            && self.count >= MIN_ENUM_REPETITIONS * values.len() as u64
            && values.iter().all(is_common)
    }
}

/// Whether a text is a word of a program, and neither a sentence, an id nor a secret.
fn may_be_quoted(text: &str) -> bool {
    let is_word = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    !text.is_empty()
        && text.len() <= MAX_ENUM_LENGTH
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && is_word
        && digits <= 3
}
