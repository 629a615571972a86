//! Message to the cluster: topic, key, headers and bytes.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use herald_envelope::headers::{self, HeaderSet};
use herald_envelope::{Envelope, Profile, Timestamp, WriteJson, topic};
use herald_spool::{Headers, Record};
use smallvec::SmallVec;

use crate::error::PublishError;
use crate::failure::{Failure, FailureCode, FailureKind};
use crate::schemas::{Frame, Framed, SUBJECT_HEADER};
use crate::topic_names;

/// Message as Kafka receives it.
///
/// All parts but the topic are in one buffer, so that a message needs one allocation.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    topic: Arc<str>,
    /// Payload, then key, then the values of headers.
    bytes: Vec<u8>,
    payload_end: usize,
    /// `None` for a message without a key.
    key_end: Option<usize>,
    /// Names of headers, each with the offset of the end of its value.
    headers: SmallVec<[(Cow<'static, str>, usize); USUAL_HEADERS]>,
    created: SystemTime,
    /// Whether it waits for the schema id of the subject in [`SUBJECT_HEADER`].
    waits_for_schema: bool,
}

/// Least capacity of a buffer.
const CAPACITY: usize = 512;

/// Number of headers of an event with correlation and trace; more need another allocation.
const USUAL_HEADERS: usize = 5;

/// Maximum size of a record's lengths, attributes, timestamp delta and offset delta, as librdkafka 2.12
/// counts it (`RD_KAFKAP_MESSAGE_V2_MAX_OVERHEAD`).
const MAX_RECORD_OVERHEAD: usize = 36;

/// Size of the header of a batch.
const BATCH_HEADER: usize = 61;

/// Size of a record's attributes, and of its distances to the batch's time and offset, which are 0
/// for the first record.
const RECORD_START: usize = 3;

/// Returns the size of a length as a zigzag varint: signed, with seven bits per byte.
fn varint_bytes(length: usize) -> usize {
    let bits = usize::BITS - length.leading_zeros() + 1;
    bits.div_ceil(7) as usize
}

impl Message {
    /// Creates a message without headers, with the current time.
    ///
    /// # Errors
    /// [`PublishError::InvalidTopic`].
    pub fn new(topic: &str, key: Option<&[u8]>, payload: Vec<u8>) -> Result<Self, PublishError> {
        check_topic(topic)?;
        Ok(Self::assemble(topic, key, payload, SystemTime::now()))
    }

    /// Creates the message of an event in the default profile, with all headers.
    ///
    /// # Errors
    /// [`PublishError::InvalidTopic`] and [`PublishError::Envelope`].
    pub fn of_envelope<P: WriteJson, M: WriteJson>(
        topic: &str,
        envelope: &Envelope<'_, P, M>,
    ) -> Result<Self, PublishError> {
        Self::of_profile(Profile::default(), topic, envelope, HeaderSet::ALL)
    }

    /// Creates the message of an event in a profile, with these headers.
    ///
    /// # Errors
    /// [`PublishError::InvalidTopic`] and [`PublishError::Envelope`].
    pub fn of_profile<P: WriteJson, M: WriteJson>(
        profile: Profile,
        topic: &str,
        envelope: &Envelope<'_, P, M>,
        headers: HeaderSet,
    ) -> Result<Self, PublishError> {
        Self::of_envelope_in(Vec::new(), topic, profile, envelope, headers, &Framed::No)
    }

    /// Creates the message of an event in a used buffer.
    pub(crate) fn of_envelope_in<P: WriteJson, M: WriteJson>(
        buffer: Vec<u8>,
        topic: &str,
        profile: Profile,
        envelope: &Envelope<'_, P, M>,
        headers: HeaderSet,
        framed: &Framed,
    ) -> Result<Self, PublishError> {
        check_topic(topic)?;
        let mut payload = buffer;
        payload.clear();
        payload.reserve(CAPACITY);
        if let Framed::By(frame) = framed {
            payload.extend_from_slice(frame.prefix());
        }
        let event = envelope.as_event().on_topic(topic);
        profile.write(&event, &mut payload)?;
        let created = system_time(envelope.event_timestamp);
        let key = profile.key(&event);
        let mut message = Self::assemble(topic, Some(key.as_bytes()), payload, created);
        profile.headers(&event, headers, &mut |name, value| {
            message.push_header(name, value);
        })?;
        match framed {
            Framed::No => {}
            Framed::By(frame) => {
                if let Some((name, value)) = frame.header() {
                    message.push_header(Cow::Borrowed(name), value);
                }
            }
            Framed::Later(subject) => message.wait_for_schema(subject),
        }
        Ok(message)
    }

    /// Returns the message with the schema id of its value.
    pub(crate) fn with_schema(mut self, framed: &Framed) -> Self {
        match framed {
            Framed::No => self,
            Framed::By(frame) => self.framed(frame),
            Framed::Later(subject) => {
                self.wait_for_schema(subject);
                self
            }
        }
    }

    /// Lets the message wait for the schema id of a subject.
    fn wait_for_schema(&mut self, subject: &str) {
        self.push_header(Cow::Borrowed(SUBJECT_HEADER), subject.as_bytes());
        self.waits_for_schema = true;
    }

    /// Returns the subject whose schema id the message waits for.
    pub(crate) fn schema_subject(&self) -> Option<&str> {
        if !self.waits_for_schema {
            return None;
        }
        let mut headers = self.headers();
        let (_, subject) = headers.find(|(name, _)| *name == SUBJECT_HEADER)?;
        std::str::from_utf8(subject).ok()
    }

    /// Returns the message with its schema id, which does not wait any more.
    pub(crate) fn framed(&self, frame: &Frame) -> Self {
        let mut message = self.without_subject(frame.prefix());
        if let Some((name, value)) = frame.header() {
            message.push_header(Cow::Borrowed(name), value);
        }
        message
    }

    /// Returns the message with bytes before its value, and without the header of its subject.
    pub(crate) fn without_subject(&self, prefix: &[u8]) -> Self {
        let payload = [prefix, self.payload()].concat();
        let mut message = Self::assemble(self.topic(), self.key(), payload, self.created);
        for ((name, _), (_, value)) in self.headers.iter().zip(self.headers()) {
            if name != SUBJECT_HEADER {
                message.push_header(name.clone(), value);
            }
        }
        message
    }

    fn assemble(topic: &str, key: Option<&[u8]>, payload: Vec<u8>, created: SystemTime) -> Self {
        let mut bytes = payload;
        let payload_end = bytes.len();
        let key_end = key.map(|key| {
            bytes.extend_from_slice(key);
            bytes.len()
        });
        Self {
            topic: topic_names::shared(topic),
            bytes,
            payload_end,
            key_end,
            headers: SmallVec::new(),
            created,
            waits_for_schema: false,
        }
    }

    /// Returns the message with one more header.
    #[must_use]
    pub fn with_header(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl AsRef<[u8]>,
    ) -> Self {
        self.push_header(name.into(), value.as_ref());
        self
    }

    fn push_header(&mut self, name: Cow<'static, str>, value: &[u8]) {
        self.bytes.extend_from_slice(value);
        self.headers.push((name, self.bytes.len()));
    }

    /// Returns the topic.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Returns the key, which determines the partition. Order is kept per topic and key.
    pub fn key(&self) -> Option<&[u8]> {
        self.key_end.map(|end| &self.bytes[self.payload_end..end])
    }

    /// Returns names and values of headers in order; a name may occur more than once.
    pub fn headers(&self) -> impl ExactSizeIterator<Item = (&str, &[u8])> + Clone {
        let mut start = self.key_end.unwrap_or(self.payload_end);
        self.headers.iter().map(move |(name, end)| {
            let value = Range { start, end: *end };
            start = *end;
            (name.as_ref(), &self.bytes[value])
        })
    }

    /// Returns the value; for an event as its profile writes it.
    pub fn payload(&self) -> &[u8] {
        &self.bytes[..self.payload_end]
    }

    /// Returns the creation time of the event.
    pub fn created(&self) -> SystemTime {
        self.created
    }

    /// Returns the time in milliseconds since 1970; 0 if it can't be written so.
    #[cfg(feature = "kafka")]
    pub(crate) fn created_milliseconds(&self) -> i64 {
        // librdkafka replaces 0 by the current time (`rd_kafka_msg_new0`).
        let passed = self.created.duration_since(SystemTime::UNIX_EPOCH).ok();
        passed
            .and_then(|passed| i64::try_from(passed.as_millis()).ok())
            .unwrap_or(0)
    }

    /// Returns the size of all parts, which counts towards the in-flight limit in bytes.
    pub fn weight(&self) -> usize {
        self.topic.len() + self.bytes.len()
    }

    /// Returns its maximum size in a Kafka batch before compression, which `message.max.bytes` limits.
    pub fn wire_bytes(&self) -> usize {
        let headers = self.headers().map(|(name, value)| {
            varint_bytes(name.len()) + name.len() + varint_bytes(value.len()) + value.len()
        });
        let key = self.key().map_or(0, <[u8]>::len);
        MAX_RECORD_OVERHEAD + key + self.payload_end + headers.sum::<usize>()
    }

    /// Bytes of a Kafka batch with only this message, without compression: what the topic's
    /// `max.message.bytes` limits.
    pub fn min_batch_bytes(&self) -> usize {
        let field = |bytes: usize| varint_bytes(bytes) + bytes;
        let headers = self.headers();
        let count = varint_bytes(headers.len());
        let headers: usize = headers
            .map(|(name, value)| field(name.len()) + field(value.len()))
            .sum();
        // The length of a missing key is -1, in one byte.
        let key = self.key().map_or(1, |key| field(key.len()));
        let record = RECORD_START + key + field(self.payload_end) + count + headers;
        BATCH_HEADER + field(record)
    }

    /// Checks the size against `message.max.bytes` of the client.
    pub(crate) fn check_wire_bytes(&self, most: usize) -> Result<(), Failure> {
        self.check_bytes(self.wire_bytes(), most, "message.max.bytes")
    }

    /// Checks the size against `max.message.bytes` of the topic. Compression could make the message
    /// small enough, but not predictably: its size is always counted without.
    pub(crate) fn check_batch_bytes(&self, most: usize) -> Result<(), Failure> {
        self.check_bytes(self.min_batch_bytes(), most, "max.message.bytes")
    }

    fn check_bytes(&self, bytes: usize, most: usize, property: &str) -> Result<(), Failure> {
        if bytes <= most {
            return Ok(());
        }
        let topic = self.topic();
        Err(Failure::new(
            FailureKind::Permanent,
            FailureCode::TooLarge,
            format!("{topic}: the message has {bytes} bytes, {most} are allowed by `{property}`"),
        ))
    }

    /// Returns the hash of topic and key: see [`herald_spool::key_hash`].
    pub(crate) fn key_hash(&self) -> u64 {
        herald_spool::key_hash(self.topic(), self.key()).get()
    }

    /// Returns the weight of its record in the spool.
    pub(crate) fn record_weight(&self) -> u64 {
        Record::weight_of(
            self.topic().len(),
            self.key().map_or(0, <[u8]>::len),
            self.headers()
                .map(|(name, value)| (name.len(), value.len())),
            self.payload_end,
        )
    }

    /// Returns the record for the spool.
    pub(crate) fn to_record(&self, attempts: u32) -> Record {
        Record {
            payload: self.payload().to_vec(),
            ..self.to_record_without_payload(attempts)
        }
    }

    fn to_record_without_payload(&self, attempts: u32) -> Record {
        let lengths = self
            .headers()
            .map(|(name, value)| (name.len(), value.len()));
        let mut headers = Headers::with_capacity(lengths);
        for (name, value) in self.headers() {
            headers.push(name, value);
        }
        Record {
            topic: self.topic().to_owned(),
            key: self.key().map(<[u8]>::to_vec),
            headers,
            payload: Vec::new(),
            created: self.created,
            attempts,
            not_before: None,
        }
    }

    /// Converts to a record for the spool, without copying the payload.
    pub(crate) fn into_record(self) -> Record {
        let mut record = self.to_record_without_payload(0);
        record.payload = self.bytes;
        record.payload.truncate(self.payload_end);
        record
    }

    /// Copies the message to another topic, created at this time.
    pub(crate) fn on_topic(&self, topic: &str, created: SystemTime) -> Self {
        let mut message = Self::assemble(topic, self.key(), self.payload().to_vec(), created);
        for ((name, _), (_, value)) in self.headers.iter().zip(self.headers()) {
            message.push_header(name.clone(), value);
        }
        message.waits_for_schema = self.waits_for_schema;
        message
    }

    /// Returns the topic, and the buffer for another message.
    pub(crate) fn into_parts(self) -> (Arc<str>, Vec<u8>) {
        (self.topic, self.bytes)
    }

    /// Creates the message of a record. Its topic was validated before it was spooled.
    pub(crate) fn of_record(mut record: Record) -> Self {
        let key = record.key.as_ref().map_or(0, Vec::len);
        record
            .payload
            .reserve_exact(key + record.headers.encoded_len());
        let mut message = Self::assemble(
            &record.topic,
            record.key.as_deref(),
            record.payload,
            record.created,
        );
        for (name, value) in record.headers.iter() {
            let known = headers::NAMES.into_iter().find(|known| *known == name);
            message.waits_for_schema |= name == SUBJECT_HEADER;
            let name = known.map_or_else(|| Cow::Owned(name.to_owned()), Cow::Borrowed);
            message.push_header(name, value);
        }
        message
    }
}

fn system_time(time: Timestamp) -> SystemTime {
    let micros = time.as_microsecond();
    let distance = Duration::from_micros(micros.unsigned_abs());
    if micros < 0 {
        SystemTime::UNIX_EPOCH - distance
    } else {
        SystemTime::UNIX_EPOCH + distance
    }
}

fn check_topic(name: &str) -> Result<(), PublishError> {
    topic::validate(name).map_err(|reason| PublishError::InvalidTopic {
        topic: name.to_owned(),
        reason,
    })
}

/// Payload, key and values of headers are left out: they may be private.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("topic", &self.topic())
            .field("key_bytes", &self.key().map(<[u8]>::len))
            .field("headers", &self.headers.len())
            .field("payload_bytes", &self.payload_end)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_through_a_spool_record() {
        let message = Message::new("orders", Some(b"k"), b"{}".to_vec())
            .unwrap()
            .with_header("a", "1")
            .with_header("a", "")
            .with_header("b", "23");
        assert_eq!(message.topic(), "orders");
        assert_eq!(message.key(), Some(&b"k"[..]));
        assert_eq!(message.payload(), b"{}");
        let headers: Vec<_> = message.headers().collect();
        assert_eq!(headers, [("a", &b"1"[..]), ("a", b""), ("b", b"23")]);
        let record = message.to_record(0);
        assert_eq!(record.weight(), message.record_weight());
        assert_eq!(Message::of_record(record), message);
    }

    #[test]
    fn counts_zigzag_varints_of_lengths() {
        let bytes = [0, 1, 63, 64, 8_191, 8_192, 1_048_575, 1_048_576].map(varint_bytes);
        assert_eq!(bytes, [1, 1, 1, 2, 2, 3, 3, 4]);
        let message = Message::new("orders", Some(b"key"), vec![0; 10])
            .unwrap()
            .with_header("name", "v".repeat(64));
        assert_eq!(message.wire_bytes(), 36 + 3 + 10 + 1 + 4 + 2 + 64);
    }

    #[test]
    fn no_key_is_not_an_empty_key() {
        let none = Message::new("t", None, Vec::new()).unwrap();
        let empty = Message::new("t", Some(b""), Vec::new()).unwrap();
        assert_eq!((none.key(), empty.key()), (None, Some(&b""[..])));
        assert_eq!(Message::of_record(none.to_record(0)), none);
        assert_eq!(Message::of_record(empty.to_record(0)), empty);
    }

    #[test]
    fn debug_shows_no_content() {
        let message = Message::new("orders", Some(b"hunter2"), b"hunter2".to_vec())
            .unwrap()
            .with_header("token", "hunter2");
        let shown = format!("{message:?}");
        assert!(shown.contains("orders") && !shown.contains("hunter2") && !shown.contains("104"));
    }

    #[test]
    fn rejects_invalid_topic_names() {
        let error = Message::new("a b", None, Vec::new()).unwrap_err();
        assert_eq!(error.code(), "invalid_topic");
        assert!(!error.is_retriable());
    }
}
