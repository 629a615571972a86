//! Filters for templates: text of contracts as literals and names of other languages, so that
//! no text of a contract becomes code.

use std::fmt::Write;

use herald_catalog::ident;
use minijinja::{Environment, Error, ErrorKind, Value};

use crate::python::prose::{sanitize, wrap};
use crate::python::text::escape;

/// A filter of text.
type Filter = (&'static str, fn(&str) -> String);

/// Name and function of each filter of text. `json` is not here, because it accepts any value.
const FILTERS: [Filter; 11] = [
    ("camel_case", camel_case),
    ("comment", comment),
    ("hcl", hcl),
    ("ident", ident_of),
    ("kebab_case", kebab_case),
    ("md", md),
    ("pascal_case", ident::pascal_case),
    ("py_string", py_string),
    ("slug", ident::slug),
    ("ts", ts),
    ("upper_snake", upper_snake),
];

/// Common filters of Jinja, for "did you mean".
const OF_JINJA: [&str; 19] = [
    "batch",
    "default",
    "dictsort",
    "first",
    "indent",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "reject",
    "replace",
    "select",
    "selectattr",
    "sort",
    "upper",
];

pub(crate) fn add_to(environment: &mut Environment<'_>) {
    for (name, filter) in FILTERS {
        environment.add_filter(name, move |text: &str| filter(text));
    }
    environment.add_filter("json", |value: Value| json(&value));
    environment.add_filter("docstring", |sentence: &str| docstring(sentence));
}

/// Formats the first sentence of the docstring of a method, for the templates of patterns.
fn docstring(sentence: &str) -> String {
    const INDENT: usize = 8;
    wrap(&sanitize(sentence), INDENT + 3, INDENT)
}

/// Formats a value as JSON in ASCII.
pub(crate) fn json(value: &Value) -> Result<String, Error> {
    serde_json::to_string(value)
        .map(|text| ascii(&text))
        .map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))
}

pub(crate) fn known() -> impl Iterator<Item = &'static str> {
    FILTERS
        .iter()
        .map(|(name, _)| *name)
        .chain(["json"])
        .chain(OF_JINJA)
}

/// Formats a Python string with its quotes.
fn py_string(text: &str) -> String {
    format!("\"{}\"", escape(text))
}

/// Formats a string of TypeScript or JavaScript with its quotes, safe inside of HTML and of template
/// literals.
fn ts(text: &str) -> String {
    let json = ascii(&serde_json::Value::from(text).to_string());
    json.replace('<', "\\u003c")
        .replace('`', "\\u0060")
        .replace("${", "\\u0024{")
}

/// Escapes the non-ASCII characters of JSON.
fn ascii(json: &str) -> String {
    json.chars()
        .fold(String::with_capacity(json.len()), |mut out, c| {
            if matches!(c, ' '..='~') {
                out.push(c);
            } else {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            out
        })
}

/// Escapes text for the quotes of a Terraform string: no quote, no `${`, no `%{`.
fn hcl(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // Escaped even alone: `$` or `%` at the end of a text could open an interpolation with
            // the `{` of the template behind it.
            '$' | '%' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            ' '..='~' => out.push(c),
            _ if u32::from(c) <= 0xffff => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
        }
    }
    out
}

