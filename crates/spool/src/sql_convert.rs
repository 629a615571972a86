//! Conversions of numbers and times for SQLite, whose only integer type is signed with 64 bits.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Converts a number for SQLite. It saturates; no number of the spool comes near 2^63.
pub(crate) fn to_sql(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Converts a number from SQLite. A negative one can only come from a damaged row, and becomes 0.
pub(crate) fn from_sql(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// Converts a length in memory.
pub(crate) fn bytes(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Converts a time to microseconds since 1970, the precision of the envelope's timestamps.
pub(crate) fn micros(time: SystemTime) -> i64 {
    let whole = |duration: Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => whole(after),
        Err(before) => -whole(before.duration()),
    }
}

/// Converts microseconds since 1970 to a time. One that the system cannot represent becomes 1970.
pub(crate) fn time(micros: i64) -> SystemTime {
    let distance = Duration::from_micros(micros.unsigned_abs());
    let time = if micros < 0 {
        UNIX_EPOCH.checked_sub(distance)
    } else {
        UNIX_EPOCH.checked_add(distance)
    };
    time.unwrap_or(UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_times_to_the_microsecond() {
        for micros_since in [0, 1, 1_795_444_000_123_456, -1, -86_400_000_000] {
            assert_eq!(micros(time(micros_since)), micros_since);
        }
    }

    #[test]
    fn converts_damaged_numbers_without_panicking() {
        assert_eq!(from_sql(-5), 0);
        assert_eq!(to_sql(u64::MAX), i64::MAX);
        let _ = time(i64::MIN);
        let _ = time(i64::MAX);
    }
}
