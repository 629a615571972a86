//! `fields.pattern`: a pattern that is not portable, or too slow.

use herald_diagnostics::{Diagnostic, Location, Rule, Severity};

use crate::pattern::InvalidPattern;

pub(crate) static RULE: Rule = Rule {
    code: "fields.pattern",
    severity: Severity::Error,
    title: "the pattern of a field can't be used",
    docs: "Patterns go into JSON Schema and into models of several languages, so they use what all \
           regular expressions read in the same way: characters, classes in brackets, groups, \
           repetitions, `^` and `$`. `\\d`, `\\w` and `\\s` mean different characters in different \
           languages. Matching any text must take at most a few milliseconds: two repetitions that \
           match the same characters can't follow each other.",
    bad: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.paid\n    payload: {zip: {type: string, pattern: '^\\d{5}$'}}",
    good: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.paid\n    payload: {zip: {type: string, pattern: '^[0-9]{5}$'}}",
};

/// Reports a pattern that is not portable.
pub(crate) fn invalid(problem: &InvalidPattern, location: Location) -> Diagnostic {
    Diagnostic::new(&RULE, format!("this pattern can't be used: {problem}"))
        .at(location)
        .help(problem.help)
}
