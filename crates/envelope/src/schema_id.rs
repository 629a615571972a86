//! Schema ids of records, as clients of schema registries write and read them, and the names of the
//! subjects that have the schemas.

use std::fmt;
use std::str::FromStr;

use crate::names::names;

/// Header with the schema id of the value.
pub const VALUE_SCHEMA_ID: &str = "__value_schema_id";

/// First byte of a schema id that is a number.
const NUMBER: u8 = 0;
/// First byte of a schema id that is a GUID.
const GUID: u8 = 1;
/// Bytes of a schema id that is a number.
const NUMBER_BYTES: usize = 5;

/// Names of all framings.
pub static FRAMING_NAMES: [&str; FRAMINGS.len()] = names!(FRAMINGS, row => row.1);

static FRAMINGS: [(Framing, &str); 3] = [
    (Framing::None, "none"),
    (Framing::Prefix, "prefix"),
    (Framing::Header, "header"),
];

/// Place of the schema id in a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// Records have none.
    #[default]
    None,
    /// Five bytes before the value: zero, and the id, the highest byte first.
    Prefix,
    /// A header, so that the value stays JSON.
    Header,
}

/// Error of a name that is not a framing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a framing; expected {names}", names = FRAMING_NAMES.join(", "))]
pub struct UnknownFraming(String);

impl Framing {
    /// Returns the name in settings.
    pub fn as_str(self) -> &'static str {
        let row = FRAMINGS.iter().find(|(framing, _)| *framing == self);
        row.map_or("none", |(_, name)| name)
    }
}

impl FromStr for Framing {
    type Err = UnknownFraming;

    fn from_str(name: &str) -> Result<Self, UnknownFraming> {
        let row = FRAMINGS.iter().find(|(_, known)| *known == name);
        row.map(|(framing, _)| *framing)
            .ok_or_else(|| UnknownFraming(name.to_owned()))
    }
}

/// Returns a schema id in five bytes.
pub fn number(id: u32) -> [u8; NUMBER_BYTES] {
    let [a, b, c, d] = id.to_be_bytes();
    [NUMBER, a, b, c, d]
}

/// Returns a schema id that is a GUID, in seventeen bytes.
pub fn guid(id: uuid::Uuid) -> [u8; 17] {
    let mut bytes = [GUID; 17];
    bytes[1..].copy_from_slice(id.as_bytes());
    bytes
}

/// Splits a value into the schema id before it, if there is one, and the rest. JSON never begins with the
/// byte zero.
pub fn split(value: &[u8]) -> (Option<u32>, &[u8]) {
    match value {
        [NUMBER, a, b, c, d, rest @ ..] => (Some(u32::from_be_bytes([*a, *b, *c, *d])), rest),
        _ => (None, value),
    }
}

/// Names of all strategies.
pub static SUBJECT_STRATEGIES: [&str; STRATEGIES.len()] = names!(STRATEGIES, row => row.1);

static STRATEGIES: [(SubjectStrategy, &str); 3] = [
    (SubjectStrategy::TopicName, "topic_name"),
    (SubjectStrategy::RecordName, "record_name"),
    (SubjectStrategy::TopicRecordName, "topic_record_name"),
];

/// Strategy by which the subject of a schema is named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SubjectStrategy {
    /// `TOPIC-value`: one subject for all events of a topic.
    #[default]
    TopicName,
    /// The record name: one subject for each event, whatever its topic.
    RecordName,
    /// `TOPIC-RECORD`: one subject for each event of a topic.
    TopicRecordName,
}

/// Error of a name that is not a strategy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a subject strategy; expected {names}", names = SUBJECT_STRATEGIES.join(", "))]
pub struct UnknownStrategy(String);

impl SubjectStrategy {
    /// Returns the name in settings.
    pub fn as_str(self) -> &'static str {
        let row = STRATEGIES.iter().find(|(strategy, _)| *strategy == self);
        row.map_or("topic_name", |(_, name)| name)
    }

    /// Returns the subject of the value of a record.
    pub fn subject(self, topic: &str, record: &str) -> String {
        match self {
            Self::TopicName => format!("{topic}-value"),
            Self::RecordName => record.to_owned(),
            Self::TopicRecordName => format!("{topic}-{record}"),
        }
    }
}

impl fmt::Display for SubjectStrategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SubjectStrategy {
    type Err = UnknownStrategy;

    fn from_str(name: &str) -> Result<Self, UnknownStrategy> {
        let row = STRATEGIES.iter().find(|(_, known)| *known == name);
        row.map(|(strategy, _)| *strategy)
            .ok_or_else(|| UnknownStrategy(name.to_owned()))
    }
}

/// Returns the record name of an event: service, event type and major version. It is the title of the
/// schema, which other clients take for the name of the record.
pub fn record_name(service: &str, event_type: &str, major: u64) -> String {
    format!("{service}.{event_type}.v{major}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strategies_name_subjects_as_other_clients_do() {
        let record = record_name("shop", "order.placed", 2);
        let of = |name: &str| {
            let strategy: SubjectStrategy = name.parse().unwrap();
            assert_eq!(strategy.to_string(), name);
            strategy.subject("orders", &record)
        };
        assert_eq!(of("topic_name"), "orders-value");
        assert_eq!(of("record_name"), "shop.order.placed.v2");
        assert_eq!(of("topic_record_name"), "orders-shop.order.placed.v2");
        let error = "TopicName".parse::<SubjectStrategy>().unwrap_err();
        assert!(error.to_string().contains("topic_name, record_name"));
    }

    #[test]
    fn a_prefix_is_split_off_and_json_has_none() {
        let mut framed = number(0x0102_0304).to_vec();
        assert_eq!(framed, [0, 1, 2, 3, 4]);
        assert_eq!(split(&framed), (Some(0x0102_0304), &b""[..]));
        framed.extend_from_slice(b"{}");
        assert_eq!(split(&framed), (Some(0x0102_0304), &b"{}"[..]));
        for plain in [&b"{}"[..], b"", b"\0abc"] {
            assert_eq!(split(plain), (None, plain));
        }
    }

    #[test]
    fn guids_have_their_bytes_in_order() {
        let id = uuid::Uuid::from_u128(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff);
        let bytes = guid(id);
        assert_eq!(bytes[..3], [1, 0x00, 0x11]);
        assert_eq!(bytes[16], 0xff);
    }
}
