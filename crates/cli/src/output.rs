//! Structured output: JSON and YAML on standard output.

use std::fmt::Write as _;
use std::io::{self, Write};

use herald_diagnostics::render::visible_line;
use serde::Serialize;
use serde_json::Value;

/// Prints a document as JSON, indented.
pub fn json(value: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    writeln!(io::stdout().lock(), "{}", harmless(text))
}

/// Returns a value as JSON on one line.
pub fn json_line(value: &impl Serialize) -> io::Result<String> {
    serde_json::to_string(value)
        .map(harmless)
        .map_err(io::Error::other)
}

/// Escapes characters that a terminal would act upon. JSON itself requires escapes for fewer.
fn harmless(text: String) -> String {
    let is_active = |c: char| {
        !matches!(c, ' '..='~' | '\n') && !visible_line(c.encode_utf8(&mut [0; 4])).starts_with(c)
    };
    if !text.contains(is_active) {
        return text;
    }
    text.chars()
        .fold(String::with_capacity(text.len() + 16), |mut safe, c| {
            if is_active(c) {
                let _ = write!(safe, "\\u{:04x}", u32::from(c));
            } else {
                safe.push(c);
            }
            safe
        })
}

/// Prints a document as YAML.
pub fn yaml(value: &Value) -> io::Result<()> {
    let text = serde_saphyr::to_string(value).map_err(io::Error::other)?;
    writeln!(io::stdout().lock(), "{}", text.trim_end())
}

/// Prints a text.
pub fn text(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    writeln!(out, "{}", text.trim_end_matches('\n'))
}
