//! What is spooled: a record on its way to a topic.

use std::fmt;
use std::time::SystemTime;

use crate::sql_convert;

/// What a row costs beside its own bytes: numbers, page and tree overhead, rounded up.
pub(crate) const ROW_OVERHEAD: u64 = 64;

/// The longest error text that is kept with a record, in bytes. Errors do not count towards
/// the spool's bounds, so they have their own.
pub(crate) const MAX_ERROR_TEXT: usize = 2048;

/// Place of a record in the queue, and its name in a receipt.
///
/// Grows by one with every record, across restarts, and is never used twice: also not after
/// the queue was empty, and not after a recovery that lost rows. A gap means nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(u64);

impl Sequence {
    /// Before every record: where reading starts.
    pub const START: Self = Self(0);

    /// The sequence with this number, such as an operator typed it.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number that receipts show.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Sequences of records that were appended together: adjacent, in the order given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SequenceRange {
    /// Sequence of the first record.
    pub first: Sequence,
    /// How many records there are.
    pub count: u64,
}

impl SequenceRange {
    /// Every sequence, in order.
    pub fn iter(self) -> impl Iterator<Item = Sequence> {
        (self.first.0..self.first.0.saturating_add(self.count)).map(Sequence)
    }
}

/// A Kafka header. A name may occur more than once, and order is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Kafka wants text here.
    pub name: String,
    /// Kafka wants nothing here.
    pub value: Vec<u8>,
}

/// An event as Kafka will see it, with what is known of earlier tries.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// Kept as given; whether Kafka takes the name is the publisher's matter.
    pub topic: String,
    /// Order is kept per topic and key. No key is a key of its own here.
    pub key: Option<Vec<u8>>,
    /// Sent with the payload, in this order.
    pub headers: Vec<Header>,
    /// The bytes of the message.
    pub payload: Vec<u8>,
    /// When the event came to be, kept to the microsecond; the spool's age is counted from it.
    pub created: SystemTime,
    /// Tries that failed so far, also those before the record was spooled.
    pub attempts: u32,
    /// Not to be tried before this time. The spool only remembers it: a relay that skipped a
    /// waiting record would break the order of its key.
    pub not_before: Option<SystemTime>,
}

/// Payload, key and header values are left out: they may be private.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("topic", &self.topic)
            .field("key_bytes", &self.key.as_ref().map(Vec::len))
            .field("headers", &self.headers.len())
            .field("payload_bytes", &self.payload.len())
            .field("created", &self.created)
            .field("attempts", &self.attempts)
            .field("not_before", &self.not_before)
            .finish()
    }
}

impl Record {
    /// A record that was never tried, made now, without key and headers.
    pub fn new(topic: impl Into<String>, payload: impl Into<Vec<u8>>) -> Self {
        Self {
            topic: topic.into(),
            key: None,
            headers: Vec::new(),
            payload: payload.into(),
            created: SystemTime::now(),
            attempts: 0,
            not_before: None,
        }
    }

    /// The same record with a key.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// The same record with one more header.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push(Header {
            name: name.into(),
            value: value.into(),
        });
        self
    }

    /// What the record counts towards the spool's bounds, in bytes: topic, key, headers and
    /// payload, and 64 for the row. The file is larger by SQLite's pages.
    pub fn weight(&self) -> u64 {
        weight(
            self.topic.len(),
            self.key.as_ref().map_or(0, Vec::len),
            crate::headers::encoded_length(&self.headers),
            self.payload.len(),
        )
    }
}

/// See [`Record::weight`]; the same from the lengths of columns.
pub(crate) fn weight(topic: usize, key: usize, headers: usize, payload: usize) -> u64 {
    [topic, key, headers, payload]
        .into_iter()
        .map(sql_convert::bytes)
        .fold(ROW_OVERHEAD, u64::saturating_add)
}

/// A record read from the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// Acknowledge with this.
    pub sequence: Sequence,
    /// What was appended, with attempts and not-before as last noted.
    pub record: Record,
    /// Text of the error that was last noted.
    pub last_error: Option<String>,
}

/// One failed try, to be remembered with its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedAttempt {
    /// Which record was tried; its attempts grow by one.
    pub sequence: Sequence,
    /// When to try again; `None` is at once.
    pub not_before: Option<SystemTime>,
    /// What went wrong, without secrets; cut at 2,048 bytes.
    pub error: String,
}

/// Cuts an error text at a character's edge.
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
    fn debug_shows_no_payload_key_or_header_value() {
        let record = Record::new("orders", "hunter2")
            .with_key("hunter2")
            .with_header("token", "hunter2");
        let shown = format!("{record:?}");
        assert!(shown.contains("orders") && !shown.contains("hunter2"));
        assert!(!shown.contains("104"), "not as numbers either: {shown}");
    }

    #[test]
    fn the_weight_counts_every_part() {
        let bare = Record::new("t", "").weight();
        let full = Record::new("t", "12345")
            .with_key("123")
            .with_header("12", "1");
        assert_eq!(bare, 65);
        assert_eq!(full.weight(), bare + 5 + 3 + (8 + 2 + 1));
    }

    #[test]
    fn an_error_text_is_cut_between_characters() {
        let long = "ä".repeat(MAX_ERROR_TEXT);
        assert_eq!(bounded(&long).len(), MAX_ERROR_TEXT);
        assert_eq!(bounded(&long[2..]).len(), MAX_ERROR_TEXT);
        assert_eq!(bounded(&format!("a{long}")).len(), MAX_ERROR_TEXT - 1);
        assert_eq!(bounded("short"), "short");
    }
}
