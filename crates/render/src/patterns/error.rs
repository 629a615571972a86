//! What a generator does not take.

use std::fmt;

use herald_catalog::kind::Kind;
use herald_diagnostics::Diagnostic;

use crate::patterns::business::MetricKind;

/// An argument that a generator cannot work with.
#[derive(Debug)]
#[non_exhaustive]
pub enum InvalidArgument {
    /// There is no kind of node.
    EmptyNodeType,
    /// No kind has this name.
    UnknownNodeType(String),
    /// There is no service name.
    EmptyServiceName,
    /// There is no operation.
    NoOperations,
    /// An operation has no name.
    EmptyOperation,
    /// Names that cannot stand in topics or identifiers, or that collide there.
    Names(Vec<Diagnostic>),
    /// A text in this list is empty.
    EmptyItem(&'static str),
    /// A name in this list has nothing that an identifier could be made of.
    NoIdentifier(&'static str, String),
    /// A name stands in this list twice.
    Twice(&'static str, String),
    /// Two names of this list become the same identifier.
    SameIdentifier(&'static str, [String; 2], String),
    /// A business metric has no unit.
    EmptyUnit(String),
    /// A business metric is of a kind that there is not.
    UnknownMetricKind(String),
    /// This number is not above 0, or is none.
    NotPositive(&'static str, String),
}

impl fmt::Display for InvalidArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyNodeType => {
                write!(f, "node_type must be a non-empty string. {}", options())
            }
            Self::UnknownNodeType(name) => {
                write!(f, "Invalid node_type '{name}'. {}", options())
            }
            Self::EmptyServiceName => f.write_str("service_name must be a non-empty string"),
            Self::NoOperations => f.write_str("operations must contain at least one operation"),
            Self::EmptyOperation => f.write_str("All operations must be non-empty strings"),
            Self::Names(diagnostics) => {
                let messages: Vec<_> = diagnostics
                    .iter()
                    .map(|diagnostic| diagnostic.message.as_str())
                    .collect();
                f.write_str(&messages.join("; "))
            }
            Self::EmptyItem(list) => write!(f, "All {list} must be non-empty strings"),
            Self::NoIdentifier(list, name) => write!(
                f,
                "{list}: `{name}` has no letter or digit of ASCII, so no method can be named for it"
            ),
            Self::Twice(list, name) => write!(f, "{list}: `{name}` is listed twice"),
            Self::SameIdentifier(list, [first, second], ident) => write!(
                f,
                "{list}: `{first}` and `{second}` both become the identifier `{ident}`"
            ),
            Self::EmptyUnit(name) => write!(
                f,
                "business_metrics: the unit of `{name}` must be a non-empty string"
            ),
            Self::UnknownMetricKind(kind) => {
                let kinds = MetricKind::ALL.map(MetricKind::as_str).join(", ");
                write!(f, "Invalid kind '{kind}'. Valid options: {kinds}")
            }
            Self::NotPositive(name, value) => {
                write!(f, "{name} must be a number above 0, not {value}")
            }
        }
    }
}

/// What can be a `node_type`.
fn options() -> String {
    let mut options = Kind::ALL.map(Kind::as_str);
    options.sort_unstable();
    format!("Valid options: {}", options.join(", "))
}

impl std::error::Error for InvalidArgument {}
