//! UUIDs on the wire.

use std::cell::RefCell;

use herald_process::fork_generation;
use uuid::{Builder, Uuid};

/// Length of a UUID as text.
pub(crate) const LENGTH: usize = uuid::fmt::Hyphenated::LENGTH;

/// Regular expression of the UUIDs that [`read`] accepts, for JSON Schema.
pub(crate) const PATTERN: &str =
    "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$";

/// Creates a new UUID of version 4.
///
/// Its random bits come from the operating system, drawn for many identities at once: a call for
/// each was a third of what building an envelope costs. A forked child draws new ones; with those
/// of its parent it would repeat the parent's identities, and consumers would drop its events as
/// duplicates. `Uuid::new_v4` does not notice a fork once any crate turns on the feature of `uuid`
/// for fast random numbers.
pub(crate) fn random() -> Uuid {
    let bytes = RANDOM_BITS
        .try_with(|bits| bits.borrow_mut().next())
        // The thread is ending.
        .unwrap_or_else(|_| drawn());
    Builder::from_random_bytes(bytes).into_uuid()
}

type Bytes = [u8; 16];

/// Number of ids that are drawn at a time: 1 KiB of random bits.
const DRAWN_TOGETHER: usize = 64;

struct RandomBits {
    /// Fork generation of the process that drew them.
    generation: u64,
    /// Index of the first unused id.
    next: usize,
    drawn: [Bytes; DRAWN_TOGETHER],
}

thread_local! {
    static RANDOM_BITS: RefCell<RandomBits> = const {
        RefCell::new(RandomBits {
            generation: 0,
            next: DRAWN_TOGETHER,
            drawn: [[0; 16]; DRAWN_TOGETHER],
        })
    };
}

impl RandomBits {
    fn next(&mut self) -> Bytes {
        // Checked for each id: `fork` copies the drawn bits, and there is no hook that would clear the
        // buffers of all threads.
        let generation = fork_generation();
        if self.next == DRAWN_TOGETHER || self.generation != generation {
            fill(self.drawn.as_flattened_mut());
            self.generation = generation;
            self.next = 0;
        }
        let bytes = self.drawn[self.next];
        self.next += 1;
        bytes
    }
}

fn drawn() -> Bytes {
    let mut bytes = [0; 16];
    fill(&mut bytes);
    bytes
}

fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system has random bits");
}

/// Reads a UUID of any version with hyphens, in either case.
pub(crate) fn read(text: &str) -> Option<Uuid> {
    // The other notations that the parser knows (plain, braces, URN) have other lengths.
    (text.len() == LENGTH)
        .then(|| Uuid::try_parse(text).ok())
        .flatten()
}

/// Formats a UUID as 36 ASCII characters, lowercase with hyphens.
pub(crate) fn text(id: Uuid) -> [u8; LENGTH] {
    let mut text = [0; LENGTH];
    id.hyphenated().encode_lower(&mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0191c2a0-5b7e-7cc1-8d2f-6b6f0a1b2c3d";

    #[test]
    fn reads_only_hyphenated_uuids() {
        let id = read(ID).expect("it is a UUID");
        assert_eq!(text(id), ID.as_bytes());
        assert_eq!(read(&ID.to_uppercase()), Some(id));
        assert_eq!(read(&ID.replace('-', "")), None);
        assert_eq!(read(&format!("{{{ID}}}")), None);
        assert_eq!(read(&ID.replace('a', "g")), None);
        assert_eq!(read(&format!("urn:uuid:{ID}")), None);
    }
}
