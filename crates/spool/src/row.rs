//! Rows of records. Every row has a checksum, because SQLite has none for pages of the database: a
//! flipped bit in a payload would be delivered to Kafka.

use std::sync::LazyLock;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use crate::headers::Headers;
use crate::record::{Record, Sequence, StoredRecord, weight};
use crate::schema::{DEAD, QUEUE};
use crate::sql_convert::{bytes, from_sql, micros, time, to_sql};

/// Columns of both tables, in the order that [`decode`] expects.
pub(crate) const COLUMNS: &str = "sequence, topic, key, created, not_before, attempts, checksum, \
                                  last_error, headers, payload";

/// Lengths from which [`weight_of`] computes the [weight](Record::weight). SQLite takes
/// `octet_length` from the row's header and does not read the payload for it.
pub(crate) const LENGTHS: &str =
    "octet_length(topic), octet_length(key), octet_length(headers), octet_length(payload)";

/// Error of a row that does not match its checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Damaged;

/// Reason and time at which a record became a dead letter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Death<'a> {
    pub(crate) reason: &'a str,
    pub(crate) died: i64,
}

/// Inserts a record into the queue, or into the dead letters if `death` is given.
pub(crate) fn insert(
    connection: &Connection,
    sequence: u64,
    record: &Record,
    last_error: Option<&str>,
    death: Option<Death<'_>>,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(match death {
        None => &INSERT_QUEUED,
        Some(_) => &INSERT_DEAD,
    })?;
    let checksum = checksum(sequence, record);
    statement.raw_bind_parameter(1, to_sql(sequence))?;
    statement.raw_bind_parameter(2, &record.topic)?;
    statement.raw_bind_parameter(3, &record.key)?;
    statement.raw_bind_parameter(4, micros(record.created))?;
    statement.raw_bind_parameter(5, record.not_before.map(micros))?;
    statement.raw_bind_parameter(6, record.attempts)?;
    statement.raw_bind_parameter(7, checksum)?;
    statement.raw_bind_parameter(8, last_error)?;
    statement.raw_bind_parameter(9, record.headers.encoded())?;
    statement.raw_bind_parameter(10, &record.payload)?;
    if let Some(death) = death {
        statement.raw_bind_parameter(11, death.reason)?;
        statement.raw_bind_parameter(12, death.died)?;
    }
    statement.raw_execute()?;
    Ok(())
}

/// Builds the statements. Not left to the first write: a fork while another thread builds them
/// would leave the `LazyLock` in progress in the child for ever.
pub(crate) fn init_statements() {
    LazyLock::force(&INSERT_QUEUED);
    LazyLock::force(&INSERT_DEAD);
}

static INSERT_QUEUED: LazyLock<String> = LazyLock::new(|| {
    format!("INSERT INTO {QUEUE} ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")
});

static INSERT_DEAD: LazyLock<String> = LazyLock::new(|| {
    format!(
        "INSERT INTO {DEAD} ({COLUMNS}, reason, died)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
    )
});

/// Computes the checksum of everything but the error text. The lengths are part of it, so that
/// bytes cannot move from one part to the next.
fn checksum(sequence: u64, record: &Record) -> i64 {
    let headers = record.headers.encoded();
    let mut hasher = crc32fast::Hasher::new();
    let numbers = [
        to_sql(sequence),
        micros(record.created),
        record.not_before.map_or(i64::MIN, micros),
        i64::from(record.attempts),
        to_sql(bytes(record.topic.len())),
        record
            .key
            .as_ref()
            .map_or(-1, |key| to_sql(bytes(key.len()))),
        to_sql(bytes(headers.len())),
    ];
    hasher.update(numbers.map(i64::to_le_bytes).as_flattened());
    hasher.update(record.topic.as_bytes());
    hasher.update(record.key.as_deref().unwrap_or_default());
    hasher.update(headers);
    hasher.update(&record.payload);
    i64::from(hasher.finalize())
}

/// Reads a row of [`COLUMNS`] and verifies its checksum.
pub(crate) fn decode(row: &Row<'_>) -> rusqlite::Result<Result<StoredRecord, Damaged>> {
    Values::of(row).map(|values| values.decode())
}

/// Values of a row, not verified.
pub(crate) struct Values<'a> {
    sequence: ValueRef<'a>,
    topic: ValueRef<'a>,
    key: ValueRef<'a>,
    created: ValueRef<'a>,
    not_before: ValueRef<'a>,
    attempts: ValueRef<'a>,
    checksum: ValueRef<'a>,
    last_error: ValueRef<'a>,
    headers: ValueRef<'a>,
    payload: ValueRef<'a>,
}

