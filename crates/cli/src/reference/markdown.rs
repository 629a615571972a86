//! Escaping of text for Markdown.

/// Text for a cell of a table.
pub(super) fn cell(text: &str) -> String {
    prose(text).replace('|', "\\|").replace('\n', " ")
}

/// Escapes angle brackets and asterisks outside of code.
pub(super) fn prose(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let parts: Vec<_> = parts
        .map(|(place, part)| match place % 2 {
            0 => part.replace('<', "&lt;").replace('*', "\\*"),
            _ => part.to_owned(),
        })
        .collect();
    parts.join("`")
}

/// Inline code.
pub(super) fn code(text: &str) -> String {
    format!("`{text}`")
}

/// A block of code.
pub(super) fn block(language: &str, text: &str) -> String {
    format!("```{language}\n{}\n```\n", text.trim_end())
}
