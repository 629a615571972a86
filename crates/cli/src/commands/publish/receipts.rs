//! `--receipts`: the outcome of each event as JSON Lines.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use herald_envelope::Uuid;
use herald_publish::{PublishError, Receipt};
use serde_json::{Map, Value, json};

use super::message_builder::BuiltMessage;
use crate::{Error, output};

/// An event that was enqueued.
pub struct Ticket {
    pub line: u64,
    event_id: Uuid,
    event_type: String,
    topic: String,
}

impl Ticket {
    pub fn new(line: u64, built: &BuiltMessage) -> Self {
        Self {
            line,
            event_id: built.event_id,
            event_type: built.event_type.clone(),
            topic: built.message.topic().to_owned(),
        }
    }
}

/// The file that receipts are written to, if any.
pub struct Receipts(Option<Box<dyn Write>>);

impl Receipts {
    /// Creates the file, which must not exist; `-` is standard output.
    pub fn open(path: Option<&Path>) -> Result<Self, Error> {
        path.map(open).transpose().map(Self)
    }

    /// Writes the outcome of an event that was enqueued.
    pub fn ended(
        &mut self,
        ticket: &Ticket,
        outcome: &Result<Receipt, PublishError>,
    ) -> io::Result<()> {
        let Some(file) = &mut self.0 else {
            return Ok(());
        };
        let mut map = Map::new();
        let mut put = |name: &str, value: Value| map.insert(name.to_owned(), value);
        put("line", json!(ticket.line));
        put("event_id", json!(ticket.event_id.to_string()));
        put("event_type", json!(ticket.event_type));
        put("topic", json!(ticket.topic));
        match outcome {
            Ok(receipt) => receipt_json(receipt, &mut map),
            Err(error) => {
                refusal_json(
                    error.code().as_str(),
                    error.is_retriable(),
                    &error.to_string(),
                    &mut map,
                );
                if let PublishError::Rejected {
                    dead_letter: Some(receipt),
                    ..
                } = error
                {
                    let mut place = Map::new();
                    receipt_json(receipt, &mut place);
                    map.insert("dead_letter".to_owned(), Value::Object(place));
                }
            }
        }
        writeln!(file, "{}", output::json_line(&map)?)
    }

    /// Writes the reason for which an event could not be enqueued.
    pub fn not_sent(&mut self, line: u64, reason: &str) -> io::Result<()> {
        let Some(file) = &mut self.0 else {
            return Ok(());
        };
        let mut map = Map::new();
        map.insert("line".to_owned(), json!(line));
        refusal_json("invalid_event", false, reason, &mut map);
        writeln!(file, "{}", output::json_line(&map)?)
    }

    /// Flushes the buffer.
    pub fn flush(&mut self) -> io::Result<()> {
        self.0.as_mut().map_or(Ok(()), Write::flush)
    }
}

fn receipt_json(receipt: &Receipt, map: &mut Map<String, Value>) {
    let mut put = |name: &str, value: Value| map.insert(name.to_owned(), value);
    match receipt {
        Receipt::Delivered {
            topic,
            partition,
            offset,
        } => {
            put("status", json!("delivered"));
            put("topic", json!(**topic));
            put("partition", json!(partition));
            put("offset", json!(offset));
        }
        Receipt::Spooled { sequence } => {
            put("status", json!("spooled"));
            put("sequence", json!(sequence.get()));
        }
    }
}

fn refusal_json(code: &str, retriable: bool, reason: &str, map: &mut Map<String, Value>) {
    let mut put = |name: &str, value: Value| map.insert(name.to_owned(), value);
    put("status", json!("refused"));
    put("code", json!(code));
    put("retriable", json!(retriable));
    put("reason", json!(reason));
}

fn open(path: &Path) -> Result<Box<dyn Write>, Error> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdout().lock()));
    }
    match File::create_new(path) {
        Ok(file) => Ok(Box::new(BufWriter::new(file))),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(Error::Message(format!(
            "`{}` already exists; receipts are never overwritten",
            path.display()
        ))),
        Err(error) => Err(Error::Message(format!(
            "can't write receipts to `{}`: {error}",
            path.display()
        ))),
    }
}
