//! Layout of JSON text: indented or compact, with every value kept as it is written.

use herald_envelope::Json;

/// Indents a JSON text; `None` if it is not JSON.
///
/// Numbers, escapes and the order of members stay as they are written: the reader has to see the
/// actual bytes, not an interpretation such as `1e2` for `100`.
pub fn pretty(text: &str) -> Option<String> {
    // Validated first, so that the loop can rely on matching quotes and brackets.
    Json::parse(text).ok()?;
    let mut laid = String::with_capacity(text.len() * 2);
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
                laid.push(c);
                laid.push_str(&rest[..1]);
                rest = rest[1..].trim_ascii_start();
            }
            '{' | '[' => {
                depth += 1;
                laid.push(c);
                new_line(&mut laid, depth);
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut laid, depth);
                laid.push(c);
            }
            ',' => {
                laid.push(c);
                new_line(&mut laid, depth);
            }
            ':' => laid.push_str(": "),
            _ => laid.push_str(part),
        }
    }
    Some(laid)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digit_and_escape_stays() {
        let text =
            r#" {"b":1.10e+2, "a" : [ 123456789012345678901, "x , \" { \\", {} , [ ]],"é":null} "#;
        let laid = pretty(text).unwrap();
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
        assert_eq!(laid, expected);
    }

    #[test]
    fn spaces_go_where_they_mean_nothing() {
        let text = " { \"a b\" : [ 1.0e1 , \"\\\" \" ] }\n";
        assert_eq!(compact(text).unwrap(), r#"{"a b":[1.0e1,"\" "]}"#);
        assert_eq!(compact("{"), None);
    }

    #[test]
    fn laid_out_twice_it_stays_the_same() {
        let once = pretty(r#"{"a":[1,{"b":[]}],"c":"]"}"#).unwrap();
        assert_eq!(pretty(&once).unwrap(), once);
    }

    #[test]
    fn what_is_no_json_is_left_to_others() {
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
    fn a_scalar_is_itself() {
        assert_eq!(pretty(" 7 ").as_deref(), Some("7"));
        assert_eq!(pretty("\"a b\"").as_deref(), Some("\"a b\""));
    }
}
