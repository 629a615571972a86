//! Lists of names that become parts of methods' names.

use std::collections::HashMap;

use herald_catalog::ident::{ident, is_meaningful};

use crate::patterns::error::InvalidArgument;

/// Converts the names in an argument to identifiers. They are used after a prefix, so they may begin
/// with a digit or be a keyword.
///
/// # Errors
/// When a name is empty or has no identifier, or two have the same.
pub(crate) fn idents<'a>(
    argument: &'static str,
    names: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<String>, InvalidArgument> {
    let mut known = HashMap::new();
    let mut idents = Vec::new();
    for name in names {
        if name.trim().is_empty() {
            return Err(InvalidArgument::EmptyItem(argument));
        }
        let ident = ident(name);
        if !is_meaningful(&ident) {
            return Err(InvalidArgument::NoIdentifier(argument, name.to_owned()));
        }
        if let Some(first) = known.insert(ident.clone(), name) {
            return Err(if first == name {
                InvalidArgument::Twice(argument, name.to_owned())
            } else {
                let names = [first.to_owned(), name.to_owned()];
                InvalidArgument::SameIdentifier(argument, names, ident)
            });
        }
        idents.push(ident);
    }
    Ok(idents)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(names: &[&str]) -> String {
        idents("dependencies", names.iter().copied())
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
        let found = idents("dependencies", ["1st", "class", "a\"; import os"]).expect("valid");
        assert_eq!(found, ["1st", "class", "a_import_os"]);
    }
}
