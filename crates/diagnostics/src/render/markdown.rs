//! Format for comments on pull requests and merge requests: Markdown of GitHub and GitLab.
//!
//! Diagnostics quote contracts, and anybody who opens a pull request writes contracts. So a text may not
//! become a link, an image, HTML, a mention of a person or a reference to an issue. Words of letters are
//! printed as they are, and everything else is code, in which both services leave text alone.

use std::fmt::Write as _;
use std::io;

use super::Options;
use super::place::Place;
use super::visible::{visible_line, visible_lines};
use crate::{Diagnostic, Sources, count};

/// Bytes of a list; the rest is counted. GitHub takes comments of 65,536 characters.
const MAX_LIST_BYTES: usize = 12_000;

/// Characters of one text.
const MAX_TEXT_CHARS: usize = 600;

pub(super) fn write(
    diagnostics: &[Diagnostic],
    sources: &Sources,
    _: &Options<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    out.write_all(list(diagnostics, sources).as_bytes())
}

/// Returns an item for each diagnostic; beyond 12,000 bytes, the number of the others.
pub fn list(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    let mut list = String::new();
    for (index, diagnostic) in diagnostics.iter().enumerate() {
        if list.len() > MAX_LIST_BYTES {
            let more = count(diagnostics.len() - index, "more diagnostic");
            let _ = writeln!(list, "- {more}");
            break;
        }
        list.push_str(&item(diagnostic, sources));
    }
    list
}

fn item(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let place = Place::of_diagnostic(diagnostic, sources).map(|place| {
        let path = place.in_repository();
        match place.extent {
            Some(extent) => format!("{path}:{}", extent.start.line),
            None => path,
        }
    });
    let place = place.map_or_else(String::new, |place| format!(" {}", code(&place)));
    let (severity, rule) = (diagnostic.severity, code(diagnostic.rule.code));
    let message = prose(&diagnostic.message);
    let help = diagnostic.help.as_ref();
    let help = help.map_or_else(String::new, |help| format!("  - help: {}\n", prose(help)));
    format!("- **{severity}** {rule}{place}: {message}\n{help}")
}

/// Returns a text as prose on one line. Parts in backticks, and words that Markdown or a service could act
/// upon, are code.
pub fn prose(text: &str) -> String {
    let text = shortened(&visible_line(text));
    let mut out = String::with_capacity(text.len());
    for (index, part) in text.split('`').enumerate() {
        if index % 2 == 1 {
            push_code(&mut out, part);
            continue;
        }
        for (index, word) in part.split(' ').enumerate() {
            if index > 0 && !out.is_empty() && !out.ends_with(' ') {
                out.push(' ');
            }
            push_word(&mut out, word);
        }
    }
    out
}

/// Returns a text as code on one line.
pub fn code(text: &str) -> String {
    let text = visible_line(text);
    // Blanks alone would end the paragraph instead of the code.
    let text = if text.is_empty() { " " } else { &text };
    let fence = "`".repeat(longest_run(text) + 1);
    if text.starts_with('`') || text.ends_with('`') {
        format!("{fence} {text} {fence}")
    } else {
        format!("{fence}{text}{fence}")
    }
}

/// Returns a text of several lines as a block of code.
pub fn block(language: &str, text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    let text = visible_lines(text);
    format!("{fence}{language}\n{}\n{fence}\n", text.trim_end())
}

/// Adds code; two pieces of code without a blank between them would be one.
fn push_code(out: &mut String, text: &str) {
    if out.ends_with('`') {
        out.push(' ');
    }
    out.push_str(&code(text));
}

/// Adds a word: its punctuation as it is, and the rest as code unless it is plain.
fn push_word(out: &mut String, word: &str) {
    let rest = word.trim_start_matches(['(', '\'', '"']);
    let core = rest.trim_end_matches(['.', ',', ';', ':', ')', '\'', '"', '?']);
    out.push_str(&word[..word.len() - rest.len()]);
    if is_plain(core) {
        out.push_str(core);
    } else if !core.is_empty() {
        push_code(out, core);
    }
    out.push_str(&rest[core.len()..]);
}

