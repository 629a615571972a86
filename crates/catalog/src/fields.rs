//! Fields and their types, independent of any target.

use std::fmt;

use herald_diagnostics::Location;
use serde::Serialize;
use serde_json::Number;

/// What a contract says about one field of an input, a result or a payload.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// As written.
    pub name: String,
    /// What it holds.
    pub ty: Type,
    /// The type as written, normalised in white space.
    pub spelling: String,
    /// Whether it must be there.
    pub required: bool,
    /// What is allowed of the values of its type.
    pub limits: Limits,
    /// The value that stands in when it is left out.
    pub default: Option<serde_json::Value>,
    /// For people.
    pub description: Option<String>,
    /// Whether its value may leave the process.
    pub privacy: Privacy,
    /// Where it is declared.
    pub location: Location,
}

impl Field {
    /// Whether null passes whatever the type: where it says that the field is left out, and nothing
    /// else stands in then.
    pub fn may_be_null(&self) -> bool {
        let default = self.default.as_ref();
        !self.required && default.is_none_or(serde_json::Value::is_null)
    }
}

/// A named group of fields, which other fields of the contract have for their type.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    /// As written, and as [`Type::Defined`] names it.
    pub name: String,
    /// In identifiers; unique among the definitions of its node, whatever the case.
    pub ident: String,
    /// For people.
    pub description: Option<String>,
    /// In the order of the contract. One that is not said to be private is as public as the field
    /// that has this type.
    pub fields: Vec<Field>,
    /// Where it is declared.
    pub location: Location,
}

/// What is allowed of the values of a type, in the words of JSON Schema. In a union they hold for
/// the members that they fit.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Limits {
    /// Numbers from here.
    pub minimum: Option<Number>,
    /// Numbers up to here.
    pub maximum: Option<Number>,
    /// Numbers above this.
    pub exclusive_minimum: Option<Number>,
    /// Numbers below this.
    pub exclusive_maximum: Option<Number>,
    /// Characters (Unicode code points) that a text has at least.
    pub min_length: Option<u32>,
    /// Characters (Unicode code points) that a text has at most.
    pub max_length: Option<u32>,
    /// Regular expression that is found in a text; it means the same in every language.
    pub pattern: Option<String>,
    /// Items that a list has at least.
    pub min_items: Option<u32>,
    /// Items that a list has at most.
    pub max_items: Option<u32>,
    /// What is allowed of each item of a list.
    pub items: Option<Box<Limits>>,
}

impl Limits {
    /// Whether every value of the type is allowed.
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
    /// Anything: not declared, or not understood.
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
    /// Only null.
    Null,
    /// Values in order.
    List(Box<Type>),
    /// Values by name.
    Map(Box<Type>),
    /// One of these texts.
    Enum(Vec<String>),
    /// A [`Definition`] of the contract, by its name.
    Defined(String),
    /// A model that the contract only names: any value passes.
    Model(String),
    /// One of several types.
    Union(Vec<Type>),
}

impl Type {
    /// The type, or null.
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
