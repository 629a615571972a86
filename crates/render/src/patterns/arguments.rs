//! Arguments of all generators, and their checks.

use herald_catalog::kind::Kind;
use herald_catalog::{Node, node_from_parts};

use crate::patterns::error::InvalidArgument;

/// The kind that `node_type` names, in any case.
pub(crate) fn parse_kind(node_type: &str) -> Result<Kind, InvalidArgument> {
    if node_type.trim().is_empty() {
        return Err(InvalidArgument::EmptyNodeType);
    }
    (node_type.parse()).map_err(|_| InvalidArgument::UnknownNodeType(node_type.to_owned()))
}

/// The node with all events of its operations, of its state and of its metrics.
pub(crate) fn build_node(
    kind: Kind,
    service_name: &str,
    operations: &[String],
) -> Result<Node, InvalidArgument> {
    if service_name.trim().is_empty() {
        return Err(InvalidArgument::EmptyServiceName);
    }
    if operations.is_empty() {
        return Err(InvalidArgument::NoOperations);
    }
    if operations
        .iter()
        .any(|operation| operation.trim().is_empty())
    {
        return Err(InvalidArgument::EmptyOperation);
    }
    let operations: Vec<&str> = operations.iter().map(String::as_str).collect();
    node_from_parts(kind, service_name, &operations, true, true).map_err(InvalidArgument::Names)
}

/// The texts, as a generator keeps them.
pub(crate) fn owned(texts: &[impl AsRef<str>]) -> Vec<String> {
    texts.iter().map(|text| text.as_ref().to_owned()).collect()
}

/// The number, if it is one above 0.
pub(crate) fn positive(argument: &'static str, value: f64) -> Result<f64, InvalidArgument> {
    if value.is_finite() && value > 0.0 {
        Ok(value)
    } else {
        let value = value.to_string();
        Err(InvalidArgument::NotPositive(argument, value))
    }
}
