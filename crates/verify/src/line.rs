//! Lines of files of events.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::{Record, Verifier};

/// A record as `herald listen --format jsonl` writes it.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    topic: Option<Cow<'a, str>>,
    partition: Option<i32>,
    offset: Option<i64>,
    key: Option<Value>,
    #[serde(borrow)]
    envelope: Option<&'a RawValue>,
    #[serde(borrow)]
    envelope_version: Option<&'a RawValue>,
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
        let Ok(line) = serde_json::from_slice::<Line<'_>>(bytes) else {
            return self.judge(&Record::of_envelope(bytes, &place));
        };
        if line.envelope_version.is_some() || line.topic.is_none() {
            return self.judge(&Record::of_envelope(bytes, &place));
        }
        // A key that is not text is another one than that of any envelope.
        let key = line.key.as_ref().map(|key| match key {
            Value::Null => None,
            Value::String(text) => Some(text.as_bytes()),
            _ => Some(&[][..]),
        });
        let value = line.envelope.map(|envelope| envelope.get().as_bytes());
        self.judge(&Record {
            topic: line.topic.as_deref(),
            key,
            // A line does not tell the number of partitions.
            partition: None,
            value: value.or(Some(&[])),
            place: &Place {
                number,
                record: line.partition.zip(line.offset),
            },
        });
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
