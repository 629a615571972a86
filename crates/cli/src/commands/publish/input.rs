//! Events out of files, read on a thread of their own so that an interruption need not wait for
//! the next line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::Failure;

/// Bytes that one event may have. Kafka's own limit is a megabyte unless somebody raised it.
pub const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// Bytes after which lines are handed on, and how many such pieces may wait.
const PIECE: usize = 128 * 1024;
const PIECES: usize = 4;

/// A file, or standard input.
pub struct Input {
    /// For people.
    pub name: String,
    /// Its length, where it has one.
    pub bytes: Option<u64>,
    reader: Reader,
}

type Reader = BufReader<Box<dyn Read + Send>>;

/// One line with its number from 1.
pub struct Line {
    pub number: u64,
    /// Without its end; an error where it is too long.
    pub bytes: Result<Vec<u8>, TooLong>,
}

/// A line has more than [`MOST_BYTES`].
#[derive(Debug)]
pub struct TooLong;

/// Lines that were read together.
#[derive(Default)]
pub struct Piece {
    pub lines: Vec<Line>,
    /// Bytes of the file up to here.
    pub read: u64,
}

impl Input {
    /// Opens a file; `-` is standard input.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        if path == Path::new("-") {
            return Ok(Self {
                name: "<stdin>".to_owned(),
                bytes: None,
                reader: reader(io::stdin()),
            });
        }
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| cannot_read(&name, &error))?;
        let metadata = file.metadata().ok();
        if metadata.as_ref().is_some_and(std::fs::Metadata::is_dir) {
            return Err(Failure::Message(format!("`{name}` is a folder")));
        }
        Ok(Self {
            name,
            bytes: metadata
                .filter(std::fs::Metadata::is_file)
                .map(|metadata| metadata.len()),
            reader: reader(file),
        })
    }

    /// The whole input as one event.
    pub fn whole(self) -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::new();
        self.reader
            .take(MOST_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| cannot_read(&self.name, &error))?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(Failure::Message(format!(
                "`{}` has more than {} bytes: too large for an event",
                self.name, MOST_BYTES
            )));
        }
        Ok(bytes)
    }

    /// Starts reading lines. The channel ends with the input; an error is its last.
    pub fn lines(self) -> io::Result<Receiver<io::Result<Piece>>> {
        let (sender, receiver) = sync_channel(PIECES);
        std::thread::Builder::new()
            .name("herald-input".to_owned())
            .spawn(move || read(self.reader, &sender))?;
        Ok(receiver)
    }
}

fn reader(bytes: impl Read + Send + 'static) -> Reader {
    BufReader::with_capacity(PIECE, Box::new(bytes))
}

fn cannot_read(name: &str, error: &io::Error) -> Failure {
    let help = match error.kind() {
        io::ErrorKind::NotFound if name.trim_start().starts_with('{') => {
            "; to give JSON itself, pipe it in: echo '{…}' | herald publish --payload - …"
        }
        _ => "",
    };
    Failure::Message(format!("can't read `{name}`: {error}{help}"))
}

/// Reads until the end, an error, or until nobody listens.
fn read(mut reader: Reader, to: &SyncSender<io::Result<Piece>>) {
    let mut lines = Lines::default();
    loop {
        match lines.piece(&mut reader) {
            Ok(piece) if piece.lines.is_empty() => return,
            Ok(piece) => {
                if to.send(Ok(piece)).is_err() {
                    return;
                }
            }
            Err(error) => {
                let _ = to.send(Err(error));
                return;
            }
        }
    }
}

#[derive(Default)]
struct Lines {
    number: u64,
    read: u64,
}

impl Lines {
    /// One line, and those that are there already: what a person types is published at once.
    fn piece(&mut self, reader: &mut Reader) -> io::Result<Piece> {
        let mut piece = Piece::default();
        let mut bytes = 0;
        while let Some(line) = self.line(reader)? {
            bytes += line.bytes.as_ref().map_or(0, Vec::len);
            piece.lines.push(line);
            // Another read may have to wait for somebody who types.
            if bytes >= PIECE || !reader.buffer().contains(&b'\n') {
                break;
            }
        }
        piece.read = self.read;
        Ok(piece)
    }

    fn line(&mut self, reader: &mut Reader) -> io::Result<Option<Line>> {
        let mut bytes = Vec::new();
        let mut read = reader
            .by_ref()
            .take(MOST_BYTES + 1)
            .read_until(b'\n', &mut bytes)? as u64;
        if read == 0 {
            return Ok(None);
        }
        let whole = bytes.pop_if(|last| *last == b'\n').is_some();
        let too_long = bytes.len() as u64 > MOST_BYTES;
        if too_long && !whole {
            read += reader.skip_until(b'\n')? as u64;
        }
        self.number += 1;
        self.read += read;
        Ok(Some(Line {
            number: self.number,
            bytes: if too_long { Err(TooLong) } else { Ok(bytes) },
        }))
    }
}
