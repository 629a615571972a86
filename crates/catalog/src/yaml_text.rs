//! YAML text of values that Herald writes, one fact a line so that reviews can follow it.

use std::fmt::Write as _;

use herald_diagnostics::render::visible_line;
use serde_json::Value;

/// A value in the form in which it is written.
#[derive(Clone, Debug, PartialEq)]
pub enum Text {
    /// On the line of its key, escaped already.
    Inline(String),
    /// A key on each line.
    Mapping(Vec<(String, Text)>),
    /// An item on each line.
    List(Vec<Text>),
}

impl Text {
    /// A text, quoted where YAML would read it as something else.
    pub fn scalar(text: &str) -> Self {
        Self::Inline(scalar(text))
    }

    /// A type such as `list[string] | null`, which needs no quotes outside of brackets.
    pub fn ty(text: &str) -> Self {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_.[]| ,".contains(c);
        if starts_plain(text) && text.chars().all(is_plain) {
            Self::Inline(text.to_owned())
        } else {
            Self::scalar(text)
        }
    }

    /// A list of texts on one line.
    pub fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let words: Vec<_> = words.into_iter().map(scalar).collect();
        Self::Inline(format!("[{}]", words.join(", ")))
    }

    /// A mapping of texts on one line.
    pub fn line<'a>(entries: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let entries: Vec<_> = entries
            .into_iter()
            .map(|(key, value)| format!("{key}: {}", scalar(value)))
            .collect();
        Self::Inline(format!("{{{}}}", entries.join(", ")))
    }

    /// A whole number.
    pub fn number(number: u64) -> Self {
        Self::Inline(number.to_string())
    }

    /// A value of JSON on one line; JSON is YAML.
    pub fn json(value: &Value) -> Self {
        Self::Inline(escaped(&value.to_string()))
    }

    /// The whole text of a mapping.
    pub fn write(&self, indent: usize, out: &mut String) {
        match self {
            Self::Inline(text) => {
                let _ = writeln!(out, "{:indent$}{text}", "");
            }
            Self::Mapping(entries) => {
                for (key, value) in entries {
                    let _ = write!(out, "{:indent$}{}:", "", scalar(key));
                    value.write_behind(indent, out);
                }
            }
            Self::List(items) => {
                for item in items {
                    let mut text = String::new();
                    item.write(indent + 2, &mut text);
                    let _ = write!(out, "{:indent$}- {}", "", text.trim_start_matches(' '));
                }
            }
        }
    }

    /// The text of a value behind its key.
    fn write_behind(&self, indent: usize, out: &mut String) {
        match self {
            Self::Inline(text) => {
                let _ = writeln!(out, " {text}");
            }
            Self::Mapping(entries) if entries.is_empty() => out.push_str(" {}\n"),
            Self::List(items) if items.is_empty() => out.push_str(" []\n"),
            _ => {
                out.push('\n');
                self.write(indent + 2, out);
            }
        }
    }
}

/// Quotes a text unless every reader of YAML takes it for the same text without quotes.
fn scalar(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_./-".contains(c);
    if starts_plain(text) && text.chars().all(is_plain) {
        return text.to_owned();
    }
    escaped(&Value::from(text).to_string())
}

/// Whether a text begins like a word and is not one of YAML's own words.
fn starts_plain(text: &str) -> bool {
    const WORDS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && !text.ends_with(' ')
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
}

/// Escapes what JSON leaves as it is and terminals or readers of YAML act upon.
fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        let is_shown =
            matches!(c, ' '..='~') || visible_line(c.encode_utf8(&mut [0; 4])).starts_with(c);
        if is_shown {
            out.push(c);
        } else if u32::from(c) > 0xffff {
            let _ = write!(out, "\\U{:08x}", u32::from(c));
        } else {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_only_what_another_reader_would_take_for_something_else() {
        for plain in ["order", "a.b-c_d/e", "contracts/orders.yaml"] {
            assert_eq!(scalar(plain), plain);
        }
        for quoted in [
            "",
            "null",
            "Yes",
            "1.2",
            "-",
            "a: b",
            "#",
            "{namespace}.a",
            "ä",
            " a",
        ] {
            assert_eq!(scalar(quoted), format!("\"{quoted}\""), "{quoted}");
        }
        assert_eq!(
            scalar("a\n\u{202e}\u{e0041}\u{7f}"),
            r#""a\n\u202e\U000e0041\u007f""#
        );
    }

    #[test]
    fn types_need_no_quotes() {
        assert_eq!(
            Text::ty("list[string] | null"),
            Text::Inline("list[string] | null".to_owned())
        );
        assert_eq!(Text::ty("null"), Text::Inline("\"null\"".to_owned()));
        assert_eq!(
            Text::ty("map[literal[\"a\"]]"),
            Text::Inline(r#""map[literal[\"a\"]]""#.to_owned())
        );
    }

    #[test]
    fn nests_lists_and_mappings() {
        let text = Text::Mapping(vec![(
            "events".to_owned(),
            Text::List(vec![Text::Mapping(vec![
                ("event_type".to_owned(), Text::scalar("a")),
                ("payload".to_owned(), Text::Mapping(Vec::new())),
            ])]),
        )]);
        let mut out = String::new();
        text.write(0, &mut out);
        assert_eq!(out, "events:\n  - event_type: a\n    payload: {}\n");
    }
}
