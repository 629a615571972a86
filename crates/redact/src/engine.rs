//! Search for the secrets of the table.

use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use regex::bytes::{CaptureLocations, Regex, RegexBuilder};

use crate::rules::{self, Rule, Secret};
use crate::text::Text;
use crate::value;

/// Engine with all rules of the table.
pub(crate) static ENGINE: LazyLock<Engine> = LazyLock::new(Engine::new);

/// Compiled table.
pub(crate) struct Engine {
    keywords: AhoCorasick,
    /// Index of the rule of each keyword.
    owners: Vec<u8>,
    rules: Vec<Compiled>,
    /// Rules without keywords, as a bit set. The table has fewer than 128 rules.
    always: u128,
}

/// Rule whose pattern is compiled when a text first needs it.
struct Compiled {
    rule: &'static Rule,
    regex: OnceLock<Regex>,
}

impl Engine {
    fn new() -> Self {
        let (mut keywords, mut owners, mut always) = (Vec::<&str>::new(), Vec::new(), 0);
        for (place, rule) in (0..).zip(rules::all()) {
            keywords.extend(rule.keywords);
            owners.extend(rule.keywords.iter().map(|_| place));
            if rule.keywords.is_empty() {
                always |= 1 << place;
            }
        }
        let keywords = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            // The only kind that finds overlapping keywords: one rule's may begin inside of another's.
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::DFA))
            .build(keywords)
            .expect("the keywords are few");
        let compiled = |rule| Compiled {
            rule,
            regex: OnceLock::new(),
        };
        Self {
            keywords,
            owners,
            rules: rules::all().map(compiled).collect(),
            always,
        }
    }

    /// Returns the ranges of secrets, unordered.
    pub(crate) fn secrets(&self, text: &Text) -> Vec<Range<usize>> {
        let mut secrets = Vec::new();
        let mut active = self.active(text);
        while active != 0 {
            let rule = &self.rules[active.trailing_zeros() as usize];
            // Clears the lowest set bit.
            active &= active - 1;
            rule.search(text, &mut secrets);
        }
        secrets
    }

    /// Returns the rules of which a text contains a keyword, as a bit set. One pass over the text for
    /// all keywords: most texts contain none, and no regular expression runs.
    fn active(&self, text: &Text) -> u128 {
        text.count(text.len());
        let mut active = self.always;
        // Most texts have no keyword, and finding that out takes half as long as a search for all.
        if !self.keywords.is_match(text.bytes()) {
            return active;
        }
        for found in self.keywords.find_overlapping_iter(text.bytes()) {
            active |= 1 << self.owners[found.pattern().as_usize()];
        }
        active
    }
}

impl Compiled {
    fn search(&self, text: &Text, secrets: &mut Vec<Range<usize>>) {
        let regex = self.regex.get_or_init(|| compile(self.rule));
        let mut groups = regex.capture_locations();
        let mut place = 0;
        while let Some(found) = self.next(regex, text, place, &mut groups) {
            let is_part = self.rule.before.forbids(text.before(found.start));
            let secret = if is_part {
                None
            } else {
                value::secret(self.rule.secret, text, &found, &groups)
            };
            // Continues behind the secret, so that the rule reads no byte twice.
            place = secret
                .as_ref()
                .map_or(0, |secret| secret.end)
                .max(found.start + 1);
            secrets.extend(secret);
        }
    }

    fn next(
        &self,
        regex: &Regex,
        text: &Text,
        place: usize,
        groups: &mut CaptureLocations,
    ) -> Option<Range<usize>> {
        if place >= text.len() {
            return None;
        }
        let found = match self.rule.secret {
            // Capture groups need a slower engine than the end of a match.
            secret if secret.is_named() => regex
                .captures_read_at(groups, text.bytes(), place)
                .map(|found| found.range()),
            _ => regex
                .find_at(text.bytes(), place)
                .map(|found| found.range()),
        };
        let end = found
            .as_ref()
            .map_or(text.len(), |found| found.end + MAX_PATTERN);
        text.count(end.min(text.len()) - place);
        found
    }
}

/// Maximum bytes that a pattern matches, and that a search reads behind its match.
pub(crate) const MAX_PATTERN: usize = 400;

/// Compiles the pattern of a rule without Unicode, so that `\w` and `\d` are ASCII classes, as in the
/// Python engine.
fn compile(rule: &Rule) -> Regex {
    RegexBuilder::new(rule.pattern)
        .unicode(false)
        .case_insensitive(rule.ignore_case)
        .build()
        .unwrap_or_else(|error| unreachable!("the pattern of {}: {error}", rule.id))
}

/// Returns the end of a run of characters of a class.
pub(crate) fn run(class: &'static str, text: &Text, start: usize) -> usize {
    let accepts = classes().iter().find(|(known, _)| *known == class);
    let (_, accepts) = accepts.unwrap_or_else(|| unreachable!("the class {class}"));
    text.skip(start, |byte| accepts[usize::from(byte)])
}

