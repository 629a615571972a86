//! Errors of envelopes, as data.

use std::fmt;

use crate::field::Field;

/// Kind of error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// The bytes are not UTF-8, which JSON has to be.
    NotUtf8,
    /// The text is not JSON. Python's `NaN` and `Infinity` belong here.
    Syntax,
    /// A value has another JSON type than its field; the field is none for the whole envelope.
    WrongType,
    /// A field that has to be there is not.
    MissingField,
    /// A field of the format stands twice.
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
    /// The event type gives no topic that Kafka takes.
    InvalidTopic,
    /// The text is not a W3C `traceparent`.
    InvalidTraceparent,
}

impl Code {
    /// The code as logs and metrics show it. It does not change between versions.
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

/// A place in the text of an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Bytes before it.
    pub offset: usize,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
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

/// Reason that an envelope cannot be written or read. It never quotes the content of a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
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
        Self::new(code, message).in_field(field.name())
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

    /// Kind of error, for programs.
    pub fn code(&self) -> Code {
        self.code
    }

    /// Name of the field that it is about, one of the format's or an unknown one.
    pub fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// Position of the error in the text: start of the field's value, or the first byte that is
    /// not JSON. None for an envelope that is written.
    pub fn position(&self) -> Option<Position> {
        self.position
    }

    /// Always false: the same envelope fails in the same way again.
    pub fn is_retriable(&self) -> bool {
        false
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(field) = &self.field {
            write!(f, "{field}: ")?;
        }
        f.write_str(&self.message)?;
        if let Some(Position { line, column, .. }) = self.position {
            write!(f, " at line {line} column {column}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

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
    fn a_message_names_field_and_place() {
        let error = Error::of(Field::EventId, Code::InvalidUuid, "not a UUID")
            .at(Position::of("{\n\"event_id\":7", 13));
        assert_eq!(
            error.to_string(),
            "event_id: not a UUID at line 2 column 12"
        );
        assert!(!error.is_retriable());
    }
}
