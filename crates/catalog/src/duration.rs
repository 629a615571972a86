//! Parser of durations, in contracts and on the command line.

use std::time::Duration;

use thiserror::Error;

/// The durations that [`parse`] accepts, as a regular expression of JSON Schema.
pub(crate) const PATTERN: &str = r"^[0-9]{1,10}(\.[0-9]{1,9})?(ms|s|m|h|d)$";

const MAX_WHOLE_DIGITS: usize = 10;
const MAX_FRACTION_DIGITS: usize = 9;
const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// Units and their nanoseconds. `ms` ends in `s`, so it has to come first.
const UNITS: [(&str, u128); 5] = [
    ("ms", 1_000_000),
    ("s", NANOS_PER_SECOND),
    ("m", 60 * NANOS_PER_SECOND),
    ("h", 3_600 * NANOS_PER_SECOND),
    ("d", 86_400 * NANOS_PER_SECOND),
];

/// Error for a text that is not a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("expected a number and its unit, such as 500ms, 30s, 1.5h or 7d")]
pub struct InvalidDuration;

/// Reads a duration such as `500ms`, `1.5h` or `7d`.
///
/// # Errors
/// Returns an error unless the text is a decimal number and its unit.
pub fn parse(text: &str) -> Result<Duration, InvalidDuration> {
    // Not jiff's "friendly" format: it has no fractions of days, and its durations that are
    // independent of a calendar have no days at all (jiff 1.0).
    let (number, unit) = UNITS
        .iter()
        .find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit)))
        .ok_or(InvalidDuration)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let whole = digits(whole, MAX_WHOLE_DIGITS)?;
    let scale = 10_u128.pow(u32::try_from(fraction.len().min(MAX_FRACTION_DIGITS)).unwrap_or(0));
    let fraction = digits(fraction, MAX_FRACTION_DIGITS)?;
    let nanos = whole * unit + fraction * unit / scale;
    let part = |nanos: u128| u64::try_from(nanos).map_err(|_| InvalidDuration);
    Ok(Duration::from_secs(part(nanos / NANOS_PER_SECOND)?)
        + Duration::from_nanos(part(nanos % NANOS_PER_SECOND)?))
}

fn digits(text: &str, max_digits: usize) -> Result<u128, InvalidDuration> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || text.len() > max_digits {
        return Err(InvalidDuration);
    }
    text.parse().map_err(|_| InvalidDuration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_number_and_its_unit() {
        for (text, milliseconds) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("5m", 300_000),
            ("2h", 7_200_000),
            ("7d", 604_800_000),
            ("1.5h", 5_400_000),
            ("0.5d", 43_200_000),
            ("0s", 0),
            ("2592000000ms", 2_592_000_000),
        ] {
            assert_eq!(
                parse(text),
                Ok(Duration::from_millis(milliseconds)),
                "{text}"
            );
        }
        assert_eq!(parse("0.000001ms"), Ok(Duration::from_nanos(1)));
        assert_eq!(
            parse("9999999999d"),
            Ok(Duration::from_secs(9_999_999_999 * 86_400))
        );
    }

    #[test]
    fn rejects_other_texts() {
        for wrong in [
            "",
            "7",
            "d",
            "-7d",
            "+7d",
            "7 d",
            "7w",
            "5y",
            "12345678901s",
            "٧d",
            "1.h",
            ".5h",
            "1.2.3s",
            "1e3s",
            "infs",
            "NaNs",
        ] {
            assert_eq!(parse(wrong), Err(InvalidDuration), "{wrong}");
        }
    }

    #[test]
    fn the_pattern_accepts_the_same_texts() {
        let pattern = regex::Regex::new(PATTERN).expect("a pattern");
        for text in [
            "7d",
            "1.5h",
            "1.h",
            ".5h",
            "0.123456789s",
            "0.1234567890s",
            "9999999999d",
            "12345678901s",
            "7w",
            "",
            "+7d",
        ] {
            assert_eq!(pattern.is_match(text), parse(text).is_ok(), "{text}");
        }
    }
}
