//! Parser for one line of `--jsonl` input.

use std::borrow::Cow;
use std::fmt;

use herald_diagnostics::did_you_mean;
use herald_envelope::{Envelope, Json, Timestamp, Uuid};
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::args::publish::uuid;

/// A parsed line: a complete envelope, or an event to put into one.
#[derive(Debug)]
pub enum ParsedLine<'a> {
    /// An object with `envelope_version`.
    Envelope(Box<Envelope<'a>>),
    /// Any other object.
    Event(Box<Event<'a>>),
}

/// An event of a line. Fields that are `None` are taken from the command line.
#[derive(Debug, Default)]
#[expect(clippy::struct_field_names, reason = "they are the envelope's")]
pub struct Event<'a> {
    pub event_type: Option<Cow<'a, str>>,
    pub event_version: Option<Cow<'a, str>>,
    pub event_id: Option<Uuid>,
    pub event_timestamp: Option<Timestamp>,
    pub source_node_id: Option<Cow<'a, str>>,
    pub correlation_id: Option<Uuid>,
    pub causation_id: Option<Cow<'a, str>>,
    pub partition_key: Option<Cow<'a, str>>,
    pub topic: Option<Cow<'a, str>>,
    pub payload: Option<Json<'a>>,
    pub metadata: Option<Json<'a>>,
}

/// Keys that a line may have.
const KEYS: [&str; 11] = [
    "event_type",
    "event_version",
    "event_id",
    "event_timestamp",
    "source_node_id",
    "correlation_id",
    "causation_id",
    "partition_key",
    "topic",
    "payload",
    "metadata",
];

const ENVELOPE_VERSION: &str = "envelope_version";

/// Parses one line. The error does not quote values.
pub fn read(line: &[u8]) -> Result<ParsedLine<'_>, String> {
    let text = std::str::from_utf8(line)
        .map_err(|error| format!("not UTF-8 at byte {}", error.valid_up_to() + 1))?;
    let members = members(text)?;
    if members.iter().any(|(name, _)| name == ENVELOPE_VERSION) {
        return match Envelope::parse(line) {
            Ok(envelope) => Ok(ParsedLine::Envelope(Box::new(envelope))),
            Err(error) => Err(format!("not an envelope: {}", one_line(&error.to_string()))),
        };
    }
    let mut event = Event::default();
    let mut seen: Vec<Cow<'_, str>> = Vec::with_capacity(members.len());
    for (name, value) in members {
        if seen.contains(&name) {
            return Err(format!("duplicate key `{name}`"));
        }
        // Serializers of other languages write null for a missing value.
        if value.get() != "null" || !KEYS.contains(&name.as_ref()) {
            event.set(&name, value)?;
        }
        seen.push(name);
    }
    if event.payload.is_none() {
        return Err("`payload` is missing".to_owned());
    }
    Ok(ParsedLine::Event(Box::new(event)))
}

impl<'a> Event<'a> {
    fn set(&mut self, name: &str, value: &'a RawValue) -> Result<(), String> {
        match name {
            "event_type" => self.event_type = Some(text(name, value)?),
            "event_version" => self.event_version = Some(text(name, value)?),
            "event_id" => self.event_id = Some(id(name, value)?),
            "event_timestamp" => self.event_timestamp = Some(timestamp(name, value)?),
            "source_node_id" => self.source_node_id = Some(text(name, value)?),
            "correlation_id" => self.correlation_id = Some(id(name, value)?),
            "causation_id" => self.causation_id = Some(text(name, value)?),
            "partition_key" => self.partition_key = Some(text(name, value)?),
            "topic" => self.topic = Some(text(name, value)?),
            "payload" => self.payload = Some(object(name, value)?),
            "metadata" => self.metadata = Some(object(name, value)?),
            _ => return Err(unknown(name)),
        }
        Ok(())
    }
}

fn unknown(name: &str) -> String {
    match did_you_mean(name, KEYS) {
        Some(suggestion) => format!("unknown key `{name}`; did you mean `{suggestion}`?"),
        None => format!(
            "unknown key `{name}`; known keys are payload, event_type, topic, partition_key, \
             correlation_id, causation_id, source_node_id, metadata, event_id, event_timestamp and \
             event_version"
        ),
    }
}

