//! Fields and types as they are on the wire, and the values that a reader of them accepts.

use std::borrow::Cow;
use std::collections::HashSet;

use herald_catalog::fields::{Definition, Field, Limits, Privacy, Type};
use herald_catalog::value::is_scalar_of;
use serde_json::{Number, Value};

/// A type, its limits, and the definitions that it names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Typed<'a> {
    pub(crate) ty: &'a Type,
    pub(crate) limits: &'a Limits,
    pub(crate) definitions: &'a [Definition],
}

/// No limits, for the values of maps and for private fields.
pub(crate) static UNLIMITED: Limits = Limits {
    minimum: None,
    maximum: None,
    exclusive_minimum: None,
    exclusive_maximum: None,
    min_length: None,
    max_length: None,
    pattern: None,
    multiple_of: None,
    min_items: None,
    max_items: None,
    unique_items: None,
    items: None,
    json_schema: None,
};

/// A field as it is on the wire.
#[derive(Clone, Debug)]
pub(crate) struct WireField<'a> {
    pub(crate) name: &'a str,
    pub(crate) ty: Cow<'a, Type>,
    pub(crate) limits: &'a Limits,
    pub(crate) required: bool,
}

impl<'a> WireField<'a> {
    /// The field on the wire: a private one is the name of its type, an optional one may be null.
    pub(crate) fn of(field: &'a Field) -> Self {
        if field.privacy == Privacy::Private {
            return Self {
                name: &field.name,
                ty: Cow::Owned(Type::String),
                limits: &UNLIMITED,
                required: false,
            };
        }
        let ty = if field.may_be_null() {
            Cow::Owned(field.ty.clone().or_null())
        } else {
            Cow::Borrowed(&field.ty)
        };
        Self {
            name: &field.name,
            ty,
            limits: &field.limits,
            required: field.required,
        }
    }

    pub(crate) fn typed<'b>(&'b self, definitions: &'b [Definition]) -> Typed<'b> {
        Typed {
            ty: &self.ty,
            limits: self.limits,
            definitions,
        }
    }
}

