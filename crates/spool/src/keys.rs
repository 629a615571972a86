//! How many records of the queue have which topic and key, without a copy of the keys.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};

use crate::record::Record;

/// Hashes topic and key to 64 bits. Random per process, so that nobody can choose keys that
/// collide.
#[derive(Debug, Default)]
pub(crate) struct KeyHasher(RandomState);

impl KeyHasher {
    pub(crate) fn hash(&self, topic: &[u8], key: Option<&[u8]>) -> u64 {
        self.0.hash_one((topic, key))
    }

    pub(crate) fn hash_of(&self, record: &Record) -> u64 {
        self.hash(record.topic.as_bytes(), record.key.as_deref())
    }
}

/// Counts per hash. Two keys that collide, one pair in billions, are held for one: an event then
/// waits behind another key's, which costs time, never order.
#[derive(Debug, Default)]
pub(crate) struct KeyCounts(HashMap<u64, u32, BuildHasherDefault<AlreadyHashed>>);

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
                self.give_memory_back();
            }
        }
    }

    pub(crate) fn contains(&self, hash: u64) -> bool {
        self.0.contains_key(&hash)
    }

    /// After an outage with many keys the map would keep its size for ever.
    fn give_memory_back(&mut self) {
        if self.0.is_empty() && self.0.capacity() > 4096 {
            self.0.shrink_to_fit();
        }
    }
}

/// The keys of the map are hashes already.
#[derive(Debug, Default)]
struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
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
    fn a_key_is_there_until_its_last_record_left() {
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
    fn topic_and_key_do_not_run_into_each_other() {
        let hasher = KeyHasher::default();
        assert_ne!(
            hasher.hash(b"ab", Some(b"c")),
            hasher.hash(b"a", Some(b"bc"))
        );
        assert_ne!(hasher.hash(b"a", None), hasher.hash(b"a", Some(b"")));
    }
}
