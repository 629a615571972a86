//! Topics of which a broker refused a batch.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::clock::lock;

/// After this time a new connection tries batches again.
const MEMORY: Duration = Duration::from_secs(600);

/// Topics of which a broker refused a batch, remembered from one connection to the next. Clones
/// share it.
#[derive(Clone, Default)]
pub(super) struct Refused(Arc<Mutex<HashMap<Box<str>, Instant>>>);

impl Refused {
    pub(super) fn note(&self, topic: &str) {
        lock(&self.0).insert(topic.into(), Instant::now());
    }

    pub(super) fn contains(&self, topic: &str) -> bool {
        lock(&self.0)
            .get(topic)
            .is_some_and(|since| since.elapsed() < MEMORY)
    }
}
