//! Names in generated modules.

use std::cmp::Ordering;
use std::collections::HashSet;

use herald_catalog::ident::{ident, is_python_keyword, pascal_case};
use herald_catalog::{Event, Node};

use crate::python::imports::kind;

/// Allocator of unique names within a module.
pub(crate) struct Names(HashSet<String>);

impl Names {
    /// Creates an allocator. `taken` are the names that the templates use themselves.
    pub(crate) fn new<'a>(taken: impl IntoIterator<Item = &'a str>) -> Self {
        Self(taken.into_iter().map(str::to_owned).collect())
    }

    /// Allocates the name; if it is taken, the name with `suffix`.
    pub(crate) fn give_or(&mut self, name: String, suffix: &str) -> String {
        if self.0.contains(&name) {
            self.give(name + suffix)
        } else {
            self.give(name)
        }
    }

    /// Allocates the name, with underscores appended until it is unique.
    pub(crate) fn give(&mut self, mut name: String) -> String {
        while !self.0.insert(name.clone()) {
            name.push('_');
        }
        name
    }
}

/// Returns the name of an event in log messages: `orchestration started`.
pub(crate) fn label(node: &Node, event: &Event) -> String {
    let operation = event.operation.map(|index| &node.operations[index]);
    match (operation, event.stage) {
        (Some(operation), Some(stage)) => format!("{} {}", operation.name, stage.ident),
        (None, Some(stage)) => stage.ident.replace('_', " "),
        (_, None) => event.event_type.clone(),
    }
}

/// Converts a name of a contract to a class name, with `prefix` if it does not begin with a letter or is
/// a keyword: `none` becomes `None` in `PascalCase`.
pub(crate) fn class_name(name: &str, prefix: &str) -> String {
    let name = pascal_case(name);
    if name.starts_with(|c: char| c.is_ascii_uppercase()) && !is_python_keyword(&name) {
        name
    } else {
        format!("{prefix}{name}")
    }
}

/// Converts a name of a contract to an attribute name that is not in `reserved`.
pub(crate) fn attribute(name: &str, reserved: &[&str]) -> String {
    let mut attribute = ident(name);
    if attribute.starts_with('_') {
        attribute = attribute.trim_start_matches('_').to_owned();
    }
    if !attribute.starts_with(|c: char| c.is_ascii_alphabetic()) {
        attribute.insert_str(0, "field_");
    }
    if is_python_keyword(&attribute) || reserved.contains(&attribute.as_str()) {
        attribute.push('_');
    }
    attribute
}

/// Returns the name of the class that publishes the events of a node.
pub(crate) fn publisher_class(node_name: &str) -> String {
    class_name(node_name, "Node") + "EventPublisher"
}

/// Sorts the entries of `__all__` like ruff (RUF022): constants, classes, everything else, with numbers
/// by value.
pub(crate) fn sort_exports(names: &mut [String]) {
    names.sort_by(|a, b| (kind(a).cmp(&kind(b))).then_with(|| natural(a.as_bytes(), b.as_bytes())));
}

/// Compares names in natural order: runs of digits as numbers, or digit by digit if one begins with a
/// zero.
pub(crate) fn natural(mut a: &[u8], mut b: &[u8]) -> Ordering {
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
        // Equal so far: continues after the common character or run of digits.
        let equal = a_digits.len().max(1);
        (a, b) = (&a[equal..], &b[equal..]);
    }
    a.len().cmp(&b.len())
}

/// Returns the leading digits.
fn digits(text: &[u8]) -> &[u8] {
    &text[..text.iter().take_while(|b| b.is_ascii_digit()).count()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_given_once() {
        let mut names = Names::new(["EVENT_CATALOG"]);
        assert_eq!(names.give("EVENT_CATALOG".into()), "EVENT_CATALOG_");
        assert_eq!(names.give("EVENT_CATALOG_".into()), "EVENT_CATALOG__");
        assert_eq!(names.give("EVENT_A".into()), "EVENT_A");
    }

    #[test]
    fn class_names_are_never_keywords() {
        for (name, class) in [
            ("none", "EventNone"),
            ("None", "EventNone"),
            ("true", "EventTrue"),
            ("false", "EventFalse"),
            ("nonesuch", "Nonesuch"),
            ("9.lives", "Event9Lives"),
        ] {
            assert_eq!(class_name(name, "Event"), class);
        }
    }

    #[test]
    fn exports_are_in_the_order_of_isort() {
        let mut names = ["B", "A10", "A9", "KafkaClient", "A_1"].map(String::from);
        sort_exports(&mut names);
        assert_eq!(names, ["A9", "A10", "A_1", "B", "KafkaClient"]);
    }
}
