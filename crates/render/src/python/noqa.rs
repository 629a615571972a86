//! Long lines that nothing can break.

use crate::python::layout::WIDTH;

/// Appends `# noqa: E501` to the lines of code that pycodestyle's rule E501 would find, and to
/// no others: ruff reports a comment that suppresses nothing.
///
/// Only for code without multi-line strings that are too long; docstrings are wrapped so that
/// they never need it.
pub(crate) fn allow_long_lines(code: String) -> String {
    if !code.lines().any(is_found) {
        return code;
    }
    let mut allowed = String::with_capacity(code.len() + 128);
    for line in code.lines() {
        allowed.push_str(line);
        if is_found(line) {
            allowed.push_str("  # noqa: E501");
        }
        allowed.push('\n');
    }
    allowed
}

/// The rule spares lines of one word and lines that end in a URL.
fn is_found(line: &str) -> bool {
    if line.len() <= WIDTH || line.chars().count() <= WIDTH {
        return false;
    }
    let Some((before, last)) = line.trim_start().rsplit_once(' ') else {
        return false;
    };
    let is_pragma = line.ends_with("unused-ignore]");
    let url_begins = line.chars().count() - last.chars().count();
    let is_url = last.contains("://") && url_begins <= WIDTH;
    !before.is_empty() && !is_pragma && !is_url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_allowed(line: &str) -> bool {
        allow_long_lines(format!("{line}\n")).contains("noqa")
    }

    #[test]
    fn only_what_the_rule_finds_is_marked() {
        let long = "x".repeat(90);
        assert!(is_allowed(&format!("    \"operation\": \"{long}\",")));
        assert!(!is_allowed(&format!("    \"{long}\",")));
        assert!(!is_allowed("    \"operation\": \"short\","));
        assert!(!is_allowed(&format!(
            "    \"operation\": \"http://{long}\","
        )));
        assert!(is_allowed(&format!("    \"{long} http://x\",")));
    }
}
