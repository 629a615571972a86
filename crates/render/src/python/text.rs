//! String literals.

use std::fmt::Write;

/// Escapes text for a Python string or f-string in double quotes, in ASCII.
///
/// Quotes and braces become `\x22`, `\x7b` and `\x7d`: no text can end the literal or open a
/// placeholder, and `ruff format` has no reason to change the quotes.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '"' | '{' | '}' => push_code(&mut escaped, c),
            ' '..='~' => escaped.push(c),
            _ => push_code(&mut escaped, c),
        }
    }
    escaped
}

/// Appends the shortest numeric escape of Python, with lowercase digits.
pub(crate) fn push_code(out: &mut String, c: char) {
    let code = u32::from(c);
    let written = match code {
        0..=0xff => write!(out, "\\x{code:02x}"),
        0x100..=0xffff => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
    written.expect("a String takes everything");
}

/// Formats a regular expression as a literal: a raw string if that is possible.
pub(crate) fn regex_literal(pattern: &str) -> String {
    let raw =
        pattern.chars().all(|c| matches!(c, ' '..='~') && c != '"') && !pattern.ends_with('\\');
    if raw {
        format!("r\"{pattern}\"")
    } else {
        format!("\"{}\"", escape(pattern))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_stay_as_they_are() {
        assert_eq!(
            escape("graph.execute-query_1 (it's)"),
            "graph.execute-query_1 (it's)"
        );
    }

    #[test]
    fn text_cannot_end_the_literal_or_open_a_placeholder() {
        assert_eq!(escape("a\"b"), "a\\x22b");
        assert_eq!(escape("{x}"), "\\x7bx\\x7d");
        assert_eq!(escape("a\\"), "a\\\\");
        assert_eq!(escape("\r\n\t\0\u{7f}"), "\\r\\n\\t\\x00\\x7f");
    }

    #[test]
    fn literals_are_ascii() {
        assert_eq!(escape("é→\u{202e}😀"), "\\xe9\\u2192\\u202e\\U0001f600");
    }

    #[test]
    fn patterns_become_raw_strings_where_possible() {
        assert_eq!(regex_literal(r"sk-\w{20}"), r#"r"sk-\w{20}""#);
        assert_eq!(regex_literal("\"x\""), r#""\x22x\x22""#);
        assert_eq!(regex_literal("é"), r#""\xe9""#);
    }
}
