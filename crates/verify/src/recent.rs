//! Sets and maps that forget their oldest entries.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::Hash;

use foldhash::fast::RandomState;

/// The most recent members of a set.
#[derive(Debug)]
pub(crate) struct RecentSet<T> {
    members: HashSet<T, RandomState>,
    order: VecDeque<T>,
    capacity: usize,
}

impl<T: Eq + Hash + Copy> RecentSet<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            members: HashSet::default(),
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

/// The most recently written entries of a map.
#[derive(Debug)]
pub(crate) struct RecentMap<K, V> {
    /// Values, and the numbers of their last insertions.
    entries: HashMap<K, (u64, V), RandomState>,
    /// Insertions, the oldest first. Those of entries that were removed or written again are stale.
    order: VecDeque<(u64, K)>,
    capacity: usize,
    insertions: u64,
    /// Number of entries that were forgotten.
    pub(crate) forgotten: u64,
}

impl<K: Eq + Hash + Clone, V> RecentMap<K, V> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            entries: HashMap::default(),
            order: VecDeque::new(),
            capacity,
            insertions: 0,
            forgotten: 0,
        }
    }

    /// Adds or replaces an entry, and returns its value before.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.insertions += 1;
        self.order.push_back((self.insertions, key.clone()));
        let before = self.entries.insert(key, (self.insertions, value));
        while self.entries.len() > self.capacity
            && let Some((number, oldest)) = self.order.pop_front()
        {
            if is_last(&self.entries, number, &oldest) {
                self.entries.remove(&oldest);
                self.forgotten += 1;
            }
        }
        // Each sweep removes at least half of the insertions, so its cost is spread over as many.
        if self.order.len() > 2 * self.capacity.max(self.entries.len()) {
            let entries = &self.entries;
            self.order
                .retain(|(number, key)| is_last(entries, *number, key));
        }
        before.map(|(_, value)| value)
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        self.entries.remove(key).map(|(_, value)| value)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key).map(|(_, value)| value)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.entries.values_mut().map(|(_, value)| value)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.values().map(|(_, value)| value)
    }
}

fn is_last<K: Eq + Hash, V>(
    entries: &HashMap<K, (u64, V), RandomState>,
    number: u64,
    key: &K,
) -> bool {
    entries.get(key).is_some_and(|(last, _)| *last == number)
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

    #[test]
    fn an_entry_that_was_removed_and_added_again_is_as_young_as_any() {
        let mut map = RecentMap::new(2);
        map.insert("a", 1);
        map.remove(&"a");
        map.insert("b", 2);
        map.insert("a", 3);
        map.insert("c", 4);
        assert_eq!((map.remove(&"a"), map.remove(&"b")), (Some(3), None));
        assert_eq!(map.forgotten, 1);
    }

    #[test]
    fn memory_is_bounded_while_entries_come_and_go() {
        let mut map = RecentMap::new(4);
        for number in 0..1_000 {
            map.insert(number % 3, number);
            map.remove(&(number % 2));
            assert!(map.order.len() <= 8, "{}", map.order.len());
        }
        assert_eq!(map.forgotten, 0);
    }
}