/// Escapes text for one line of Markdown: no link, no HTML, no cell of a table.
fn md(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let line = one_line(text);
    for (at, c) in line.char_indices() {
        let (before, after) = (&line[..at], &line[at + c.len_utf8()..]);
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '+' | '!' | '|'
            | '~' => {
                out.push('\\');
                out.push(c);
            }
            '-' | '.' | ':' | '@' | '=' if has_meaning(before, c, after) => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// Whether Markdown gives a meaning to the character between these texts: a list, a line or the
/// number of a list at the beginning, or an address.
fn has_meaning(before: &str, c: char, after: &str) -> bool {
    match c {
        '-' | '=' => before.chars().all(|c| c == '-' || c == '='),
        '.' => {
            let is_number = before.bytes().all(|b| b.is_ascii_digit());
            is_number || before.to_ascii_lowercase().ends_with("www")
        }
        ':' => after.starts_with("//") || before.is_empty(),
        _ => true,
    }
}

/// Converts text to a line that can't end a comment of any common language.
fn comment(text: &str) -> String {
    let mut line = one_line(text);
    for (end, harmless) in [
        ("*/", "* /"),
        ("/*", "/ *"),
        ("--", "- -"),
        ("\"\"\"", "'''"),
        ("?>", "? >"),
        ("]]", "] ]"),
    ] {
        while line.contains(end) {
            line = line.replace(end, harmless);
        }
    }
    line.trim_end_matches('\\').to_owned()
}

/// Replaces white space by single blanks, and removes characters that control terminals or the direction
/// of text.
pub(crate) fn one_line(text: &str) -> String {
    let is_active = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let words = text
        .split(|c: char| c.is_whitespace())
        .map(|word| word.replace(is_active, ""));
    words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Converts text to an identifier that is not empty and does not begin with a digit.
fn ident_of(text: &str) -> String {
    let ident = ident::ident(text);
    if ident.is_empty() || ident.starts_with(|c: char| c.is_ascii_digit()) {
        format!("_{ident}")
    } else {
        ident
    }
}

fn camel_case(text: &str) -> String {
    let pascal = ident::pascal_case(text);
    let mut chars = pascal.chars();
    let first = chars.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(chars).collect()
}

fn kebab_case(text: &str) -> String {
    ident::slug(text).replace('_', "-")
}

fn upper_snake(text: &str) -> String {
    ident_of(text).to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_cannot_end_literals() {
        assert_eq!(py_string("a\"b"), r#""a\x22b""#);
        assert_eq!(
            ts("</script>`${x}\u{2028}\""),
            r#""\u003c/script>\u0060\u0024{x}\u2028\"""#
        );
        assert_eq!(hcl("a\"${x}%{y}\\\n"), r#"a\"\u0024{x}\u0025{y}\\\n"#);
        assert_eq!(hcl("cost$"), r"cost\u0024");
        assert_eq!(md("a|b <i> [x](y)\n# t"), r"a\|b &lt;i&gt; \[x\]\(y\) \# t");
        assert_eq!(
            md("a - b: events of payments."),
            "a - b: events of payments."
        );
        assert_eq!(md("1. x"), "1&#46; x");
        assert_eq!(md("- x"), "&#45; x");
        assert_eq!(md("http://a.b www.a.b"), "http&#58;//a.b www&#46;a.b");
        assert_eq!(comment("a */ b\n-->"), "a * / b - ->");
    }

    #[test]
    fn filters_return_valid_names() {
        assert_eq!(ident_of("1st"), "_1st");
        assert_eq!(ident_of(""), "_");
        assert_eq!(upper_snake("order.placed"), "ORDER_PLACED");
        assert_eq!(camel_case("order.placed"), "orderPlaced");
        assert_eq!(kebab_case("order.placed"), "order-placed");
    }

    proptest! {
        #[test]
        fn json_and_ts_mean_the_text(text in any::<String>()) {
            let ts = ts(&text);
            prop_assert!(ts.is_ascii());
            prop_assert_eq!(serde_json::from_str::<String>(&ts).unwrap(), text);
        }

        #[test]
        fn a_comment_and_a_cell_stay_on_their_line(text in "(?s).*[*/<>`|\\-\\n\"\\\\]{0,8}") {
            let comment = comment(&text);
            let breaks = comment.contains(['\n', '\r', '\u{2028}']);
            prop_assert!(!breaks);
            prop_assert!(!comment.contains("*/") && !comment.contains("-->"));
            let md = md(&text);
            prop_assert!(!md.contains(['\n', '\r', '<', '>']));
        }

        #[test]
        fn hcl_opens_no_gap(text in "(?s).*[$%{\"\\\\]{0,8}") {
            let hcl = hcl(&text);
            prop_assert!(hcl.is_ascii() && !hcl.contains(['\n', '\r']));
            let open = hcl.replace("$${", "").replace("%%{", "");
            let opens = open.contains("${") || open.contains("%{");
            prop_assert!(!opens);
            let quotes = hcl.replace("\\\\", "").replace("\\\"", "");
            prop_assert!(!quotes.contains('"'));
        }
    }
}
