//! Timestamps on the wire: RFC 3339.
//!
//! Written in UTC with six digits and `+00:00`, as Python's `isoformat` does. Read with any
//! offset or `Z`, with up to nine digits or none; anything finer than a microsecond is truncated.
//! Years are 1000 to 2999 in UTC, for writing and reading: others come from a wrong clock, and the
//! limits of Python, Kafka and databases all differ.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// Regular expression of the timestamps that [`read`] accepts, for JSON Schema. It leaves the
/// number of days in a month to `format: date-time`, and accepts the hours that an offset moves out
/// of the range of years.
pub(crate) const PATTERN: &str = concat!(
    "^[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
    "T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?",
    "(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$",
);

/// Notation that [`read`] expects, for messages.
pub(crate) const EXPECTED: &str =
    "must be an RFC 3339 timestamp such as 2025-11-05T12:00:00.000000+00:00";

/// Length of a written time.
pub(crate) const LENGTH: usize = EXAMPLE.len();

const EXAMPLE: &[u8; 32] = b"2025-11-05T12:00:00.000000+00:00";

/// Returns the current time in microseconds.
pub(crate) fn now() -> Timestamp {
    in_microseconds(Timestamp::now())
}

/// Truncates a time to the precision of the wire.
pub(crate) fn in_microseconds(time: Timestamp) -> Timestamp {
    // Rounds down also before 1970, where dividing alone would round up.
    let below = time.subsec_nanosecond().rem_euclid(1_000);
    time - jiff::SignedDuration::from_nanos(below.into())
}

/// Appends a time as `2025-11-05T12:00:00.000000+00:00`. Returns false, and writes nothing, if the
/// year is out of range.
pub fn write(time: Timestamp, buffer: &mut Vec<u8>) -> bool {
    let text = text(time);
    buffer.extend_from_slice(text.as_ref().map_or(&[], <[u8; LENGTH]>::as_slice));
    text.is_some()
}

/// Returns the text that [`write`] appends. `None` if the year is out of range.
///
/// Written digit by digit: the printer of `jiff` takes five times as many instructions, for a form that
/// never changes.
pub(crate) fn text(time: Timestamp) -> Option<[u8; LENGTH]> {
    let time = Offset::UTC.to_datetime(time);
    let year = in_range(time)?;
    let mut text = *EXAMPLE;
    write_digits(year, &mut text[..4]);
    write_digits(time.month().unsigned_abs().into(), &mut text[5..7]);
    write_digits(time.day().unsigned_abs().into(), &mut text[8..10]);
    write_digits(time.hour().unsigned_abs().into(), &mut text[11..13]);
    write_digits(time.minute().unsigned_abs().into(), &mut text[14..16]);
    write_digits(time.second().unsigned_abs().into(), &mut text[17..19]);
    let micros = time.subsec_nanosecond().unsigned_abs() / 1_000;
    write_digits(micros, &mut text[20..26]);
    Some(text)
}

