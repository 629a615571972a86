//! Names in generated modules.

use std::cmp::Ordering;
use std::collections::HashSet;

/// Gives out module-level names, each once.
pub(crate) struct Names(HashSet<String>);

impl Names {
    /// `taken` are the names that the templates use themselves.
    pub(crate) fn new(taken: &[&str]) -> Self {
        Self(taken.iter().map(|name| (*name).to_owned()).collect())
    }

    /// The name, with underscores behind it until nobody else has it.
    pub(crate) fn give(&mut self, mut name: String) -> String {
        while !self.0.insert(name.clone()) {
            name.push('_');
        }
        name
    }
}

/// Sorts the entries of `__all__` as isort does: constants, then classes, numbers by value.
pub(crate) fn sort_exports(names: &mut [String]) {
    names.sort_by(|a, b| {
        let is_class = |name: &str| name.bytes().any(|b| b.is_ascii_lowercase());
        is_class(a)
            .cmp(&is_class(b))
            .then_with(|| natural(a.as_bytes(), b.as_bytes()))
    });
}

/// Compares runs of digits as numbers, or digit by digit where one begins with a zero.
fn natural(mut a: &[u8], mut b: &[u8]) -> Ordering {
    while let ([x, ..], [y, ..]) = (a, b) {
        let (a_digits, b_digits) = (digits(a), digits(b));
        let order = match (x, y) {
            _ if a_digits.is_empty() || b_digits.is_empty() => x.cmp(y),
            (b'0', _) | (_, b'0') => a_digits.cmp(b_digits),
            _ => a_digits
                .len()
                .cmp(&b_digits.len())
                .then_with(|| a_digits.cmp(b_digits)),
        };
        if order.is_ne() {
            return order;
        }
        // Equal so far: both go on after the same character, or the same run of digits.
        let equal = a_digits.len().max(1);
        (a, b) = (&a[equal..], &b[equal..]);
    }
    a.len().cmp(&b.len())
}

/// The digits at the beginning.
fn digits(text: &[u8]) -> &[u8] {
    &text[..text.iter().take_while(|b| b.is_ascii_digit()).count()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_given_once() {
        let mut names = Names::new(&["EVENT_CATALOG"]);
        assert_eq!(names.give("EVENT_CATALOG".into()), "EVENT_CATALOG_");
        assert_eq!(names.give("EVENT_CATALOG_".into()), "EVENT_CATALOG__");
        assert_eq!(names.give("EVENT_A".into()), "EVENT_A");
    }

    #[test]
    fn exports_are_in_the_order_of_isort() {
        let mut names = ["B", "A10", "A9", "KafkaClient", "A_1"].map(String::from);
        sort_exports(&mut names);
        assert_eq!(names, ["A9", "A10", "A_1", "B", "KafkaClient"]);
    }
}
