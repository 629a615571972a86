//! The events of a run, one after the other.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use herald_envelope::Json;

use super::event::{self, Event, Said};
use super::input::{Input, Line, MOST_BYTES, Piece};
use super::make::{Made, Maker};
use crate::args::publish::Publish;
use crate::{Failure, pretty};

/// How long to wait for more input before looking after other things.
const LOOK: Duration = Duration::from_millis(50);

/// Where events come from.
pub struct Events {
    /// The name of the file.
    pub name: String,
    /// Its length, where it has one.
    pub bytes: Option<u64>,
    form: Form,
    pieces: Receiver<io::Result<Piece>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// All of it is one payload.
    Payload,
    /// Each line is an event.
    Lines,
}

/// What reading on gave.
pub enum Next {
    Piece(Piece),
    /// Nothing yet.
    Nothing,
    End,
    Failed(io::Error),
}

impl Events {
    /// Opens what the arguments name.
    pub fn open(args: &Publish) -> Result<Self, Failure> {
        let (path, form) = match (&args.payload, &args.jsonl) {
            (Some(path), _) => (path, Form::Payload),
            (None, Some(path)) => (path, Form::Lines),
            (None, None) => {
                return Err(Failure::Message("give --payload or --jsonl".to_owned()));
            }
        };
        let input = Input::open(path)?;
        let (name, bytes) = (input.name.clone(), input.bytes);
        let pieces = match form {
            Form::Payload => only_piece(input.whole()?),
            Form::Lines => input.lines()?,
        };
        Ok(Self {
            name,
            bytes,
            form,
            pieces,
        })
    }

    /// Waits for a moment.
    pub fn next(&self) -> Next {
        match self.pieces.recv_timeout(LOOK) {
            Ok(Ok(piece)) => Next::Piece(piece),
            Ok(Err(error)) => Next::Failed(error),
            Err(RecvTimeoutError::Timeout) => Next::Nothing,
            Err(RecvTimeoutError::Disconnected) => Next::End,
        }
    }

    /// The place of a line, for people.
    pub fn place(&self, line: u64) -> String {
        match self.form {
            Form::Payload => self.name.clone(),
            Form::Lines => format!("{}:{line}", self.name),
        }
    }

    /// The event of a line; `None` for an empty one. The error is for a person.
    pub fn make(&self, line: &Line, maker: &Maker<'_>) -> Option<Result<Made, String>> {
        let Ok(bytes) = &line.bytes else {
            return Some(Err(format!("more than {MOST_BYTES} bytes")));
        };
        // Some editors begin a file with this mark.
        let bytes = match bytes.strip_prefix(b"\xef\xbb\xbf") {
            Some(rest) if line.number == 1 => rest,
            _ => bytes,
        };
        match self.form {
            Form::Payload => Some(of_payload(bytes, maker)),
            Form::Lines if bytes.trim_ascii().is_empty() => None,
            Form::Lines => Some(event::read(bytes).and_then(|said| maker.make(said))),
        }
    }
}

fn only_piece(bytes: Vec<u8>) -> Receiver<io::Result<Piece>> {
    let (sender, receiver) = sync_channel(1);
    let piece = Piece {
        read: bytes.len() as u64,
        lines: vec![Line {
            number: 1,
            bytes: Ok(bytes),
        }],
    };
    // There is room for one.
    let _ = sender.send(Ok(piece));
    receiver
}

fn of_payload(bytes: &[u8], maker: &Maker<'_>) -> Result<Made, String> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| format!("not UTF-8 at byte {}", error.valid_up_to() + 1))?;
    if let Err(error) = Json::parse(text) {
        return Err(format!("not JSON: {error}"));
    }
    // A file that people write has line feeds; what goes over the wire has none.
    let compact = pretty::compact(text).unwrap_or_default();
    if !compact.starts_with('{') {
        return Err("a payload must be a JSON object".to_owned());
    }
    let payload = Json::parse(&compact).map_err(|error| format!("not JSON: {error}"))?;
    maker.make(Said::Event(Box::new(Event {
        payload: Some(payload),
        ..Event::default()
    })))
}
