//! Parser of envelopes.
//!
//! A first pass splits the object into its members without decoding them; a second one decodes
//! the fields that the format defines. So errors contain field and position, and payload, metadata
//! and unknown fields are never parsed.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::str::Utf8Error;

use jiff::Timestamp;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::envelope::{ENVELOPE_VERSION, Envelope, Extra};
use crate::error::{Code, Error, Position};
use crate::field::{Field, Kind};
use crate::id;
use crate::json::{Json, syntax_error};
use crate::time;

impl<'a> Envelope<'a> {
    /// Parses an envelope. It borrows from the bytes; [`Envelope::into_owned`] copies them.
    ///
    /// # Errors
    /// Errors contain the field, and the position of its value or of the syntax error. A UUID or a
    /// timestamp in another notation, a missing field, a duplicate field, and a version other than
    /// [`ENVELOPE_VERSION`] are errors; unknown fields are not.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let text = std::str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error))?;
        Fields::split(text)?.decode()
    }
}

/// For lines that contain an envelope. Errors have neither code nor position: [`Envelope::parse`] tells
/// more about the text of the envelope alone.
impl<'de> Deserialize<'de> for Envelope<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let within = RefCell::new(None);
        let members = deserializer.deserialize_map(MembersVisitor { within: &within })?;
        if members.repeated.is_some() {
            return Err(D::Error::custom("a field occurs twice"));
        }
        let fields = Fields {
            text: None,
            known: members.known,
            extra: members.extra,
        };
        fields.decode().map_err(D::Error::custom)
    }
}

impl<'a> Fields<'a> {
    fn decode(self) -> Result<Envelope<'a>, Error> {
        let fields = self;
        fields.required(Field::EnvelopeVersion, Fields::version)?;
        Ok(Envelope {
            event_id: fields.required(Field::EventId, Fields::id)?,
            event_type: fields.required(Field::EventType, Fields::text)?,
            event_version: fields.required(Field::EventVersion, Fields::text)?,
            event_timestamp: fields.required(Field::EventTimestamp, Fields::timestamp)?,
            source_node_id: fields.required(Field::SourceNodeId, Fields::text)?,
            source_service: fields.required(Field::SourceService, Fields::text)?,
            source_version: fields.required(Field::SourceVersion, Fields::text)?,
            source_instance: fields.optional(Field::SourceInstance, Fields::text)?,
            correlation_id: fields.optional(Field::CorrelationId, Fields::id)?,
            causation_id: fields.optional(Field::CausationId, Fields::text)?,
            environment: fields.required(Field::Environment, Fields::text)?,
            region: fields.optional(Field::Region, Fields::text)?,
            partition_key: fields.optional(Field::PartitionKey, Fields::text)?,
            payload: fields.required(Field::Payload, Fields::object)?,
            metadata: fields.required(Field::Metadata, Fields::object)?,
            extra: fields.extra,
            trace: None,
        })
    }
}

fn not_utf8(bytes: &[u8], error: Utf8Error) -> Error {
    let valid = std::str::from_utf8(&bytes[..error.valid_up_to()]).expect("it is valid so far");
    let error = Error::new(Code::NotUtf8, "not UTF-8").at(Position::of(valid, valid.len()));
    // What is valid is cut off within the field that has the bad byte.
    match Fields::split(valid) {
        Err(cut_off) => error.in_field_of(&cut_off),
        Ok(_) => error,
    }
}

struct Fields<'a> {
    /// The text of the envelope, for positions.
    text: Option<&'a str>,
    /// Values, indexed by [`Field`].
    known: [Option<&'a RawValue>; Field::COUNT],
    extra: Vec<Extra<'a>>,
}

impl<'a> Fields<'a> {
    fn split(text: &'a str) -> Result<Self, Error> {
        let within = RefCell::new(None);
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let members = deserializer
            .deserialize_map(MembersVisitor { within: &within })
            .and_then(|members| deserializer.end().map(|()| members))
            .map_err(|error| {
                if error.is_data() {
                    return Error::new(Code::WrongType, "an envelope is a JSON object")
                        .at(position(text, text.trim_start()));
                }
                let error = syntax_error(text, &error);
                match within.take() {
                    Some(name) => error.in_field(name),
                    None => error,
                }
            })?;
        if let Some((field, value)) = members.repeated {
            return Err(Error::of(field, Code::DuplicateField, "occurs twice")
                .at(position(text, value.get())));
        }
        Ok(Self {
            text: Some(text),
            known: members.known,
            extra: members.extra,
        })
    }

    fn required<T>(&self, field: Field, decode: Decode<'a, T>) -> Result<T, Error> {
        let Some(value) = self.known[field as usize] else {
            let error = Error::of(field, Code::MissingField, "is missing");
            return Err(self.placed(error, str::trim_start));
        };
        decode(self, field, value)
    }

