//! Topics of refused batches.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::clock::lock;

/// Time after which a new connection tries batches again.
const REFUSED_TTL: Duration = Duration::from_secs(600);

/// Topics of which a broker refused a batch, remembered from one connection to the next. Clones
/// share the set.
#[derive(Clone, Default)]
pub(in crate::kafka) struct RefusedBatchTopics(Arc<Mutex<HashMap<Box<str>, Instant>>>);

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
