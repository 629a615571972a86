//! Envelope profiles: the forms of an event on the wire.
//!
//! A profile is a file here and a row in [`TABLE`]. It defines how the fields of an event become
//! the value, the headers and the key of a Kafka record, how they are parsed back, and the JSON
//! Schema. Other crates work with [`Envelope`] and [`Profile`], and never name a profile.

mod cloudevents;
mod none;
mod onex_event_envelope;
mod onex_v1;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::envelope::Envelope;
use crate::error::{Code, Error};
use crate::event::{Event, METADATA_CAPACITY, WriteJson};
use crate::field::Field;
use crate::headers::{self, HeaderSet};
use crate::json::Json;
use crate::key::Key;
use crate::names::names;
use crate::schema_id;
use crate::topic::TopicPattern;

/// All profiles, in the order in which records are compared with them. The first is the default.
static TABLE: [&Row; 5] = [
    &onex_v1::ROW,
    &onex_event_envelope::ROW,
    &cloudevents::STRUCTURED,
    &cloudevents::BINARY,
    &none::ROW,
];

/// Names of all profiles.
pub static PROFILE_NAMES: [&str; TABLE.len()] = names!(TABLE, row => row.name);

/// Receiver of the names and values of headers.
pub type HeaderSink<'s> = dyn FnMut(Cow<'static, str>, &[u8]) + 's;

/// A profile as its file defines it.
struct Row {
    /// Name in contracts and settings.
    name: &'static str,
    /// Description in one line.
    title: &'static str,
    /// Returns whether the headers of a record show that it is of this profile.
    by_headers: fn(&Received<'_, '_>) -> bool,
    /// Returns whether the value alone shows it.
    by_value: fn(&[u8]) -> bool,
    /// Appends the value of the record. After an error the content of the buffer is undefined.
    write: fn(&Event<'_>, &mut Vec<u8>) -> Result<(), Error>,
    /// Passes the headers on. `HeaderSet` selects among those whose content is in the value too.
    headers: fn(&Event<'_>, HeaderSet, &mut HeaderSink<'_>) -> Result<(), Error>,
    /// Names of the headers that `HeaderSet` selects among.
    optional_headers: &'static [&'static str],
    key: for<'e> fn(&Event<'e>) -> Key<'e>,
    /// Pattern of the topics of generated events, unless a project sets another.
    topic_pattern: &'static str,
    /// Returns the topic of dead letters of a topic.
    dead_letter_topic: fn(&str) -> String,
    parse: for<'a> fn(&Received<'_, 'a>) -> Result<Envelope<'a>, Error>,
    describe: fn() -> Description,
}

/// Received record, as far as a profile reads it.
#[derive(Clone, Copy, Debug)]
pub struct Received<'r, 'a> {
    /// Value.
    pub value: &'a [u8],
    /// Names and values of headers.
    pub headers: &'r [(&'a str, &'a [u8])],
    /// Time of the record, for events without one.
    pub timestamp: Option<Timestamp>,
}

impl<'a> Received<'_, 'a> {
    /// A record of which only the value is known.
    pub fn of_value(value: &'a [u8]) -> Self {
        Self {
            value,
            headers: &[],
            timestamp: None,
        }
    }

    /// Returns the record without the schema id before its value.
    fn without_schema_id(&self) -> Self {
        let (_, value) = schema_id::split(self.value);
        Self { value, ..*self }
    }

    /// Returns the value of the first header with this name.
    fn header(&self, name: &str) -> Option<&'a [u8]> {
        let header = self.headers.iter().find(|(known, _)| *known == name);
        header.map(|(_, value)| *value)
    }

    /// Returns a header as text, if it is there.
    fn text(&self, name: &str) -> Result<Option<&'a str>, Error> {
        let Some(value) = self.header(name) else {
            return Ok(None);
        };
        let text = std::str::from_utf8(value);
        text.map(Some)
            .map_err(|_| Error::new(Code::NotUtf8, "not UTF-8").in_field(name))
    }

    /// Returns whether the header `content-type` begins with a media type.
    fn has_content_type(&self, media_type: &str) -> bool {
        let found = self.header(headers::CONTENT_TYPE).unwrap_or_default();
        let start = found.get(..media_type.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(media_type.as_bytes()))
    }
}

