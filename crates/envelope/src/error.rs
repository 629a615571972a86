//! Errors of envelopes.

use std::fmt;

use crate::field::Field;

/// Code of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// The bytes are not UTF-8, which JSON requires.
    NotUtf8,
    /// The text is not JSON; this includes Python's `NaN` and `Infinity`.
    Syntax,
    /// A value has another JSON type than its field; without a field, the whole envelope.
    WrongType,
    /// A required field is missing.
    MissingField,
    /// A field of the format occurs twice.
    DuplicateField,
    /// The text of a field must not be empty.
    EmptyText,
    /// The envelope is of a version that this reader does not know.
    UnsupportedVersion,
    /// The text is not a UUID with hyphens.
    InvalidUuid,
    /// The text is not an RFC 3339 timestamp, or its year is not in 1000 to 2999.
    InvalidTimestamp,
    /// A value can't be written as JSON, such as a map with keys that are not text.
    Unserialisable,
    /// An extra field has the name of a field of the format.
    ReservedField,
    /// An extra field can't be an extension attribute of a CloudEvent.
    InvalidExtension,
    /// The event type does not result in a valid topic.
    InvalidTopic,
    /// The text is not a W3C `traceparent`.
    InvalidTraceparent,
}

impl Code {
    /// Returns the name for logs and metrics, which is the same in all versions.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotUtf8 => "not-utf8",
            Self::Syntax => "syntax",
            Self::WrongType => "wrong-type",
            Self::MissingField => "missing-field",
            Self::DuplicateField => "duplicate-field",
            Self::EmptyText => "empty-text",
            Self::UnsupportedVersion => "unsupported-version",
            Self::InvalidUuid => "invalid-uuid",
            Self::InvalidTimestamp => "invalid-timestamp",
            Self::Unserialisable => "unserialisable",
            Self::ReservedField => "reserved-field",
            Self::InvalidExtension => "invalid-extension",
            Self::InvalidTopic => "invalid-topic",
            Self::InvalidTraceparent => "invalid-traceparent",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Position in the text of an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Offset in bytes.
    pub offset: usize,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Position {
    /// The place after `offset` bytes. An offset inside of a character is that character's.
    pub(crate) fn of(text: &str, offset: usize) -> Self {
        let offset = (0..=offset.min(text.len()))
            .rfind(|at| text.is_char_boundary(*at))
            .unwrap_or_default();
        let before = &text[..offset];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            offset,
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

/// Error of writing or reading an envelope. It never quotes the content of a payload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}{}", self.field_prefix(), self.position_suffix())]
pub struct Error {
    code: Code,
    field: Option<Box<str>>,
    position: Option<Position>,
    message: Box<str>,
}

impl Error {
    pub(crate) fn new(code: Code, message: impl Into<Box<str>>) -> Self {
        Self {
            code,
            field: None,
            position: None,
            message: message.into(),
        }
    }

    pub(crate) fn of(field: Field, code: Code, message: impl Into<Box<str>>) -> Self {
        Self::new(code, message).in_field(field.as_str())
    }

    pub(crate) fn in_field(mut self, field: impl Into<Box<str>>) -> Self {
        self.field = Some(field.into());
        self
    }

    pub(crate) fn in_field_of(mut self, other: &Self) -> Self {
        self.field.clone_from(&other.field);
        self
    }

    pub(crate) fn at(mut self, position: Position) -> Self {
        self.position = Some(position);
        self
    }

    /// Returns the code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// Returns the name of the field concerned, which may be an unknown one.
    pub fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// Returns the position in the text that was read: the start of the field's value, or of the
    /// syntax error. `None` for an envelope that is written.
    pub fn position(&self) -> Option<Position> {
        self.position
    }

    /// Returns false: the same envelope fails in the same way again.
    pub fn is_retriable(&self) -> bool {
        false
    }

    fn field_prefix(&self) -> String {
        self.field
            .as_ref()
            .map_or_else(String::new, |field| format!("{field}: "))
    }

    fn position_suffix(&self) -> String {
        self.position.map_or_else(String::new, |position| {
            format!(" at line {} column {}", position.line, position.column)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters() {
        let text = "{\n  \"é\": x}";
        let offset = text.find('x').unwrap();
        assert_eq!(
            Position::of(text, offset),
            Position {
                offset,
                line: 2,
                column: 8
            }
        );
        assert_eq!(Position::of(text, 6).offset, 5, "inside of é");
        assert_eq!(Position::of("", 9).column, 1, "beyond the end");
    }

    #[test]
    fn message_names_field_and_position() {
        let error = Error::of(Field::EventId, Code::InvalidUuid, "not a UUID")
            .at(Position::of("{\n\"event_id\":7", 13));
        assert_eq!(
            error.to_string(),
            "event_id: not a UUID at line 2 column 12"
        );
        assert!(!error.is_retriable());
    }
}
