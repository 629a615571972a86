//! Sets and maps that forget their oldest entries.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::Hash;

/// The most recent members of a set.
#[derive(Debug)]
pub(crate) struct RecentSet<T> {
    members: HashSet<T>,
    order: VecDeque<T>,
    capacity: usize,
}

impl<T: Eq + Hash + Copy> RecentSet<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            members: HashSet::new(),
            order: VecDeque::new(),
            capacity,
        }
    }

    /// Adds a member, and returns whether it is new.
    pub(crate) fn insert(&mut self, member: T) -> bool {
        if !self.members.insert(member) {
            return false;
        }
        self.order.push_back(member);
        if self.order.len() > self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.members.remove(&oldest);
        }
        true
    }
}

/// The most recent entries of a map. Entries that were removed count until they would be forgotten.
#[derive(Debug)]
pub(crate) struct RecentMap<K, V> {
    entries: HashMap<K, V>,
    order: VecDeque<K>,
    capacity: usize,
    /// Number of entries that were forgotten.
    pub(crate) forgotten: u64,
}

impl<K: Eq + Hash + Clone, V> RecentMap<K, V> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            entries: HashMap::new(),
            order: VecDeque::new(),
            capacity,
            forgotten: 0,
        }
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        if self.entries.insert(key.clone(), value).is_none() {
            self.order.push_back(key);
        }
        if self.order.len() > self.capacity
            && let Some(oldest) = self.order.pop_front()
            && self.entries.remove(&oldest).is_some()
        {
            self.forgotten += 1;
        }
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        self.entries.remove(key)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_members_are_forgotten() {
        let mut set = RecentSet::new(2);
        assert!(set.insert(1) && set.insert(2) && !set.insert(1));
        assert!(set.insert(3) && set.insert(1) && !set.insert(3));
        let mut map = RecentMap::new(1);
        map.insert("a", 1);
        map.insert("b", 2);
        assert_eq!(
            (map.remove(&"a"), map.remove(&"b"), map.forgotten),
            (None, Some(2), 1)
        );
    }
}
