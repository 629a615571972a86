//! Documentation of a rule, for `herald explain`.

use std::fmt::Write;

use annotate_snippets::renderer::{
    DEFAULT_ERROR_STYLE, DEFAULT_INFO_STYLE, DEFAULT_WARNING_STYLE, Style,
};

use crate::{Rule, Severity};

/// Returns the documentation of a rule: its code and title, the reason, and an example with and
/// without the mistake. Parts that a rule does not have are left out.
pub fn explain(rule: &Rule, color: bool) -> String {
    let style = |style: Style| if color { style } else { Style::new() };
    let level = style(severity_style(rule.severity));
    let bold = style(Style::new().bold());

    let mut text = format!(
        "{bold}{}{bold:#} ({level}{}{level:#}): {}\n",
        rule.code, rule.severity, rule.title
    );
    let docs: Vec<_> = rule.docs.lines().map(wrapped).collect();
    let parts = [
        ("Why", docs.join("\n")),
        ("Bad", rule.bad.to_owned()),
        ("Good", rule.good.to_owned()),
    ];
    for (heading, part) in parts {
        if !part.trim().is_empty() {
            let _ = write!(text, "\n{bold}{heading}{bold:#}\n\n{}", indented(&part));
        }
    }
    text
}

/// Wraps a paragraph.
fn wrapped(paragraph: &str) -> String {
    const WIDTH: usize = 78;
    let mut text = String::new();
    let mut column = 0;
    for word in paragraph.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > WIDTH {
            text.push('\n');
            column = 0;
        } else if column > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += length;
    }
    text
}

fn severity_style(severity: Severity) -> Style {
    match severity {
        Severity::Error => DEFAULT_ERROR_STYLE,
        Severity::Warning => DEFAULT_WARNING_STYLE,
        Severity::Info => DEFAULT_INFO_STYLE,
    }
}

fn indented(text: &str) -> String {
    text.trim_end()
        .lines()
        .map(|line| {
            if line.is_empty() {
                "\n".to_owned()
            } else {
                format!("  {line}\n")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{BAD_TOPIC, UNUSED_STATE};
    use super::*;

    #[test]
    fn a_rule_is_explained_with_its_examples() {
        insta::assert_snapshot!(explain(&BAD_TOPIC, false), @r"
        topic.invalid (error): Kafka would refuse the topic's name

        Why

          Kafka takes names of 1 to 249 characters from `[A-Za-z0-9._-]`.

          Rename the topic.

        Bad

          topic: orders placed

        Good

          topic: orders.placed
        ");
    }

    #[test]
    fn a_rule_without_examples_has_no_headings_for_them() {
        insta::assert_snapshot!(explain(&UNUSED_STATE, false), @r"
        state.unused (warning): No transition leads to the state

        Why

          A state without transitions to it is never published.
        ");
    }

    #[test]
    fn color_is_only_used_when_asked_for() {
        assert!(!explain(&BAD_TOPIC, false).contains('\x1b'));
        assert!(explain(&BAD_TOPIC, true).contains("\x1b[1mWhy\x1b[0m"));
    }
}