impl<'a> Typed<'a> {
    pub(crate) fn with<'b>(self, ty: &'b Type) -> Typed<'b>
    where
        'a: 'b,
    {
        Typed { ty, ..self }
    }

    /// The type without its name, where it is a named type of single values.
    pub(crate) fn without_name(self) -> Self {
        match self.ty {
            Type::Scalar(scalar) => Self {
                ty: &scalar.ty,
                limits: &scalar.limits,
                ..self
            },
            _ => self,
        }
    }

    /// The items of a list, with the limits of items.
    pub(crate) fn items(self, item: &'a Type) -> Self {
        let limits = self.limits.items.as_deref().unwrap_or(&UNLIMITED);
        Self {
            ty: item,
            limits,
            ..self
        }
    }

    /// The values of a map.
    pub(crate) fn values(self, value: &'a Type) -> Self {
        Self {
            ty: value,
            limits: &UNLIMITED,
            ..self
        }
    }

    pub(crate) fn definition(self, name: &str) -> &'a [Field] {
        let mut all = self.definitions.iter();
        all.find(|known| known.name == name)
            .map_or(&[], |definition| &definition.fields)
    }

    /// Whether a reader accepts the value.
    pub(crate) fn accepts(self, value: &Value) -> bool {
        let this = self.without_name();
        this.accepts_unnamed(value)
    }

    fn accepts_unnamed(self, value: &Value) -> bool {
        let schema = self.limits.json_schema.as_ref();
        if schema.is_some_and(|schema| !schema.accepts(value)) {
            return false;
        }
        match (self.ty, value) {
            (Type::Any | Type::Model(_), _) => true,
            (Type::List(item), Value::Array(values)) => {
                within(values.len(), self.limits.min_items, self.limits.max_items)
                    && (self.limits.unique_items.is_none() || are_unique(values))
                    && values.iter().all(|value| self.items(item).accepts(value))
            }
            (Type::Map(item), Value::Object(values)) => values
                .values()
                .all(|value| self.values(item).accepts(value)),
            (Type::Defined(name), Value::Object(values)) => {
                accepts_object(self.definition(name), self.definitions, values)
            }
            (Type::Union(members), _) => members
                .iter()
                .any(|member| self.with(member).accepts(value)),
            (Type::List(_) | Type::Map(_) | Type::Defined(_), _) => false,
            (scalar, _) => is_scalar_of(scalar, self.limits, value),
        }
    }

    /// Whether `reader` accepts every value of this type. False where that can't be shown: for
    /// two different patterns, for instance.
    pub(crate) fn is_within(self, reader: Typed<'_>) -> bool {
        self.is_within_assuming(reader, &mut HashSet::new())
    }

    /// `assumed` holds pairs of types that are being compared further out: a definition that
    /// contains itself is within another type if nothing else speaks against it.
    fn is_within_assuming(
        self,
        reader: Typed<'_>,
        assumed: &mut HashSet<(String, String)>,
    ) -> bool {
        let (this, reader) = (self.without_name(), reader.without_name());
        this.is_unnamed_within(reader, assumed)
    }

    fn is_unnamed_within(self, reader: Typed<'_>, assumed: &mut HashSet<(String, String)>) -> bool {
        let names_definition = |ty: &Type| matches!(ty, Type::Defined(_));
        if names_definition(self.ty) || names_definition(reader.ty) {
            let pair = (self.ty.to_string(), reader.ty.to_string());
            if !assumed.insert(pair) {
                return true;
            }
        }
        let schema = reader.limits.json_schema.as_ref();
        if schema.is_some_and(|schema| self.limits.json_schema.as_ref() != Some(schema)) {
            return false;
        }
        match (self.ty, reader.ty) {
            (_, Type::Any | Type::Model(_)) => true,
            (Type::Any | Type::Model(_), _) => false,
            (Type::Union(members), _) => members
                .iter()
                .all(|member| self.with(member).is_within_assuming(reader, assumed)),
            (Type::Enum(values), _) => values
                .iter()
                .all(|value| reader.accepts(&Value::from(value.as_str()))),
            (Type::Numbers(values), _) => values
                .iter()
                .all(|value| reader.accepts(&Value::Number(value.clone()))),
            // What a failed attempt assumed must not count for the next one.
            (_, Type::Union(members)) => members.iter().any(|member| {
                let mut attempt = assumed.clone();
                let fits = self.is_within_assuming(reader.with(member), &mut attempt);
                if fits {
                    *assumed = attempt;
                }
                fits
            }),
            (Type::List(item), Type::List(other)) => {
                let (limits, others) = (self.limits, reader.limits);
                is_range_within(
                    (limits.min_items, limits.max_items),
                    (others.min_items, others.max_items),
                ) && (limits.unique_items.is_some() || others.unique_items.is_none())
                    && (limits.max_items == Some(0)
                        || self
                            .items(item)
                            .is_within_assuming(reader.items(other), assumed))
            }
            (Type::Map(value), Type::Map(other)) => self
                .values(value)
                .is_within_assuming(reader.values(other), assumed),
            (Type::Defined(name), Type::Defined(other)) => are_fields_within(
                (self.definition(name), self.definitions),
                (reader.definition(other), reader.definitions),
                assumed,
            ),
            (Type::Defined(name), Type::Map(other)) => self
                .definition(name)
                .iter()
                .map(WireField::of)
                .all(|field| {
                    let field = field.typed(self.definitions);
                    field.is_within_assuming(reader.values(other), assumed)
                }),
            (Type::Map(value), Type::Defined(other)) => reader
                .definition(other)
                .iter()
                .map(WireField::of)
                .all(|field| {
                    let field_type = field.typed(reader.definitions);
                    !field.required && self.values(value).is_within_assuming(field_type, assumed)
                }),
            (written, read) => is_scalar_within((written, self.limits), (read, reader.limits)),
        }
    }
}

/// Whether a reader of the fields accepts the object. Additional properties pass.
pub(crate) fn accepts_object(
    fields: &[Field],
    definitions: &[Definition],
    object: &serde_json::Map<String, Value>,
) -> bool {
    fields
        .iter()
        .map(WireField::of)
        .all(|field| match object.get(field.name) {
            Some(value) => field.typed(definitions).accepts(value),
            None => !field.required,
        })
}

/// Whether readers of one payload accept every event of another one. Each is given with the
/// definitions of its contract.
pub fn is_readable(written: (&[Field], &[Definition]), read: (&[Field], &[Definition])) -> bool {
    are_fields_within(written, read, &mut HashSet::new())
}

/// Whether readers of the fields `read` accept every object of the fields `written`.
pub(crate) fn are_fields_within(
    (written, definitions): (&[Field], &[Definition]),
    (read, others): (&[Field], &[Definition]),
    assumed: &mut HashSet<(String, String)>,
) -> bool {
    read.iter().map(WireField::of).all(|reader| {
        let mut fields = written.iter().map(WireField::of);
        match fields.find(|field| field.name == reader.name) {
            None => !reader.required,
            Some(field) => {
                (field.required || !reader.required)
                    && field
                        .typed(definitions)
                        .is_within_assuming(reader.typed(others), assumed)
            }
        }
    })
}

