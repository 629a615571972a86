//! Number of queued records per topic and key, kept without a copy of the keys.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::sync::LazyLock;

use crate::record::Record;

/// Hash of a topic and key: see [`key_hash`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyHash(pub(crate) u64);

impl KeyHash {
    /// Creates the hash from its [value](Self::get).
    pub const fn new(hash: u64) -> Self {
        Self(hash)
    }

    /// Returns the value.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// Returns the hash with which spools count the records of a topic and key. It is seeded per process,
/// so that nobody can choose keys that collide.
pub fn key_hash(topic: &str, key: Option<&[u8]>) -> KeyHash {
    KeyHash(hash(topic.as_bytes(), key))
}

static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Makes the seed. See [`crate::row::init_statements`].
pub(crate) fn init_seed() {
    LazyLock::force(&SEED);
}

pub(crate) fn hash(topic: &[u8], key: Option<&[u8]>) -> u64 {
    SEED.hash_one((topic, key))
}

pub(crate) fn hash_of(record: &Record) -> u64 {
    hash(record.topic.as_bytes(), record.key.as_deref())
}

/// Record counts by key hash. Colliding keys are treated as one: an event then waits behind the
/// events of another key, which costs time but never order. A pair collides with a probability of
/// 2^-64.
#[derive(Debug, Default)]
pub(crate) struct KeyCounts(KeyHashMap<u32>);

impl KeyCounts {
    pub(crate) fn add(&mut self, hash: u64) {
        let count = self.0.entry(hash).or_default();
        *count = count.saturating_add(1);
    }

    pub(crate) fn remove(&mut self, hash: u64) {
        if let Some(count) = self.0.get_mut(&hash) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.0.remove(&hash);
                self.shrink_if_empty();
            }
        }
    }

    pub(crate) fn contains(&self, hash: u64) -> bool {
        self.0.contains_key(&hash)
    }

    /// Frees the memory of an empty map, which would otherwise keep the size of the largest outage.
    fn shrink_if_empty(&mut self) {
        if self.0.is_empty() && self.0.capacity() > 4096 {
            self.0.shrink_to_fit();
        }
    }
}

/// Map by [`KeyHash::get`], which is not hashed again.
pub type KeyHashMap<T> = HashMap<u64, T, BuildHasherDefault<PassThroughHasher>>;

/// Hasher of a map whose keys are hashes already.
#[derive(Clone, Copy, Debug, Default)]
pub struct PassThroughHasher(u64);

impl Hasher for PassThroughHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contains_a_key_until_its_last_record_is_removed() {
        let mut counts = KeyCounts::default();
        counts.add(1);
        counts.add(1);
        counts.remove(1);
        assert!(counts.contains(1));
        counts.remove(1);
        assert!(!counts.contains(1));
        counts.remove(1);
        assert!(!counts.contains(1));
    }

    #[test]
    fn hashes_topic_and_key_separately() {
        assert_ne!(key_hash("ab", Some(b"c")), key_hash("a", Some(b"bc")));
        assert_ne!(key_hash("a", None), key_hash("a", Some(b"")));
    }
}
