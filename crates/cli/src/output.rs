//! Structured output: JSON and YAML on standard output.

use std::io::{self, Write};

use serde_json::Value;

/// Prints a document as JSON, indented.
pub fn json(value: &Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value)?;
    writeln!(out)
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
