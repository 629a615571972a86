//! Format of code scanning: SARIF 2.1.0.

use std::fmt::Write;
use std::io;
use std::path::Path;

use serde::Serialize;

use super::place::{Extent, Place};
use super::{Options, explain};
use crate::{Diagnostic, Rule, Severity, Sources};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'a str,
    version: &'a str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool<'a>,
    column_kind: &'a str,
    results: Vec<SarifResult>,
}

#[derive(Serialize)]
struct Tool<'a> {
    driver: Driver<'a>,
}

#[derive(Serialize)]
struct Driver<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    version: &'a str,
    rules: Vec<Descriptor>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    id: &'static str,
    short_description: Message,
    full_description: Message,
    help: Message,
    default_configuration: Configuration,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

/// Text of a message. Viewers without Markdown show `text`.
#[derive(Serialize)]
struct Message {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    markdown: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Message,
    locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Serialize)]
struct ArtifactLocation {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
    end_line: u32,
    end_column: u32,
}

pub(super) fn write(
    diagnostics: &[Diagnostic],
    sources: &Sources,
    options: &Options<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut rules = Vec::new();
    let results = diagnostics
        .iter()
        .map(|d| diagnostic(d, sources, &mut rules))
        .collect();
    let driver = Driver {
        name: "herald",
        version: options.tool_version,
        rules: rules.into_iter().map(descriptor).collect(),
    };
    let run = Run {
        tool: Tool { driver },
        column_kind: "unicodeCodePoints",
        results,
    };
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [run],
    };
    serde_json::to_writer_pretty(&mut *out, &log)?;
    writeln!(out)
}

/// Converts a diagnostic; its rule is added to `rules` unless it is there already.
fn diagnostic(
    diagnostic: &Diagnostic,
    sources: &Sources,
    rules: &mut Vec<&'static Rule>,
) -> SarifResult {
    let code = diagnostic.rule.code;
    let rule_index = rules
        .iter()
        .position(|rule| rule.code == code)
        .unwrap_or_else(|| {
            rules.push(diagnostic.rule);
            rules.len() - 1
        });
    let place = Place::of_diagnostic(diagnostic, sources);
    let related = diagnostic.labels.iter().map(|label| {
        let place = Place::of(label.location, sources);
        location(&place, Some(Message::plain(&label.message)))
    });
    SarifResult {
        rule_id: code,
        rule_index,
        level: level(diagnostic.severity),
        message: Message {
            text: diagnostic.message_and_help(),
            markdown: None,
        },
        locations: place.iter().map(|place| location(place, None)).collect(),
        related_locations: related.collect(),
    }
}

fn descriptor(rule: &Rule) -> Descriptor {
    Descriptor {
        id: rule.code,
        short_description: Message::plain(rule.title),
        full_description: Message::plain(rule.docs),
        help: Message {
            text: explain(rule, false),
            markdown: Some(help_markdown(rule)),
        },
        default_configuration: Configuration {
            level: level(rule.severity),
        },
    }
}

