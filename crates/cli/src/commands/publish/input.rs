//! Input files, read on a thread of their own so that an interruption need not wait for the next
//! line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::{Error, terminal};

/// Bytes that one event may have. Kafka's own limit is 1 MiB by default.
pub const MAX_EVENT_BYTES: u64 = 16 * 1024 * 1024;

/// Bytes of lines in a chunk, and chunks that may wait to be processed.
const CHUNK_BYTES: usize = 128 * 1024;
const MAX_QUEUED_CHUNKS: usize = 4;

/// A file, or standard input.
pub struct Input {
    /// Name for messages.
    pub name: String,
    /// Its length, if it is a regular file.
    pub bytes: Option<u64>,
    reader: Reader,
}

type Reader = BufReader<Box<dyn Read + Send>>;

/// A line and its number, from 1.
#[derive(Clone, Copy)]
pub struct Line<'c> {
    pub number: u64,
    /// The line without its line feed; an error if it is too long.
    pub bytes: Result<&'c [u8], TooLong>,
}

/// Error for a line with more than [`MAX_EVENT_BYTES`].
#[derive(Clone, Copy, Debug)]
pub struct TooLong;

/// Lines that were read together, in one allocation.
#[derive(Default)]
pub struct Chunk {
    bytes: Vec<u8>,
    /// Number of the first line.
    first: u64,
    /// End of each line in the bytes. One that is too long has none there.
    ends: Vec<Result<usize, TooLong>>,
    /// Bytes of the file up to the end of this chunk.
    pub read: u64,
}

impl Chunk {
    /// The whole input as one line.
    pub fn of_line(bytes: Vec<u8>) -> Self {
        Self {
            first: 1,
            ends: vec![Ok(bytes.len())],
            read: bytes.len() as u64,
            bytes,
        }
    }

    /// The lines in order.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let mut start = 0;
        (self.first..)
            .zip(&self.ends)
            .map(move |(number, end)| Line {
                number,
                bytes: end.map(|end| &self.bytes[std::mem::replace(&mut start, end)..end]),
            })
    }
}

/// Reads a file, and passes on each of its lines.
pub fn each_line(path: &Path, mut handle: impl FnMut(Line<'_>)) -> Result<(), Error> {
    let input = Input::open(path)?;
    let name = input.name.clone();
    for chunk in input.lines()? {
        let chunk =
            chunk.map_err(|error| Error::Message(format!("can't read `{name}`: {error}")))?;
        chunk.lines().for_each(&mut handle);
    }
    Ok(())
}

impl Input {
    /// Opens a file; `-` is standard input.
    pub fn open(path: &Path) -> Result<Self, Error> {
        if path == Path::new("-") {
            return Ok(Self {
                name: "<stdin>".to_owned(),
                bytes: None,
                reader: reader(io::stdin()),
            });
        }
        let name = path.display().to_string();
        if is_fifo(path) {
            // Opening blocks until somebody opens the pipe for writing.
            terminal::status(&format!(
                "reading from the named pipe {}",
                terminal::path(path)
            ));
        }
        let file = File::open(path).map_err(|error| cannot_read(&name, &error))?;
        let metadata = file.metadata().ok();
        if metadata.as_ref().is_some_and(std::fs::Metadata::is_dir) {
            return Err(Error::Message(format!("`{name}` is a directory")));
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
    pub fn whole(self) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.reader
            .take(MAX_EVENT_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| cannot_read(&self.name, &error))?;
        if bytes.len() as u64 > MAX_EVENT_BYTES {
            return Err(Error::Message(format!(
                "`{}` is larger than {} bytes, the limit of an event",
                self.name, MAX_EVENT_BYTES
            )));
        }
        Ok(bytes)
    }

    /// Starts reading lines. The channel ends with the input; an error is its last.
    pub fn lines(self) -> io::Result<Receiver<io::Result<Chunk>>> {
        let (sender, receiver) = sync_channel(MAX_QUEUED_CHUNKS);
        // Not joined: the thread may be blocked in a read of a terminal or a pipe, which nothing
        // interrupts. It ends with the process, or with its next line once the receiver is dropped.
        std::thread::Builder::new()
            .name("herald-input".to_owned())
            .spawn(move || read(self.reader, &sender))?;
        Ok(receiver)
    }
}

#[cfg(unix)]
fn is_fifo(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_fifo())
}

#[cfg(not(unix))]
fn is_fifo(_: &Path) -> bool {
    false
}

fn reader(bytes: impl Read + Send + 'static) -> Reader {
    BufReader::with_capacity(CHUNK_BYTES, Box::new(bytes))
}

fn cannot_read(name: &str, error: &io::Error) -> Error {
    let help = match error.kind() {
        io::ErrorKind::NotFound if name.trim_start().starts_with('{') => {
            "; to give JSON directly, pipe it: echo '{…}' | herald publish --payload - …"
        }
        _ => "",
    };
    Error::Message(format!("can't read `{name}`: {error}{help}"))
}

/// Reads until the end, an error, or until the receiver is dropped.
fn read(mut reader: Reader, to: &SyncSender<io::Result<Chunk>>) {
    let mut lines = Lines::default();
    loop {
        match lines.chunk(&mut reader) {
            Ok(chunk) if chunk.ends.is_empty() => return,
            Ok(chunk) => {
                if to.send(Ok(chunk)).is_err() {
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
    /// Number of lines that were read.
    number: u64,
    read: u64,
}

impl Lines {
    /// Reads a line, and those that are buffered already: a line typed by a person is published at
    /// once.
    fn chunk(&mut self, reader: &mut Reader) -> io::Result<Chunk> {
        let mut chunk = Chunk {
            first: self.number + 1,
            ..Chunk::default()
        };
        while let Some(end) = self.line(reader, &mut chunk.bytes)? {
            chunk.ends.push(end);
            // Reading further could block on an interactive terminal or a slow pipe.
            if chunk.bytes.len() >= CHUNK_BYTES || !reader.buffer().contains(&b'\n') {
                break;
            }
        }
        chunk.read = self.read;
        Ok(chunk)
    }

    /// Appends a line without its line feed, and returns its end; `None` at the end of the input.
    fn line(
        &mut self,
        reader: &mut Reader,
        bytes: &mut Vec<u8>,
    ) -> io::Result<Option<Result<usize, TooLong>>> {
        let start = bytes.len();
        let mut read = reader
            .by_ref()
            .take(MAX_EVENT_BYTES + 1)
            .read_until(b'\n', bytes)? as u64;
        if read == 0 {
            return Ok(None);
        }
        let whole = bytes.pop_if(|last| *last == b'\n').is_some();
        let too_long = (bytes.len() - start) as u64 > MAX_EVENT_BYTES;
        if too_long {
            bytes.truncate(start);
            if !whole {
                read += reader.skip_until(b'\n')? as u64;
            }
        }
        self.number += 1;
        self.read += read;
        Ok(Some(if too_long {
            Err(TooLong)
        } else {
            Ok(bytes.len())
        }))
    }
}
