//! `herald spool show`: prints one record completely.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use herald_diagnostics::render::visible_line;
use herald_envelope::{Json, schema_id};
use herald_spool::{REASON_DAMAGED, Record, Sequence};
use indicatif::{HumanCount, HumanDuration};
use serde::Serialize;
use serde_json::{Map, Value, json};
use unicode_width::UnicodeWidthStr;

use super::entry::{Entry, bytes_json};
use super::location::{inspect, spool_error};
use crate::args::spool::{Show, StatusFormat};
use crate::format::{age, hex, rfc3339, visible_bytes};
use crate::terminal::{BOLD, DIM};
use crate::{Error, ExitStatus, json_format, output};

/// Bytes that are shown of a payload that is not UTF-8, in total and per line.
const MAX_HEX_BYTES: usize = 512;
const HEX_BYTES_PER_LINE: usize = 32;

/// The rows that the command accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// A queued record or a dead letter.
    Any,
    /// Only a dead letter.
    Dead,
}

/// Runs the command.
pub fn run(path: &Path, args: &Show, scope: Scope) -> Result<ExitStatus, Error> {
    let sequence = Sequence::new(args.sequence);
    let found = inspect(path)?
        .find(sequence)
        .map_err(|error| spool_error(&error, path))?
        .map(|found| Entry::of(sequence, found));
    let entry = match (found, scope) {
        (Some(entry @ Entry::Dead(_)), _) | (Some(entry), Scope::Any) => entry,
        (Some(_), Scope::Dead) => {
            return Err(Error::Message(format!(
                "{sequence} is not a dead letter but waits for delivery; see \
                 `herald spool show {sequence}`"
            )));
        }
        (None, _) => {
            return Err(Error::Message(format!(
                "no record {sequence} in `{}`; it may have been delivered or dropped",
                path.display()
            )));
        }
    };
    if args.raw {
        return raw(&entry);
    }
    match args.format {
        StatusFormat::Text => output::text(&text(&entry))?,
        StatusFormat::Json => output::json(&document(&entry))?,
    }
    Ok(ExitStatus::Success)
}

fn raw(entry: &Entry) -> Result<ExitStatus, Error> {
    let Some(record) = entry.record() else {
        return Err(Error::Message(format!(
            "record {} is damaged; its payload is not what was written",
            entry.sequence()
        )));
    };
    let mut out = io::stdout().lock();
    if out.is_terminal() && !is_safe_for_terminal(&record.payload) {
        return Err(Error::Message(
            "the payload contains control characters, which a terminal would act upon; write it to \
             a file: --raw > FILE"
                .to_owned(),
        ));
    }
    out.write_all(&record.payload)?;
    out.flush()?;
    Ok(ExitStatus::Success)
}

fn is_safe_for_terminal(payload: &[u8]) -> bool {
    std::str::from_utf8(payload).is_ok_and(|text| {
        text.split(['\n', '\t'])
            .all(|part| visible_line(part) == part)
    })
}

fn text(entry: &Entry) -> String {
    let mut text = format!("{BOLD}{}{BOLD:#}\n", title(entry));
    let Some(record) = entry.record() else {
        text.push_str(
            "The checksum of the row is wrong, so it can neither be shown nor delivered. \
             `sqlite3` shows the raw row.\n",
        );
        return text;
    };
    for (name, value) in facts(entry, record) {
        let _ = writeln!(text, "  {DIM}{name:<12}{DIM:#}{}", visible_line(&value));
    }
    if !record.headers.is_empty() {
        let _ = writeln!(text, "{DIM}headers{DIM:#}");
    }
    let names: Vec<_> = record
        .headers
        .iter()
        .map(|(name, _)| visible_line(name))
        .collect();
    let widest = names.iter().map(|name| name.width()).max();
    for (name, (_, value)) in names.iter().zip(record.headers.iter()) {
        let gap = widest.unwrap_or_default() - name.width();
        let value = visible_bytes(value);
        let _ = writeln!(text, "  {name}{:gap$}  {value}", "");
    }
    let bytes = HumanCount(record.payload.len() as u64);
    let _ = writeln!(text, "{DIM}payload, {bytes} bytes{DIM:#}");
    payload(&record.payload, &mut text);
    text
}

fn title(entry: &Entry) -> String {
    let sequence = entry.sequence();
    match entry {
        Entry::Queued(_) => format!("record {sequence}, waiting for delivery"),
        Entry::Damaged(_) => format!(
            "record {sequence}, damaged: the publisher will turn it into a dead letter with the \
             reason {REASON_DAMAGED}"
        ),
        Entry::Dead(dead_letter) => {
            format!(
                "dead letter {sequence}: {}",
                visible_line(&dead_letter.reason)
            )
        }
    }
}

/// Properties of a record beside headers and payload.
fn facts(entry: &Entry, record: &Record) -> Vec<(&'static str, String)> {
    let at = |time| format!("{}, {} ago", rfc3339(time), HumanDuration(age(time)));
    let mut facts = vec![
        ("topic", record.topic.clone()),
        (
            "key",
            record
                .key
                .as_deref()
                .map_or_else(|| "none".to_owned(), visible_bytes),
        ),
        ("created", at(record.created)),
    ];
    if let Entry::Dead(dead_letter) = entry {
        facts.push(("died", at(dead_letter.died)));
    }
    facts.push(("attempts", record.attempts.to_string()));
    if let Some(time) = record.not_before {
        facts.push(("not before", rfc3339(time)));
    }
    if let Some(error) = entry.stored().and_then(|stored| stored.last_error.clone()) {
        facts.push(("last error", error));
    }
    facts
}

fn payload(bytes: &[u8], text: &mut String) {
    let (schema, bytes) = schema_id::split(bytes);
    if let Some(id) = schema {
        let _ = writeln!(text, "  {DIM}schema id {id}{DIM:#}");
    }
    let Ok(payload) = std::str::from_utf8(bytes) else {
        for line in bytes[..bytes.len().min(MAX_HEX_BYTES)].chunks(HEX_BYTES_PER_LINE) {
            let _ = writeln!(text, "  {}", hex(line));
        }
        if bytes.len() > MAX_HEX_BYTES {
            let _ = writeln!(text, "  {DIM}… use --raw for the complete payload{DIM:#}");
        }
        return;
    };
    let laid_out = json_format::pretty(payload);
    for line in laid_out.as_deref().unwrap_or(payload).lines() {
        let _ = writeln!(text, "  {}", visible_line(line));
    }
}

/// JSON format: the fields of a list row, headers and payload.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    entry: Map<String, Value>,
    headers: Option<Vec<Value>>,
    payload: Option<Payload<'a>>,
}

/// The payload as JSON if it is JSON, else as text or hexadecimal digits.
#[derive(Serialize)]
#[serde(untagged)]
enum Payload<'a> {
    Json(Json<'a>),
    Bytes(Value),
}

fn document(entry: &Entry) -> Document<'_> {
    let header = |(name, value): (&str, &[u8])| json!({ "name": name, "value": bytes_json(value) });
    let record = entry.record();
    Document {
        entry: entry.to_json(),
        headers: record.map(|record| record.headers.iter().map(header).collect()),
        payload: record.map(|record| payload_json(&record.payload)),
    }
}

fn payload_json(bytes: &[u8]) -> Payload<'_> {
    let (_, bytes) = schema_id::split(bytes);
    std::str::from_utf8(bytes)
        .ok()
        .and_then(|text| Json::parse(text).ok())
        .map_or_else(|| Payload::Bytes(bytes_json(bytes)), Payload::Json)
}
