//! `lint.ignore_*`: comments that suppress diagnostics. Reported by their reader.

use herald_diagnostics::{Diagnostic, Edit, Fix, Location, Rule, Severity};

use crate::text::{did_you_mean, quote};

pub(crate) static RULES: &[&Rule] = &[&INVALID, &UNUSED];

static INVALID: Rule = Rule {
    code: "lint.ignore_invalid",
    severity: Severity::Warning,
    title: "a comment that suppresses a diagnostic can't be used",
    docs: "`# herald: ignore[rule] reason` is about its line, or about the next one when it stands \
           alone; `# herald: ignore-file[rule] reason` is about the whole file. Several rules are \
           separated by commas. The reason is for the next reader.",
    bad: "node_type: effect\nservice_name: orders\noperations: [class] # herald: ignore[names.python_keyword]",
    good: "node_type: effect\nservice_name: orders\noperations: [class] # herald: ignore[names.python_keyword] The API calls it so.",
};

static UNUSED: Rule = Rule {
    code: "lint.ignore_unused",
    severity: Severity::Warning,
    title: "a comment suppresses a diagnostic that is not there",
    docs: "The problem is solved, or the comment is in the wrong line. A comment that is left over \
           hides the next problem of its kind.",
    bad: "node_type: effect\nservice_name: orders\noperations: [place] # herald: ignore[names.python_keyword] No reason any more.",
    good: "node_type: effect\nservice_name: orders\noperations: [place]",
};

/// Reason why a comment can't be used.
pub(crate) enum Problem<'a> {
    NoRule,
    NoReason,
    Unknown(&'a str),
    Fixed(&'a str),
}

/// Reports a comment that can't be used.
pub(crate) fn invalid(problem: &Problem<'_>, location: Location) -> Diagnostic {
    let (message, help) = match problem {
        Problem::NoRule => (
            "the comment names no rule".to_owned(),
            "write `# herald: ignore[rule] reason`".to_owned(),
        ),
        Problem::NoReason => (
            "the comment gives no reason".to_owned(),
            "write it behind the rule: `# herald: ignore[rule] reason`".to_owned(),
        ),
        Problem::Unknown(code) => {
            let help = did_you_mean(code, super::super::rules().map(|rule| rule.code), &[]);
            (
                format!("there is no rule {}", quote(code)),
                help.unwrap_or_else(|| "`herald rules` lists them".to_owned()),
            )
        }
        Problem::Fixed(code) => (
            format!("{} can't be suppressed", quote(code)),
            "it is about input that was not read, or events that are missing".to_owned(),
        ),
    };
    Diagnostic::new(&INVALID, message).at(location).help(help)
}

/// Whether `herald check --fix` can solve some of the rule's diagnostics.
pub(crate) fn is_fixable(rule: &Rule) -> bool {
    rule == &UNUSED
}

/// Reports a comment for a diagnostic that is not there.
pub(crate) fn unused(code: &str, location: Location, comment: Location) -> Diagnostic {
    Diagnostic::new(&UNUSED, format!("there is no {} to suppress", quote(code)))
        .at(location)
        .help("remove the comment")
        .fix(Fix {
            title: "remove the comment",
            edits: vec![Edit {
                location: comment,
                text: String::new(),
            }],
        })
}
