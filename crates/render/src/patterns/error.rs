//! What a generator does not take.

use std::fmt;

use herald_catalog::kind::Kind;
use herald_diagnostics::Diagnostic;

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
            Self::Names(findings) => {
                let messages: Vec<_> = findings
                    .iter()
                    .map(|finding| finding.message.as_str())
                    .collect();
                f.write_str(&messages.join("; "))
            }
        }
    }
}

/// What can be a `node_type`.
fn options() -> String {
    let mut options = Kind::ALL.map(Kind::name);
    options.sort_unstable();
    format!("Valid options: {}", options.join(", "))
}

impl std::error::Error for InvalidArgument {}
