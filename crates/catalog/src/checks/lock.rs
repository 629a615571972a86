//! `lock.invalid`: a lock file that can't be used. Reported by the reader of lock files.

use herald_diagnostics::{Diagnostic, Location, Rule, Severity};

use crate::contract::Located;
use crate::text::quote;

pub(crate) static RULE: Rule = Rule {
    code: "lock.invalid",
    severity: Severity::Error,
    title: "the lock file can't be used",
    docs: "A lock file is written by `herald lock` and read by the same or a newer Herald. The \
           message names what is missing; usually the file was edited, or merged by hand.",
    bad: "herald breaking --against notes.lock",
    good: "herald lock && herald breaking --against lock",
};

/// Reports a file without the version of the format, or with one of a newer Herald.
pub(crate) fn not_a_lock(version: Option<u64>, location: Location) -> Diagnostic {
    let (message, help) = match version {
        Some(version) => (
            format!("the lock file has version {version}, which this Herald does not know"),
            "use the Herald that wrote it, or write it again with `herald lock`",
        ),
        None => (
            "the file is not a lock file: it does not begin with `herald_lock`".to_owned(),
            "`herald lock` writes lock files; contracts end with `.yaml`",
        ),
    };
    Diagnostic::new(&RULE, message).at(location).help(help)
}

/// Reports a part without keys that it has to have.
pub(crate) fn incomplete(what: &str, keys: &str, location: Location) -> Diagnostic {
    Diagnostic::new(&RULE, format!("{what} of the lock file is without {keys}"))
        .at(location)
        .help("write the file again with `herald lock`")
}

/// Reports an event of a stage that this Herald does not generate.
pub(crate) fn unknown_stage(stage: &Located<String>) -> Diagnostic {
    Diagnostic::new(&RULE, format!("there is no stage {}", quote(&stage.value)))
        .at(stage.location)
        .help("use the Herald that wrote the file, or write it again with `herald lock`")
}
