//! Sets of topics that a connection remembers: missing ones, and those of refused batches.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::clock::lock;

/// Time for which a topic counts as missing after a wait for it was in vain. A topic that is
/// created meanwhile is found after this time.
const MISSING_TTL: Duration = Duration::from_secs(10);

/// Topics that the cluster does not have.
///
/// librdkafka waits for an unknown topic again with every message
/// (`topic.metadata.propagation.max.ms`). For a full spool of such messages that adds up to a day.
#[derive(Default)]
pub(super) struct MissingTopics {
    /// Whether the map has entries, which is rare: read without the lock for each message.
    any: AtomicBool,
    since: Mutex<HashMap<Box<str>, Instant>>,
}

impl MissingTopics {
    pub(super) fn insert(&self, topic: &str) {
        lock(&self.since).insert(topic.into(), Instant::now());
        // After the insert: a sender that reads `true` and takes the lock finds the topic.
        self.any.store(true, Ordering::Release);
    }

    pub(super) fn contains(&self, topic: &str) -> bool {
        if !self.any.load(Ordering::Acquire) {
            return false;
        }
        let mut since = lock(&self.since);
        since.retain(|_, noted| noted.elapsed() < MISSING_TTL);
        if since.is_empty() {
            self.any.store(false, Ordering::Release);
        }
        since.contains_key(topic)
    }
}

/// Time after which a new connection tries batches again.
const REFUSED_TTL: Duration = Duration::from_secs(600);

/// Topics of which a broker refused a batch, remembered from one connection to the next. Clones
/// share the set.
#[derive(Clone, Default)]
pub(super) struct RefusedBatchTopics(Arc<Mutex<HashMap<Box<str>, Instant>>>);

impl RefusedBatchTopics {
    pub(super) fn insert(&self, topic: &str) {
        lock(&self.0).insert(topic.into(), Instant::now());
    }

    pub(super) fn contains(&self, topic: &str) -> bool {
        lock(&self.0)
            .get(topic)
            .is_some_and(|since| since.elapsed() < REFUSED_TTL)
    }
}
