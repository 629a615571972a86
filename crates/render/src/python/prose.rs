//! Text of contracts in docstrings: escaped and wrapped.

use crate::python::layout::WIDTH;
use crate::python::text::push_code;

/// Sanitizes text of a contract for a docstring: readable, on one line, and unable to end the docstring.
///
/// Letters that can't be confused with ASCII stay; other characters are escaped, so that `__doc__` still
/// contains them. Control characters and white space separate words. Invisible characters and those
/// that change the direction of text are removed. `>>>` is broken up, because doctest would run it.
pub(crate) fn sanitize(text: &str) -> String {
    let visible: String = text
        .chars()
        .filter(|c| !is_invisible(*c))
        .map(|c| {
            if c.is_whitespace() || c.is_control() {
                ' '
            } else {
                c
            }
        })
        .collect();
    let visible = visible.replace(">>>", "> > >");
    let mut prose = String::with_capacity(visible.len());
    let mut after_quote = false;
    for (at, c) in visible.char_indices() {
        match c {
            '\\' => prose.push_str("\\\\"),
            '"' if after_quote || visible[at + 1..].starts_with('"') => push_code(&mut prose, c),
            ' '..='~' => prose.push(c),
            c if is_unmistakable(c) => prose.push(c),
            c => push_code(&mut prose, c),
        }
        after_quote = c == '"';
    }
    prose
}

/// Returns whether a character is one that ruff's rules about ambiguous characters (RUF001 to
/// RUF003) don't report: most of Latin, kana, ideographs and Hangul.
fn is_unmistakable(c: char) -> bool {
    match c {
        '×' | '÷' | 'ı' | 'ſ' | '゠' | 'ノ' | '丶' | '丿' => false,
        'À'..='ſ' | 'ぁ'..='ゖ' | 'ァ'..='ヿ' | '一'..='鿿' | '가'..='힣' => true,
        _ => false,
    }
}

/// Returns whether a character is a format character of Unicode, which hides or reorders text.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Wraps text into lines of a docstring. The first line begins at the column `first`, the others are
/// indented by `indent`. A word that is longer than a line gets its own line.
pub(crate) fn wrap(text: &str, first: usize, indent: usize) -> String {
    let mut wrapped = String::with_capacity(text.len() + text.len() / 16);
    let mut column = first;
    for word in text.split_ascii_whitespace() {
        let width = word
            .chars()
            .map(|c| if c.is_ascii() { 1 } else { 2 })
            .sum::<usize>();
        if wrapped.is_empty() {
            column = first + width;
        } else if column + 1 + width > WIDTH {
            wrapped.push('\n');
            wrapped.extend(std::iter::repeat_n(' ', indent));
            column = indent + width;
        } else {
            wrapped.push(' ');
            column += 1 + width;
        }
        wrapped.push_str(word);
    }
    wrapped
}

/// Splits text of a contract into its paragraphs, each sanitized and wrapped at `indent`.
pub(crate) fn paragraphs(text: &str, indent: usize) -> Vec<String> {
    text.lines()
        .collect::<Vec<_>>()
        .split(|line| line.trim().is_empty())
        .map(|lines| wrap(&sanitize(&lines.join(" ")), indent, indent))
        .filter(|paragraph| !paragraph.is_empty())
        .collect()
}

/// Joins paragraphs of a docstring with empty lines.
pub(crate) fn join(paragraphs: &[String], indent: usize) -> String {
    paragraphs.join(&format!("\n\n{:indent$}", ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_stays_readable() {
        assert_eq!(
            sanitize("Größe (\"L\")\nund 注文"),
            "Größe (\"L\") und 注文"
        );
    }

    #[test]
    fn text_cannot_end_the_docstring() {
        assert_eq!(sanitize("a\"\"\"b\\"), "a\\x22\\x22\\x22b\\\\");
    }

    #[test]
    fn look_alike_characters_are_escaped() {
        assert_eq!(
            sanitize("p\u{430}y – don’t"),
            "p\\u0430y \\u2013 don\\u2019t"
        );
    }

    #[test]
    fn invisible_characters_are_removed() {
        assert_eq!(sanitize("a\u{202e}b\u{200b}c\0d"), "abc d");
    }

    #[test]
    fn doctest_prompts_are_broken_up() {
        assert_eq!(sanitize(">>> import os"), "> > > import os");
        assert!(!sanitize(">>\u{200b}> import os").contains(">>>"));
    }

    #[test]
    fn a_long_word_has_a_line_of_its_own() {
        let word = "x".repeat(100);
        assert_eq!(
            wrap(&format!("Publish {word} event."), 11, 8),
            format!("Publish\n        {word}\n        event.")
        );
    }

    #[test]
    fn paragraphs_stay_apart() {
        assert_eq!(paragraphs("a\nb\n\n \nc", 4), ["a b", "c"]);
    }
}
