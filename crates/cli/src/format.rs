//! Durations, times, counts and bytes as text.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

pub use herald_diagnostics::count;
use herald_diagnostics::render::visible_line;
use herald_envelope::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Bytes that are shown of a value that is not UTF-8.
const MAX_HEX_BYTES: usize = 32;

/// A time in RFC 3339 format, in UTC.
pub fn rfc3339(time: SystemTime) -> String {
    Timestamp::try_from(time).map_or_else(|_| "unknown".to_owned(), |time| time.to_string())
}

/// The time since `time`; zero if `time` is in the future.
pub fn age(time: SystemTime) -> Duration {
    SystemTime::now().duration_since(time).unwrap_or_default()
}

/// The current day, in UTC.
pub fn today() -> Date {
    jiff::Timestamp::now()
        .to_zoned_datetime(TimeZone::UTC)
        .date()
}

/// Bytes for one line of a terminal: as text if they are UTF-8, else in hexadecimal digits.
pub fn visible_bytes(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => visible_line(text),
        Err(_) if bytes.len() > MAX_HEX_BYTES => format!("0x{}…", hex(&bytes[..MAX_HEX_BYTES])),
        Err(_) => format!("0x{}", hex(bytes)),
    }
}

/// Hexadecimal digits of bytes.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_invalid_utf8_in_hexadecimal() {
        assert_eq!(visible_bytes("größe\x1b".as_bytes()), "größe␛");
        assert_eq!(visible_bytes(&[0xff, 0x00]), "0xff00");
        assert_eq!(
            visible_bytes(&[0xff; 40]),
            format!("0x{}…", "ff".repeat(32))
        );
    }

    #[test]
    fn formats_times_in_utc() {
        assert_eq!(rfc3339(SystemTime::UNIX_EPOCH), "1970-01-01T00:00:00Z");
    }
}
