//! Format of GitLab: a Code Quality report, which is shown in a merge request.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Options;
use super::place::Place;
use super::visible::visible_lines;
use crate::{Diagnostic, Severity, Sources};

/// File of diagnostics about the run itself: GitLab requires one.
const PROJECT_FILE: &str = "herald.yaml";

/// Bytes of a fingerprint. GitLab compares fingerprints of two branches, and nothing else.
const FINGERPRINT_BYTES: usize = 16;

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: &'static str,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

pub(super) fn write(
    diagnostics: &[Diagnostic],
    sources: &Sources,
    _: &Options<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut seen = HashMap::new();
    let issues: Vec<_> = diagnostics
        .iter()
        .map(|diagnostic| issue(diagnostic, sources, &mut seen))
        .collect();
    serde_json::to_writer_pretty(&mut *out, &issues)?;
    writeln!(out)
}

fn issue(diagnostic: &Diagnostic, sources: &Sources, seen: &mut HashMap<String, usize>) -> Issue {
    let place = Place::of_diagnostic(diagnostic, sources);
    let path = place.map_or_else(|| PROJECT_FILE.to_owned(), |place| place.in_repository());
    let begin = place.and_then(|place| place.extent);
    // Without the line, which changes with every edit above it.
    let subject = format!("{}\0{path}\0{}", diagnostic.rule.code, diagnostic.message);
    let number = seen.entry(subject.clone()).or_insert(0);
    *number += 1;
    Issue {
        description: visible_lines(&diagnostic.message_and_help()),
        check_name: diagnostic.rule.code,
        fingerprint: fingerprint(&format!("{subject}\0{number}")),
        severity: severity(diagnostic.severity),
        location: Location {
            path,
            lines: Lines {
                begin: begin.map_or(1, |extent| extent.start.line),
            },
        },
    }
}

fn fingerprint(subject: &str) -> String {
    let digest = Sha256::digest(subject.as_bytes());
    let digest = digest.iter().take(FINGERPRINT_BYTES);
    digest.fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "major",
        Severity::Warning => "minor",
        Severity::Info => "info",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::Format;
    use super::super::testing::{BAD_TOPIC, UNUSED_STATE, anything, at, find, sources, written};
    use super::*;

    fn report(diagnostics: &[Diagnostic], sources: &Sources) -> Value {
        let text = written(Format::Gitlab, diagnostics, sources);
        serde_json::from_str(&text).expect("it is JSON")
    }

    #[test]
    fn an_issue_has_what_gitlab_requires() {
        let sources = sources(&[("./a.yaml", "x:\n  topic: a b\n")]);
        let found = Diagnostic::new(&BAD_TOPIC, "blank in a topic")
            .at(find(&sources, 0, "a b"))
            .help("write a.b");
        let report = report(&[found, Diagnostic::new(&UNUSED_STATE, "m")], &sources);
        assert_eq!(
            report[0]["description"],
            "blank in a topic\nhelp: write a.b"
        );
        assert_eq!(report[0]["check_name"], "topic.invalid");
        assert_eq!(report[0]["severity"], "major");
        assert_eq!(
            report[0]["location"],
            json!({"path": "a.yaml", "lines": {"begin": 2}})
        );
        assert_eq!(
            report[1]["location"],
            json!({"path": "herald.yaml", "lines": {"begin": 1}})
        );
    }

    #[test]
    fn a_fingerprint_survives_a_move_and_is_unique() {
        let before = sources(&[("a.yaml", "x: a b\ny: a b\n")]);
        let after = sources(&[("a.yaml", "\n\nx: a b\ny: a b\n")]);
        let two = |first| {
            [at(0, first, first + 3), at(0, first + 7, first + 10)]
                .map(|place| Diagnostic::new(&BAD_TOPIC, "blank").at(place))
        };
        let fingerprints = |report: Value| {
            [0, 1].map(|index| report[index]["fingerprint"].as_str().unwrap().to_owned())
        };
        let old = fingerprints(report(&two(3), &before));
        assert_eq!(old, fingerprints(report(&two(5), &after)));
        assert_ne!(old[0], old[1]);
    }

    #[test]
    fn no_diagnostics_are_an_empty_report() {
        assert_eq!(report(&[], &Sources::default()), json!([]));
    }

    proptest! {
        #[test]
        fn any_diagnostic_is_one_issue((found, sources) in anything()) {
            prop_assert_eq!(report(&[found], &sources).as_array().unwrap().len(), 1);
        }
    }
}
