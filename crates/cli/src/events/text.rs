//! Text format of events: time, type, position, correlation, source and payload.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _};

use herald_diagnostics::render::visible_line;
use herald_envelope::{Envelope, Json, Timestamp};
use herald_publish::kafka::ConsumerRecord;
use unicode_width::UnicodeWidthChar;

use super::parsed_record::{NotAnEnvelope, ParsedRecord};
use crate::format::visible_bytes;
use crate::json_format;
use crate::terminal::{self, BOLD, DIM, RED, YELLOW};

/// Indentation of the lines below the event type: the width of the time.
const INDENT: usize = 14;

/// Lines of a payload before it is cut.
const MAX_LINES: usize = 3;

/// Characters of a payload before it is cut, if the width of the terminal is unknown.
const MAX_CHARACTERS: usize = 400;

/// Formats events one after the other.
pub struct Text {
    full: bool,
    /// Columns right of the indentation; `None` without a terminal.
    width_left: Option<usize>,
    /// Date of the last event.
    day: String,
}

impl Text {
    /// With `full`, nothing is cut.
    pub fn new(full: bool) -> Self {
        let width = terminal::width().filter(|_| io::stdout().is_terminal());
        Self::with_width(full, width)
    }

    fn with_width(full: bool, width: Option<usize>) -> Self {
        Self {
            full,
            width_left: width.map(|width| width.saturating_sub(INDENT).max(20)),
            day: String::new(),
        }
    }

    /// Appends a record. Control characters never come through.
    pub fn write(&mut self, parsed: &ParsedRecord<'_>, out: &mut String) {
        match &parsed.envelope {
            Ok(envelope) => self.envelope(parsed.record, envelope, out),
            Err(reason) => self.other(parsed.record, reason, out),
        }
    }

    fn envelope(&mut self, record: &ConsumerRecord, envelope: &Envelope<'_>, out: &mut String) {
        let time = self.time(Some(envelope.event_timestamp), out);
        let style = if envelope.event_type.ends_with(".failed") {
            RED
        } else {
            BOLD
        };
        let event_type = visible_line(&envelope.event_type);
        let place = place(record);
        let _ = writeln!(
            out,
            "{time}{style}{event_type}{style:#}  {DIM}{place}{DIM:#}"
        );
        let mut facts = Vec::new();
        let correlation = envelope.correlation_id.map(|id| id.to_string());
        if let Some(correlation) = &correlation {
            facts.push(format!("correlation {correlation}"));
        }
        let key = record.key.as_deref();
        if key.is_some() && key != correlation.as_ref().map(String::as_bytes) {
            facts.push(format!("key {}", visible_bytes(key.unwrap_or_default())));
        }
        let source = format!("{}/{}", envelope.source_service, envelope.source_node_id);
        facts.push(format!("from {}", visible_line(&source)));
        let _ = writeln!(out, "{:INDENT$}{DIM}{}{DIM:#}", "", facts.join("  "));
        self.json(&envelope.payload, out);
        if self.full && envelope.metadata.get() != "{}" {
            let _ = writeln!(out, "{:INDENT$}{DIM}metadata{DIM:#}", "");
            self.json(&envelope.metadata, out);
        }
    }

    fn other(&mut self, record: &ConsumerRecord, reason: &NotAnEnvelope, out: &mut String) {
        let time = record
            .timestamp
            .and_then(|time| Timestamp::try_from(time).ok());
        let time = self.time(time, out);
        let place = place(record);
        let _ = writeln!(
            out,
            "{time}{YELLOW}not an envelope{YELLOW:#}  {DIM}{place}{DIM:#}"
        );
        let reason = visible_line(&reason.to_string());
        let _ = writeln!(out, "{:INDENT$}{reason}", "");
        if let Some(payload) = record
            .payload
            .as_deref()
            .filter(|payload| !payload.is_empty())
        {
            let text = visible_bytes(payload);
            if self.full {
                self.wrapped(&text, out);
            } else {
                self.cut(&text, payload.len(), out);
            }
        }
    }

    /// The time of day, behind a line for the day where that is another one than before.
    fn time(&mut self, time: Option<Timestamp>, out: &mut String) -> String {
        let Some(time) = time else {
            return format!("{DIM}{:INDENT$}{DIM:#}", "no time");
        };
        let text = format!("{time:.3}");
        let (day, time) = text.split_once('T').unwrap_or_default();
        if self.day != day {
            day.clone_into(&mut self.day);
            let _ = writeln!(out, "{DIM}── {day}, UTC ──{DIM:#}");
        }
        format!("{DIM}{:INDENT$}{DIM:#}", time.trim_end_matches('Z'))
    }

    fn json(&self, json: &Json<'_>, out: &mut String) {
        let text = json_format::unescape_non_ascii(json.get());
        if self.full {
            for line in json_format::pretty(&text).unwrap_or_default().lines() {
                self.wrapped(&visible_line(line), out);
            }
        } else {
            let compact = json_format::compact(&text).unwrap_or_default();
            self.cut(&visible_line(&compact), json.get().len(), out);
        }
    }

