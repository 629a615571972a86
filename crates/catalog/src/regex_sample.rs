//! Generator of texts that match a regular expression.

use regex_syntax::hir::{Class, ClassUnicodeRange, Hir, HirKind};

/// Returns a text that the pattern matches, with at least `min_length` characters if it can have so
/// many, and at most `max_length`. `None` for an invalid pattern, or when no text is short enough.
pub fn sample(pattern: &str, min_length: usize, max_length: usize) -> Option<String> {
    let pattern = regex_syntax::parse(pattern).ok()?;
    let with = |repeated: usize| {
        let mut text = String::new();
        write(&pattern, repeated, max_length, &mut text)?;
        let length = text.chars().count();
        (length <= max_length).then_some((length, text))
    };
    let (length, mut shorter) = with(0)?;
    if length >= min_length {
        return Some(shorter);
    }
    // Longer repetitions make a longer text: search for the shortest one that is long enough.
    let mut enough = None;
    let (mut low, mut high) = (0, min_length.saturating_add(1));
    while low + 1 < high {
        let middle = low.midpoint(high);
        match with(middle) {
            Some((length, text)) if length < min_length => (shorter, low) = (text, middle),
            Some((_, text)) => (enough, high) = (Some(text), middle),
            None => high = middle,
        }
    }
    Some(enough.unwrap_or(shorter))
}

/// Appends a text in which every repetition has `repeated` rounds, as far as its bounds allow. `None`
/// when it is longer than `max_length`.
fn write(pattern: &Hir, repeated: usize, max_length: usize, text: &mut String) -> Option<()> {
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(()),
        HirKind::Literal(literal) => {
            text.push_str(std::str::from_utf8(&literal.0).ok()?);
            Some(())
        }
        HirKind::Class(Class::Unicode(class)) => {
            // Letters and digits are preferred.
            let usual = "a0A".chars();
            let mut usual = usual.filter(|c| {
                let mut ranges = class.ranges().iter();
                ranges.any(|range| (range.start()..=range.end()).contains(c))
            });
            let first = class.ranges().first().map(ClassUnicodeRange::start);
            text.push(usual.next().or(first)?);
            Some(())
        }
        HirKind::Class(Class::Bytes(class)) => {
            text.push(class.ranges().first()?.start().into());
            Some(())
        }
        HirKind::Repetition(repetition) => {
            let limit = repetition.max.unwrap_or(u32::MAX);
            let wanted = u32::try_from(repeated).unwrap_or(u32::MAX);
            for _ in 0..wanted.clamp(repetition.min, limit) {
                if text.len() > max_length.saturating_mul(4) {
                    return None;
                }
                let before = text.len();
                write(&repetition.sub, repeated, max_length, text)?;
                if text.len() == before {
                    break;
                }
            }
            Some(())
        }
        HirKind::Capture(capture) => write(&capture.sub, repeated, max_length, text),
        HirKind::Concat(parts) => {
            let mut parts = parts.iter();
            parts.try_for_each(|part| write(part, repeated, max_length, text))
        }
        HirKind::Alternation(branches) => write(branches.first()?, repeated, max_length, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_have_the_requested_length() {
        for (pattern, min_length, max_length, text) in [
            ("^[0-9]{5}$", 0, 16, "00000"),
            ("^[A-Z]{2}-[0-9]+$", 6, 16, "AA-000"),
            ("^(web|shop)$", 0, 16, "web"),
            ("^[a-z]+$", 3, 3, "aaa"),
            ("^a*$", 0, 5, ""),
            ("é?x", 0, 5, "x"),
        ] {
            assert_eq!(
                super::sample(pattern, min_length, max_length).as_deref(),
                Some(text),
                "{pattern}"
            );
        }
    }

    #[test]
    fn returns_none_when_no_text_is_short_enough() {
        assert_eq!(sample("^[a-z]{20}$", 0, 10), None);
        assert_eq!(sample("^(a{1000}){1000}$", 0, 100), None);
        assert_eq!(sample("(", 0, 10), None);
    }
}
