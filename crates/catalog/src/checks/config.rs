//! `config.*`: values of `herald.yaml` that can't be used or have no effect. Reported by the reader
//! of projects and by the commands.

use herald_diagnostics::{Diagnostic, Location, Rule, Severity};

use crate::text::{did_you_mean, quote};

pub(super) static RULES: &[&Rule] = &[&RULE, &EXPIRED, &UNUSED];

/// The rule `config.expired`.
pub static EXPIRED: Rule = Rule {
    code: "config.expired",
    severity: Severity::Warning,
    title: "an exception has expired",
    docs: "Exceptions may have a last day (`until`). After it they have no effect: what they \
           allowed is reported again. Two weeks before it a note names the day.",
    bad: "breaking:\n  ignore: [{rule: field.removed, until: 2020-01-31, reason: nobody reads it}]",
    good: "breaking:\n  ignore: [{rule: field.removed, until: 2999-01-31, reason: nobody reads it}]",
};

/// The rule `config.unused`.
pub static UNUSED: Rule = Rule {
    code: "config.unused",
    severity: Severity::Warning,
    title: "an exception matches nothing",
    docs: "An exception without a match is left over, or has a typo. It is reported only by runs \
           over the whole project, which would find every match.",
    bad: "breaking:\n  ignore: [{rule: field.removed, path: nowhere.yaml, reason: left over}]",
    good: "breaking:\n  ignore: []",
};

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

/// Reports a code that no rule of `herald breaking` has.
pub fn unknown_breaking_rule<'a>(
    code: &str,
    codes: impl Iterator<Item = &'a str>,
    location: Location,
    diagnostics: &[Diagnostic],
) -> Diagnostic {
    let help = did_you_mean(code, codes, diagnostics);
    let message = format!("`herald breaking` has no rule {}", quote(code));
    Diagnostic::new(&RULE, message)
        .at(location)
        .help(help.unwrap_or_else(|| "`herald explain` lists every code".to_owned()))
}

/// Reports a text that is not a valid glob.
pub fn invalid_glob(glob: &str, reason: &str, location: Location) -> Diagnostic {
    let message = format!("{} is not a valid glob: {reason}", quote(glob));
    Diagnostic::new(&RULE, message)
        .at(location)
        .help("`*` is any name, `**` any folders, `{a,b}` one of the two, `[ab]` one character")
}

/// Reports a day that no calendar has.
pub fn invalid_date(day: &str, location: Location) -> Diagnostic {
    Diagnostic::new(&RULE, format!("there is no day {}", quote(day)))
        .at(location)
        .help("a day is written year-month-day, such as 2027-01-31")
}

/// Reports an exception whose last day is over.
pub fn expired(what: &str, until: &str, location: Location) -> Diagnostic {
    Diagnostic::new(&EXPIRED, format!("{what} expired on {until}"))
        .at(location)
        .help("what it allowed is reported again; remove it, or agree on a later day")
}

/// Reports an exception whose last day is near.
pub fn expires_soon(what: &str, until: &str, location: Location) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(&EXPIRED, format!("{what} expires after {until}"))
        .at(location)
        .help("what it allows is reported from then on");
    diagnostic.severity = Severity::Info;
    diagnostic
}

/// Reports an exception that nothing needs.
pub fn unused(what: &str, location: Location) -> Diagnostic {
    Diagnostic::new(&UNUSED, format!("{what} matches nothing"))
        .at(location)
        .help("remove it, so that it does not hide a later problem")
}

/// Reports a level for a rule whose severity is fixed.
pub fn fixed_severity(rule: &Rule, location: Location) -> Diagnostic {
    Diagnostic::new(&RULE, format!("the level of `{}` can't be set", rule.code))
        .at(location)
        .help("switching it off would hide input that was not read, or events that are missing")
}
