//! Commit counter: a file beside the database with the number of confirmed commits.
//!
//! SQLite ends a damaged WAL at the first bad frame and treats what is before it as complete. That
//! is right after a power cut, when the rest was never confirmed, but it hides a WAL that was
//! truncated, deleted or damaged later. So the number of commits is written to a file of its own
//! after every commit that the disk confirmed. A database with fewer commits has lost some.
//!
//! It also has the last removed sequence, for a salvage of a file whose own can't be read.
//!
//! The file is not flushed. After a power cut it may be behind, so that a loss is detected less
//! surely, but it is never ahead of what the disk confirmed, so it raises no false alarm.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use crate::error::SpoolError;
use crate::files;
use crate::state::{NUMBERS, State};

const MAGIC: &[u8; 8] = b"hrldspl2";
const LENGTH: usize = MAGIC.len() + (NUMBERS + 1) * 8 + 4;

/// Format of an earlier version, without the last removed sequence.
const MAGIC_1: &[u8; 8] = b"hrldspl1";

/// Commit counter, open for writing.
#[derive(Debug)]
pub(crate) struct CommitCounter {
    file: File,
}

impl CommitCounter {
    pub(crate) fn open(path: &Path) -> Result<Self, SpoolError> {
        files::open_private(path)
            .map(|file| Self { file })
            .map_err(SpoolError::io("opening the commit counter of the spool"))
    }

    /// Writes the state. Call it after the commit was confirmed and before a receipt for it is
    /// given.
    ///
    /// It is one write of less than a page, so that a killed process leaves the old or the new
    /// content, never a mixture.
    pub(crate) fn write(&mut self, state: &State) -> std::io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&encode(state))
    }
}

/// Reads the state that was last written; `None` if the file is missing or damaged.
pub(crate) fn read(path: &Path) -> Option<State> {
    decode(&std::fs::read(path).ok()?)
}

fn encode(state: &State) -> [u8; LENGTH] {
    let mut encoded = [0; LENGTH];
    let (body, sum) = encoded.split_at_mut(LENGTH - 4);
    let (magic, rest) = body.split_at_mut(MAGIC.len());
    magic.copy_from_slice(MAGIC);
    let numbers = state.numbers().into_iter().chain([state.removed.to]);
    for (place, number) in rest.chunks_exact_mut(8).zip(numbers) {
        place.copy_from_slice(&number.to_le_bytes());
    }
    sum.copy_from_slice(&crc32fast::hash(body).to_le_bytes());
    encoded
}

fn decode(encoded: &[u8]) -> Option<State> {
    let (body, sum) = encoded.split_last_chunk::<4>()?;
    if crc32fast::hash(body).to_le_bytes() != *sum {
        return None;
    }
    let (magic, body) = body.split_first_chunk::<8>()?;
    let mut numbers = body
        .as_chunks::<8>()
        .0
        .iter()
        .copied()
        .map(u64::from_le_bytes);
    let mut state_numbers = [0; NUMBERS];
    for number in &mut state_numbers {
        *number = numbers.next()?;
    }
    let mut state = State::from_numbers(state_numbers);
    match magic {
        MAGIC => state.removed.to = numbers.next()?,
        MAGIC_1 => {}
        _ => return None,
    }
    Some(state)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Removed, Totals};

    fn state() -> State {
        State {
            next_sequence: 8,
            commits: 7,
            totals: Totals {
                records: 5,
                bytes: 600,
                dead: 1,
                dead_bytes: 99,
            },
            removed: Removed {
                to: 2,
                ..Removed::default()
            },
        }
    }

    #[test]
    fn reads_back_the_written_state() {
        assert_eq!(decode(&encode(&state())), Some(state()));
    }

    #[test]
    fn reads_the_format_of_an_earlier_version() {
        let mut body = MAGIC_1.to_vec();
        for number in state().numbers() {
            body.extend(number.to_le_bytes());
        }
        let sum = crc32fast::hash(&body);
        body.extend(sum.to_le_bytes());
        let expected = State {
            removed: Removed::default(),
            ..state()
        };
        assert_eq!(decode(&body), Some(expected));
    }

    #[test]
    fn rejects_a_damaged_file() {
        let good = encode(&state());
        for place in 0..LENGTH {
            let mut bad = good;
            bad[place] ^= 0x10;
            assert_eq!(decode(&bad), None);
            assert_eq!(decode(&good[..place]), None);
        }
    }
}
