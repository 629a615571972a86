//! Problems of events at the place of their contract, for code scanning.

use std::io;

use herald_catalog::load::Loaded;
use herald_diagnostics::render::{Format, visible_line};
use herald_diagnostics::{Diagnostic, Rule, Severity};
use herald_verify::{Finding, Kind, Report};

use crate::format::count;
use crate::terminal;

/// A rule for each kind of problem, in the order of [`Kind::ALL`].
static RULES: [Rule; Kind::ALL.len()] = {
    let mut rules = [const { rule("", "", "") }; Kind::ALL.len()];
    let mut at = 0;
    while at < rules.len() {
        let kind = Kind::ALL[at];
        rules[at] = rule(kind.code(), kind.title(), kind.title());
        at += 1;
    }
    rules
};

/// Failure of the run itself, such as one without events.
static INCOMPLETE: Rule = rule(
    "verify.incomplete",
    "Verification that did not see all events",
    "Nothing is never good: a run without events, with unread partitions or with declared events that \
     were not seen fails.",
);

const fn rule(code: &'static str, title: &'static str, docs: &'static str) -> Rule {
    Rule {
        code,
        severity: Severity::Error,
        title,
        docs,
        bad: "",
        good: "",
    }
}

/// Writes the log: a result for each finding, and one for each other failure.
pub fn write(report: &Report, incomplete: &[String], loaded: &mut Loaded) -> io::Result<()> {
    let mut diagnostics: Vec<_> = report
        .findings
        .iter()
        .map(|finding| diagnostic(finding, loaded))
        .collect();
    let others = incomplete.iter();
    diagnostics.extend(others.map(|failure| Diagnostic::new(&INCOMPLETE, failure.clone())));
    loaded.diagnostics = diagnostics;
    terminal::write_diagnostics(Format::Sarif, loaded, io::stdout())
}

fn diagnostic(finding: &Finding, loaded: &Loaded) -> Diagnostic {
    let rule = &RULES[finding.kind as usize];
    let places: Vec<_> = finding
        .samples
        .iter()
        .map(|sample| sample.place.as_str())
        .collect();
    let event_type = if finding.event_type.is_empty() {
        String::new()
    } else {
        format!("{}: ", finding.event_type)
    };
    let message = format!(
        "{event_type}{} ({}, first at {})",
        finding.message,
        count(finding.count, "event"),
        places.join(", ")
    );
    let diagnostic = Diagnostic::new(rule, visible_line(&message));
    let mut events = loaded.catalog.nodes.iter().flat_map(|node| &node.events);
    match events.find(|event| event.event_type == finding.event_type) {
        Some(event) => diagnostic.at(event.location),
        None => diagnostic,
    }
}
