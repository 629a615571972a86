//! `generated.stale`: a generated file that its contracts no longer give. Reported by `herald review`.

use herald_diagnostics::{Diagnostic, Location, Rule, Severity};

/// The rule `generated.stale`.
pub static RULE: Rule = Rule {
    code: "generated.stale",
    severity: Severity::Error,
    title: "a generated file is stale",
    docs: "The contract or Herald has changed, and the file was not generated again; or it was edited. Run \
           `herald generate` and commit the files. A project that does not commit generated files switches \
           the rule off.",
    bad: "herald init && herald review",
    good: "herald init && herald generate && herald review",
};

/// Reports a file that has other content, or that does not exist.
pub fn stale(path: &str, exists: bool, location: Location) -> Diagnostic {
    let state = if exists {
        "is not as the contracts generate it"
    } else {
        "does not exist"
    };
    Diagnostic::new(&RULE, format!("`{path}` {state}"))
        .at(location)
        .help("run `herald generate` and commit the file")
}

/// Reports a file whose contract is gone.
pub fn obsolete(path: &str, location: Location) -> Diagnostic {
    Diagnostic::new(&RULE, format!("`{path}` is obsolete: its contract is gone"))
        .at(location)
        .help("remove the file")
}