/// Whether a word has nothing but letters, or nothing but digits.
fn is_plain(word: &str) -> bool {
    let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = word.split(['-', '\'']);
    is_number || parts.all(|part| !part.is_empty() && part.chars().all(char::is_alphabetic))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT_CHARS) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text.to_owned(),
    }
}

/// Length of the longest run of backticks.
fn longest_run(text: &str) -> usize {
    let runs = text.split(|c| c != '`').map(str::len);
    runs.max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Format;
    use super::super::testing::{BAD_TOPIC, UNUSED_STATE, anything, at, find, sources, written};
    use super::*;

    #[test]
    fn an_item_names_severity_rule_place_and_help() {
        let sources = sources(&[("./a.yaml", "x:\n  topic: a b\n")]);
        let found = [
            Diagnostic::new(&BAD_TOPIC, "`a b` isn't a topic: it has a blank")
                .at(find(&sources, 0, "a b"))
                .help("write a.b, or (better) `a_b`"),
            Diagnostic::new(&UNUSED_STATE, "m"),
        ];
        assert_eq!(
            written(Format::Markdown, &found, &sources),
            "- **error** `topic.invalid` `a.yaml:2`: `a b` isn't a topic: it has a blank\n  \
               - help: write `a.b`, or (better) `a_b`\n\
             - **warning** `state.unused`: m\n"
        );
    }

    #[test]
    fn text_of_a_contract_is_neither_a_link_nor_html_nor_a_mention() {
        for (text, markdown) in [
            ("ask @team", "ask `@team`"),
            ("see #12, (GH-12)", "see `#12`, (`GH-12`)"),
            ("![x](https://evil/a.png)", "`![x](https://evil/a.png`)"),
            ("<img src=x> www.evil.com", "`<img` `src=x>` `www.evil.com`"),
            ("a `b` @c `d` e", "a `b` `@c` `d` e"),
            ("`a @b", "`a @b`"),
            ("a``b", "a` `b"),
            ("*a* _b_ | c ~~d~~", "`*a*` `_b_` `|` c `~~d~~`"),
            ("a\n# b\n/close", "`a␊#` `b␊/close`"),
            (":tada: &copy; \\", "`:tada`: `&copy`; `\\`"),
        ] {
            assert_eq!(prose(text), markdown, "{text}");
        }
    }

    #[test]
    fn backticks_do_not_end_code() {
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("``"), "``` `` ```");
        assert_eq!(code(""), "` `");
        assert_eq!(
            block("yaml", "a: 1\n```\n<b>"),
            "````yaml\na: 1\n```\n<b>\n````\n"
        );
    }

    #[test]
    fn a_long_list_ends_with_a_number() {
        let sources = sources(&[("a.yaml", "x")]);
        let one = Diagnostic::new(&BAD_TOPIC, "m ".repeat(1000)).at(at(0, 0, 1));
        let list = list(&vec![one; 100], &sources);
        assert!(list.len() < 2 * MAX_LIST_BYTES, "{}", list.len());
        assert!(list.ends_with(" more diagnostics\n"), "{list}");
    }

    proptest! {
        #[test]
        fn any_text_is_words_and_code(text in any::<String>()) {
            for (index, part) in prose(&text).split('`').enumerate() {
                let is_plain = |c: char| c.is_alphabetic() || c.is_ascii_digit() || " ('\".,;:)?-".contains(c);
                prop_assert!(index % 2 == 1 || part.chars().all(is_plain), "{:?}", part);
                prop_assert!(!part.contains('\n'));
            }
        }

        #[test]
        fn any_diagnostic_is_at_most_two_lines((found, sources) in anything()) {
            prop_assert!(written(Format::Markdown, &[found], &sources).lines().count() <= 2);
        }
    }
}