fn text<'a>(name: &str, value: &'a RawValue) -> Result<Cow<'a, str>, String> {
    serde_json::from_str::<Text<'_>>(value.get())
        .map(|Text(text)| text)
        .map_err(|_| format!("`{name}` must be a string"))
}

fn id(name: &str, value: &RawValue) -> Result<Uuid, String> {
    text(name, value)
        .ok()
        .and_then(|text| uuid(&text))
        .ok_or_else(|| format!("`{name}` must be a UUID with hyphens"))
}

fn timestamp(name: &str, value: &RawValue) -> Result<Timestamp, String> {
    text(name, value)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| {
            format!("`{name}` must be a time with an offset, such as 2025-11-05T12:00:00Z")
        })
}

fn object<'a>(name: &str, value: &'a RawValue) -> Result<Json<'a>, String> {
    if value.get().starts_with('{') {
        Ok(value.into())
    } else {
        Err(format!("`{name}` must be a JSON object"))
    }
}

/// Text that is borrowed if it has no escapes.
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Returns the members of an object in order, with unparsed values.
fn members(text: &str) -> Result<Vec<(Cow<'_, str>, &RawValue)>, String> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    deserializer
        .deserialize_map(Members)
        .and_then(|members| deserializer.end().map(|()| members))
        .map_err(|error| {
            if error.is_data() {
                "not a JSON object".to_owned()
            } else {
                format!("not JSON: {}", one_line(&error.to_string()))
            }
        })
}

/// Removes the line number from a message of `serde_json`: the caller names the line.
fn one_line(message: &str) -> String {
    message.replace(" at line 1 column", " at column")
}

struct Members;

impl<'a> Visitor<'a> for Members {
    type Value = Vec<(Cow<'a, str>, &'a RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(KEYS.len());
        while let Some((Text(name), value)) = map.next_entry::<Text<'a>, &'a RawValue>()? {
            members.push((name, value));
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(line: &str) -> String {
        match read(line.as_bytes()) {
            Ok(line) => panic!("{line:?}"),
            Err(error) => error,
        }
    }

    #[test]
    fn optional_keys_may_be_missing_or_null() {
        let line = r#"{"payload":{"a":1},"event_type":"x","partition_key":null}"#;
        let Ok(ParsedLine::Event(event)) = read(line.as_bytes()) else {
            panic!("it is an event")
        };
        assert_eq!(event.event_type.as_deref(), Some("x"));
        assert_eq!(event.payload.unwrap().get(), r#"{"a":1}"#);
        assert_eq!(event.partition_key, None);
    }

    #[test]
    fn errors_do_not_quote_values() {
        assert_eq!(refused("nonsense"), "not JSON: expected ident at column 2");
        assert_eq!(refused("[1]"), "not a JSON object");
        assert_eq!(refused("{}"), "`payload` is missing");
        assert_eq!(refused(r#"{"payload":null}"#), "`payload` is missing");
        assert_eq!(
            refused(r#"{"payload":[1]}"#),
            "`payload` must be a JSON object"
        );
        assert_eq!(
            refused(r#"{"paylod":{}}"#),
            "unknown key `paylod`; did you mean `payload`?"
        );
        assert_eq!(
            refused(r#"{"payload":{},"payload":{}}"#),
            "duplicate key `payload`"
        );
        assert_eq!(
            refused(r#"{"payload":{},"correlation_id":"hunter2"}"#),
            "`correlation_id` must be a UUID with hyphens"
        );
        assert_eq!(
            refused(r#"{"payload":{},"event_timestamp":"yesterday"}"#),
            "`event_timestamp` must be a time with an offset, such as 2025-11-05T12:00:00Z"
        );
        assert_eq!(
            refused(r#"{"payload":{}} {}"#),
            "not JSON: trailing characters at column 16"
        );
    }

    #[test]
    fn recognizes_envelopes_by_their_version() {
        assert!(refused(r#"{"envelope_version":"1.0"}"#).starts_with("not an envelope: event_id"));
        assert!(refused(r#"{"envelope_version":"2.0"}"#).contains("this reader knows version 1.0"));
    }

    #[test]
    fn reports_the_position_of_invalid_utf8() {
        assert_eq!(read(b"{\"a\xff").unwrap_err(), "not UTF-8 at byte 4");
    }
}
