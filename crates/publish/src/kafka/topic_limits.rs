//! Largest batches that topics allow, where that is less than this client sends.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::clock::lock;

/// Limits of topics in bytes. Clones share them.
#[derive(Clone, Default)]
pub(super) struct TopicLimits(Arc<Limits>);

#[derive(Default)]
struct Limits {
    /// Whether there is any entry, which is rare: read without the lock for each message.
    any: AtomicBool,
    topics: Mutex<HashMap<Box<str>, usize>>,
}

impl TopicLimits {
    /// Returns the size of the largest batch that a topic allows, if it is known and stored here.
    pub(super) fn get(&self, topic: &str) -> Option<usize> {
        if !self.0.any.load(Ordering::Acquire) {
            return None;
        }
        lock(&self.0.topics).get(topic).copied()
    }

    /// Stores the limit of a topic.
    pub(super) fn set(&self, topic: &str, bytes: usize) {
        lock(&self.0.topics).insert(topic.into(), bytes);
        self.0.any.store(true, Ordering::Release);
    }

    /// Forgets the limit of a topic.
    pub(super) fn remove(&self, topic: &str) {
        lock(&self.0.topics).remove(topic);
    }
}
