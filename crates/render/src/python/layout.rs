//! Line breaks of statements, as `ruff format` makes them.

/// Line length of `ruff format`.
pub(crate) const WIDTH: usize = 88;

/// Formats `target = "…"` at an indentation, from the escaped text of the literal.
pub(crate) fn assignment(indent: usize, target: &str, escaped: &str) -> String {
    let one_line = format!("{target} = \"{escaped}\"");
    if indent + one_line.len() <= WIDTH || indent + 4 + escaped.len() + 2 > WIDTH {
        return one_line;
    }
    format!("{target} = (\n{0:1$}    \"{escaped}\"\n{0:1$})", "", indent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_statements_stay_on_one_line() {
        assert_eq!(assignment(0, "A", "b"), "A = \"b\"");
    }

    #[test]
    fn parentheses_are_added_where_they_shorten_a_line() {
        let value = "v".repeat(82);
        assert_eq!(
            assignment(0, "NAME", &value),
            format!("NAME = (\n    \"{value}\"\n)")
        );
        let value = "v".repeat(83);
        assert_eq!(assignment(0, "NAME", &value), format!("NAME = \"{value}\""));
    }
}
