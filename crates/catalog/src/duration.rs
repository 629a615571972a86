//! Durations as contracts write them.

use std::time::Duration;

/// What [`parse`] takes, as a regular expression of JSON Schema.
pub(crate) const PATTERN: &str = "^[0-9]{1,9}(ms|s|m|h|d)$";

/// Units and their milliseconds. `ms` ends as `s` does, so it is tried before.
const UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

/// Reads a duration such as `500ms`, `12h` or `7d`.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let (digits, milliseconds) = UNITS
        .iter()
        .find_map(|(unit, milliseconds)| Some((text.strip_suffix(unit)?, milliseconds)))?;
    let is_short = (1..=9).contains(&digits.len());
    let is_number = is_short && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = is_number.then(|| digits.parse::<u64>().ok())??;
    Some(Duration::from_millis(number * milliseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_whole_number_and_its_unit() {
        for (text, milliseconds) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("5m", 300_000),
            ("2h", 7_200_000),
            ("7d", 604_800_000),
        ] {
            assert_eq!(
                parse(text),
                Some(Duration::from_millis(milliseconds)),
                "{text}"
            );
        }
        for wrong in [
            "",
            "7",
            "d",
            "-7d",
            "1.5h",
            "7 d",
            "7w",
            "1234567890s",
            "+7d",
            "٧d",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