fn help_markdown(rule: &Rule) -> String {
    let mut text = rule.docs.to_owned();
    for (heading, example) in [("Bad", rule.bad), ("Good", rule.good)] {
        if !example.trim().is_empty() {
            let _ = write!(
                text,
                "\n\n**{heading}**\n\n```yaml\n{}\n```",
                example.trim_end()
            );
        }
    }
    text
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn location(place: &Place<'_>, message: Option<Message>) -> Location {
    let region = place.extent.map(|Extent { start, end }| Region {
        start_line: start.line,
        start_column: start.column,
        end_line: end.line,
        end_column: end.column,
    });
    let artifact_location = ArtifactLocation { uri: uri(place) };
    Location {
        physical_location: PhysicalLocation {
            artifact_location,
            region,
        },
        message,
    }
}

/// Converts a path: a relative one to a relative reference, which viewers resolve against the root of
/// the repository, an absolute one to a `file` URI.
fn uri(place: &Place<'_>) -> String {
    let absolute = Path::new(place.path).is_absolute();
    let path = place.in_repository();
    let mut uri = match (absolute, path.starts_with('/')) {
        (false, _) => "",
        (true, true) => "file://",
        (true, false) => "file:///",
    }
    .to_owned();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            _ => {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri
}

impl Message {
    fn plain(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            markdown: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::Format;
    use super::super::testing::{
        BAD_TOPIC, UNUSED_STATE, anything, at, find, sources, written_with,
    };
    use super::*;

    /// Returns the only run of the log.
    fn run(diagnostics: &[Diagnostic], sources: &Sources) -> Value {
        let options = Options {
            tool_version: "1.2.3",
            ..Options::default()
        };
        let text = written_with(Format::Sarif, diagnostics, sources, &options);
        let mut log: Value = serde_json::from_str(&text).expect("it is JSON");
        assert_eq!(log["version"], "2.1.0");
        log["runs"][0].take()
    }

    #[test]
    fn a_result_points_at_its_places_and_its_rule() {
        let sources = sources(&[("a b.yaml", "é:\n  topic: a b\n"), ("b.yaml", "x")]);
        let found = Diagnostic::new(&BAD_TOPIC, "blank in a topic")
            .at(find(&sources, 0, "a b"))
            .label(at(1, 0, 1), "declared here")
            .help("write a.b");
        let run = run(&[found], &sources);
        assert_eq!(run["tool"]["driver"]["version"], "1.2.3");
        assert_eq!(
            run["results"],
            json!([{
                "ruleId": "topic.invalid",
                "ruleIndex": 0,
                "level": "error",
                "message": { "text": "blank in a topic\nhelp: write a.b" },
                "locations": [{
                    "physicalLocation": {
                        "artifactLocation": { "uri": "a%20b.yaml" },
                        "region":
                            { "startLine": 2, "startColumn": 10, "endLine": 2, "endColumn": 13 }
                    }
                }],
                "relatedLocations": [{
                    "physicalLocation": {
                        "artifactLocation": { "uri": "b.yaml" },
                        "region":
                            { "startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 2 }
                    },
                    "message": { "text": "declared here" }
                }]
            }])
        );
    }

    #[test]
    fn a_rule_is_described_once_with_its_documentation() {
        let found = [&UNUSED_STATE, &BAD_TOPIC, &UNUSED_STATE].map(|r| Diagnostic::new(r, "m"));
        let run = run(&found, &Sources::default());
        let rules = &run["tool"]["driver"]["rules"];
        assert_eq!(rules.as_array().unwrap().len(), 2);
        assert_eq!(run["results"][2]["ruleIndex"], 0);
        assert_eq!(rules[0]["defaultConfiguration"]["level"], "warning");
        assert_eq!(rules[1]["id"], "topic.invalid");
        insta::assert_snapshot!(rules[1]["help"]["markdown"].as_str().unwrap(), @r"
        Kafka takes names of 1 to 249 characters from `[A-Za-z0-9._-]`.

        Rename the topic.

        **Bad**

        ```yaml
        topic: orders placed
        ```

        **Good**

        ```yaml
        topic: orders.placed
        ```
        ");
    }

    #[test]
    fn a_severity_set_by_the_project_is_the_results_own() {
        let mut found = Diagnostic::new(&BAD_TOPIC, "m");
        found.severity = Severity::Info;
        let run = run(&[found], &Sources::default());
        assert_eq!(run["results"][0]["level"], "note");
        assert_eq!(
            run["tool"]["driver"]["rules"][0]["defaultConfiguration"]["level"],
            "error"
        );
    }

    #[test]
    fn a_file_without_text_has_no_region() {
        let sources = sources(&[("gone.yaml", "")]);
        let run = run(
            &[Diagnostic::new(&BAD_TOPIC, "m").at(at(0, 1, 2))],
            &sources,
        );
        assert_eq!(
            run["results"][0]["locations"][0]["physicalLocation"],
            json!({ "artifactLocation": { "uri": "gone.yaml" } })
        );
    }

    fn uri(path: &str) -> String {
        super::uri(&Place { path, extent: None })
    }

    #[test]
    fn paths_become_uris() {
        assert_eq!(
            uri("contracts/größe.yaml"),
            "contracts/gr%C3%B6%C3%9Fe.yaml"
        );
        assert_eq!(uri("./node.yaml"), "node.yaml");
        assert_eq!(uri("../a:b.yaml"), "../a%3Ab.yaml");
        assert_eq!(uri("<command line>"), "%3Ccommand%20line%3E");
    }

    #[test]
    #[cfg(unix)]
    fn absolute_paths_become_file_uris() {
        assert_eq!(uri("/srv/node.yaml"), "file:///srv/node.yaml");
    }

    proptest! {
        #[test]
        fn any_diagnostic_is_a_log_of_one_result((found, sources) in anything()) {
            let run = run(&[found], &sources);
            prop_assert_eq!(run["results"].as_array().unwrap().len(), 1);
        }
    }
}
