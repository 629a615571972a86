//! Places in a JSON document.

use std::fmt;

use serde_json::Value;

/// JSON Pointer (RFC 6901).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pointer(Vec<String>);

impl Pointer {
    /// Parses a reference within a document: `#`, or `#/$defs/Name`.
    pub(super) fn parse(reference: &str) -> Result<Self, String> {
        let fragment = reference.strip_prefix('#').ok_or_else(|| {
            format!(
                "it refers to `{}`, and only references within the file (`#/$defs/Name`) are followed",
                shortened(reference)
            )
        })?;
        if fragment.is_empty() {
            return Ok(Self::default());
        }
        let tokens = fragment.strip_prefix('/').ok_or_else(|| {
            format!(
                "the reference `{}` is not a JSON Pointer such as `#/$defs/Name`",
                shortened(reference)
            )
        })?;
        let decoded = percent_decoded(tokens);
        let tokens = decoded.split('/');
        Ok(Self(
            tokens
                .map(|token| token.replace("~1", "/").replace("~0", "~"))
                .collect(),
        ))
    }

    /// Returns the place below this one.
    pub(super) fn then(&self, token: &str) -> Self {
        let mut tokens = self.0.clone();
        tokens.push(token.to_owned());
        Self(tokens)
    }

    /// Returns the number of bytes of all names.
    pub(super) fn length(&self) -> usize {
        self.0.iter().map(String::len).sum()
    }

    /// Returns the last name.
    pub(super) fn last(&self) -> Option<&str> {
        self.0.last().map(String::as_str)
    }

    /// Returns the value at this place.
    pub(super) fn find<'v>(&self, root: &'v Value) -> Result<&'v Value, String> {
        let mut value = root;
        for token in &self.0 {
            let below = match value {
                Value::Object(members) => members.get(token),
                Value::Array(items) => token.parse().ok().and_then(|index: usize| items.get(index)),
                _ => None,
            };
            value = below
                .ok_or_else(|| format!("there is nothing at `{}`", shortened(&self.to_string())))?;
        }
        Ok(value)
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("#")?;
        for token in &self.0 {
            write!(
                f,
                "/{}",
                token
                    .replace('~', "~0")
                    .replace('/', "~1")
                    .replace('%', "%25")
            )?;
        }
        Ok(())
    }
}

/// Returns the beginning of a text that may be long.
pub(super) fn shortened(text: &str) -> String {
    const MAX_CHARACTERS: usize = 120;
    match text.char_indices().nth(MAX_CHARACTERS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn percent_decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = bytes.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let code = code.and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            decoded.push(byte);
            at += 3;
        } else {
            decoded.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn finds_escaped_names_and_items() {
        let root = json!({"a/b": {"~": [1, {"c d": 2}]}});
        for (reference, value) in [
            ("#", root.clone()),
            ("#/a~1b/~0/1/c%20d", json!(2)),
            ("#/a~1b/~0/0", json!(1)),
        ] {
            let pointer = Pointer::parse(reference).unwrap();
            assert_eq!(pointer.find(&root), Ok(&value), "{reference}");
            assert_eq!(Pointer::parse(&pointer.to_string()), Ok(pointer));
        }
        assert!(Pointer::parse("#/x").unwrap().find(&root).is_err());
    }

    #[test]
    fn rejects_references_to_elsewhere() {
        for reference in ["other.json", "https://example.com/a.json#/b", "#anchor", ""] {
            assert!(Pointer::parse(reference).is_err(), "{reference}");
        }
    }
}