/// Location of a field in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Member of the value, which is an object.
    Member(&'static str),
    /// Header.
    Header(&'static str),
}

/// Description of the records of a profile, for schemas.
#[derive(Clone, Debug)]
pub struct Description {
    /// Name in documents: an identifier.
    pub name: &'static str,
    /// Content type of the value.
    pub content_type: &'static str,
    /// JSON Schema of the value, draft 2020-12; `None` if the value is the payload.
    pub value: Option<Value>,
    /// JSON Schema of the headers.
    pub headers: Value,
    /// Member of the value that is the payload; `None` if the whole value is.
    pub payload: Option<&'static str>,
    /// Location of the event type.
    pub event_type: Place,
    /// Location of the version of the event.
    pub event_version: Place,
    /// Location of the correlation id.
    pub correlation_id: Place,
    /// Returns the schema of the versions with this major number.
    pub version_schema: fn(u32) -> Value,
}

/// Envelope profile: a form of events on the wire.
#[derive(Clone, Copy)]
pub struct Profile(&'static Row);

/// Error of a name that is not a profile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an envelope profile; the profiles are {names}", names = PROFILE_NAMES.join(", "))]
pub struct UnknownProfile(String);

impl Profile {
    /// Returns all profiles.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.into_iter().map(Self)
    }

    /// Returns the name in contracts and settings.
    pub fn as_str(self) -> &'static str {
        self.0.name
    }

    /// Returns a description in one line.
    pub fn title(self) -> &'static str {
        self.0.title
    }

    /// Appends the value of the record of an event, without spaces except those of a
    /// [`Json`](crate::Json). Reusing a cleared buffer saves the allocation.
    ///
    /// # Errors
    /// [`Code::EmptyText`] for an empty event type, [`Code::InvalidTimestamp`] for a year
    /// outside 1000 to 2999, [`Code::WrongType`] for payload or metadata that are not objects,
    /// [`Code::Unserialisable`] for values that JSON can't represent, [`Code::ReservedField`] for
    /// an extra field with the name of a field of the format. The buffer is unchanged then.
    pub fn write(self, event: &Event<'_>, buffer: &mut Vec<u8>) -> Result<(), Error> {
        let start = buffer.len();
        (self.0.write)(event, buffer).inspect_err(|_| buffer.truncate(start))
    }

    /// Passes the headers of the record of an event to `sink`. `set` selects among those whose
    /// content is in the value too; all others are always written.
    ///
    /// # Errors
    /// See [`Profile::write`].
    pub fn headers(
        self,
        event: &Event<'_>,
        set: HeaderSet,
        sink: &mut HeaderSink<'_>,
    ) -> Result<(), Error> {
        (self.0.headers)(event, set, sink)
    }

    /// Returns the headers that can be left out, because their content is in the value too.
    ///
    /// # Panics
    /// Never: the names of all profiles are in [`headers::NAMES`].
    pub fn optional_headers(self) -> HeaderSet {
        HeaderSet::of(self.0.optional_headers.iter().copied()).expect("they are names of headers")
    }

    /// Returns the key of the record of an event.
    pub fn key<'e>(self, event: &Event<'e>) -> Key<'e> {
        (self.0.key)(event)
    }

    /// Returns the pattern of the topics of generated events, unless a project sets another.
    ///
    /// # Panics
    /// Never: the patterns of all profiles are valid.
    pub fn topic_pattern(self) -> TopicPattern {
        TopicPattern::parse(self.0.topic_pattern).expect("it is a pattern")
    }

    /// Returns the topic of dead letters of a topic. It may be too long to be valid.
    pub fn dead_letter_topic(self, topic: &str) -> String {
        (self.0.dead_letter_topic)(topic)
    }

    /// Returns the profile of a received record: [`Profile::default`] if no profile recognises it.
    pub fn of_record(received: &Received<'_, '_>) -> Self {
        let received = &received.without_schema_id();
        // Headers come first: a payload alone may look like an envelope.
        let mut rows = TABLE.iter();
        let row = rows.find(|row| (row.by_headers)(received)).or_else(|| {
            let mut rows = TABLE.iter();
            rows.find(|row| (row.by_value)(received.value))
        });
        row.map_or_else(Self::default, |row| Self(row))
    }

    /// Parses a record of this profile. The envelope borrows from the bytes.
    ///
    /// # Errors
    /// Errors contain the field, and for a field of the value its position.
    pub fn parse<'a>(self, received: &Received<'_, 'a>) -> Result<Envelope<'a>, Error> {
        (self.0.parse)(&received.without_schema_id())
    }

    /// Returns the description of the records, for schemas.
    ///
    /// A schema describes what is read; Herald writes a subset of it. A schema can't express that
    /// fields must not occur twice and that the bytes are UTF-8.
    pub fn describe(self) -> Description {
        (self.0.describe)()
    }
}

impl<'a> Envelope<'a> {
    /// Parses a record of any profile.
    ///
    /// # Errors
    /// See [`Profile::parse`].
    pub fn of_record(received: &Received<'_, 'a>) -> Result<Self, Error> {
        Profile::of_record(received).parse(received)
    }
}

impl Default for Profile {
    /// `OnexEnvelopeV1`.
    fn default() -> Self {
        Self(TABLE[0])
    }
}

impl PartialEq for Profile {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for Profile {}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Profile({})", self.0.name)
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(name: &str) -> Result<Self, UnknownProfile> {
        let row = TABLE.iter().find(|row| row.name == name);
        row.map(|row| Self(row))
            .ok_or_else(|| UnknownProfile(name.to_owned()))
    }
}

/// Suffix of dead letter topics.
const DEAD_LETTER_SUFFIX: &str = ".dlq";

fn suffixed_dead_letter_topic(topic: &str) -> String {
    format!("{topic}{DEAD_LETTER_SUFFIX}")
}

