//! Topics that a connection remembers as rejected.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::error_code::ErrorCode;
use crate::clock::lock;

/// Time for which the cluster's verdict about a topic is taken to hold. A topic that is created, or
/// an ACL that is added, is noticed after this time.
pub(super) const VERDICT_TTL: Duration = Duration::from_secs(10);

/// Time for which an absent topic explains that its messages are not acknowledged: longer than the
/// rejection of a message takes that is tried after [`VERDICT_TTL`].
pub(super) const ABSENCE_TTL: Duration = Duration::from_secs(60);

/// Topics that the cluster does not have, or does not let this client write to.
///
/// librdkafka waits for an unknown topic again with every message
/// (`topic.metadata.propagation.max.ms`). For a full spool of such messages that adds up to a day.
pub(super) struct RejectedTopics {
    ttl: Duration,
    /// Whether the map has entries, which is rare: read without the lock for each message.
    any: AtomicBool,
    verdicts: Mutex<HashMap<Box<str>, (ErrorCode, Instant)>>,
}

impl RejectedTopics {
    /// A set whose verdicts hold for this time.
    pub(super) fn new(ttl: Duration) -> Self {
        Self {
            ttl,
            any: AtomicBool::new(false),
            verdicts: Mutex::default(),
        }
    }

    pub(super) fn insert(&self, topic: &str, error: ErrorCode) {
        lock(&self.verdicts).insert(topic.into(), (error, Instant::now()));
        // After the insert: a sender that reads `true` and takes the lock finds the topic.
        self.any.store(true, Ordering::Release);
    }

    /// Returns the verdict about a topic, if there is one.
    pub(super) fn get(&self, topic: &str) -> Option<ErrorCode> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        let mut verdicts = lock(&self.verdicts);
        verdicts.retain(|_, (_, noted)| noted.elapsed() < self.ttl);
        if verdicts.is_empty() {
            self.any.store(false, Ordering::Release);
        }
        verdicts.get(topic).map(|(error, _)| *error)
    }
}
