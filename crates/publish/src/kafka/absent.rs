//! Topics that the cluster does not have.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::clock::lock;

/// How long a topic is taken to be absent that was waited for in vain. A topic made meanwhile
/// is noticed after it.
const MEMORY: Duration = Duration::from_secs(10);

/// Topics that were waited for in vain.
///
/// librdkafka waits for an unknown topic with each message anew. For a spool full of such
/// messages that is a day.
#[derive(Default)]
pub(super) struct Absent {
    /// Whether to look: hardly ever.
    any: AtomicBool,
    since: Mutex<HashMap<Box<str>, Instant>>,
}

impl Absent {
    pub(super) fn note(&self, topic: &str) {
        lock(&self.since).insert(topic.into(), Instant::now());
        self.any.store(true, Ordering::Release);
    }

    pub(super) fn contains(&self, topic: &str) -> bool {
        if !self.any.load(Ordering::Acquire) {
            return false;
        }
        let mut since = lock(&self.since);
        since.retain(|_, noted| noted.elapsed() < MEMORY);
        if since.is_empty() {
            self.any.store(false, Ordering::Release);
        }
        since.contains_key(topic)
    }
}
