//! One JSON object a line for each record.

use std::io;

use herald_envelope::{Json, schema_id};
use herald_publish::kafka::ConsumerRecord;
use serde::Serialize;
use serde_json::{Value, json};

use super::parsed_record::ParsedRecord;
use crate::format::{hex, rfc3339};
use crate::{json_format, output};

#[derive(Serialize)]
struct Line<'a> {
    topic: &'a str,
    partition: i32,
    offset: i64,
    timestamp: Option<String>,
    key: Value,
    headers: Vec<Value>,
    /// The record's own text without the whitespace between tokens.
    envelope: Option<Json<'a>>,
    #[serde(flatten)]
    not_an_envelope: Option<Other<'a>>,
}

/// The fields of a record that is not an envelope.
#[derive(Serialize)]
struct Other<'a> {
    error: Reason<'a>,
    value: Value,
}

#[derive(Serialize)]
struct Reason<'a> {
    code: &'a str,
    message: String,
}

/// The line, including its line feed.
pub fn line(parsed: &ParsedRecord<'_>) -> io::Result<String> {
    let record = parsed.record;
    let headers = record.headers.iter();
    let text = envelope_text(record);
    let line = Line {
        topic: &record.topic,
        partition: record.partition,
        offset: record.offset,
        timestamp: record.timestamp.map(rfc3339),
        key: bytes(record.key.as_deref()),
        headers: headers
            .map(|(name, value)| json!({"name": name, "value": bytes(value.as_deref())}))
            .collect(),
        envelope: match &parsed.envelope {
            Ok(_) => text.as_deref().and_then(|text| Json::parse(text).ok()),
            Err(_) => None,
        },
        not_an_envelope: parsed.envelope.as_ref().err().map(|reason| Other {
            error: Reason {
                code: reason.code(),
                message: reason.to_string(),
            },
            value: bytes(record.payload.as_deref()),
        }),
    };
    let mut line = output::json_line(&line)?;
    line.push('\n');
    Ok(line)
}

fn envelope_text(record: &ConsumerRecord) -> Option<String> {
    let (_, value) = schema_id::split(record.payload.as_deref()?);
    let text = std::str::from_utf8(value).ok()?;
    json_format::compact(text)
}

/// Bytes as text if they are UTF-8, else as `{"hex": …}`.
fn bytes(bytes: Option<&[u8]>) -> Value {
    bytes.map_or(Value::Null, |bytes| match std::str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => json!({ "hex": hex(bytes) }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(payload: Option<&[u8]>) -> ConsumerRecord {
        ConsumerRecord {
            topic: "t".to_owned(),
            partition: 2,
            offset: 41,
            timestamp: Some(std::time::SystemTime::UNIX_EPOCH),
            key: Some(vec![0xff]),
            headers: vec![
                ("a".to_owned(), Some(b"1".to_vec())),
                ("a".to_owned(), None),
            ],
            payload: payload.map(<[u8]>::to_vec),
        }
    }

    fn lines(payload: Option<&[u8]>) -> (String, Value) {
        let record = record(payload);
        let text = line(&ParsedRecord::of(&record)).unwrap();
        assert_eq!(text.matches('\n').count(), 1);
        let value = serde_json::from_str(&text).unwrap();
        (text, value)
    }

    const ENVELOPE: &str = "{
  \"envelope_version\": \"1.0\", \"event_id\": \"00000000-0000-0000-0000-000000000001\",
  \"event_type\": \"x\", \"event_version\": \"1.0\",
  \"event_timestamp\": \"2026-01-01T00:00:00+00:00\", \"source_node_id\": \"n\",
  \"source_service\": \"s\", \"source_version\": \"1\", \"correlation_id\": null,
  \"environment\": \"test\", \"payload\": {\"amount\": 1.50, \"note\": \"a b\u{9b}\"},
  \"metadata\": {}, \"later\": [1]
}";

    #[test]
    fn prints_envelopes_unchanged_on_one_line() {
        let (text, value) = lines(Some(ENVELOPE.as_bytes()));
        assert!(
            text.contains(r#""payload":{"amount":1.50,"note":"a b\u009b"}"#),
            "{text}"
        );
        assert_eq!(value["envelope"]["later"], json!([1]));
        assert_eq!(value["partition"], 2);
        assert_eq!(value["offset"], 41);
        assert_eq!(value["timestamp"], "1970-01-01T00:00:00Z");
        assert_eq!(value["key"], json!({"hex": "ff"}));
        assert_eq!(
            value["headers"],
            json!([{"name": "a", "value": "1"}, {"name": "a", "value": null}])
        );
        assert_eq!(value.get("error"), None);
    }

    #[test]
    fn prints_the_reason_for_other_records() {
        let cases: [(Option<&[u8]>, &str, Value); 4] = [
            (Some(b"{}"), "missing-field", json!("{}")),
            (Some(b"hello\nthere"), "syntax", json!("hello\nthere")),
            (Some(&[0xc3]), "not-utf8", json!({"hex": "c3"})),
            (None, "tombstone", Value::Null),
        ];
        for (payload, code, shown) in cases {
            let (_, value) = lines(payload);
            assert_eq!(value["envelope"], Value::Null);
            assert_eq!(value["error"]["code"], code);
            assert_eq!(value["value"], shown);
        }
    }
}
