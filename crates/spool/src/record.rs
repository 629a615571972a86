//! Records: events on their way to a topic.

use std::fmt;
use std::time::SystemTime;

use crate::headers::{self, Headers};
use crate::keys::KeyHash;
use crate::sql_convert;

/// Overhead of a row in bytes: numbers, page and tree, rounded up.
pub(crate) const ROW_OVERHEAD: u64 = 64;

/// Maximum length of an error text that is kept with a record, in bytes. Error texts do not count
/// towards the spool's limits, so they have a limit of their own.
pub(crate) const MAX_ERROR_TEXT: usize = 2048;

/// Sequence of a record in the queue, which also names it in a receipt.
///
/// It grows by one with every record, across restarts, and is never used twice: not after the
/// queue was empty, and not after a recovery that lost rows. A gap has no meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(u64);

impl Sequence {
    /// Sequence before every record, where reading starts.
    pub const START: Self = Self(0);

    /// Creates the sequence with this number, for example from an operator's input.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Returns the number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Adjacent sequences of records that were appended together, in the order given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SequenceRange {
    /// Sequence of the first record.
    pub first: Sequence,
    /// Number of records.
    pub count: u64,
}

impl SequenceRange {
    /// Returns the sequences in order.
    pub fn iter(self) -> impl Iterator<Item = Sequence> {
        (self.first.0..self.first.0.saturating_add(self.count)).map(Sequence)
    }
}

/// Event as Kafka will receive it, with the number of earlier attempts.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// Topic. The publisher validates the name.
    pub topic: String,
    /// Key. Order is kept per topic and key; records without a key count as one key.
    pub key: Option<Vec<u8>>,
    /// Headers.
    pub headers: Headers,
    /// Payload of the message. One that was read has room for key and headers, so that a message in
    /// one buffer needs no other.
    pub payload: Vec<u8>,
    /// Creation time, kept to the microsecond. The age of the spool is counted from it.
    pub created: SystemTime,
    /// Failed attempts, including those before the record was spooled.
    pub attempts: u32,
    /// Time before which it is not tried again. The spool only stores it; a relay that skipped a
    /// waiting record would break the order of its key.
    pub not_before: Option<SystemTime>,
}

/// Omits payload, key and header values, which may be private.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("topic", &self.topic)
            .field("key_bytes", &self.key.as_ref().map(Vec::len))
            .field("headers", &self.headers)
            .field("payload_bytes", &self.payload.len())
            .field("created", &self.created)
            .field("attempts", &self.attempts)
            .field("not_before", &self.not_before)
            .finish()
    }
}

impl Record {
    /// Creates a record without key, headers and attempts.
    pub fn new(topic: impl Into<String>, payload: impl Into<Vec<u8>>) -> Self {
        Self {
            topic: topic.into(),
            key: None,
            headers: Headers::default(),
            payload: payload.into(),
            created: SystemTime::now(),
            attempts: 0,
            not_before: None,
        }
    }

    /// Sets the key.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: impl AsRef<str>, value: impl AsRef<[u8]>) -> Self {
        self.headers.push(name.as_ref(), value.as_ref());
        self
    }

    /// Returns the bytes that count towards the spool's limits: topic, key, headers and payload,
    /// and 64 for the row. The file is larger by SQLite's pages.
    pub fn weight(&self) -> u64 {
        weight(
            self.topic.len(),
            self.key.as_ref().map_or(0, Vec::len),
            self.headers.encoded().len(),
            self.payload.len(),
        )
    }

    /// Returns the [weight](Self::weight) of a record with parts of these lengths; a header has the
    /// lengths of its name and its value.
    pub fn weight_of(
        topic: usize,
        key: usize,
        headers: impl Iterator<Item = (usize, usize)>,
        payload: usize,
    ) -> u64 {
        weight(topic, key, headers::encoded_length(headers), payload)
    }
}

/// Computes [`Record::weight`] from the lengths of the parts.
pub(crate) fn weight(topic: usize, key: usize, headers: usize, payload: usize) -> u64 {
    [topic, key, headers, payload]
        .into_iter()
        .map(sql_convert::bytes)
        .fold(ROW_OVERHEAD, u64::saturating_add)
}

/// Record that Kafka has acknowledged: a sequence alone, or with what the spool would otherwise read
/// from its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// Sequence of the record.
    pub sequence: Sequence,
    /// Hash of its key, and its weight.
    pub(crate) counted: Option<(KeyHash, u64)>,
}

impl Acknowledged {
    /// Creates one for a record whose [`crate::key_hash`] and [`Record::weight`] are known. With others
    /// than those of the row, the counts of the spool become wrong.
    pub const fn counted(sequence: Sequence, key: KeyHash, weight: u64) -> Self {
        Self {
            sequence,
            counted: Some((key, weight)),
        }
    }
}

impl From<Sequence> for Acknowledged {
    fn from(sequence: Sequence) -> Self {
        Self {
            sequence,
            counted: None,
        }
    }
}

/// Record read from the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// Sequence to acknowledge.
    pub sequence: Sequence,
    /// Record as appended, with the latest `attempts` and `not_before`.
    pub record: Record,
    /// Text of the latest error.
    pub last_error: Option<String>,
}

/// Failed attempt, to be stored with its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedAttempt {
    /// Sequence of the record, whose attempts grow by one.
    pub sequence: Sequence,
    /// Time of the next attempt; `None` is immediately.
    pub not_before: Option<SystemTime>,
    /// Description of the error, without secrets; cut at 2,048 bytes.
    pub error: String,
}

/// Truncates an error text at a character boundary.
pub(crate) fn bounded(text: &str) -> &str {
    let mut end = text.len().min(MAX_ERROR_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_omits_payload_key_and_header_values() {
        let record = Record::new("orders", "hunter2")
            .with_key("hunter2")
            .with_header("token", "hunter2");
        let shown = format!("{record:?}");
        assert!(shown.contains("orders") && !shown.contains("hunter2"));
        assert!(
            !shown.contains("104, 117"),
            "not as numbers either: {shown}"
        );
    }

    #[test]
    fn weight_counts_every_part() {
        let bare = Record::new("t", "").weight();
        let full = Record::new("t", "12345")
            .with_key("123")
            .with_header("12", "1");
        assert_eq!(bare, 65);
        assert_eq!(full.weight(), bare + 5 + 3 + (8 + 2 + 1));
    }

    #[test]
    fn truncates_error_texts_at_character_boundaries() {
        let long = "ä".repeat(MAX_ERROR_TEXT);
        assert_eq!(bounded(&long).len(), MAX_ERROR_TEXT);
        assert_eq!(bounded(&long[2..]).len(), MAX_ERROR_TEXT);
        assert_eq!(bounded(&format!("a{long}")).len(), MAX_ERROR_TEXT - 1);
        assert_eq!(bounded("short"), "short");
    }
}
