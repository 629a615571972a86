//! `redact.invalid_pattern`: a redaction pattern that is not portable, or too slow.

use herald_diagnostics::{Diagnostic, Rule, Severity};

use crate::contract::Located;
use crate::pattern;

pub(crate) static RULE: Rule = Rule {
    code: "redact.invalid_pattern",
    severity: Severity::Error,
    title: "a redaction pattern can't be used",
    docs: "Patterns run in Rust and in Python, so they use what both support: no look-around, no \
           back-references, no flags (case is always ignored). They run on error messages, which \
           may contain input of strangers, so no pattern may take longer than a few milliseconds: \
           each long repetition repeats one character or class, and ends at a character that it \
           can't match before the next one begins.",
    bad: "redact: [\"(?<=key=)\\\\w+\"]",
    good: "redact: [\"key=\\\\w+\"]",
};

/// Returns the patterns that can be used, and reports the others.
pub(crate) fn keep_valid(
    patterns: Vec<Located<String>>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<String> {
    let mut valid = Vec::new();
    for pattern in patterns {
        match pattern::check(&pattern.value) {
            Ok(()) => valid.push(pattern.value),
            Err(problem) => diagnostics.push(
                Diagnostic::new(&RULE, format!("this pattern can't be used: {problem}"))
                    .at(pattern.location)
                    .help(problem.help),
            ),
        }
    }
    valid
}
