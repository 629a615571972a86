//! A row of a spool, and an iterator over rows.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::path::Path;
use std::time::SystemTime;

use herald_envelope::headers::{CORRELATION_ID, EVENT_ID, EVENT_TYPE};
use herald_envelope::{Envelope, Received, Uuid};
use herald_spool::{DeadLetter, Found, Inspector, Record, Sequence, SpoolError, StoredRecord};
use serde_json::{Map, Value, json};

use super::location::spool_error;
use crate::Error;
use crate::format::{age, hex, rfc3339};

/// Rows and bytes of a page, of which one is in memory at a time.
const PAGE_ROWS: usize = 200;
const PAGE_BYTES: u64 = 4 * 1024 * 1024;

/// A row of the queue or of the dead letters.
pub enum Entry {
    /// A record in the queue.
    Queued(StoredRecord),
    /// A row of the queue with a wrong checksum.
    Damaged(Sequence),
    /// A dead letter.
    Dead(DeadLetter),
}

impl Entry {
    /// Converts the result of a look-up.
    pub fn of(sequence: Sequence, found: Found) -> Self {
        match found {
            Found::Queued(stored) => Self::Queued(stored),
            Found::QueuedDamaged => Self::Damaged(sequence),
            Found::Dead(dead_letter) => Self::Dead(dead_letter),
        }
    }

    pub fn sequence(&self) -> Sequence {
        match self {
            Self::Queued(stored) => stored.sequence,
            Self::Damaged(sequence) => *sequence,
            Self::Dead(dead_letter) => dead_letter.sequence,
        }
    }

    /// The record with its delivery attempts; `None` if the row is damaged.
    pub fn stored(&self) -> Option<&StoredRecord> {
        match self {
            Self::Queued(stored) => Some(stored),
            Self::Damaged(_) => None,
            Self::Dead(dead_letter) => dead_letter.stored.as_ref(),
        }
    }

    /// The record; `None` if the row is damaged.
    pub fn record(&self) -> Option<&Record> {
        self.stored().map(|stored| &stored.record)
    }

    /// The event type: that of the event, else of the headers.
    pub fn event_type(&self) -> Option<Cow<'_, str>> {
        match self.envelope() {
            Some(event) => Some(event.event_type),
            None => self.header(EVENT_TYPE).map(Cow::Borrowed),
        }
    }

    /// The event; `None` if the record is not one.
    fn envelope(&self) -> Option<Envelope<'_>> {
        let record = self.record()?;
        let headers: Vec<_> = record.headers.iter().collect();
        let received = Received {
            value: &record.payload,
            headers: &headers,
            timestamp: record.created.try_into().ok(),
        };
        Envelope::of_record(&received).ok()
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.record()?.headers.iter();
        let (_, value) = headers.find(|(other, _)| *other == name)?;
        std::str::from_utf8(value).ok()
    }

    /// JSON object without payload and other headers.
    pub fn to_json(&self) -> Map<String, Value> {
        let state = match self {
            Self::Queued(_) => "queued",
            Self::Damaged(_) => "damaged",
            Self::Dead(_) => "dead",
        };
        let mut map = Map::new();
        let mut put = |name: &str, value: Value| {
            map.insert(name.to_owned(), value);
        };
        put("sequence", json!(self.sequence().get()));
        put("state", json!(state));
        if let Self::Dead(dead_letter) = self {
            put("reason", json!(dead_letter.reason));
            put("died", json!(rfc3339(dead_letter.died)));
        }
        let Some(StoredRecord {
            record, last_error, ..
        }) = self.stored()
        else {
            return map;
        };
        put("topic", json!(record.topic));
        put("key", json!(record.key.as_deref().map(bytes_json)));
        let text = |id: Uuid| Cow::Owned(id.to_string());
        let (event_id, correlation_id) = match self.envelope() {
            Some(event) => (Some(text(event.event_id)), event.correlation_id.map(text)),
            None => (
                self.header(EVENT_ID).map(Cow::Borrowed),
                self.header(CORRELATION_ID).map(Cow::Borrowed),
            ),
        };
        put("event_type", json!(self.event_type()));
        put("event_id", json!(event_id));
        put("correlation_id", json!(correlation_id));
        put("created", json!(rfc3339(record.created)));
        put("age_seconds", json!(age(record.created).as_secs()));
        put("payload_bytes", json!(record.payload.len()));
        put("attempts", json!(record.attempts));
        put("not_before", json!(record.not_before.map(rfc3339)));
        put("last_error", json!(last_error));
        map
    }
}

/// Bytes as text if they are UTF-8, else as `{"hex": …}`.
pub fn bytes_json(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => json!({ "hex": hex(bytes) }),
    }
}

/// The part of a spool that rows are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// The records that are to be delivered.
    Queue,
    /// The dead letters.
    Dead,
}

/// Conditions that rows have to match; `None` matches every row.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    pub topic: Option<&'a str>,
    pub event_type: Option<&'a str>,
    pub reason: Option<&'a str>,
}

impl Filter<'_> {
    fn matches(&self, entry: &Entry) -> bool {
        let is = |wanted: Option<&str>, found: Option<&str>| {
            wanted.is_none_or(|wanted| found == Some(wanted))
        };
        let reason = match entry {
            Entry::Dead(dead_letter) => Some(dead_letter.reason.as_str()),
            _ => None,
        };
        is(
            self.topic,
            entry.record().map(|record| record.topic.as_str()),
        ) && (self.event_type.is_none() || is(self.event_type, entry.event_type().as_deref()))
            && is(self.reason, reason)
    }
}

/// Iterator over rows in the order of their sequences, with one page in memory.
pub struct Entries<'a> {
    inspector: &'a Inspector,
    path: &'a Path,
    part: Section,
    filter: Filter<'a>,
    after: Sequence,
    page: VecDeque<Entry>,
}

impl<'a> Entries<'a> {
    /// Starts after the sequence `after`.
    pub fn new(
        inspector: &'a Inspector,
        path: &'a Path,
        part: Section,
        filter: Filter<'a>,
        after: Sequence,
    ) -> Self {
        Self {
            inspector,
            path,
            part,
            filter,
            after,
            page: VecDeque::new(),
        }
    }

    /// Reads the next page; it is empty at the end.
    fn load_page(&mut self) -> Result<(), SpoolError> {
        match self.part {
            Section::Queue => {
                let batch = self.inspector.batch(PAGE_ROWS, PAGE_BYTES, self.after)?;
                self.page
                    .extend(batch.records.into_iter().map(Entry::Queued));
                self.page
                    .extend(batch.damaged.into_iter().map(Entry::Damaged));
                self.page.make_contiguous().sort_by_key(Entry::sequence);
            }
            Section::Dead => {
                let dead_letters = self
                    .inspector
                    .dead_letters(PAGE_ROWS, PAGE_BYTES, self.after)?;
                self.page.extend(dead_letters.into_iter().map(Entry::Dead));
            }
        }
        if let Some(last) = self.page.back() {
            self.after = last.sequence();
        }
        Ok(())
    }
}

impl Iterator for Entries<'_> {
    type Item = Result<Entry, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.page.is_empty()
                && let Err(error) = self.load_page()
            {
                return Some(Err(spool_error(&error, self.path)));
            }
            let entry = self.page.pop_front()?;
            if self.filter.matches(&entry) {
                return Some(Ok(entry));
            }
        }
    }
}

/// Age in short form, for tables.
pub fn short_age(time: SystemTime) -> String {
    format!("{:#}", indicatif::HumanDuration(age(time)))
}
