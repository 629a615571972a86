//! JSON values that are not parsed.

use std::borrow::Cow;
use std::{fmt, io};

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::ser::{CharEscape, CompactFormatter, Formatter};
use serde_json::value::RawValue;

use crate::error::{Code, Error, Position};

/// JSON value as text, kept byte for byte: spaces, escapes and the digits of numbers.
///
/// Two values are equal if their texts are equal.
#[derive(Clone)]
pub struct Json<'a>(Cow<'a, RawValue>);

impl<'a> Json<'a> {
    /// Creates a value from its text; surrounding spaces are removed.
    ///
    /// # Errors
    /// [`Code::Syntax`], with the position in `text`.
    pub fn parse(text: &'a str) -> Result<Self, Error> {
        let raw: &RawValue =
            serde_json::from_str(text).map_err(|error| syntax_error(text, &error))?;
        Ok(raw.into())
    }

    /// Returns the text.
    pub fn get(&self) -> &str {
        self.0.get()
    }

    /// Decodes the value. Line and column of an error count from the start of the value.
    pub fn decode<'de, T: Deserialize<'de>>(&'de self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.get())
    }

    /// Converts to a value that owns its text.
    pub fn into_owned(self) -> Json<'static> {
        Json(Cow::Owned(self.0.into_owned()))
    }
}

impl<'a> From<&'a RawValue> for Json<'a> {
    fn from(raw: &'a RawValue) -> Self {
        Self(Cow::Borrowed(raw))
    }
}

impl From<Box<RawValue>> for Json<'_> {
    fn from(raw: Box<RawValue>) -> Self {
        Self(Cow::Owned(raw))
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl PartialEq for Json<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl Eq for Json<'_> {}

impl fmt::Debug for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.get())
    }
}

/// Empty object `{}`, the default metadata.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EmptyObject;

impl Serialize for EmptyObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_map(Some(0))?.end()
    }
}

/// Appends text in quotes, with escapes.
pub(crate) fn write_text(text: &str, buffer: &mut Vec<u8>) {
    serde_json::to_writer(buffer, text).expect("text is JSON, and memory takes it");
}

/// Appends name and value of a member.
pub(crate) fn write_member(name: &str, value: &Json<'_>, buffer: &mut Vec<u8>) {
    write_text(name, buffer);
    buffer.push(b':');
    buffer.extend_from_slice(value.get().as_bytes());
}

/// Formatter of JSON inside of a JSON text, which saves writing it first and then escaping it.
pub(crate) struct InText;

impl Formatter for InText {
    fn begin_string<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"\\\"")
    }

    fn end_string<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"\\\"")
    }

    fn write_char_escape<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        let mut text = Vec::new();
        CompactFormatter.write_char_escape(&mut text, escape)?;
        write_in_text(&text, writer)
    }

    fn write_raw_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        write_in_text(fragment.as_bytes(), writer)
    }
}

/// Writes JSON as the content of a JSON text. Control characters of JSON are spaces between tokens.
pub(crate) fn write_in_text<W: ?Sized + io::Write>(json: &[u8], writer: &mut W) -> io::Result<()> {
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | ..b' ');
    let mut rest = json;
    while let Some(at) = rest.iter().position(is_special) {
        writer.write_all(&rest[..at])?;
        match rest[at] {
            byte @ (b'"' | b'\\') => writer.write_all(&[b'\\', byte])?,
            _ => writer.write_all(b" ")?,
        }
        rest = &rest[at + 1..];
    }
    writer.write_all(rest)
}

/// Returns text as a JSON value.
pub(crate) fn of_text(text: &str) -> Json<'static> {
    let raw = serde_json::value::to_raw_value(text);
    raw.expect("text is JSON, and memory takes it").into()
}

/// Converts an error of `serde_json` about `text`.
pub(crate) fn syntax_error(text: &str, error: &serde_json::Error) -> Error {
    let (line, column) = (error.line(), error.column());
    let message = error.to_string();
    let place = format!(" at line {line} column {column}");
    let message = message.strip_suffix(&place).unwrap_or(&message);
    // `serde_json` counts lines from 1 and bytes of a line from 1, and a line feed as byte 0 of
    // the line that it opens.
    let line_start: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let offset = (line_start + column).saturating_sub(1);
    Error::new(Code::Syntax, message).at(Position::of(text, offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offset(text: &str) -> usize {
        let error = Json::parse(text).expect_err("it is not JSON");
        assert_eq!(error.code(), Code::Syntax);
        error.position().expect("text has positions").offset
    }

    #[test]
    fn text_is_kept_to_the_byte() {
        let json = Json::parse(" { \"a\": 1.50e0, \"b\": \"\\u00e9\" }\n").unwrap();
        assert_eq!(json.get(), "{ \"a\": 1.50e0, \"b\": \"\\u00e9\" }");
        assert_eq!(serde_json::to_string(&json).unwrap(), json.get());
        assert_eq!(json.clone().into_owned(), json);
    }

    #[test]
    fn decodes_on_request() {
        let json = Json::parse("[7, \"x\"]").unwrap();
        assert_eq!(json.decode::<(u8, &str)>().unwrap(), (7, "x"));
    }

    #[test]
    fn errors_point_at_the_byte() {
        assert_eq!(offset("{\"a\": x}"), 6);
        assert_eq!(offset("{\n\n\"é\": x}"), 9);
        assert_eq!(offset("[1, 2"), 4, "the end is the last byte");
        assert_eq!(offset("[NaN]"), 1);
        assert_eq!(offset(""), 0);
    }
}
