//! Comparison of schemas in different documents.

use std::collections::HashSet;

use serde_json::Value;

use super::pointer::Pointer;

/// Maximum number of schemas that are compared.
const MAX_COMPARED: usize = 2_000;

/// Returns whether two schemas are the same, with all schemas that they refer to, and the effort to compare
/// them. Each is a document and the place in it.
pub(super) fn are_same<'v>(one: (&'v Value, &str), other: (&'v Value, &str)) -> (bool, usize) {
    let mut effort = 0;
    (are_same_within(one, other, &mut effort), effort)
}

fn are_same_within<'v>(
    one: (&'v Value, &str),
    other: (&'v Value, &str),
    effort: &mut usize,
) -> bool {
    let (root, other_root) = (one.0, other.0);
    let mut seen: HashSet<(String, String)> = HashSet::new();
    let mut open = vec![(one.1.to_owned(), other.1.to_owned())];
    while let Some((place, other_place)) = open.pop() {
        if seen.len() > MAX_COMPARED {
            return false;
        }
        if !seen.insert((place.clone(), other_place.clone())) {
            continue;
        }
        let found = |root: &'v Value, place: &str| Pointer::parse(place).ok()?.find(root).ok();
        let (Some(schema), Some(other)) = (found(root, &place), found(other_root, &other_place))
        else {
            return false;
        };
        if !are_equal(schema, other, &mut open, effort) {
            return false;
        }
    }
    true
}

/// Whether two values are equal. References are added to `open` instead of being compared.
fn are_equal(
    one: &Value,
    other: &Value,
    open: &mut Vec<(String, String)>,
    effort: &mut usize,
) -> bool {
    *effort += 16;
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(key, value)| match (value, other.get(key)) {
                        (Value::String(place), Some(Value::String(other))) if key == "$ref" => {
                            open.push((place.clone(), other.clone()));
                            true
                        }
                        (value, Some(other)) => are_equal(value, other, open, effort),
                        (_, None) => false,
                    })
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| are_equal(one, other, open, effort))
        }
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn compares_referenced_schemas_too() {
        let tree = |leaf: &str| {
            json!({"$defs": {
                "Tree": {"properties": {"next": {"$ref": "#/$defs/Tree"}, "leaf": {"$ref": "#/$defs/Leaf"}}},
                "Leaf": {"type": leaf},
            }})
        };
        let place = "#/$defs/Tree";
        let (one, same, other) = (tree("string"), tree("string"), tree("integer"));
        assert!(are_same((&one, place), (&same, place)).0);
        assert!(!are_same((&one, place), (&other, place)).0);
        assert!(!are_same((&one, place), (&same, "#/$defs/Leaf")).0);
    }
}
