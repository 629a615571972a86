//! Format for people: excerpts with the place underlined.

use std::io;

use annotate_snippets::renderer::DEFAULT_TERM_WIDTH;
use annotate_snippets::{Element, Group, Level, Origin, Renderer};

use super::Options;
use super::excerpt::{Mark, excerpt};
use super::visible::{visible_line, visible_lines};
use crate::{Diagnostic, Location, Severity, Source, SourceId, Sources};

pub(super) fn write(
    diagnostics: &[Diagnostic],
    sources: &Sources,
    options: &Options<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let width = options.width.unwrap_or(DEFAULT_TERM_WIDTH);
    let renderer = if options.color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let renderer = renderer.term_width(width);
    diagnostics
        .iter()
        .try_for_each(|d| writeln!(out, "{}\n", renderer.render(&report(d, sources, width))))
}

fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    }
}

fn report<'a>(diagnostic: &'a Diagnostic, sources: &'a Sources, width: usize) -> Vec<Group<'a>> {
    let title = level(diagnostic.severity)
        .primary_title(visible_lines(&diagnostic.message))
        .id(diagnostic.rule.code);
    let excerpts = marks_by_source(diagnostic)
        .into_iter()
        .flat_map(|(source, marks)| elements(sources.get(source), &marks, width))
        .fold(Group::with_title(title), Group::element);
    let help = diagnostic
        .help
        .as_deref()
        .map(|help| Group::with_title(Level::HELP.secondary_title(visible_lines(help))));
    std::iter::once(excerpts).chain(help).collect()
}

/// Returns the places to underline, grouped by source; the diagnostic's own source comes first.
fn marks_by_source(diagnostic: &Diagnostic) -> Vec<(SourceId, Vec<Mark<'_>>)> {
    let primary = diagnostic.location.map(|location| (location, None));
    let labels = diagnostic
        .labels
        .iter()
        .map(|label| (label.location, Some(label.message.as_str())));
    let mut by_source: Vec<(SourceId, Vec<Mark<'_>>)> = Vec::new();
    for (Location { source, span }, label) in primary.into_iter().chain(labels) {
        let mark = Mark { span, label };
        match by_source.iter_mut().find(|(known, _)| *known == source) {
            Some((_, marks)) => marks.push(mark),
            None => by_source.push((source, vec![mark])),
        }
    }
    by_source
}

fn elements<'a>(source: &Source, marks: &[Mark<'_>], width: usize) -> Vec<Element<'a>> {
    if !source.text.is_empty() {
        return vec![excerpt(source, marks, width).into()];
    }
    let origin = Origin::path(visible_line(&source.path));
    let notes = marks.iter().filter_map(|mark| mark.label);
    let notes = notes.map(|label| Level::NOTE.message(visible_lines(label)).into());
    std::iter::once(origin.into()).chain(notes).collect()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::super::Format;
    use super::super::testing::{
        BAD_TOPIC, UNUSED_STATE, anything, at, find, sources, written, written_with,
    };
    use super::*;
    use crate::Position;

    const CONTRACT: &str = "\
node_type: orchestrator
states:
  - idle
  - busy
