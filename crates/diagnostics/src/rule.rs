//! Rules and their severity.

use std::fmt;

/// Severity of a diagnostic. Ordered: an error is greater than a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Information; does not change the exit code.
    Info,
    /// Probably a mistake; the contract can still be used.
    Warning,
    /// A mistake; nothing is generated from the contract.
    Error,
}

impl Severity {
    /// The lowercase name, as written in `herald.yaml` and in every machine format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A rule that Herald checks, with its documentation.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Stable name, `area.what_is_wrong`; machines may rely on it.
    pub code: &'static str,
    /// Severity of its diagnostics unless `herald.yaml` sets another.
    pub severity: Severity,
    /// Title in one line, without a full stop.
    pub title: &'static str,
    /// Reason and advice, in Markdown.
    pub docs: &'static str,
    /// The shortest input that breaks the rule.
    pub bad: &'static str,
    /// A fixed version of that input.
    pub good: &'static str,
}