fn is_scalar_within((written, limits): (&Type, &Limits), (read, others): (&Type, &Limits)) -> bool {
    match (written, read) {
        (Type::Integer, Type::Integer) => {
            Bounds::whole(limits).is_within(Bounds::whole(others)) && are_multiples(limits, others)
        }
        (Type::Integer, Type::Number) => Bounds::whole(limits).is_within(Bounds::of(others)),
        (Type::Number, Type::Number) | (Type::Decimal, Type::Decimal) => {
            Bounds::of(limits).is_within(Bounds::of(others))
        }
        (Type::String, Type::String) => {
            is_range_within(
                (limits.min_length, limits.max_length),
                (others.min_length, others.max_length),
            ) && (others.pattern.is_none() || others.pattern == limits.pattern)
        }
        // Text in a form of its own. The shortest of each is known, the longest of some.
        (
            Type::Uuid | Type::DateTime | Type::Date | Type::Duration | Type::Decimal | Type::Bytes,
            Type::String,
        ) => {
            let lengths = match written {
                Type::Uuid => (Some(36), Some(36)),
                Type::Date => (Some(10), Some(10)),
                Type::DateTime => (Some(20), None),
                Type::Duration => (Some(3), None),
                Type::Decimal => (Some(1), None),
                _ => (None, None),
            };
            others.pattern.is_none()
                && is_range_within(lengths, (others.min_length, others.max_length))
        }
        (written, read) => written == read,
    }
}

/// Whether multiples of the step of some limits are multiples of that of others.
fn are_multiples(limits: &Limits, others: &Limits) -> bool {
    let step = |limits: &Limits| limits.multiple_of.as_ref().and_then(Number::as_i64);
    match (step(limits), step(others)) {
        (_, None | Some(1)) => true,
        (Some(step), Some(other)) => other != 0 && step % other == 0,
        (None, Some(_)) => false,
    }
}

/// Whether no two items are equal. They are texts, numbers or booleans.
fn are_unique(values: &[Value]) -> bool {
    let is_equal = |one: &Value, other: &Value| match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one.total_cmp(&other).is_eq(),
        _ => one == other,
    };
    let mut values = values.iter().enumerate();
    let all: Vec<_> = values.by_ref().collect();
    all.iter()
        .all(|(at, value)| !all[..*at].iter().any(|(_, other)| is_equal(value, other)))
}

/// Whether every size of one range is in the other one.
fn is_range_within(
    (min, max): (Option<u32>, Option<u32>),
    (other_min, other_max): (Option<u32>, Option<u32>),
) -> bool {
    min.unwrap_or(0) >= other_min.unwrap_or(0)
        && max.unwrap_or(u32::MAX) <= other_max.unwrap_or(u32::MAX)
}

fn within(found: usize, min: Option<u32>, max: Option<u32>) -> bool {
    let found = u32::try_from(found).unwrap_or(u32::MAX);
    found >= min.unwrap_or(0) && found <= max.unwrap_or(u32::MAX)
}

/// The numbers between two bounds.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    low: f64,
    low_is_open: bool,
    high: f64,
    high_is_open: bool,
}

impl Bounds {
    fn of(limits: &Limits) -> Self {
        let number = |limit: &Option<Number>| limit.as_ref().and_then(Number::as_f64);
        let (min, above) = (number(&limits.minimum), number(&limits.exclusive_minimum));
        let (max, below) = (number(&limits.maximum), number(&limits.exclusive_maximum));
        let low = f64::max(
            min.unwrap_or(f64::NEG_INFINITY),
            above.unwrap_or(f64::NEG_INFINITY),
        );
        let high = f64::min(max.unwrap_or(f64::INFINITY), below.unwrap_or(f64::INFINITY));
        // Adding zero makes one of the two zeros that compare as different.
        Self {
            low: low + 0.0,
            low_is_open: above == Some(low),
            high: high + 0.0,
            high_is_open: below == Some(high),
        }
    }

    /// The bounds of whole numbers: above 2 is from 3.
    fn whole(limits: &Limits) -> Self {
        let bounds = Self::of(limits);
        let low = bounds.low.ceil();
        let high = bounds.high.floor();
        let is_open = |open: bool, whole: f64, bound: f64| open && whole.total_cmp(&bound).is_eq();
        Self {
            low: if is_open(bounds.low_is_open, low, bounds.low) {
                low + 1.0
            } else {
                low
            },
            high: if is_open(bounds.high_is_open, high, bounds.high) {
                high - 1.0
            } else {
                high
            },
            low_is_open: false,
            high_is_open: false,
        }
    }

    fn is_within(self, other: Self) -> bool {
        let low = self.low > other.low
            || (self.low.total_cmp(&other.low).is_eq() && (self.low_is_open || !other.low_is_open));
        let high = self.high < other.high
            || (self.high.total_cmp(&other.high).is_eq()
                && (self.high_is_open || !other.high_is_open));
        low && high
    }
}
