//! Redaction of secrets in texts: error messages, log lines, reasons of dead letters.
//!
//! One table of [rules] describes secrets. A rule finds a secret by the text before it (`password=`) or
//! by its format (`ghp_…`). A text is only searched for rules of which it contains a keyword. Every
//! search is linear in the length of the text: no pattern reads further than a few hundred bytes
//! ahead, and no rule reads a value twice.
//!
//! ```
//! assert_eq!(herald_redact::redact("password=hunter2 user=bob"), "password=*** user=bob");
//! ```

mod engine;
pub mod numbers;
pub mod rules;
mod text;
mod value;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};

use engine::ENGINE;
use text::Text;

/// Replacement of a secret.
pub const MASK: &str = "***";

/// Masks the secrets of the table of [rules].
pub fn redact(text: &str) -> Cow<'_, str> {
    static BUILT_IN: LazyLock<Redactor> = LazyLock::new(Redactor::default);
    BUILT_IN.redact(text)
}

/// Redactor with additional patterns.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    patterns: Vec<Regex>,
}

/// Error about a pattern that is not a valid regular expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError {
    /// The pattern.
    pub pattern: String,
    /// Description of the first problem.
    pub reason: String,
}

impl std::fmt::Display for PatternError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { pattern, reason } = self;
        write!(f, "`{pattern}` is not a valid pattern of secrets: {reason}")
    }
}

impl std::error::Error for PatternError {}

impl Redactor {
    /// Compiles patterns; case does not matter in them.
    ///
    /// # Errors
    /// The first pattern that is not a regular expression without look-around and back-references.
    pub fn new<S: AsRef<str>>(patterns: impl IntoIterator<Item = S>) -> Result<Self, PatternError> {
        let compile = |pattern: S| {
            let pattern = pattern.as_ref();
            RegexBuilder::new(pattern)
                .case_insensitive(true)
                .build()
                .map_err(|error| PatternError {
                    pattern: pattern.to_owned(),
                    // The lines before repeat the pattern, and mark the position in it.
                    reason: last_line(&error.to_string()).to_owned(),
                })
        };
        let patterns = patterns.into_iter().map(compile);
        Ok(Self {
            patterns: patterns.collect::<Result<_, _>>()?,
        })
    }

    /// Replaces each secret by [`MASK`]; nothing else changes.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let secrets = self.secrets(text);
        if secrets.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut masked = String::with_capacity(text.len());
        let mut end = 0;
        for secret in secrets {
            masked.push_str(&text[end..secret.start]);
            masked.push_str(MASK);
            end = secret.end;
        }
        masked.push_str(&text[end..]);
        Cow::Owned(masked)
    }

    /// Returns the ranges of secrets, in order and without overlaps.
    pub fn secrets(&self, text: &str) -> Vec<Range<usize>> {
        let mut secrets = ENGINE.secrets(&Text::new(text));
        for pattern in &self.patterns {
            let found = pattern.find_iter(text).map(|found| found.range());
            secrets.extend(found.filter(|secret| !secret.is_empty()));
        }
        merge(secrets)
    }
}

fn last_line(text: &str) -> &str {
    let line = text.lines().last().unwrap_or(text);
    line.strip_prefix("error: ").unwrap_or(line)
}

/// Sorts ranges, and joins those that touch.
fn merge(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}
