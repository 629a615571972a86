//! Unescaping of non-ASCII characters in JSON text.

/// Replaces escapes of non-ASCII characters, such as `\u00fc` by `ü`. Some writers escape everything
/// beyond ASCII, which is unreadable. Escapes of ASCII stay: they are quotes or control characters.
pub fn unescape(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some((letter, length)) = letter(rest) {
            text.push(letter);
            rest = &rest[length..];
        } else {
            // The next character may be a backslash too, so skip both.
            let length: usize = rest.chars().take(2).map(char::len_utf8).sum();
            text.push_str(&rest[..length]);
            rest = &rest[length..];
        }
    }
    text.push_str(rest);
    text
}

/// Decodes the escape of a non-ASCII character at the start of `text`; returns the character and
/// the length of the escape.
fn letter(text: &str) -> Option<(char, usize)> {
    const LENGTH: usize = r"\u0000".len();
    let unit = |at: usize| {
        let digits = text.get(at..at + LENGTH)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let first = unit(0)?;
    let letter = |units: &[u16]| char::decode_utf16(units.iter().copied()).next()?.ok();
    let (letter, length) = match letter(&[first]) {
        Some(letter) => (letter, LENGTH),
        None => (letter(&[first, unit(LENGTH)?])?, 2 * LENGTH),
    };
    (!letter.is_ascii()).then_some((letter, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_come_back_and_the_rest_stays() {
        for (json, text) in [
            (r#""gr\u00fc\u00dfe""#, r#""grüße""#),
            (r#""\ud83d\ude00!""#, r#""😀!""#),
            (r#""\u0022\u001b\n\\u00fc""#, r#""\u0022\u001b\n\\u00fc""#),
            (r#""\\\u00fc""#, r#""\\ü""#),
            (r#""\ud83d""#, r#""\ud83d""#),
            (r#""\ud83dx\u00fc""#, r#""\ud83dxü""#),
            (r"\", r"\"),
            (r"\uü", r"\uü"),
            ("grüße", "grüße"),
        ] {
            assert_eq!(unescape(json), text, "{json}");
        }
    }

    #[test]
    fn it_means_the_same() {
        let json = r#"{"a\u00e9": "\u2028 \ud83d\ude00 \"\u0041\" \\u00fc"}"#;
        let read = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap();
        assert_eq!(read(&unescape(json)), read(json));
    }
}
