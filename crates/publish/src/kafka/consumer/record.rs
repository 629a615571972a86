//! A record as it lies on the cluster.

use std::fmt;
use std::time::SystemTime;

use rdkafka::message::{BorrowedMessage, Headers, Message as _};

use super::time::moment;

/// A record as it lies on the cluster.
#[derive(Clone, PartialEq, Eq)]
pub struct Received {
    /// Where it was read.
    pub topic: String,
    /// Where in the topic.
    pub partition: i32,
    /// Where in the partition.
    pub offset: i64,
    /// When it was made, or appended where the topic says so.
    pub timestamp: Option<SystemTime>,
    /// What decided about the partition.
    pub key: Option<Vec<u8>>,
    /// Names and values in their order.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// `None` is a tombstone.
    pub payload: Option<Vec<u8>>,
}

impl Received {
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
            timestamp: timestamp.and_then(moment),
            key: message.key().map(<[u8]>::to_vec),
            headers: headers.unwrap_or_default(),
            payload: message.payload().map(<[u8]>::to_vec),
        }
    }
}

/// Content is left out: it may be private.
impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received")
            .field("topic", &self.topic)
            .field("partition", &self.partition)
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}