    fn optional<T>(&self, field: Field, decode: Decode<'a, T>) -> Result<Option<T>, Error> {
        match self.known[field as usize] {
            Some(value) if value.get() != "null" => decode(self, field, value).map(Some),
            _ => Ok(None),
        }
    }

    fn error(&self, field: Field, code: Code, message: &str, value: &'a RawValue) -> Error {
        self.placed(Error::of(field, code, message), |_| value.get())
    }

    /// Adds the position of a part of the text, if the text is known.
    fn placed(&self, error: Error, part: impl FnOnce(&'a str) -> &'a str) -> Error {
        let Some(text) = self.text else {
            return error;
        };
        error.at(position(text, part(text)))
    }

    fn version(&self, field: Field, value: &'a RawValue) -> Result<(), Error> {
        if self.text(field, value)? == ENVELOPE_VERSION {
            return Ok(());
        }
        let message = format!("this reader knows version {ENVELOPE_VERSION}");
        Err(self.error(field, Code::UnsupportedVersion, &message, value))
    }

    fn text(&self, field: Field, value: &'a RawValue) -> Result<Cow<'a, str>, Error> {
        if value.get() == "null" && field.row().kind == Kind::TextOrNull {
            return Ok(Cow::Borrowed(""));
        }
        let quoted = value.get().strip_prefix('"');
        let Some(inside) = quoted.and_then(|text| text.strip_suffix('"')) else {
            return Err(self.error(field, Code::WrongType, "must be text", value));
        };
        if inside.is_empty() && field.row().kind == Kind::NonEmptyText {
            return Err(self.error(field, Code::EmptyText, "must not be empty", value));
        }
        if !inside.contains('\\') {
            return Ok(Cow::Borrowed(inside));
        }
        // The first pass knows escapes, but not which of them are halves of one character.
        serde_json::from_str(value.get())
            .map(Cow::Owned)
            .map_err(|_| self.error(field, Code::Syntax, "half of a surrogate pair", value))
    }

    fn id(&self, field: Field, value: &'a RawValue) -> Result<Uuid, Error> {
        let message = "must be a UUID with hyphens";
        id::read(&self.text(field, value)?)
            .ok_or_else(|| self.error(field, Code::InvalidUuid, message, value))
    }

    fn timestamp(&self, field: Field, value: &'a RawValue) -> Result<Timestamp, Error> {
        let message = "must be an RFC 3339 timestamp such as 2025-11-05T12:00:00.000000+00:00";
        time::read(&self.text(field, value)?)
            .ok_or_else(|| self.error(field, Code::InvalidTimestamp, message, value))
    }

    fn object(&self, field: Field, value: &'a RawValue) -> Result<Json<'a>, Error> {
        if !value.get().starts_with('{') {
            return Err(self.error(field, Code::WrongType, "must be a JSON object", value));
        }
        Ok(value.into())
    }
}

/// Decodes the value of a field.
type Decode<'a, T> = fn(&Fields<'a>, Field, &'a RawValue) -> Result<T, Error>;

/// Returns the position of a part of the text.
fn position(text: &str, part: &str) -> Position {
    Position::of(text, part.as_ptr().addr() - text.as_ptr().addr())
}

#[derive(Default)]
struct Members<'a> {
    known: [Option<&'a RawValue>; Field::COUNT],
    extra: Vec<Extra<'a>>,
    /// First duplicate field of the format, with its second value.
    repeated: Option<(Field, &'a RawValue)>,
}

struct MembersVisitor<'s, 'a> {
    /// Name of the member whose value is being read.
    within: &'s RefCell<Option<Cow<'a, str>>>,
}

impl<'a> Visitor<'a> for MembersVisitor<'_, 'a> {
    type Value = Members<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an envelope")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Members<'a>, A::Error> {
        let mut members = Members::default();
        // Mostly the fields come in the order of the format.
        let mut next = 0;
        while let Some(name) = map.next_key_seed(Name)? {
            self.within.replace(Some(name.clone()));
            let value: &RawValue = map.next_value()?;
            self.within.take();
            match Field::named_near(&name, next) {
                Some(field) => {
                    next = field as usize + 1;
                    if members.known[field as usize].replace(value).is_some() {
                        members.repeated.get_or_insert((field, value));
                    }
                }
                None => members.extra.push((name, value.into())),
            }
        }
        Ok(members)
    }
}

/// Name of a member, borrowed if it has no escapes.
struct Name;

impl<'a> DeserializeSeed<'a> for Name {
    type Value = Cow<'a, str>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'a> Visitor<'a> for Name {
    type Value = Cow<'a, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_borrowed_str<E>(self, name: &'a str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}
