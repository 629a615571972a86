//! Arguments of all generators, and their checks.

use herald_catalog::ident::{ident, is_meaningful};
use herald_catalog::kind::Kind;
use herald_catalog::{Node, node_from_parts};
use serde::Serialize;

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

/// Returns seconds as Python text, if they are above 0.
pub(crate) fn positive(argument: &'static str, value: f64) -> Result<String, InvalidArgument> {
    if value.is_finite() && value > 0.0 {
        Ok(seconds(value))
    } else {
        let value = value.to_string();
        Err(InvalidArgument::NotPositive(argument, value))
    }
}

/// Returns seconds as Python text, always with a decimal point or an exponent.
pub(crate) fn seconds(value: f64) -> String {
    format!("{value:?}")
}

/// Item with a name that becomes part of the names of methods.
#[derive(Debug, Serialize)]
pub(crate) struct Named<T> {
    pub(crate) item: T,
    ident: String,
}

/// Converts the names of items to identifiers. They are used after a prefix, so they may begin with a
/// digit or be a keyword.
///
/// # Errors
/// When a name is empty or has no identifier, or two have the same.
pub(crate) fn named<T>(
    argument: &'static str,
    items: Vec<T>,
    name_of: impl Fn(&T) -> &str,
) -> Result<Vec<Named<T>>, InvalidArgument> {
    let mut named: Vec<Named<T>> = Vec::with_capacity(items.len());
    for item in items {
        let name = name_of(&item).to_owned();
        if name.trim().is_empty() {
            return Err(InvalidArgument::EmptyItem(argument));
        }
        let ident = ident(&name);
        if !is_meaningful(&ident) {
            return Err(InvalidArgument::NoIdentifier(argument, name));
        }
        if let Some(first) = named.iter().find(|other| other.ident == ident) {
            let first = name_of(&first.item).to_owned();
            return Err(if first == name {
                InvalidArgument::Twice(argument, name)
            } else {
                InvalidArgument::SameIdentifier(argument, [first, name], ident)
            });
        }
        named.push(Named { item, ident });
    }
    Ok(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(names: &[&str]) -> String {
        named("dependencies", owned(names), |name| name)
            .expect_err("a name is wrong")
            .to_string()
    }

    #[test]
    fn error_names_the_invalid_name() {
        assert_eq!(
            error(&["a", " "]),
            "All dependencies must be non-empty strings"
        );
        assert!(error(&["日本"]).contains("dependencies: `日本` has no letter or digit"));
        assert!(error(&["a", "a"]).contains("`a` is listed twice"));
        assert!(
            error(&["a-b", "a b"]).contains("`a-b` and `a b` both become the identifier `a_b`")
        );
    }

    #[test]
    fn any_name_is_valid_behind_a_prefix() {
        let names = owned(&["1st", "class", "a\"; import os"]);
        let found = named("dependencies", names, |name| name).expect("valid");
        let idents: Vec<_> = found.iter().map(|named| &named.ident).collect();
        assert_eq!(idents, ["1st", "class", "a_import_os"]);
    }
}
