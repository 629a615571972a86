//! Text of contracts inside messages. Whoever wrote it may have meant harm.

use herald_diagnostics::Diagnostic;

/// Characters of a text that a message shows.
const MAX_QUOTED: usize = 80;

/// Diagnostics of a file after which nothing more is suggested: a search for what was meant costs
/// more than all other checks, and nobody reads that far.
const MAX_DIAGNOSTICS_WITH_SUGGESTION: usize = 1_000;

/// Candidates that are compared.
const MAX_CANDIDATES: usize = 200;

/// A text for a message: in backticks, on one line, and no longer than a line is wide.
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

/// What was probably meant.
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

/// The help that names it.
pub(crate) fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    diagnostics: &[Diagnostic],
) -> Option<String> {
    let meant = meant(word, candidates, diagnostics)?;
    Some(format!("did you mean {}?", quote(meant)))
}

/// Whether a text says nothing: it is empty, or white space as YAML has it.
pub(crate) fn is_blank(text: &str) -> bool {
    text.trim_matches([' ', '\t', '\r', '\n']).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_stays_on_one_line() {
        assert_eq!(quote("place"), "`place`");
        assert_eq!(quote("a\nb\u{1b}"), "`a\\nb\\u{1b}`");
        assert_eq!(quote(&"é".repeat(80)), format!("`{}`", "é".repeat(80)));
        assert_eq!(quote(&"é".repeat(81)), format!("`{}…`", "é".repeat(80)));
    }
}