type Class = (&'static str, [bool; 256]);

/// Returns the character classes of the table, as sets of bytes.
fn classes() -> &'static [Class] {
    static CLASSES: LazyLock<Vec<Class>> = LazyLock::new(|| {
        let classes = rules::all().filter_map(|rule| match rule.secret {
            Secret::Match("") => None,
            Secret::Match(class) | Secret::Following(class, _) => Some(class),
            _ => None,
        });
        let mut classes: Vec<&str> = classes.collect();
        classes.sort_unstable();
        classes.dedup();
        classes
            .into_iter()
            .map(|class| (class, bytes_of(class)))
            .collect()
    });
    &CLASSES
}

fn bytes_of(class: &str) -> [bool; 256] {
    let regex = RegexBuilder::new(class)
        .unicode(false)
        .build()
        .expect("a class");
    let mut bytes = [false; 256];
    for byte in 0..=u8::MAX {
        bytes[usize::from(byte)] = regex.is_match(&[byte]);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex_syntax::ParserBuilder;

    use super::*;

    /// Bytes that are read of a text.
    fn reads(text: &str) -> usize {
        let text = Text::new(text);
        ENGINE.secrets(&text);
        text.reads()
    }

    /// Fails unless twice the text costs about twice the reads.
    fn assert_linear(unit: &str, begin: &str) {
        let text = |count| format!("{begin}{}", unit.repeat(count));
        let count = 2_000 / unit.len().max(1) + 1;
        let (once, twice) = (reads(&text(count)), reads(&text(2 * count)));
        // Each search counts bytes behind its match, which the end of a shorter text cuts off.
        let limit = 2 * once + once / 8 + MAX_PATTERN * MAX_PATTERN;
        assert!(
            twice <= limit,
            "{begin:?} and {unit:?}: {once} reads, then {twice}"
        );
    }

    #[test]
    fn patterns_are_bounded() {
        for rule in rules::all() {
            let mut parser = ParserBuilder::new().unicode(false).utf8(false).build();
            let hir = parser.parse(rule.pattern).expect("a pattern");
            let length = hir.properties().maximum_len();
            assert!(
                length.is_some_and(|most| most <= MAX_PATTERN),
                "{}: {length:?}",
                rule.id
            );
            assert!(rule.pattern.is_ascii(), "{}", rule.id);
        }
    }

    #[test]
    fn repeated_keywords_and_examples_are_read_in_linear_time() {
        for rule in rules::all() {
            for keyword in rule.keywords {
                assert_linear(keyword, "");
            }
            for example in rule.examples {
                let text = rules::plain(example);
                assert_linear(&text, "");
                assert_linear(text.get(..text.len() / 2).unwrap_or(&text), "");
            }
        }
    }

    #[test]
    fn hostile_texts_are_read_in_linear_time() {
        let begins = [
            "",
            "password=",
            "password:",
            "password: |\n",
            "password=[",
            "'password',",
            "--token ",
            "<password>",
            "<password",
            "password%3D",
            "authorization:",
            "bearer ",
            "basic ",
            "://",
            "://a:",
            "%3a%2f%2f",
            "oracle:thin:a/",
            "curl -u ",
            "mysql -p",
            "input_value=",
            "otp ",
            "eyJaaaaaaaa",
            "-----BEGIN PRIVATE KEY-----",
            "4111",
            "DE89",
            "/bot123456:",
        ];
        let units = [
            " ",
            "a",
            "0",
            "\\",
            "\"",
            "'",
            "\"'",
            ",",
            ",a",
            "&a",
            "[",
            "]",
            "[(",
            "<",
            "</",
            "%",
            "%25",
            "@",
            "/@",
            ":",
            "-",
            "--",
            "\n",
            "\n ",
            "=",
            "a=",
            ".",
            "_",
            "-----END ",
            "://",
            ", input_type=",
            "1111 ",
            "é",
            "\u{0}",
        ];
        for begin in begins {
            for unit in units {
                assert_linear(unit, begin);
                assert_linear(&format!("{begin}{unit}"), "");
            }
        }
    }

    /// Texts of pieces that mean something to the engine.
    fn pieces() -> impl Strategy<Value = String> {
        let examples: Vec<String> = rules::all()
            .flat_map(|rule| rule.examples)
            .map(|text| rules::plain(text))
            .collect();
        let keywords: Vec<&str> = rules::all()
            .flat_map(|rule| rule.keywords)
            .copied()
            .collect();
        let piece = prop_oneof![
            proptest::sample::select(examples),
            proptest::sample::select(keywords).prop_map(str::to_owned),
            "[ =:\"'\\\\,;&@/<>|\\[\\](){}%\\n-]{1,3}",
            "\\PC{0,4}",
            "[a-zA-Z0-9]{1,40}",
        ];
        proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn only_secrets_change(text in prop_oneof![pieces(), ".*"]) {
            let secrets = crate::Redactor::default().secrets(&text);
            let redacted = crate::redact(&text);
            let (mut end, mut rest) = (0, &*redacted);
            for secret in &secrets {
                prop_assert!(end <= secret.start && secret.start < secret.end);
                rest = rest.strip_prefix(&text[end..secret.start]).expect("text outside of secrets stays");
                rest = rest.strip_prefix(crate::MASK).expect("a mask");
                end = secret.end;
            }
            prop_assert_eq!(rest, &text[end..]);
        }

        #[test]
        fn any_pieces_are_read_in_linear_time(unit in pieces()) {
            assert_linear(&unit, "");
        }
    }
}
