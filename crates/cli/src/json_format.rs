//! Layout of JSON text: indented, compact, or with non-ASCII characters unescaped. Every value is kept
//! as it is written.

use herald_envelope::Json;

/// Indents a JSON text; `None` if it is not JSON.
///
/// Numbers, escapes and the order of members stay as they are written: the reader has to see the
/// actual bytes, not an interpretation such as `1e2` for `100`.
pub fn pretty(text: &str) -> Option<String> {
    // Validated first, so that the loop can rely on matching quotes and brackets.
    Json::parse(text).ok()?;
    let mut indented = String::with_capacity(text.len() * 2);
    let mut depth = 0_usize;
    let mut rest = text.trim_ascii();
    while let Some(c) = rest.chars().next() {
        let length = if c == '"' {
            string_length(rest)
        } else {
            c.len_utf8()
        };
        let (part, behind) = rest.split_at(length);
        rest = behind.trim_ascii_start();
        match c {
            '{' | '[' if rest.starts_with(['}', ']']) => {
                indented.push(c);
                indented.push_str(&rest[..1]);
                rest = rest[1..].trim_ascii_start();
            }
            '{' | '[' => {
                depth += 1;
                indented.push(c);
                new_line(&mut indented, depth);
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut indented, depth);
                indented.push(c);
            }
            ',' => {
                indented.push(c);
                new_line(&mut indented, depth);
            }
            ':' => indented.push_str(": "),
            _ => indented.push_str(part),
        }
    }
    Some(indented)
}

/// Removes the whitespace between the tokens of a JSON text; `None` if it is not JSON.
pub fn compact(text: &str) -> Option<String> {
    Json::parse(text).ok()?;
    let mut compact = String::with_capacity(text.len());
    let mut rest = text.trim_ascii();
    while let Some(c) = rest.chars().next() {
        let length = if c == '"' {
            string_length(rest)
        } else {
            c.len_utf8()
        };
        let (part, behind) = rest.split_at(length);
        rest = behind.trim_ascii_start();
        compact.push_str(part);
    }
    Some(compact)
}

/// Length of the string literal at the start of `text`, quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |end| end + 2)
}

fn new_line(text: &mut String, depth: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n("  ", depth));
}

/// Replaces escapes of non-ASCII characters, such as `\u00fc` by `ü`. Some writers escape everything
/// beyond ASCII, which is unreadable. Escapes of ASCII stay: they are quotes or control characters.
pub fn unescape_non_ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some((char, length)) = unescape_char(rest) {
            text.push(char);
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
fn unescape_char(text: &str) -> Option<(char, usize)> {
    const LENGTH: usize = r"\u0000".len();
    let unit = |at: usize| {
        let digits = text.get(at..at + LENGTH)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let first = unit(0)?;
    let char = |units: &[u16]| char::decode_utf16(units.iter().copied()).next()?.ok();
    let (char, length) = match char(&[first]) {
        Some(char) => (char, LENGTH),
        None => (char(&[first, unit(LENGTH)?])?, 2 * LENGTH),
    };
    (!char.is_ascii()).then_some((char, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_digits_and_escapes() {
        let text =
            r#" {"b":1.10e+2, "a" : [ 123456789012345678901, "x , \" { \\", {} , [ ]],"é":null} "#;
        let indented = pretty(text).unwrap();
        let expected = r#"{
  "b": 1.10e+2,
  "a": [
    123456789012345678901,
    "x , \" { \\",
    {},
    []
  ],
  "é": null
}"#;
        assert_eq!(indented, expected);
    }

    #[test]
    fn compact_removes_insignificant_whitespace() {
        let text = " { \"a b\" : [ 1.0e1 , \"\\\" \" ] }\n";
        assert_eq!(compact(text).unwrap(), r#"{"a b":[1.0e1,"\" "]}"#);
        assert_eq!(compact("{"), None);
    }

    #[test]
    fn pretty_is_idempotent() {
        let once = pretty(r#"{"a":[1,{"b":[]}],"c":"]"}"#).unwrap();
        assert_eq!(pretty(&once).unwrap(), once);
    }

    #[test]
    fn rejects_invalid_json() {
        for text in [
            "",
            "{",
            "hello",
            "{\"a\": NaN}",
            "1 2",
            &"[".repeat(100_000),
        ] {
            assert_eq!(pretty(text), None);
        }
    }

    #[test]
    fn keeps_scalars() {
        assert_eq!(pretty(" 7 ").as_deref(), Some("7"));
        assert_eq!(pretty("\"a b\"").as_deref(), Some("\"a b\""));
    }

    #[test]
    fn unescapes_only_non_ascii() {
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
            assert_eq!(unescape_non_ascii(json), text, "{json}");
        }
    }

    #[test]
    fn unescaping_keeps_the_meaning() {
        let json = r#"{"a\u00e9": "\u2028 \ud83d\ude00 \"\u0041\" \\u00fc"}"#;
        let read = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap();
        assert_eq!(read(&unescape_non_ascii(json)), read(json));
    }
}
