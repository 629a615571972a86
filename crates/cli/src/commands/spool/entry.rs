//! One row of a spool, and walking through them a piece at a time.

use std::collections::VecDeque;
use std::path::Path;
use std::time::SystemTime;

use herald_envelope::headers::{CORRELATION_ID, EVENT_ID, EVENT_TYPE};
use herald_spool::{DeadLetter, Found, Inspector, Record, Sequence, SpoolError, StoredRecord};
use serde_json::{Map, Value, json};

use super::place::failed;
use crate::Failure;
use crate::human::{age, hex, moment};

/// Rows that are in memory at once, and their bytes.
const PAGE_ROWS: usize = 200;
const PAGE_BYTES: u64 = 4 * 1024 * 1024;

/// A row, in the queue or among the dead letters.
pub enum Entry {
    /// Waits for delivery.
    Queued(StoredRecord),
    /// In the queue, but not what was written.
    Damaged(Sequence),
    /// A dead letter.
    Dead(DeadLetter),
}

impl Entry {
    /// What was found under a sequence.
    pub fn of(sequence: Sequence, found: Found) -> Self {
        match found {
            Found::Queued(stored) => Self::Queued(stored),
            Found::QueuedDamaged => Self::Damaged(sequence),
            Found::Dead(letter) => Self::Dead(letter),
        }
    }

    pub fn sequence(&self) -> Sequence {
        match self {
            Self::Queued(stored) => stored.sequence,
            Self::Damaged(sequence) => *sequence,
            Self::Dead(letter) => letter.sequence,
        }
    }

    /// The record with what is known of its tries; `None` where the row is damaged.
    pub fn stored(&self) -> Option<&StoredRecord> {
        match self {
            Self::Queued(stored) => Some(stored),
            Self::Damaged(_) => None,
            Self::Dead(letter) => letter.stored.as_ref(),
        }
    }

    /// The record itself.
    pub fn record(&self) -> Option<&Record> {
        self.stored().map(|stored| &stored.record)
    }

    /// What the header says that the event is.
    pub fn event_type(&self) -> Option<&str> {
        self.header(EVENT_TYPE)
    }

    fn header(&self, name: &str) -> Option<&str> {
        let headers = &self.record()?.headers;
        let header = headers.iter().find(|header| header.name == name)?;
        std::str::from_utf8(&header.value).ok()
    }

    /// For programs: everything but values of other headers and the payload.
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
        if let Self::Dead(letter) = self {
            put("reason", json!(letter.reason));
            put("died", json!(moment(letter.died)));
        }
        let Some(StoredRecord {
            record, last_error, ..
        }) = self.stored()
        else {
            return map;
        };
        put("topic", json!(record.topic));
        put("key", json!(record.key.as_deref().map(bytes_json)));
        put("event_type", json!(self.event_type()));
        put("event_id", json!(self.header(EVENT_ID)));
        put("correlation_id", json!(self.header(CORRELATION_ID)));
        put("created", json!(moment(record.created)));
        put("age_seconds", json!(age(record.created).as_secs()));
        put("payload_bytes", json!(record.payload.len()));
        put("attempts", json!(record.attempts));
        put("not_before", json!(record.not_before.map(moment)));
        put("last_error", json!(last_error));
        map
    }
}

/// Bytes as text where they are text, else as an object that says what they are.
pub fn bytes_json(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => json!({ "hex": hex(bytes) }),
    }
}

/// Where rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What waits.
    Queue,
    /// The dead letters.
    Dead,
}

/// Which rows are meant; what is `None` does not matter.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    pub topic: Option<&'a str>,
    pub event_type: Option<&'a str>,
    pub reason: Option<&'a str>,
}

impl Filter<'_> {
    fn takes(&self, entry: &Entry) -> bool {
        let is = |wanted: Option<&str>, found: Option<&str>| {
            wanted.is_none_or(|wanted| found == Some(wanted))
        };
        let reason = match entry {
            Entry::Dead(letter) => Some(letter.reason.as_str()),
            _ => None,
        };
        is(
            self.topic,
            entry.record().map(|record| record.topic.as_str()),
        ) && is(self.event_type, entry.event_type())
            && is(self.reason, reason)
    }
}

/// Goes through rows in the order of their sequences, and holds a page of them at a time.
pub struct Walk<'a> {
    inspector: &'a Inspector,
    path: &'a Path,
    part: Part,
    filter: Filter<'a>,
    after: Sequence,
    page: VecDeque<Entry>,
}

impl<'a> Walk<'a> {
    /// Begins behind `after`.
    pub fn new(
        inspector: &'a Inspector,
        path: &'a Path,
        part: Part,
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

    /// Reads the next page; an empty one is the end.
    fn turn(&mut self) -> Result<(), SpoolError> {
        match self.part {
            Part::Queue => {
                let batch = self.inspector.batch(PAGE_ROWS, PAGE_BYTES, self.after)?;
                self.page
                    .extend(batch.records.into_iter().map(Entry::Queued));
                self.page
                    .extend(batch.damaged.into_iter().map(Entry::Damaged));
                self.page.make_contiguous().sort_by_key(Entry::sequence);
            }
            Part::Dead => {
                let letters = self
                    .inspector
                    .dead_letters(PAGE_ROWS, PAGE_BYTES, self.after)?;
                self.page.extend(letters.into_iter().map(Entry::Dead));
            }
        }
        if let Some(last) = self.page.back() {
            self.after = last.sequence();
        }
        Ok(())
    }
}

impl Iterator for Walk<'_> {
    type Item = Result<Entry, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.page.is_empty()
                && let Err(error) = self.turn()
            {
                return Some(Err(failed(&error, self.path)));
            }
            let entry = self.page.pop_front()?;
            if self.filter.takes(&entry) {
                return Some(Ok(entry));
            }
        }
    }
}

/// How long ago something was, in a table.
pub fn short_age(time: SystemTime) -> String {
    format!("{:#}", indicatif::HumanDuration(age(time)))
}
