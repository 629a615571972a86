//! Text of contracts inside messages. Contracts may come from strangers, so it is escaped and cut.

use herald_diagnostics::Diagnostic;

/// Maximum number of characters of a quoted text.
const MAX_QUOTED: usize = 80;

/// Number of diagnostics of a file after which no more suggestions are made: the search for similar
/// words costs more than all other checks, and helps no reader.
const MAX_DIAGNOSTICS_WITH_SUGGESTION: usize = 1_000;

/// Maximum number of candidates that are compared.
const MAX_CANDIDATES: usize = 200;

/// Quotes a text for a message: in backticks, on one line, and no longer than a line is wide.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::from("`");
    for (shown, c) in text.chars().enumerate() {
        if shown == MAX_QUOTED {
            quoted.push('…');
            break;
        }
        if c.is_control() {
            quoted.extend(c.escape_default());
        } else {
            quoted.push(c);
        }
    }
    quoted.push('`');
    quoted
}

/// Returns the candidate that a word is probably a misspelling of.
pub(crate) fn meant<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    diagnostics: &[Diagnostic],
) -> Option<&'a str> {
    if diagnostics.len() >= MAX_DIAGNOSTICS_WITH_SUGGESTION {
        return None;
    }
    herald_diagnostics::did_you_mean(word, candidates.into_iter().take(MAX_CANDIDATES))
}

/// Returns the help that names the candidate of [`meant`].
pub(crate) fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    diagnostics: &[Diagnostic],
) -> Option<String> {
    let meant = meant(word, candidates, diagnostics)?;
    Some(format!("did you mean {}?", quote(meant)))
}

/// Whether a text is empty or consists of YAML's white space.
pub(crate) fn is_blank(text: &str) -> bool {
    text.trim_matches([' ', '\t', '\r', '\n']).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_stay_on_one_line() {
        assert_eq!(quote("place"), "`place`");
        assert_eq!(quote("a\nb\u{1b}"), "`a\\nb\\u{1b}`");
        assert_eq!(quote(&"é".repeat(80)), format!("`{}`", "é".repeat(80)));
        assert_eq!(quote(&"é".repeat(81)), format!("`{}…`", "é".repeat(80)));
    }
}
