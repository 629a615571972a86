//! Search for the secrets of the table.

use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, MatchKind};
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
    /// Rules without keywords, which find numbers, as a bit set. The table has fewer than 128 rules.
    numbers: u128,
}

/// Bytes of the shortest number that rules without keywords find, and whether a byte may be in one.
const MIN_NUMBER: usize = 14;
const fn is_of_number(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'A'..=b'Z' | b' ' | b'.' | b'-')
}

/// Rule whose pattern is compiled when a text first needs it.
struct Compiled {
    rule: &'static Rule,
    regex: OnceLock<Regex>,
}

impl Engine {
    fn new() -> Self {
        let (mut keywords, mut owners, mut numbers) = (Vec::<&str>::new(), Vec::new(), 0);
        for (place, rule) in (0..).zip(rules::all()) {
            keywords.extend(rule.keywords);
            owners.extend(rule.keywords.iter().map(|_| place));
            if rule.keywords.is_empty() {
                numbers |= 1 << place;
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
            numbers,
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
        let mut active = if has_number(text) { self.numbers } else { 0 };
        text.count(text.len());
        // Most texts have no keyword, and finding that out takes half as long as a search for all.
        let Some(first) = self.keywords.find(text.bytes()) else {
            return active;
        };
        // A longer keyword that ends later may begin earlier.
        let start = first.end().saturating_sub(self.keywords.max_pattern_len());
        let rest = Input::new(text.bytes()).range(start..);
        for found in self.keywords.find_overlapping_iter(rest) {
            let keyword = found.pattern().as_usize();
            let owner = self.owners[keyword];
            let rule = self.rules[usize::from(owner)].rule;
            // `sku` does not begin a token `SK…`.
            if rule.ignore_case || is_keyword(rule, &text.bytes()[found.range()]) {
                active |= 1 << owner;
            }
        }
        active
    }
}

/// Whether these bytes are a keyword of a rule in the case of the table.
fn is_keyword(rule: &Rule, bytes: &[u8]) -> bool {
    (rule.keywords.iter()).any(|keyword| keyword.as_bytes() == bytes)
}

/// Whether a text has [`MIN_NUMBER`] bytes of a number in a row. Where the last byte of so many is none
/// of a number, all of them are skipped, so few bytes of most texts are read.
fn has_number(text: &Text) -> bool {
    let bytes = text.bytes();
    let mut start = 0;
    while let Some(window) = bytes.get(start..start + MIN_NUMBER) {
        text.count(MIN_NUMBER);
        match window.iter().rposition(|byte| !is_of_number(*byte)) {
            Some(place) => start += place + 1,
            None => return true,
        }
    }
    false
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
    use regex_syntax::hir::literal::Extractor;
    use regex_syntax::hir::{Class, Hir, HirKind};

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
            let length = hir(rule).properties().maximum_len();
            assert!(
                length.is_some_and(|most| most <= MAX_PATTERN),
                "{}: {length:?}",
                rule.id
            );
            assert!(rule.pattern.is_ascii(), "{}", rule.id);
        }
    }

    fn hir(rule: &Rule) -> Hir {
        let mut parser = ParserBuilder::new().unicode(false).utf8(false).build();
        parser.parse(rule.pattern).expect("a pattern")
    }

    /// Whether all bytes of each match of a pattern pass a test.
    fn all_bytes(hir: &Hir, test: fn(u8) -> bool) -> bool {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => true,
            HirKind::Literal(literal) => literal.0.iter().all(|byte| test(*byte)),
            HirKind::Class(Class::Bytes(class)) => {
                let mut ranges = class.ranges().iter();
                ranges.all(|range| (range.start()..=range.end()).all(test))
            }
            HirKind::Class(Class::Unicode(_)) => false,
            HirKind::Repetition(repetition) => all_bytes(&repetition.sub, test),
            HirKind::Capture(capture) => all_bytes(&capture.sub, test),
            HirKind::Concat(parts) | HirKind::Alternation(parts) => {
                parts.iter().all(|part| all_bytes(part, test))
            }
        }
    }

    #[test]
    fn rules_without_keywords_find_long_numbers_only() {
        for rule in rules::all().filter(|rule| rule.keywords.is_empty()) {
            let hir = hir(rule);
            let shortest = hir.properties().minimum_len();
            assert!(shortest.is_some_and(|min| min >= MIN_NUMBER), "{}", rule.id);
            assert!(all_bytes(&hir, is_of_number), "{}", rule.id);
            assert!(!rule.ignore_case, "{}", rule.id);
        }
    }

    /// Whether each match of a pattern contains one of the keywords as the table writes it.
    fn has_keyword(hir: &Hir, keywords: &[&str]) -> bool {
        let literals = Extractor::new().extract(hir);
        literals.literals().is_some_and(|found| {
            found.iter().all(|literal| {
                let text = String::from_utf8_lossy(literal.as_bytes());
                keywords.iter().any(|keyword| text.contains(keyword))
            })
        }) || match hir.kind() {
            HirKind::Capture(capture) => has_keyword(&capture.sub, keywords),
            HirKind::Concat(parts) => parts.iter().any(|part| has_keyword(part, keywords)),
            HirKind::Alternation(parts) => parts.iter().all(|part| has_keyword(part, keywords)),
            HirKind::Repetition(one) => one.min > 0 && has_keyword(&one.sub, keywords),
            _ => false,
        }
    }

    #[test]
    fn patterns_with_case_contain_a_keyword_in_its_case() {
        let rules = rules::all().filter(|rule| !rule.ignore_case && !rule.keywords.is_empty());
        for rule in rules {
            assert!(has_keyword(&hir(rule), rule.keywords), "{}", rule.id);
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
