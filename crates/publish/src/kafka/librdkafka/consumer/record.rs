//! Records as read from the cluster.

use std::fmt;
use std::time::{Duration, SystemTime};

use rdkafka::message::{BorrowedMessage, Headers, Message as _};

/// Record read from a topic.
#[derive(Clone, PartialEq, Eq)]
pub struct ConsumerRecord {
    /// Topic.
    pub topic: String,
    /// Partition of the topic.
    pub partition: i32,
    /// Offset in the partition.
    pub offset: i64,
    /// Creation time, or append time if the topic is configured so.
    pub timestamp: Option<SystemTime>,
    /// Key.
    pub key: Option<Vec<u8>>,
    /// Headers, in order.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// Payload; `None` is a tombstone.
    pub payload: Option<Vec<u8>>,
}

impl ConsumerRecord {
    /// Returns the names and values of headers that have a value, for a
    /// [`Received`](herald_envelope::Received).
    pub fn header_pairs(&self) -> Vec<(&str, &[u8])> {
        let headers = self.headers.iter();
        headers
            .filter_map(|(name, value)| Some((name.as_str(), value.as_deref()?)))
            .collect()
    }

    pub(super) fn of(message: &BorrowedMessage<'_>) -> Self {
        let headers = message.headers().map(|headers| {
            let headers = headers.iter();
            headers
                .map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec)))
                .collect()
        });
        let timestamp = message.timestamp().to_millis();
        Self {
            topic: message.topic().to_owned(),
            partition: message.partition(),
            offset: message.offset(),
            timestamp: timestamp.and_then(from_millis),
            key: message.key().map(<[u8]>::to_vec),
            headers: headers.unwrap_or_default(),
            payload: message.payload().map(<[u8]>::to_vec),
        }
    }
}

/// Omits the content, which may be private.
impl fmt::Debug for ConsumerRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsumerRecord")
            .field("topic", &self.topic)
            .field("partition", &self.partition)
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}

/// Converts Kafka's milliseconds since 1970 to a time.
pub(super) fn from_millis(millis: i64) -> Option<SystemTime> {
    let since = Duration::from_millis(u64::try_from(millis).ok()?);
    SystemTime::UNIX_EPOCH.checked_add(since)
}

/// Converts a time to Kafka's milliseconds since 1970; an earlier one becomes 0.
pub(super) fn to_millis(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}
