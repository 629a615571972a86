//! Format of GitHub Actions: workflow commands, which are shown beside the lines of a pull request.

use std::io;

use super::Options;
use super::place::{Extent, Place};
use super::visible::visible_lines;
use crate::{Diagnostic, Severity, Sources};

pub(super) fn write(
    diagnostics: &[Diagnostic],
    sources: &Sources,
    _: &Options<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    diagnostics
        .iter()
        .try_for_each(|d| writeln!(out, "{}", command(d, sources)))
}

fn command(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let place = Place::of_diagnostic(diagnostic, sources);
    let mut properties = place.map(place_properties).unwrap_or_default();
    properties.push(("title", diagnostic.rule.code.to_owned()));
    let properties: Vec<_> = properties
        .iter()
        .map(|(name, value)| format!("{name}={}", escape_property(value)))
        .collect();
    format!(
        "::{} {}::{}",
        command_name(diagnostic.severity),
        properties.join(","),
        escape(&visible_lines(&diagnostic.message_and_help())),
    )
}

fn command_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    }
}

fn place_properties(place: Place<'_>) -> Vec<(&'static str, String)> {
    let mut properties = vec![("file", place.in_repository())];
    if let Some(Extent { start, end }) = place.extent {
        properties.push(("line", start.line.to_string()));
        // GitHub's runner drops the columns of a place that spans lines, with a note in the log.
        if start.line == end.line {
            properties.push(("col", start.column.to_string()));
            properties.push(("endLine", end.line.to_string()));
            properties.push(("endColumn", end.column.to_string()));
        } else {
            properties.push(("endLine", end.line.to_string()));
        }
    }
    properties
}

/// Escapes a text. The percent sign goes first: the other escapes begin with it.
fn escape(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn escape_property(text: &str) -> String {
    escape(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Format;
    use super::super::testing::{BAD_TOPIC, UNUSED_STATE, anything, at, find, sources, written};
    use super::*;

    #[test]
    fn a_diagnostic_is_one_command() {
        let sources = sources(&[("./a.yaml", "x:\n  topic: a b\n")]);
        let found = Diagnostic::new(&BAD_TOPIC, "blank in a topic")
            .at(find(&sources, 0, "a b"))
            .help("write a.b");
        assert_eq!(
            written(Format::Github, &[found], &sources),
            "::error file=a.yaml,line=2,col=10,endLine=2,endColumn=13,title=topic.invalid\
             ::blank in a topic%0Ahelp: write a.b\n"
        );
    }

    #[test]
    fn severities_have_githubs_names() {
        let mut found = Diagnostic::new(&UNUSED_STATE, "m");
        assert_eq!(
            command(&found, &Sources::default()),
            "::warning title=state.unused::m"
        );
        found.severity = Severity::Info;
        assert_eq!(
            command(&found, &Sources::default()),
            "::notice title=state.unused::m"
        );
    }

    #[test]
    fn escapes_the_ends_of_properties_and_commands() {
        let sources = sources(&[("a,b:c%\n.yaml", "")]);
        let found = Diagnostic::new(&BAD_TOPIC, "100%\n::error::x").at(at(0, 0, 0));
        assert_eq!(
            command(&found, &sources),
            "::error file=a%2Cb%3Ac%25%0A.yaml,title=topic.invalid::100%25%0A::error::x"
        );
    }

    #[test]
    fn a_place_of_several_lines_has_no_columns() {
        let sources = sources(&[("a.yaml", "x:\n  y: z\n")]);
        let found = Diagnostic::new(&BAD_TOPIC, "m").at(at(0, 0, 9));
        assert_eq!(
            command(&found, &sources),
            "::error file=a.yaml,line=1,endLine=2,title=topic.invalid::m"
        );
    }

    proptest! {
        #[test]
        fn any_diagnostic_is_one_line((found, sources) in anything()) {
            let command = command(&found, &sources);
            prop_assert!(command.starts_with("::error "));
            prop_assert!(!command.contains(['\n', '\r']));
        }
    }
}
