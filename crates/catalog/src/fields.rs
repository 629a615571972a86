//! Fields and their types, independent of any target.

use std::fmt;
use std::sync::Arc;

use herald_diagnostics::Location;
use serde::Serialize;
use serde_json::Number;

use crate::raw_schema::RawSchema;

/// A field of an input, a result or a payload.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Name as written.
    pub name: String,
    /// Type of its values.
    pub ty: Type,
    /// The type as written, with normalised white space.
    pub spelling: String,
    /// Whether it is required.
    pub required: bool,
    /// Limits of its values.
    pub limits: Limits,
    /// Value of a field that is left out.
    pub default: Option<serde_json::Value>,
    /// Name that the field had in an earlier version of the contract.
    pub renamed_from: Option<String>,
    /// Description for people.
    pub description: Option<String>,
    /// Whether its value may leave the process.
    pub privacy: Privacy,
    /// Place of its declaration.
    pub location: Location,
}

impl Field {
    /// Whether null is accepted regardless of the type: a field that may be left out, and has no
    /// default, may be null instead.
    pub fn may_be_null(&self) -> bool {
        let default = self.default.as_ref();
        !self.required && default.is_none_or(serde_json::Value::is_null)
    }
}

/// A named group of fields, which other fields of the contract use as their type.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    /// Name as written, and in [`Type::Defined`].
    pub name: String,
    /// Name in identifiers; unique among the definitions of its node, regardless of case.
    pub ident: String,
    /// Description for people.
    pub description: Option<String>,
    /// In the order of the contract. A field that is not private itself is as public as the field of
    /// this type.
    pub fields: Vec<Field>,
    /// Place of its declaration.
    pub location: Location,
}

/// A named type of single values, which other fields of the contract use as their type. Types are
/// equal if they have the same name and the same values.
#[derive(Clone, Debug)]
pub struct Scalar {
    /// Name as written.
    pub name: String,
    /// Description for people.
    pub description: Option<String>,
    /// Type of its values: an enumeration, or a type without parameters.
    pub ty: Type,
    /// Limits of its values.
    pub limits: Limits,
    /// Whether readers keep values that it does not have: more will come.
    pub is_open: bool,
    /// Place of its declaration.
    pub location: Location,
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.ty, &self.limits, self.is_open)
            == (&other.name, &other.ty, &other.limits, other.is_open)
    }
}

impl Eq for Scalar {}

/// Limits of values, named as in JSON Schema. In a union they apply to the members that have such
/// values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Lowest allowed number.
    pub minimum: Option<Number>,
    /// Highest allowed number.
    pub maximum: Option<Number>,
    /// Numbers must be greater than this.
    pub exclusive_minimum: Option<Number>,
    /// Numbers must be less than this.
    pub exclusive_maximum: Option<Number>,
    /// Whole numbers must be multiples of this.
    pub multiple_of: Option<Number>,
    /// Minimum number of characters (Unicode code points).
    pub min_length: Option<u32>,
    /// Maximum number of characters (Unicode code points).
    pub max_length: Option<u32>,
    /// Regular expression that matches some part of the text; means the same in every language.
    pub pattern: Option<String>,
    /// Minimum number of items.
    pub min_items: Option<u32>,
    /// Maximum number of items.
    pub max_items: Option<u32>,
    /// Whether no two items of a list are equal.
    pub unique_items: Option<bool>,
    /// Limits of each item of a list.
    pub items: Option<Box<Limits>>,
    /// JSON Schema that the whole value matches besides, if the type does not say everything.
    pub json_schema: Option<RawSchema>,
}

impl Limits {
    /// Whether there are no limits.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether the value of a field may leave the process, or only the name of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Privacy {
    /// The value is published.
    Public,
    /// Only the type's name is published.
    Private,
}

impl Privacy {
    /// The word in contracts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
        }
    }
}

/// The type of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// Any value: the type is not declared, or not understood.
    Any,
    /// Text.
    String,
    /// Whole number.
    Integer,
    /// Number, possibly fractional.
    Number,
    /// `true` or `false`.
    Boolean,
    /// UUID (RFC 9562), text on the wire.
    Uuid,
    /// Date and time (RFC 3339), text on the wire.
    DateTime,
    /// Calendar date (RFC 3339 `full-date`), text on the wire.
    Date,
    /// Decimal number, text on the wire so that no digit is lost.
    Decimal,
    /// Bytes, Base64 text on the wire.
    Bytes,
    /// Length of time (ISO 8601, without months), text on the wire.
    Duration,
    /// Only null.
    Null,
    /// Values in order.
    List(Box<Type>),
    /// Values by name.
    Map(Box<Type>),
    /// One of these texts.
    Enum(Vec<String>),
    /// One of these numbers.
    Numbers(Vec<Number>),
    /// A [`Scalar`] of the contract.
    Scalar(Arc<Scalar>),
    /// A [`Definition`] of the contract, by its name.
    Defined(String),
    /// A model that the contract only names: any value passes.
    Model(String),
    /// One of several types.
    Union(Vec<Type>),
}

impl Type {
    /// Returns the type of its values: that of a named scalar, else the type itself.
    pub fn without_name(&self) -> &Self {
        match self {
            Self::Scalar(scalar) => &scalar.ty,
            other => other,
        }
    }

    /// Returns a union that also keeps values which an enumeration does not have yet.
    #[must_use]
    pub fn or_unknown(self) -> Self {
        let unknown = match self.without_name() {
            Self::Enum(_) => Self::String,
            Self::Numbers(numbers) if numbers.iter().all(is_whole) => Self::Integer,
            Self::Numbers(_) => Self::Number,
            _ => return self,
        };
        Self::Union(vec![self, unknown])
    }

    /// Returns a union of the type and null.
    #[must_use]
    pub fn or_null(self) -> Self {
        match self {
            Self::Any | Self::Null => self,
            Self::Union(mut members) => {
                if !members.contains(&Self::Null) {
                    members.push(Self::Null);
                }
                Self::Union(members)
            }
            other => Self::Union(vec![other, Self::Null]),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::String => f.write_str("string"),
            Self::Integer => f.write_str("integer"),
            Self::Number => f.write_str("number"),
            Self::Boolean => f.write_str("boolean"),
            Self::Uuid => f.write_str("uuid"),
            Self::DateTime => f.write_str("datetime"),
            Self::Date => f.write_str("date"),
            Self::Decimal => f.write_str("decimal"),
            Self::Bytes => f.write_str("bytes"),
            Self::Duration => f.write_str("duration"),
            Self::Numbers(values) => {
                let values: Vec<_> = values.iter().map(Number::to_string).collect();
                write!(f, "enum({})", values.join(", "))
            }
            Self::Scalar(scalar) => f.write_str(&scalar.name),
            Self::Null => f.write_str("null"),
            Self::List(item) => write!(f, "list[{item}]"),
            Self::Map(value) => write!(f, "map[{value}]"),
            Self::Enum(values) => write!(f, "enum({})", values.join(", ")),
            Self::Defined(name) | Self::Model(name) => f.write_str(name),
            Self::Union(members) => {
                for (i, member) in members.iter().enumerate() {
                    write!(f, "{}{member}", if i == 0 { "" } else { " | " })?;
                }
                Ok(())
            }
        }
    }
}

/// Whether a number is whole, also as `2.0`.
pub(crate) fn is_whole(number: &Number) -> bool {
    number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|n| n.fract() == 0.0)
}