impl<'a> Values<'a> {
    /// Reads a row of [`COLUMNS`].
    pub(crate) fn of(row: &'a Row<'_>) -> rusqlite::Result<Self> {
        Self::from(row, 1)
    }

    /// Reads a row whose columns after the sequence begin at `topic_at`.
    pub(crate) fn from(row: &'a Row<'_>, topic_at: usize) -> rusqlite::Result<Self> {
        let value = |place: usize| row.get_ref(topic_at + place);
        Ok(Self {
            sequence: row.get_ref(0)?,
            topic: value(0)?,
            key: value(1)?,
            created: value(2)?,
            not_before: value(3)?,
            attempts: value(4)?,
            checksum: value(5)?,
            last_error: value(6)?,
            headers: value(7)?,
            payload: value(8)?,
        })
    }

    /// Computes the [weight](Record::weight).
    pub(crate) fn weight(&self) -> u64 {
        let parts = [self.topic, self.key, self.headers, self.payload];
        let [topic, key, headers, payload] = parts.map(value_length);
        weight(topic, key, headers, payload)
    }

    /// Verifies the checksum, and returns the record.
    pub(crate) fn decode(&self) -> Result<StoredRecord, Damaged> {
        self.record().ok_or(Damaged)
    }

    fn record(&self) -> Option<StoredRecord> {
        let sequence = from_sql(self.sequence.as_i64().ok()?);
        let record = Record {
            topic: self.topic.as_str().ok()?.to_owned(),
            key: self.key.as_blob_or_null().ok()?.map(<[u8]>::to_vec),
            headers: Headers::decode(self.headers.as_blob().ok()?)?,
            payload: self.decode_payload()?,
            created: time(self.created.as_i64().ok()?),
            attempts: u32::try_from(self.attempts.as_i64().ok()?).ok()?,
            not_before: self.not_before.as_i64_or_null().ok()?.map(time),
        };
        let expected = self.checksum.as_i64().ok()?;
        (checksum(sequence, &record) == expected).then(|| StoredRecord {
            sequence: Sequence::new(sequence),
            record,
            // Not covered by the checksum: an unreadable error text is not a reason to withhold an
            // event.
            last_error: self.last_error.as_str().ok().map(str::to_owned),
        })
    }

    /// Copies the payload, with room for what a publisher puts behind it: see [`Record::payload`].
    fn decode_payload(&self) -> Option<Vec<u8>> {
        let bytes = self.payload.as_blob().ok()?;
        let room = value_length(self.key) + value_length(self.headers);
        let mut payload = Vec::with_capacity(bytes.len() + room);
        payload.extend_from_slice(bytes);
        Some(payload)
    }
}

/// Topic and key of a row, as far as they can be read.
pub(crate) struct TopicKey<'a> {
    pub(crate) topic: &'a [u8],
    pub(crate) key: Option<&'a [u8]>,
}

impl<'a> TopicKey<'a> {
    /// Reads topic and key from the columns at `first`.
    pub(crate) fn of(row: &'a Row<'_>, first: usize) -> rusqlite::Result<Self> {
        Ok(Self {
            topic: text_or_blob(row.get_ref(first)?).unwrap_or_default(),
            key: text_or_blob(row.get_ref(first + 1)?),
        })
    }
}

fn text_or_blob(value: ValueRef<'_>) -> Option<&[u8]> {
    match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(bytes),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => None,
    }
}

/// Number of bytes of a text or a blob.
fn value_length(value: ValueRef<'_>) -> usize {
    text_or_blob(value).map_or(0, <[u8]>::len)
}

/// Computes the weight from topic and key, and the lengths of headers and payload at `first`.
pub(crate) fn weight_beside(
    row_key: &TopicKey<'_>,
    row: &Row<'_>,
    first: usize,
) -> rusqlite::Result<u64> {
    let key = row_key.key.unwrap_or_default();
    let [headers, payload] = [length(row, first)?, length(row, first + 1)?];
    Ok(weight(row_key.topic.len(), key.len(), headers, payload))
}

/// Computes the weight from the four columns of [`LENGTHS`] at `first`.
pub(crate) fn weight_of(row: &Row<'_>, first: usize) -> rusqlite::Result<u64> {
    let length = |column| length(row, first + column);
    Ok(weight(length(0)?, length(1)?, length(2)?, length(3)?))
}

fn length(row: &Row<'_>, column: usize) -> rusqlite::Result<usize> {
    let length: Option<i64> = row.get(column)?;
    Ok(usize::try_from(length.unwrap_or(0)).unwrap_or(0))
}
