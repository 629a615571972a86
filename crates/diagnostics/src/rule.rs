//! What can be wrong, and how grave that is.

use std::fmt;

/// How grave a diagnostic is. Ordered: an error is greater than a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; changes no exit code.
    Info,
    /// Probably a mistake; what was meant is still understood.
    Warning,
    /// Nothing is generated from a contract that has one.
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

/// One thing that Herald checks: a row in a static table, with its own documentation.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Stable name, `area.what_is_wrong`; machines may rely on it.
    pub code: &'static str,
    /// Severity of its diagnostics unless `herald.yaml` sets another.
    pub severity: Severity,
    /// One line, without a full stop.
    pub title: &'static str,
    /// Why it matters and what to do, in Markdown.
    pub docs: &'static str,
    /// The shortest input that the rule finds.
    pub bad: &'static str,
    /// The same input, mended.
    pub good: &'static str,
}
