//! Rules, places and arbitrary diagnostics for the tests of the formats.

use proptest::prelude::*;

use super::{Format, Options, write};
use crate::{Diagnostic, Location, Rule, Severity, Source, SourceId, Sources, Span};

pub(super) static BAD_TOPIC: Rule = Rule {
    code: "topic.invalid",
    severity: Severity::Error,
    title: "Kafka would refuse the topic's name",
    docs: "Kafka takes names of 1 to 249 characters from `[A-Za-z0-9._-]`.\n\nRename the topic.",
    bad: "topic: orders placed\n",
    good: "topic: orders.placed\n",
};

pub(super) static UNUSED_STATE: Rule = Rule {
    code: "state.unused",
    severity: Severity::Warning,
    title: "No transition leads to the state",
    docs: "A state without transitions to it is never published.",
    bad: "",
    good: "",
};

pub(super) fn at(source: u32, start: u32, end: u32) -> Location {
    Location {
        source: SourceId(source),
        span: Span { start, end },
    }
}

/// Returns the place of the first occurrence of `needle` in the source with this id.
pub(super) fn find(sources: &Sources, source: u32, needle: &str) -> Location {
    let start = sources
        .get(SourceId(source))
        .text
        .find(needle)
        .expect("the text has it");
    let [start, end] = [start, start + needle.len()].map(|n| u32::try_from(n).unwrap());
    at(source, start, end)
}

pub(super) fn sources(texts: &[(&str, &str)]) -> Sources {
    let mut sources = Sources::default();
    for (path, text) in texts {
        sources.add(Source::new(*path, *text));
    }
    sources
}

pub(super) fn written(format: Format, diagnostics: &[Diagnostic], sources: &Sources) -> String {
    written_with(format, diagnostics, sources, &Options::default())
}

pub(super) fn written_with(
    format: Format,
    diagnostics: &[Diagnostic],
    sources: &Sources,
    options: &Options<'_>,
) -> String {
    let mut out = Vec::new();
    write(format, diagnostics, sources, options, &mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("every format is UTF-8")
}

/// Texts with characters that break renderers.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-z:{}() ]{1,8}",
        2 => Just("\n".to_owned()),
        1 => Just("\r\n".to_owned()),
        1 => Just("\t".to_owned()),
        1 => Just("\u{1b}[31m".to_owned()),
        1 => Just("日本👩‍💻e\u{301}".to_owned()),
        1 => Just("x".repeat(200)),
        1 => any::<char>().prop_map(String::from),
        1 => (0..0xa0_u8).prop_map(|c| char::from(c).to_string()),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn location() -> impl Strategy<Value = Location> {
    let offset = || prop_oneof![9 => 0..60_u32, 2 => 0..900_u32, 1 => any::<u32>()];
    (0..2_u32, offset(), offset()).prop_map(|(source, start, end)| at(source, start, end))
}

/// A diagnostic with arbitrary places and texts, and the two sources that it refers to.
pub(super) fn anything() -> impl Strategy<Value = (Diagnostic, Sources)> {
    let diagnostic = (
        text(),
        prop::option::of(location()),
        prop::collection::vec((location(), text()), 0..4),
        prop::option::of(text()),
    )
        .prop_map(|(message, location, labels, help)| {
            let mut diagnostic = Diagnostic::new(&BAD_TOPIC, message);
            diagnostic.location = location;
            diagnostic.help = help;
            labels
                .into_iter()
                .fold(diagnostic, |diagnostic, (place, text)| {
                    diagnostic.label(place, text)
                })
        });
    let sources = ((text(), text()), (text(), text()))
        .prop_map(|(a, b)| sources(&[(&a.0, &a.1), (&b.0, &b.1)]));
    (diagnostic, sources)
}
