//! Format for programs: one JSON object.

use std::io;

use serde::Serialize;

use super::place::{Extent, Place};
use super::{Counts, Options};
use crate::{Diagnostic, Sources};

/// Version of the format: incremented when a field changes its meaning or is removed, not when one is
/// added.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    diagnostics: Vec<JsonDiagnostic<'a>>,
    summary: Counts,
}

#[derive(Serialize)]
struct JsonDiagnostic<'a> {
    code: &'a str,
    severity: &'a str,
    message: &'a str,
    path: Option<&'a str>,
    span: Option<Extent>,
    labels: Vec<Label<'a>>,
    help: Option<&'a str>,
    detail: Option<&'a str>,
}

#[derive(Serialize)]
struct Label<'a> {
    path: &'a str,
    span: Option<Extent>,
    message: &'a str,
}

pub(super) fn write(
    diagnostics: &[Diagnostic],
    sources: &Sources,
    _: &Options<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let document = Document {
        version: VERSION,
        diagnostics: diagnostics.iter().map(|d| diagnostic(d, sources)).collect(),
        summary: Counts::of(diagnostics),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

/// Returns the list of diagnostics of the format, for documents that contain one.
pub fn json_list<'a>(
    diagnostics: &'a [Diagnostic],
    sources: &'a Sources,
) -> impl Serialize + use<'a> {
    let list = diagnostics.iter().map(|one| diagnostic(one, sources));
    list.collect::<Vec<_>>()
}

fn diagnostic<'a>(diagnostic: &'a Diagnostic, sources: &'a Sources) -> JsonDiagnostic<'a> {
    let place = Place::of_diagnostic(diagnostic, sources);
    JsonDiagnostic {
        code: diagnostic.rule.code,
        severity: diagnostic.severity.as_str(),
        message: &diagnostic.message,
        path: place.as_ref().map(|place| place.path),
        span: place.and_then(|place| place.extent),
        labels: diagnostic
            .labels
            .iter()
            .map(|l| label(l, sources))
            .collect(),
        help: diagnostic.help.as_deref(),
        detail: diagnostic.detail.as_deref(),
    }
}

fn label<'a>(label: &'a crate::Label, sources: &'a Sources) -> Label<'a> {
    let place = Place::of(label.location, sources);
    Label {
        path: place.path,
        span: place.extent,
        message: &label.message,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::Format;
    use super::super::testing::{BAD_TOPIC, anything, at, find, sources, written};
    use super::*;

    fn parsed(diagnostics: &[Diagnostic], sources: &Sources) -> Value {
        serde_json::from_str(&written(Format::Json, diagnostics, sources)).expect("it is JSON")
    }

    #[test]
    fn writes_all_fields_of_a_diagnostic() {
        let sources = sources(&[("a.yaml", "é:\n  topic: a b\n"), ("b.yaml", "x")]);
        let found = Diagnostic::new(&BAD_TOPIC, "blank in a topic")
            .at(find(&sources, 0, "a b"))
            .label(at(1, 0, 1), "declared here")
            .help("write a.b")
            .detail("a b");
        assert_eq!(
            parsed(&[found], &sources),
            json!({
                "version": 1,
                "diagnostics": [{
                    "code": "topic.invalid",
                    "severity": "error",
                    "message": "blank in a topic",
                    "path": "a.yaml",
                    "span": {
                        "start": { "line": 2, "column": 10, "offset": 13 },
                        "end": { "line": 2, "column": 13, "offset": 16 }
                    },
                    "labels": [{
                        "path": "b.yaml",
                        "span": {
                            "start": { "line": 1, "column": 1, "offset": 0 },
                            "end": { "line": 1, "column": 2, "offset": 1 }
                        },
                        "message": "declared here"
                    }],
                    "help": "write a.b",
                    "detail": "a b"
                }],
                "summary": { "errors": 1, "warnings": 0, "infos": 0 }
            })
        );
    }

    #[test]
    fn absent_fields_are_null() {
        let sources = sources(&[("unreadable.yaml", "")]);
        let found = [
            Diagnostic::new(&BAD_TOPIC, ""),
            Diagnostic::new(&BAD_TOPIC, "").at(at(0, 0, 0)),
        ];
        let json = parsed(&found, &sources);
        for field in ["path", "span", "help", "detail"] {
            assert_eq!(json["diagnostics"][0].get(field), Some(&Value::Null));
        }
        assert_eq!(json["diagnostics"][1]["path"], "unreadable.yaml");
        assert_eq!(json["diagnostics"][1]["span"], Value::Null);
    }

    #[test]
    fn no_diagnostics_are_an_empty_list() {
        assert_eq!(parsed(&[], &Sources::default())["diagnostics"], json!([]));
    }

    proptest! {
        #[test]
        fn any_diagnostic_is_json_and_its_offsets_slice_the_text((found, sources) in anything()) {
            let json = parsed(std::slice::from_ref(&found), &sources);
            let span = &json["diagnostics"][0]["span"];
            if let (Some(location), false) = (found.location, span.is_null()) {
                let [start, end] = ["start", "end"].map(|side| {
                    usize::try_from(span[side]["offset"].as_u64().unwrap()).unwrap()
                });
                prop_assert!(sources.get(location.source).text.get(start..end).is_some());
            }
        }
    }
}