fn check_event_type(event: &Event<'_>) -> Result<(), Error> {
    if event.event_type.is_empty() {
        return Err(Error::of(
            Field::EventType,
            Code::EmptyText,
            "must not be empty",
        ));
    }
    Ok(())
}

fn invalid_year() -> Error {
    Error::of(
        Field::EventTimestamp,
        Code::InvalidTimestamp,
        "the year is not in 1000 to 2999",
    )
}

/// Appends an object, and returns its offset in the buffer.
fn write_object(field: Field, value: &dyn WriteJson, buffer: &mut Vec<u8>) -> Result<usize, Error> {
    let start = buffer.len();
    check_object(field, value.write_json(buffer), buffer.get(start))?;
    Ok(start)
}

/// Checks that a value was written, and that it begins as an object does.
fn check_object(
    field: Field,
    written: serde_json::Result<()>,
    first: Option<&u8>,
) -> Result<(), Error> {
    written.map_err(|error| Error::of(field, Code::Unserialisable, error.to_string()))?;
    if first == Some(&b'{') {
        Ok(())
    } else {
        Err(Error::of(field, Code::WrongType, "must be a JSON object"))
    }
}

/// Appends the payload, for profiles whose value it is.
fn write_payload(event: &Event<'_>, buffer: &mut Vec<u8>) -> Result<(), Error> {
    check_event_type(event)?;
    write_object(Field::Payload, event.payload, buffer).map(|_| ())
}

/// Appends a lead and an object as JSON text; nothing for an empty object.
fn write_object_as_text(
    lead: &str,
    field: Field,
    value: &dyn WriteJson,
    buffer: &mut Vec<u8>,
) -> Result<(), Error> {
    let before = buffer.len();
    buffer.extend_from_slice(lead.as_bytes());
    buffer.push(b'"');
    let start = buffer.len();
    check_object(field, value.write_json_in_text(buffer), buffer.get(start))?;
    if &buffer[start..] == b"{}" {
        buffer.truncate(before);
    } else {
        buffer.push(b'"');
    }
    Ok(())
}

/// Parses bytes that are a JSON object.
fn object_of(bytes: &[u8], field: Field) -> Result<Json<'_>, Error> {
    let text =
        std::str::from_utf8(bytes).map_err(|_| Error::of(field, Code::NotUtf8, "not UTF-8"))?;
    let json = Json::parse(text).map_err(|error| error.in_field(field.as_str()))?;
    if json.get().starts_with('{') {
        Ok(json)
    } else {
        Err(Error::of(field, Code::WrongType, "must be a JSON object"))
    }
}

/// Parses text that is a JSON object.
fn object_of_text(text: Cow<'_, str>) -> Option<Json<'_>> {
    let json = match text {
        Cow::Borrowed(text) => Json::parse(text).ok()?,
        Cow::Owned(text) => RawValue::from_string(text).ok()?.into(),
    };
    json.get().starts_with('{').then_some(json)
}

fn empty_object() -> Json<'static> {
    Json::parse("{}").expect("it is an object")
}

/// Returns an object as text; `None` if it is empty.
fn object_text(field: Field, value: &dyn WriteJson) -> Result<Option<Vec<u8>>, Error> {
    let mut text = Vec::with_capacity(METADATA_CAPACITY);
    write_object(field, value, &mut text)?;
    Ok((text != b"{}").then_some(text))
}

fn write_trace(event: &Event<'_>, sink: &mut HeaderSink<'_>) {
    if let Some(trace) = event.trace {
        sink(
            headers::TRACEPARENT.into(),
            trace.text().as_str().as_bytes(),
        );
    }
}

/// Returns whether the value is an object whose first member has this name.
fn starts_with_member(value: &[u8], name: &str) -> bool {
    let inside = value.trim_ascii_start().strip_prefix(b"{");
    inside.is_some_and(|inside| {
        let inside = inside.trim_ascii_start().strip_prefix(b"\"");
        let rest = inside.and_then(|inside| inside.strip_prefix(name.as_bytes()));
        rest.is_some_and(|rest| rest.starts_with(b"\""))
    })
}

/// Returns the schema of the headers with which a consumer can route an event, and drop
/// duplicates, without parsing the value.
fn usual_headers(content_type: &str) -> Value {
    json!({
        "type": "object",
        "properties": {
            headers::CONTENT_TYPE: {"const": content_type},
            headers::EVENT_ID: {"type": "string", "format": "uuid"},
            headers::EVENT_TYPE: {"type": "string"},
            headers::CORRELATION_ID: {"type": "string", "format": "uuid"},
            headers::TRACEPARENT: trace_schema(),
        },
    })
}

/// Returns the schema of the W3C Trace Context header `traceparent`, version 00.
fn trace_schema() -> Value {
    json!({
        "type": "string",
        "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
        "description": "W3C Trace Context.",
    })
}

/// Returns the schema of versions as text, such as `1.0`.
fn version_text_schema(major: u32) -> Value {
    json!({"pattern": format!("^{major}([.]|$)")})
}