/// Writes a number to all of the text, with zeros before it.
fn write_digits(mut number: u32, text: &mut [u8]) {
    for digit in text.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Returns the year, if the wire has it.
fn in_range(time: DateTime) -> Option<u32> {
    let year = u32::try_from(time.year()).ok()?;
    (1000..3000).contains(&year).then_some(year)
}

/// Reads a timestamp with an offset or `Z`.
pub(crate) fn read(text: &str) -> Option<Timestamp> {
    is_shaped(text.as_bytes())
        .then(|| text.parse().ok())
        .flatten()
        .map(in_microseconds)
        .filter(|time| in_range(Offset::UTC.to_datetime(*time)).is_some())
}

/// Checks text against [`PATTERN`], except for limits that the date parser checks as well. The
/// parser accepts other notations of ISO 8601, which Python and RFC 3339 do not.
fn is_shaped(text: &[u8]) -> bool {
    let Some((date_time, rest)) = text.split_at_checked(19) else {
        return false;
    };
    let (fraction, offset) = rest.split_at(rest.len() - offset_length(rest));
    fits(date_time, b"dddd-dd-ddTdd:dd:dd")
        && matches!(date_time[0], b'1' | b'2')
        && date_time[17] < b'6'
        && is_fraction(fraction)
        && is_offset(offset)
}

fn offset_length(rest: &[u8]) -> usize {
    let length = if rest.ends_with(b"Z") { 1 } else { 6 };
    length.min(rest.len())
}

fn is_fraction(text: &[u8]) -> bool {
    match text {
        [] => true,
        [b'.', digits @ ..] => {
            (1..=9).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    }
}

fn is_offset(text: &[u8]) -> bool {
    match text {
        b"Z" => true,
        [b'+' | b'-', time @ ..] => fits(time, b"dd:dd") && time < b"24:00".as_slice(),
        _ => false,
    }
}

/// Returns whether `text` has digits where the pattern has `d`, and otherwise the same bytes.
fn fits(text: &[u8], pattern: &[u8]) -> bool {
    text.len() == pattern.len()
        && text.iter().zip(pattern).all(|(c, p)| match p {
            b'd' => c.is_ascii_digit(),
            _ => c == p,
        })
}

#[cfg(test)]
mod tests {
    use jiff::fmt::temporal::DateTimePrinter;
    use proptest::prelude::*;

    use super::*;

    fn written(time: Timestamp) -> Option<String> {
        let mut buffer = Vec::new();
        let done = write(time, &mut buffer);
        assert_eq!(done, !buffer.is_empty());
        done.then(|| String::from_utf8(buffer).expect("timestamps are ASCII"))
    }

    #[track_caller]
    fn reads_as(text: &str, expected: &str) {
        assert_eq!(read(text).and_then(written).as_deref(), Some(expected));
    }

    #[test]
    fn parses_times_written_by_python() {
        let expected = "2025-11-05T12:00:00.123456+00:00";
        reads_as("2025-11-05T12:00:00.123456+00:00", expected);
        reads_as("2025-11-05T12:00:00.123456Z", expected);
        reads_as("2025-11-05T14:00:00.123456+02:00", expected);
        reads_as("2025-11-05T07:30:00.123456-04:30", expected);
        reads_as(
            "2025-11-05T12:00:00+00:00",
            "2025-11-05T12:00:00.000000+00:00",
        );
        reads_as("2025-11-05T12:00:00Z", "2025-11-05T12:00:00.000000+00:00");
    }

    #[test]
    fn truncates_to_microseconds() {
        reads_as(
            "2025-11-05T12:00:00.123456999Z",
            "2025-11-05T12:00:00.123456+00:00",
        );
        reads_as(
            "1965-01-01T00:00:00.000000001Z",
            "1965-01-01T00:00:00.000000+00:00",
        );
        assert_eq!(now().subsec_nanosecond() % 1_000, 0);
    }

    #[test]
    fn rejects_other_notations() {
        for text in [
            "",
            "Z",
            "2025-11-05",
            "2025-11-05T12:00:00",
            "2025-11-05 12:00:00Z",
            "2025-11-05t12:00:00z",
            "20251105T120000Z",
            "2025-11-05T12:00Z",
            "2025-11-05T12:00:00,5Z",
            "2025-11-05T12:00:00.Z",
            "2025-11-05T12:00:00.1234567890Z",
            "2025-11-05T12:00:00+0000",
            "2025-11-05T12:00:00+24:00",
            "2025-11-05T12:00:00+00:60",
            "2025-11-05T12:00:00Z[UTC]",
            "2025-11-05T24:00:00Z",
            "2025-11-05T12:00:60Z",
            "2025-13-05T12:00:00Z",
            "2025-02-29T12:00:00Z",
            "0999-12-31T12:00:00Z",
            "3000-01-01T12:00:00Z",
            "+002025-11-05T12:00:00Z",
            "２025-11-05T12:00:00Z",
            "1000-01-01T00:00:00+00:01",
            "2999-12-31T23:59:59-00:01",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn rejects_years_outside_of_the_format() {
        for seconds in [-30_610_224_001, 32_503_680_000] {
            let time = Timestamp::from_second(seconds).unwrap();
            assert_eq!(written(time), None);
        }
    }

    proptest! {
        #[test]
        fn times_round_trip(micros in -30_610_224_000_000_000_i64..32_503_680_000_000_000) {
            let time = Timestamp::from_microsecond(micros).unwrap();
            let text = written(time).unwrap();
            let printer = DateTimePrinter::new().precision(Some(6));
            let expected = printer.timestamp_with_offset_to_string(&time, Offset::UTC);
            prop_assert_eq!(&text, &expected);
            prop_assert_eq!(read(&text), Some(time));
        }
    }
}
