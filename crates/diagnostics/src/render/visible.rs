//! Replacement of control and invisible characters in text from elsewhere.

/// Replaces characters that a terminal acts upon or does not show, except those in `kept`:
///
/// - control characters: an escape sequence in a contract could retitle the window, or hide the
///   diagnostic that points at it;
/// - bidirectional controls, which make text look like other text ("Trojan source");
/// - invisible characters such as the zero width space, which make two different names look equal.
///
/// Works character by character: the visible form of a prefix is a prefix of the visible form,
/// and the number of characters does not change.
pub(super) fn visible(text: &str, kept: &[char]) -> String {
    text.chars()
        .map(|c| {
            if kept.contains(&c) {
                c
            } else {
                visible_char(c)
            }
        })
        .collect()
}

/// [`visible`] for text of several lines.
pub(super) fn visible_lines(text: &str) -> String {
    visible(text, &['\n'])
}

/// Replaces control and invisible characters, line breaks included, in text from elsewhere that is
/// shown on one line.
pub fn visible_line(text: &str) -> String {
    visible(text, &[])
}

fn visible_char(c: char) -> char {
    match c {
        // Unicode has a picture for each of these.
        '\0'..='\x1f' => {
            char::from_u32(0x2400 + u32::from(c)).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        '\x7f' => '␡',
        _ if is_invisible(c) => char::REPLACEMENT_CHARACTER,
        _ => c,
    }
}

/// Returns whether a character is a C1 control, a line separator, a bidirectional control or has no
/// glyph.
///
/// The zero width joiner and non-joiner (U+200C, U+200D) are not: emoji, Persian and Indic scripts
/// need them. Neither are variation selectors.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{9f}'
        // Soft hyphen, combining grapheme joiner, Arabic letter mark.
        | '\u{ad}' | '\u{34f}' | '\u{61c}'
        // Hangul and Khmer fillers, Mongolian vowel separator.
        | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}' | '\u{3164}' | '\u{ffa0}'
        // Zero width space, left-to-right and right-to-left marks.
        | '\u{200b}' | '\u{200e}' | '\u{200f}'
        // Line and paragraph separators, embeddings and overrides.
        | '\u{2028}'..='\u{202e}'
        // Word joiner, invisible operators, isolates, deprecated format characters.
        | '\u{2060}'..='\u{206f}'
        // Byte order mark, interlinear annotations.
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        // Tag characters.
        | '\u{e0000}'..='\u{e007f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_escape_sequences() {
        assert_eq!(visible_line("\x1b[2J\x07\x7f"), "␛[2J␇␡");
    }

    #[test]
    fn replaces_c1_controls_and_bidirectional_controls() {
        assert_eq!(visible_line("a\u{9b}31m\u{202e}b\u{2066}"), "a�31m�b�");
    }

    #[test]
    fn replaces_invisible_characters() {
        let hidden = "a\u{200b}b\u{ad}c\u{feff}d\u{200f}e\u{2060}f\u{e0041}g\u{3164}";
        assert_eq!(visible_line(hidden), "a�b�c�d�e�f�g�");
    }

    #[test]
    fn keeps_line_feeds_only_in_several_lines() {
        assert_eq!(visible_lines("a\r\nb"), "a␍\nb");
        assert_eq!(visible_line("a\nb"), "a␊b");
    }

    #[test]
    fn keeps_other_text() {
        assert_eq!(visible_line("größe ✓ 日本 👩‍💻"), "größe ✓ 日本 👩‍💻");
    }
}