topic: orders placed
";

    fn shown(found: Diagnostic, sources: &Sources) -> String {
        written(Format::Human, &[found], sources)
    }

    #[test]
    fn the_place_is_underlined_and_the_help_follows() {
        let sources = sources(&[("node.yaml", CONTRACT)]);
        let found = Diagnostic::new(&BAD_TOPIC, "a topic's name has no blanks")
            .at(find(&sources, 0, "orders placed"))
            .help("write 'orders.placed'\nor 'orders-placed'");
        assert_snapshot!(shown(found, &sources), @r"
        error[topic.invalid]: a topic's name has no blanks
         --> node.yaml:5:8
          |
        5 | topic: orders placed
          |        ^^^^^^^^^^^^^
          |
        help: write 'orders.placed'
              or 'orders-placed'
        ");
    }

    #[test]
    fn labels_in_the_same_source_share_the_excerpt() {
        let sources = sources(&[("node.yaml", CONTRACT)]);
        let found = Diagnostic::new(&UNUSED_STATE, "nothing leads to 'busy'")
            .at(find(&sources, 0, "busy"))
            .label(
                find(&sources, 0, "orchestrator"),
                "this kind has transitions",
            );
        assert_snapshot!(shown(found, &sources), @r"
        warning[state.unused]: nothing leads to 'busy'
         --> node.yaml:4:5
          |
        1 | node_type: orchestrator
          |            ------------ this kind has transitions
        ...
        4 |   - busy
          |     ^^^^
        ");
    }

    #[test]
    fn labels_in_other_sources_have_their_own_excerpt() {
        let sources = sources(&[("a/node.yaml", CONTRACT), ("b/node.yaml", CONTRACT)]);
        let found = Diagnostic::new(&BAD_TOPIC, "two nodes own one topic")
            .at(find(&sources, 1, "orders placed"))
            .label(find(&sources, 0, "orders placed"), "first declared here");
        assert_snapshot!(shown(found, &sources), @r"
        error[topic.invalid]: two nodes own one topic
         --> b/node.yaml:5:8
          |
        5 | topic: orders placed
          |        ^^^^^^^^^^^^^
          |
         ::: a/node.yaml:5:8
          |
        5 | topic: orders placed
          |        ------------- first declared here
        ");
    }

    #[test]
    fn a_diagnostic_without_a_place_is_its_message() {
        let found = Diagnostic::new(&BAD_TOPIC, "no contracts here").help("run `herald init`");
        assert_snapshot!(shown(found, &Sources::default()), @r"
        error[topic.invalid]: no contracts here
         |
        help: run `herald init`
        ");
    }

    #[test]
    fn a_file_without_text_is_only_named() {
        let sources = sources(&[("node.yaml", ""), ("gone.yaml", "")]);
        let found = Diagnostic::new(&BAD_TOPIC, "the file cannot be read")
            .at(at(0, 3, 9))
            .label(at(1, 0, 0), "nor can this one");
        assert_snapshot!(shown(found, &sources), @r"
        error[topic.invalid]: the file cannot be read
        --> node.yaml
        ::: gone.yaml
         = note: nor can this one
        ");
    }

    #[test]
    fn diagnostics_are_apart_by_a_blank_line() {
        let found = [
            Diagnostic::new(&BAD_TOPIC, "one"),
            Diagnostic::new(&BAD_TOPIC, "two"),
        ];
        assert_eq!(
            written(Format::Human, &found, &Sources::default()),
            "error[topic.invalid]: one\n\nerror[topic.invalid]: two\n\n"
        );
    }

    #[test]
    fn an_empty_span_underlines_one_character() {
        let sources = sources(&[("node.yaml", "name:\n")]);
        let found = Diagnostic::new(&BAD_TOPIC, "no value").at(at(0, 5, 5));
        assert_snapshot!(shown(found, &sources), @r"
        error[topic.invalid]: no value
         --> node.yaml:1:6
          |
        1 | name:
          |      ^
        ");
    }

    #[test]
    fn the_end_of_the_text_is_a_place() {
        let sources = sources(&[("node.yaml", "name:\n")]);
        let found = Diagnostic::new(&BAD_TOPIC, "too short").at(at(0, 6, 6));
        assert_snapshot!(shown(found, &sources), @r"
        error[topic.invalid]: too short
         --> node.yaml:2:1
          |
        2 |
          | ^
        ");
    }

    #[test]
    fn tabs_wide_characters_and_carriage_returns_keep_the_underline_in_place() {
        let sources = sources(&[("node.yaml", "a:\r\n\t日本: x y\r\nb:\r\n")]);
        let found = Diagnostic::new(&BAD_TOPIC, "blank").at(find(&sources, 0, "x y"));
        assert_snapshot!(shown(found, &sources), @r"
        error[topic.invalid]: blank
         --> node.yaml:2:6
          |
        2 |     日本: x y
          |           ^^^
        ");
    }

    #[test]
    fn a_long_block_is_folded_and_its_blank_end_left_out() {
        let lines: Vec<_> = (1..=20).map(|n| format!("  key{n}: value")).collect();
        let text = format!("block:\n{}\n\n\nnext: x\n", lines.join("\n"));
        let sources = sources(&[("node.yaml", &text)]);
        let mut block = find(&sources, 0, "block");
        block.span.end = find(&sources, 0, "next").span.start;
        let found = Diagnostic::new(&BAD_TOPIC, "too long").at(block);
        assert_snapshot!(shown(found, &sources), @r"
        error[topic.invalid]: too long
          --> node.yaml:1:1
           |
         1 | / block:
         2 | |   key1: value
         3 | |   key2: value
         4 | |   key3: value
        ...  |
        20 | |   key19: value
        21 | |   key20: value
           | |______________^
        ");
    }

    #[test]
    fn long_lines_are_cut_to_the_width() {
        let text = format!("{}needle{}\n", "x".repeat(5000), "y".repeat(5000));
        let sources = sources(&[("node.yaml", &text)]);
        let options = Options {
            width: Some(60),
            ..Options::default()
        };
        let found = [
            Diagnostic::new(&BAD_TOPIC, "short place").at(find(&sources, 0, "needle")),
            Diagnostic::new(&BAD_TOPIC, "long place").at(at(0, 0, 10_000)),
        ];
        assert_snapshot!(written_with(Format::Human, &found, &sources, &options), @r"
        error[topic.invalid]: short place
         --> node.yaml:1:5001
          |
        1 | ...xxxxxxxxxxxxxxxxxxxxxxneedleyyyyyyyyyyyyyyyyyyyyyy...
          |                          ^^^^^^

        error[topic.invalid]: long place
         --> node.yaml:1:1
          |
        1 | xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        ");
    }

    #[test]
    fn escape_sequences_become_visible() {
        let sources = sources(&[("\x1b]0;a\x07\n.yaml", "a: \x1b[31m\u{9b}31m\u{202e}\n")]);
        let found = Diagnostic::new(&BAD_TOPIC, "m\x1b[2J")
            .at(find(&sources, 0, "\x1b[31m"))
            .label(at(0, 0, 1), "l\x1b[2J\n")
            .help("h\x1b[2J\u{9b}");
        assert_snapshot!(shown(found, &sources), @r"
        error[topic.invalid]: m␛[2J
         --> ␛]0;a␇␊.yaml:1:4
          |
        1 | a: ␛[31m�31m�
          | -  ^^^^^
          | |
          | l␛[2J␊
          |
        help: h␛[2J�
        ");
    }

    /// Removes ANSI escapes from a text.
    fn without_colors(text: &str) -> String {
        let mut parts = text.split("\x1b[");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| {
            text + part.split_once('m').expect("a colour").1
        })
    }

    proptest! {
        #[test]
        fn any_diagnostic_is_shown_and_no_control_character_reaches_the_terminal(
            (found, sources) in anything(),
            width in prop::option::of(0..200_usize),
        ) {
            let plain = Options { width, ..Options::default() };
            let text = written_with(Format::Human, std::slice::from_ref(&found), &sources, &plain);
            prop_assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");

            let colored = Options { color: true, ..plain };
            let colored = written_with(Format::Human, &[found], &sources, &colored);
            prop_assert_eq!(without_colors(&colored), text);
        }

        #[test]
        fn the_place_in_the_head_line_is_that_of_the_span((found, sources) in anything()) {
            let text = shown(found.clone(), &sources);
            if let Some(Location { source, span }) = found.location
                && !sources.get(source).text.is_empty()
            {
                let Position { line, column } = sources.get(source).position(span.start);
                prop_assert!(text.contains(&format!(":{line}:{column}\n")), "{line}:{column} {text}");
            }
        }
    }
}
