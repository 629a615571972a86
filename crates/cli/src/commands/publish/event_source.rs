//! The input of a run as a sequence of events.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use herald_envelope::Json;

use super::input::{Chunk, Input, Line, MAX_EVENT_BYTES};
use super::input_line::{self, Event, ParsedLine};
use super::message_builder::{BuiltMessage, MessageBuilder};
use crate::args::publish::Publish;
use crate::{Error, json_format};

/// Time to wait for more input before receipts are processed.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The input of a run.
pub struct EventSource {
    /// The name of the file.
    pub name: String,
    /// Its length, if it is a regular file.
    pub bytes: Option<u64>,
    form: Form,
    chunks: Receiver<io::Result<Chunk>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// The whole input is one payload.
    Payload,
    /// Each line is an event.
    Lines,
}

/// Result of reading on.
pub enum Next {
    Chunk(Chunk),
    /// Nothing within the poll interval.
    Nothing,
    End,
    Failed(io::Error),
}

impl EventSource {
    /// Opens what the arguments name.
    pub fn open(args: &Publish) -> Result<Self, Error> {
        let (path, form) = match (&args.payload, &args.jsonl) {
            (Some(path), _) => (path, Form::Payload),
            (None, Some(path)) => (path, Form::Lines),
            (None, None) => {
                return Err(Error::Message("give --payload or --jsonl".to_owned()));
            }
        };
        let input = Input::open(path)?;
        let (name, bytes) = (input.name.clone(), input.bytes);
        let chunks = match form {
            Form::Payload => single_chunk(input.whole()?),
            Form::Lines => input
                .lines()
                .map_err(|error| Error::Message(format!("can't start a thread: {error}")))?,
        };
        Ok(Self {
            name,
            bytes,
            form,
            chunks,
        })
    }

    /// Waits up to the poll interval for more input.
    pub fn next(&self) -> Next {
        match self.chunks.recv_timeout(POLL_INTERVAL) {
            Ok(Ok(chunk)) => Next::Chunk(chunk),
            Ok(Err(error)) => Next::Failed(error),
            Err(RecvTimeoutError::Timeout) => Next::Nothing,
            Err(RecvTimeoutError::Disconnected) => Next::End,
        }
    }

    /// File name and line number for messages.
    pub fn place(&self, line: u64) -> String {
        match self.form {
            Form::Payload => self.name.clone(),
            Form::Lines => format!("{}:{line}", self.name),
        }
    }

    /// Builds the message of a line; `None` if the line is empty.
    pub fn build(
        &self,
        line: &Line<'_>,
        builder: &MessageBuilder<'_>,
    ) -> Option<Result<BuiltMessage, String>> {
        let Ok(bytes) = line.bytes else {
            return Some(Err(format!(
                "larger than {MAX_EVENT_BYTES} bytes, the limit of an event"
            )));
        };
        // Some editors begin a file with a byte order mark.
        let bytes = match bytes.strip_prefix(b"\xef\xbb\xbf") {
            Some(rest) if line.number == 1 => rest,
            _ => bytes,
        };
        match self.form {
            Form::Payload => Some(of_payload(bytes, builder)),
            Form::Lines if bytes.trim_ascii().is_empty() => None,
            Form::Lines => Some(input_line::read(bytes).and_then(|line| builder.build(line))),
        }
    }
}

fn single_chunk(bytes: Vec<u8>) -> Receiver<io::Result<Chunk>> {
    let (sender, receiver) = sync_channel(1);
    // Never blocks: the channel has a capacity of one.
    let _ = sender.send(Ok(Chunk::of_line(bytes)));
    receiver
}

fn of_payload(bytes: &[u8], builder: &MessageBuilder<'_>) -> Result<BuiltMessage, String> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| format!("not UTF-8 at byte {}", error.valid_up_to() + 1))?;
    if let Err(error) = Json::parse(text) {
        return Err(format!("not JSON: {error}"));
    }
    // A file written by hand has line feeds; the payload on the wire has none.
    let compact = json_format::compact(text).unwrap_or_default();
    if !compact.starts_with('{') {
        return Err("the payload must be a JSON object".to_owned());
    }
    let payload = Json::parse(&compact).map_err(|error| format!("not JSON: {error}"))?;
    builder.build(ParsedLine::Event(Box::new(Event {
        payload: Some(payload),
        ..Event::default()
    })))
}
