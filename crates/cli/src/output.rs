//! Structured output: JSON and YAML on standard output.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use herald_diagnostics::render::visible_line;
use serde::Serialize;
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use crate::terminal::{self, BOLD, DIM};

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

/// Prints a text as it is, with its colours.
pub fn exact(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Prints the difference between a text on disk, if there is one, and the text that would be there.
pub fn text_diff(path: &Path, old: Option<&str>, new: &str) -> io::Result<()> {
    const REMOVED: Style = AnsiColor::Red.on_default();
    const ADDED: Style = AnsiColor::Green.on_default();
    let mut out = anstream::stdout().lock();
    let path = terminal::path(path);
    let name = if old.is_some() { &path } else { "/dev/null" };
    writeln!(out, "{BOLD}--- {name}\n+++ {path}{BOLD:#}")?;
    let diff = TextDiff::from_lines(old.unwrap_or_default(), new);
    for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
        writeln!(out, "{DIM}{}{DIM:#}", hunk.header())?;
        for change in hunk.iter_changes() {
            let style = match change.tag() {
                ChangeTag::Delete => REMOVED,
                ChangeTag::Insert => ADDED,
                ChangeTag::Equal => Style::new(),
            };
            let line = visible_line(change.value().trim_end_matches('\n'));
            writeln!(out, "{style}{}{line}{style:#}", change.tag())?;
        }
    }
    Ok(())
}
