//! `noqa` comments for lines that can't be broken.

use crate::python::layout::WIDTH;

/// Appends `# noqa: E501` to the lines of code that pycodestyle's rule E501 would find, and to
/// no others: ruff reports a comment that suppresses nothing.
///
/// A multi-line string that is too long would be changed by the comment, so the code must have none;
/// docstrings are wrapped.
pub(crate) fn allow_long_lines(code: String) -> String {
    let mut allowed = String::new();
    let mut copied = 0;
    let mut begin = 0;
    // If a window of one line length contains a newline, no line that ends in the window is too long.
    // So most lines are skipped without being counted.
    while let Some(window) = code.as_bytes().get(begin..=begin + WIDTH) {
        if let Some(newline) = window.iter().rposition(|b| *b == b'\n') {
            begin += newline + 1;
            continue;
        }
        let line = code[begin..].lines().next().unwrap_or_default();
        let end = begin + line.len();
        if is_found(line) {
            allowed.push_str(&code[copied..end]);
            allowed.push_str("  # noqa: E501");
            copied = end;
        }
        begin = end + 1;
    }
    if copied == 0 {
        return code;
    }
    allowed.push_str(&code[copied..]);
    allowed
}

/// Returns whether the rule E501 reports a line. It ignores lines of one word and lines that end in a
/// URL.
fn is_found(line: &str) -> bool {
    if line.chars().count() <= WIDTH {
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
    fn only_lines_that_the_rule_reports_are_marked() {
        let long = "x".repeat(90);
        assert!(is_allowed(&format!("    \"operation\": \"{long}\",")));
        assert!(!is_allowed(&format!("    \"{long}\",")));
        assert!(!is_allowed("    \"operation\": \"short\","));
        assert!(!is_allowed(&format!(
            "    \"operation\": \"http://{long}\","
        )));
        assert!(is_allowed(&format!("    \"{long} http://x\",")));
    }

    #[test]
    fn every_line_that_is_too_long_is_marked() {
        let (short, fits, long) = ("a = 1", "x ".repeat(44), "x ".repeat(45) + "x");
        let code = [short, &long, &fits, short, &long, &long, short].join("\n") + "\n";
        let allowed = allow_long_lines(code.clone());
        assert_eq!(
            allowed,
            code.replace(&long, &format!("{long}  # noqa: E501"))
        );
    }

    #[test]
    fn last_line_may_lack_a_newline() {
        let long = "x ".repeat(45) + "x";
        assert_eq!(allow_long_lines(long.clone()), long + "  # noqa: E501");
    }
}
