//! Text of files and file names, made harmless for terminals.

/// Replaces characters that a terminal would interpret instead of showing: control characters (an
/// escape sequence in a contract could otherwise retitle the window, or hide the diagnostic about it)
/// and characters that reverse the direction of writing (which disguise text). Those in `kept` stay.
///
/// Works character by character: the visible form of a prefix is a prefix of the visible form, and
/// the number of characters stays the same.
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

/// Makes a text of several lines visible; see [`visible`].
pub(super) fn visible_lines(text: &str) -> String {
    visible(text, &['\n'])
}

/// Makes a text visible in one line of a terminal: characters that a terminal would interpret are
/// replaced by pictures.
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
        '\u{80}'..='\u{9f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            char::REPLACEMENT_CHARACTER
        }
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_become_pictures() {
        assert_eq!(visible_line("\x1b[2J\x07\x7f"), "␛[2J␇␡");
    }

    #[test]
    fn eight_bit_controls_and_direction_overrides_are_replaced() {
        assert_eq!(visible_line("a\u{9b}31m\u{202e}b\u{2066}"), "a�31m�b�");
    }

    #[test]
    fn keeps_line_breaks_only_in_texts_of_several_lines() {
        assert_eq!(visible_lines("a\r\nb"), "a␍\nb");
        assert_eq!(visible_line("a\nb"), "a␊b");
    }

    #[test]
    fn keeps_other_text() {
        assert_eq!(visible_line("größe ✓ 日本 👩‍💻"), "größe ✓ 日本 👩‍💻");
    }
}
