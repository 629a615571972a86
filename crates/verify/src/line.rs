//! Lines of files of events.

use std::borrow::Cow;
use std::fmt;

use herald_catalog::borrowed_value::BorrowedValue;
use herald_envelope::{Envelope, Received, Timestamp};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::infer::Inference;
use crate::{Record, Verifier};

/// A record as `herald listen --format jsonl` writes it, with the envelope as a type of choice.
#[derive(Deserialize)]
struct Line<'a, E> {
    #[serde(borrow)]
    topic: Option<Cow<'a, str>>,
    partition: Option<i32>,
    offset: Option<i64>,
    #[serde(borrow, default)]
    key: Key<'a>,
    #[serde(default = "none")]
    envelope: Option<E>,
    /// Decoded only for envelopes of other profiles than the default one.
    #[serde(borrow)]
    headers: Option<&'a RawValue>,
    #[serde(borrow)]
    timestamp: Option<Cow<'a, str>>,
    #[serde(borrow)]
    envelope_version: Option<&'a RawValue>,
}

/// Header of a record. A value that is not text is an object with its digits.
#[derive(Deserialize)]
struct LineHeader {
    name: String,
    value: serde_json::Value,
}

/// Headers with a text as their value.
struct LineHeaders(Vec<(String, String)>);

impl LineHeaders {
    fn of<E>(line: &Line<'_, E>) -> Self {
        let written = line.headers.map_or("[]", RawValue::get);
        let headers: Vec<LineHeader> = serde_json::from_str(written).unwrap_or_default();
        let headers = headers.into_iter();
        Self(
            headers
                .filter_map(|header| Some((header.name, header.value.as_str()?.to_owned())))
                .collect(),
        )
    }

    fn as_pairs(&self) -> Vec<(&str, &[u8])> {
        let headers = self.0.iter();
        headers
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect()
    }
}

fn none<E>() -> Option<E> {
    None
}

/// Key of a record.
#[derive(Default)]
enum Key<'a> {
    /// The line does not tell.
    #[default]
    Unknown,
    /// The record has none.
    Null,
    Text(Cow<'a, str>),
    /// Bytes that are not text.
    Other,
}

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match BorrowedValue::deserialize(deserializer)? {
            BorrowedValue::Null => Self::Null,
            BorrowedValue::Text(text) => Self::Text(text),
            _ => Self::Other,
        })
    }
}

/// Place of a line, and of the record in it.
struct Place {
    number: u64,
    record: Option<(i32, i64)>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.number)?;
        match self.record {
            Some((partition, offset)) => {
                write!(f, " (partition {partition}, offset {offset})")
            }
            None => Ok(()),
        }
    }
}

impl<E> Line<'_, E> {
    fn place(&self, number: u64) -> Place {
        Place {
            number,
            record: self.partition.zip(self.offset),
        }
    }

    fn record<'r>(
        &'r self,
        topic: &'r str,
        value: Option<&'r [u8]>,
        place: &'r Place,
    ) -> Record<'r> {
        Record {
            topic: Some(topic),
            key: match &self.key {
                Key::Unknown => None,
                Key::Null => Some(None),
                Key::Text(text) => Some(Some(text.as_bytes())),
                // Another one than that of any envelope.
                Key::Other => Some(Some(&[])),
            },
            partition: self.partition.and_then(|number| u32::try_from(number).ok()),
            // A line does not tell it.
            partitions: None,
            value,
            headers: &[],
            timestamp: self.time(),
            place,
        }
    }

    fn time(&self) -> Option<Timestamp> {
        self.timestamp.as_deref()?.parse().ok()
    }
}

impl Verifier<'_> {
    /// Judges a line of a file: a record as `herald listen --format jsonl` writes it, or an envelope.
    /// A line of white space is skipped.
    pub fn judge_line(&mut self, bytes: &[u8], number: u64) {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        let place = Place {
            number,
            record: None,
        };
        // Which of the two it is follows from its keys, and the first one mostly tells.
        if begins_with_version(bytes) {
            return self.judge(&Record::of_envelope(bytes, &place));
        }
        // Most lines are good, and then one pass over them is enough.
        if let Ok(text) = std::str::from_utf8(bytes)
            && let Ok(line) = serde_json::from_str::<Line<'_, Envelope<'_>>>(text)
            && line.envelope_version.is_none()
            && let (Some(topic), Some(envelope)) = (&line.topic, &line.envelope)
        {
            let place = line.place(number);
            return self.judge_parsed(envelope, &line.record(topic, None, &place));
        }
        match serde_json::from_slice::<Line<'_, &RawValue>>(bytes) {
            Ok(line) if line.envelope_version.is_none() && line.topic.is_some() => {
                let value = line.envelope.map(|envelope| envelope.get().as_bytes());
                let topic = line.topic.as_deref().unwrap_or_default();
                let place = line.place(number);
                let headers = LineHeaders::of(&line);
                self.judge(&Record {
                    headers: &headers.as_pairs(),
                    ..line.record(topic, value.or(Some(&[])), &place)
                });
            }
            _ => self.judge(&Record::of_envelope(bytes, &place)),
        }
    }

    /// Judges a line that is too long to be an event.
    pub fn judge_long_line(&mut self, number: u64) {
        let place = Place {
            number,
            record: None,
        };
        self.judge(&Record::of_envelope(&[], &place));
    }
}

fn begins_with_version(bytes: &[u8]) -> bool {
    let inside = bytes.trim_ascii_start().strip_prefix(b"{");
    inside.is_some_and(|inside| {
        inside
            .trim_ascii_start()
            .starts_with(b"\"envelope_version\"")
    })
}

impl Inference {
    /// Adds a line of a file: a record as `herald listen --format jsonl` writes it, or an envelope. White
    /// space is skipped.
    pub fn add_line(&mut self, bytes: &[u8]) {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        match serde_json::from_slice::<Line<'_, &RawValue>>(bytes) {
            Ok(line) if line.envelope_version.is_none() && line.topic.is_some() => {
                let value = line.envelope.map(|envelope| envelope.get().as_bytes());
                let headers = LineHeaders::of(&line);
                let received = Received {
                    value: value.unwrap_or_default(),
                    headers: &headers.as_pairs(),
                    timestamp: line.time(),
                };
                self.add(line.topic.as_deref(), &received);
            }
            _ => self.add(None, &Received::of_value(bytes)),
        }
    }
}
