//! `config.invalid`: a value of `herald.yaml` that can't be used. Reported by the reader of
//! projects.

use herald_diagnostics::{Diagnostic, Location, Rule, Severity};

use crate::text::{did_you_mean, quote};

/// The rule `config.invalid`.
pub static RULE: Rule = Rule {
    code: "config.invalid",
    severity: Severity::Error,
    title: "`herald.yaml` has a value that can't be used",
    docs: "The message names the expected value. `herald schema config` prints every key.",
    bad: "topic_pattern: \"{service}.{event_type}\"",
    good: "topic_pattern: \"{service_name}.{event_type}\"",
};

/// Reports a namespace that can't be the start of a topic.
pub fn invalid_namespace(reason: &str, location: Location) -> Diagnostic {
    Diagnostic::new(&RULE, format!("`namespace` can't begin a topic: {reason}"))
        .at(location)
        .help("topics consist of letters, digits, `.`, `_` and `-`")
}

/// Reports an unusable pattern of topics.
pub fn invalid_topic_pattern(reason: &str, default: &str, location: Location) -> Diagnostic {
    Diagnostic::new(&RULE, format!("`topic_pattern` can't be used: {reason}"))
        .at(location)
        .help(format!("the default is \"{default}\""))
}

/// Reports a level for a rule that does not exist.
pub fn unknown_rule(code: &str, location: Location, diagnostics: &[Diagnostic]) -> Diagnostic {
    let codes = super::rules().map(|rule| rule.code);
    let help = did_you_mean(code, codes, diagnostics);
    Diagnostic::new(&RULE, format!("there is no rule {}", quote(code)))
        .at(location)
        .help(help.unwrap_or_else(|| "`herald explain` lists every code".to_owned()))
}

/// Reports a level for a rule whose severity is fixed.
pub fn fixed_severity(rule: &Rule, location: Location) -> Diagnostic {
    Diagnostic::new(&RULE, format!("the level of `{}` can't be set", rule.code))
        .at(location)
        .help("switching it off would hide input that was not read, or events that are missing")
}
