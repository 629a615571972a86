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

/// Formats `target = f"…"` at an indentation, from the escaped text before and after the placeholder. If
/// it does not fit on a line, the text after the placeholder stays in one piece, so that a search for
/// the topic finds it.
pub(crate) fn f_assignment(
    indent: usize,
    target: &str,
    (before, placeholder, after): (&str, &str, &str),
) -> String {
    let literal = format!("f\"{before}{{{placeholder}}}{after}\"");
    let fits_in_parentheses = indent + 4 + literal.len() <= WIDTH;
    if indent + target.len() + 3 + literal.len() <= WIDTH
        || (after.is_empty() && !fits_in_parentheses)
    {
        return format!("{target} = {literal}");
    }
    if fits_in_parentheses {
        return format!("{target} = (\n{0:1$}    {literal}\n{0:1$})", "", indent);
    }
    format!(
        "{target} = (\n{0:1$}    f\"{before}{{{placeholder}}}\"\n{0:1$}    \"{after}\"\n{0:1$})",
        "", indent
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_statements_stay_on_one_line() {
        assert_eq!(assignment(0, "A", "b"), "A = \"b\"");
        assert_eq!(f_assignment(4, "a", ("", "b", ".c")), "a = f\"{b}.c\"");
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

    #[test]
    fn a_long_topic_breaks_behind_its_namespace() {
        let after = ".t".repeat(40);
        assert_eq!(
            f_assignment(4, "topic", ("", "ns", &after)),
            format!("topic = (\n        f\"{{ns}}\"\n        \"{after}\"\n    )")
        );
    }
}
