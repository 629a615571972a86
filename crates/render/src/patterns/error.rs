//! Errors of the generators that take arguments instead of a contract.

use herald_catalog::kind::Kind;
use herald_diagnostics::Diagnostic;
use thiserror::Error;

use crate::patterns::business::MetricKind;

/// Error for an argument that a generator cannot work with.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InvalidArgument {
    /// The kind of the node is empty.
    #[error("node_type must be a non-empty string. {}", kinds())]
    EmptyNodeType,
    /// No kind has this name.
    #[error("Invalid node_type '{0}'. {kinds}", kinds = kinds())]
    UnknownNodeType(String),
    /// The service name is empty.
    #[error("service_name must be a non-empty string")]
    EmptyServiceName,
    /// The list of operations is empty.
    #[error("operations must contain at least one operation")]
    NoOperations,
    /// The name of an operation is empty.
    #[error("All operations must be non-empty strings")]
    EmptyOperation,
    /// Names that are not valid in topics or identifiers, or that collide there.
    #[error("{}", messages(.0))]
    Names(Vec<Diagnostic>),
    /// A text in this list is empty.
    #[error("All {0} must be non-empty strings")]
    EmptyItem(&'static str),
    /// A name in this list has no character that an identifier could be made of.
    #[error("{0}: `{1}` has no letter or digit of ASCII, so no method can be named for it")]
    NoIdentifier(&'static str, String),
    /// A name is in this list twice.
    #[error("{0}: `{1}` is listed twice")]
    Twice(&'static str, String),
    /// Two names of this list become the same identifier.
    #[error("{0}: `{first}` and `{second}` both become the identifier `{2}`", first = .1[0], second = .1[1])]
    SameIdentifier(&'static str, [String; 2], String),
    /// A business metric has no unit.
    #[error("business_metrics: the unit of `{0}` must be a non-empty string")]
    EmptyUnit(String),
    /// A business metric is of an unknown kind.
    #[error("Invalid kind '{0}'. Valid options: {kinds}", kinds = MetricKind::ALL.map(MetricKind::as_str).join(", "))]
    UnknownMetricKind(String),
    /// This number is not above 0.
    #[error("{0} must be a number above 0, not {1}")]
    NotPositive(&'static str, String),
}

/// Returns the valid values of `node_type`.
fn kinds() -> String {
    let mut kinds = Kind::ALL.map(Kind::as_str);
    kinds.sort_unstable();
    format!("Valid options: {}", kinds.join(", "))
}

fn messages(diagnostics: &[Diagnostic]) -> String {
    let messages: Vec<_> = diagnostics.iter().map(|it| it.message.as_str()).collect();
    messages.join("; ")
}
