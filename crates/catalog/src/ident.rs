//! Conversion of names to identifiers.
//!
//! A run of characters outside `[A-Za-z0-9_]` becomes one `_`. Nothing else changes, so that
//! `graph.execute_query` is `graph_execute_query` in every target. Targets put the identifier
//! behind a prefix of their own (`_publish_…`), which is why it may begin with a digit.

/// Returns the identifier of a name.
pub fn ident(name: &str) -> String {
    let mut ident = String::with_capacity(name.len());
    let mut gap = false;
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || c == '_' {
            ident.push(c);
            gap = false;
        } else if !gap {
            ident.push('_');
            gap = true;
        }
    }
    ident
}

/// Whether a name is an identifier as it is written.
pub(crate) fn is_identifier(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
}

/// Whether an identifier has letters or digits: `***` and `日本` only leave underscores behind.
pub fn is_meaningful(ident: &str) -> bool {
    ident.bytes().any(|b| b.is_ascii_alphanumeric())
}

/// Returns the name of a node in topics and file names: [`ident`] in lowercase, without the
/// underscores at its ends.
pub fn slug(name: &str) -> String {
    ident(name).trim_matches('_').to_ascii_lowercase()
}

/// Converts a name to `PascalCase`: `node_create_ticket` gives `NodeCreateTicket`.
pub fn pascal_case(name: &str) -> String {
    ident(name)
        .split('_')
        .filter(|word| !word.is_empty())
        .flat_map(|word| {
            let (first, rest) = word.split_at(1);
            [first.to_ascii_uppercase(), rest.to_owned()]
        })
        .collect()
}

/// Keywords of Python 3.13, soft ones included where they cannot name a parameter.
const PYTHON_KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue",
    "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import",
    "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while",
    "with", "yield",
];

/// Whether Python reserves this word.
pub fn is_python_keyword(word: &str) -> bool {
    PYTHON_KEYWORDS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_other_characters_becomes_one_underscore() {
        assert_eq!(ident("graph.execute_query"), "graph_execute_query");
        assert_eq!(ident("a - b"), "a_b");
        assert_eq!(ident("a__b"), "a__b");
        assert_eq!(ident("été"), "_t_");
        assert!(!is_meaningful(&ident("日本")));
    }

    #[test]
    fn names_of_classes_and_files() {
        assert_eq!(pascal_case("node_create_ticket"), "NodeCreateTicket");
        assert_eq!(pascal_case("MCP Handler"), "MCPHandler");
        assert_eq!(slug("MCP Handler"), "mcp_handler");
    }
}
