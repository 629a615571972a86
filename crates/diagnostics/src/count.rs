//! Counts with their nouns.

/// Returns a number with the noun that it counts: `1 event`, `12,345 events`.
pub fn count(number: impl TryInto<u64>, noun: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    format!("{} {}", grouped(number), plural(noun, number == 1))
}

/// Returns a noun in the singular for one, else in the plural.
pub fn plural(noun: &str, is_one: bool) -> String {
    let ending = if is_one { "" } else { "s" };
    format!("{noun}{ending}")
}

/// Returns the digits of a number in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_grouped_digits_and_their_noun() {
        assert_eq!(count(1_u64, "event"), "1 event");
        assert_eq!(count(0_usize, "event"), "0 events");
        assert_eq!(count(999_u64, "file"), "999 files");
        assert_eq!(count(12_345_u64, "event"), "12,345 events");
        assert_eq!(count(1_000_000_u64, "event"), "1,000,000 events");
    }
}