    /// Shortens a text to this many bytes, with a hint how to see the rest.
    fn cut(&self, text: &str, bytes: usize, out: &mut String) {
        let width_left = self
            .width_left
            .map_or(MAX_CHARACTERS, |width_left| MAX_LINES * width_left);
        let (beginning, rest) = split(text, width_left);
        self.wrapped(beginning, out);
        if !rest.is_empty() {
            let _ = writeln!(
                out,
                "{:INDENT$}{DIM}… {bytes} bytes, --full shows all{DIM:#}",
                ""
            );
        }
    }

    /// Appends a text wrapped to the width of the terminal.
    fn wrapped(&self, text: &str, out: &mut String) {
        let mut rest = text;
        loop {
            let (line, behind) = split(rest, self.width_left.unwrap_or(usize::MAX));
            rest = behind;
            let _ = writeln!(out, "{:INDENT$}{line}", "");
            if rest.is_empty() {
                break;
            }
        }
    }
}

/// Topic, partition and offset of a record.
fn place(record: &ConsumerRecord) -> String {
    format!(
        "{}/{}@{}",
        visible_line(&record.topic),
        record.partition,
        record.offset
    )
}

/// Splits a text at this many columns.
fn split(text: &str, width_left: usize) -> (&str, &str) {
    let mut width = 0;
    let end = text.char_indices().find_map(|(at, c)| {
        width += c.width().unwrap_or_default();
        (width > width_left).then_some(at)
    });
    text.split_at(end.unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use herald_envelope::{Origin, Uuid};
    use serde_json::json;

    use super::*;

    fn record(payload: Option<Vec<u8>>) -> ConsumerRecord {
        ConsumerRecord {
            topic: "dev.shop.v1".to_owned(),
            partition: 2,
            offset: 41,
            timestamp: Some(std::time::SystemTime::UNIX_EPOCH),
            key: Some(b"A-17".to_vec()),
            headers: Vec::new(),
            payload,
        }
    }

    fn event(event_type: &'static str, payload: serde_json::Value) -> ConsumerRecord {
        let origin = Origin::new("shop", "1", "test");
        let mut envelope = origin
            .envelope(event_type, "node-7", payload)
            .with_correlation_id(Uuid::from_u128(7));
        envelope.event_timestamp = "2026-01-31T12:34:56.789012Z".parse().unwrap();
        let mut bytes = Vec::new();
        envelope.write(&mut bytes).unwrap();
        record(Some(bytes))
    }

    fn shown(text: &mut Text, record: &ConsumerRecord) -> String {
        let mut out = String::new();
        text.write(&ParsedRecord::of(record), &mut out);
        anstream::adapter::strip_str(&out).to_string()
    }

    #[test]
    fn prints_time_type_position_correlation_and_payload() {
        let mut text = Text::with_width(false, Some(100));
        let event = event(
            "effect.place.completed",
            json!({"order": "A-17", "total": 3}),
        );
        assert_eq!(
            shown(&mut text, &event),
            "\
── 2026-01-31, UTC ──
12:34:56.789  effect.place.completed  dev.shop.v1/2@41
              correlation 00000000-0000-0000-0000-000000000007  key A-17  from shop/node-7
              {\"order\":\"A-17\",\"total\":3}
"
        );
        assert!(
            shown(&mut text, &event).starts_with("12:34"),
            "the day is told once"
        );
    }

    #[test]
    fn cuts_long_payloads_unless_full() {
        let long = event("x", json!({"note": "n".repeat(500)}));
        let cut = shown(&mut Text::with_width(false, Some(60)), &long);
        assert_eq!(cut.lines().count(), 1 + 1 + 1 + MAX_LINES + 1);
        assert!(cut.ends_with("… 511 bytes, --full shows all\n"), "{cut}");
        assert!(cut.lines().all(|line| line.chars().count() <= 100));
        let all = shown(&mut Text::with_width(true, Some(60)), &long);
        assert_eq!(
            all.matches('n').count(),
            500 + "correlation node-7 on".matches('n').count()
        );
        let file = shown(&mut Text::with_width(true, None), &long);
        assert!(
            file.contains(&"n".repeat(500)),
            "in a file no line is broken: {file}"
        );
    }

    #[test]
    fn escapes_control_characters() {
        let escape = "\u{1b}[2J\u{9b}\u{202e}";
        let mut hostile = event("x", json!({"note": escape}));
        hostile.key = Some(escape.as_bytes().to_vec());
        for full in [false, true] {
            let mut out = String::new();
            Text::with_width(full, Some(80)).write(&ParsedRecord::of(&hostile), &mut out);
            let text = anstream::adapter::strip_str(&out).to_string();
            assert!(!text.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{text:?}");
        }
        let other = record(Some(escape.as_bytes().to_vec()));
        let text = shown(&mut Text::with_width(false, Some(80)), &other);
        assert!(text.contains("␛[2J"), "{text}");
    }

    #[test]
    fn prints_reason_and_value_of_other_records() {
        let mut text = Text::with_width(false, Some(80));
        let other = shown(&mut text, &record(Some(b"{\"a\": 1}".to_vec())));
        assert!(
            other.contains("not an envelope  dev.shop.v1/2@41"),
            "{other}"
        );
        assert!(
            other.contains("is missing") && other.contains("{\"a\": 1}"),
            "{other}"
        );
        let none = shown(&mut text, &record(None));
        assert!(none.contains("tombstone"), "{none}");
        let binary = shown(&mut text, &record(Some(vec![0xff, 0x00])));
        assert!(binary.contains("0xff00"), "{binary}");
    }
}
