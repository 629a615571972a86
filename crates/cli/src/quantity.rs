//! Numbers and byte counts, and ranges of them, in readable units: `16–65 kB`.

use herald_catalog::volume::Range;

/// Units of bytes, each a thousand of the one before.
const UNITS: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];

/// Placeholder for an unknown value.
pub const UNKNOWN: &str = "–";

/// Reads bytes such as `500kB`, `5MB` or `1000000`.
pub fn parse_bytes(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text[digits.len()..].trim();
    let unit = if unit.is_empty() { "B" } else { unit };
    let at = UNITS
        .iter()
        .position(|known| known.eq_ignore_ascii_case(unit))?;
    let factor = 1_000_u64.checked_pow(u32::try_from(at).ok()?)?;
    digits.trim().parse::<u64>().ok()?.checked_mul(factor)
}

/// A number or range of bytes: `812 B`, `1.4–5.61 GB`, `900 B–1.2 MB`.
pub fn bytes(range: Range) -> String {
    in_units(range, &UNITS)
}

/// A number or range: `3–25`, `0.1`, `138,240`, `1.73–6.91 M`.
pub fn number(range: Range) -> String {
    if range.high >= 999_950.0 {
        return in_units(range, &["", "k", "M", "G", "T", "P", "E"]);
    }
    let (low, high) = (plain(range.low), plain(range.high));
    if low == high {
        low
    } else {
        format!("{low}–{high}")
    }
}

fn in_units(range: Range, units: &[&str; 7]) -> String {
    let (low, high) = (scale(range.low), scale(range.high));
    let text =
        |(text, unit): &(String, usize)| format!("{text} {}", units[*unit]).trim().to_owned();
    if low == high {
        text(&high)
    } else if low.1 == high.1 || range.low == 0.0 {
        format!("{}–{}", low.0, text(&high))
    } else {
        format!("{}–{}", text(&low), text(&high))
    }
}

/// Scales a number to the largest unit that keeps it at 1 or more; returns three digits and the
/// index of the unit.
fn scale(number: f64) -> (String, usize) {
    let mut number = number;
    let mut unit = 0;
    // 999.5 would be rounded to 1000, which belongs to the next unit.
    while number >= 999.5 && unit + 1 < UNITS.len() {
        number /= 1_000.0;
        unit += 1;
    }
    let text = match number {
        number if unit == 0 || number >= 99.95 => group_thousands(number.round()),
        number if number >= 9.995 => trim_zeros(format!("{number:.1}")),
        number => trim_zeros(format!("{number:.2}")),
    };
    (text, unit)
}

fn plain(number: f64) -> String {
    if number >= 100.0 || number.fract() == 0.0 {
        return group_thousands(number.round());
    }
    let decimals = if number >= 1.0 { 2 } else { 4 };
    let text = trim_zeros(format!("{number:.decimals$}"));
    if text == "0" {
        format!("{number:.0e}")
    } else {
        text
    }
}

/// Removes trailing zeros of the fraction.
fn trim_zeros(text: String) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A whole number with a comma before each three digits.
fn group_thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::with_capacity(digits.len() * 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_bytes_in_fitting_units() {
        for (low, high, text) in [
            (812.0, 812.0, "812 B"),
            (16_240.0, 64_960.0, "16.2–65 kB"),
            (1.4e9, 5.614e9, "1.4–5.61 GB"),
            (900.0, 1.2e6, "900 B–1.2 MB"),
            (0.0, 1.2e6, "0–1.2 MB"),
            (999.4, 999.6, "999 B–1 kB"),
            (123_456.0, 123_456.0, "123 kB"),
            (0.0, 0.0, "0 B"),
            (1e30, 1e30, "1,000,000,000,000 EB"),
        ] {
            assert_eq!(bytes(Range::between(low, high)), text);
        }
    }

    #[test]
    fn formats_numbers_with_three_digits() {
        for (low, high, text) in [
            (3.0, 25.0, "3–25"),
            (0.1, 0.1, "0.1"),
            (0.300_000_000_000_000_04, 1.0, "0.3–1"),
            (1_728_000.0, 6_912_000.0, "1.73–6.91 M"),
            (0.000_001, 0.000_001, "1e-6"),
            (138_240.0, 999_949.0, "138,240–999,949"),
            (20_000.0, 2e6, "20 k–2 M"),
            (4e18, 4e18, "4 E"),
        ] {
            assert_eq!(number(Range::between(low, high)), text);
        }
    }

    #[test]
    fn parses_bytes_with_and_without_units() {
        assert_eq!(parse_bytes("5MB"), Some(5_000_000));
        assert_eq!(parse_bytes("500 kb"), Some(500_000));
        assert_eq!(parse_bytes("7"), Some(7));
        for wrong in ["", "MB", "-1", "1.5MB", "5 miles", "99999999999EB"] {
            assert_eq!(parse_bytes(wrong), None, "{wrong}");
        }
    }
}
