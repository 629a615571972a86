//! Table of rows that are in the transport, or delivered and not removed yet.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use herald_spool::Sequence;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowState {
    /// The transport has it. The field is the hash of its key.
    WithTransport(u64),
    /// The cluster or the dead letters have it; the row is or will be removed.
    Acknowledged,
}

/// Rows by sequence, and the number of rows in the transport by key.
#[derive(Default)]
pub(super) struct RowTable {
    rows: BTreeMap<Sequence, RowState>,
    held: HashMap<u64, usize>,
}

impl RowTable {
    pub(super) fn insert(&mut self, sequence: Sequence, row: RowState) {
        if let RowState::WithTransport(key) = row {
            *self.held.entry(key).or_default() += 1;
        }
        let before = self.rows.insert(sequence, row);
        self.let_go(before);
    }

    pub(super) fn remove(&mut self, sequence: Sequence) {
        let before = self.rows.remove(&sequence);
        self.let_go(before);
    }

    fn let_go(&mut self, row: Option<RowState>) {
        if let Some(RowState::WithTransport(key)) = row
            && let Entry::Occupied(mut held) = self.held.entry(key)
        {
            *held.get_mut() -= 1;
            if *held.get() == 0 {
                held.remove();
            }
        }
    }

    pub(super) fn are_with_transport(&self, key: u64) -> bool {
        self.held.contains_key(&key)
    }

    pub(super) fn contains(&self, sequence: Sequence) -> bool {
        self.rows.contains_key(&sequence)
    }

    pub(super) fn any_with_transport(&self) -> bool {
        !self.held.is_empty()
    }

    pub(super) fn is_acknowledged(&self, sequence: Sequence) -> bool {
        self.rows.get(&sequence) == Some(&RowState::Acknowledged)
    }

    /// Sequences of the rows that the cluster has.
    pub(super) fn acknowledged(&self) -> impl Iterator<Item = Sequence> {
        let rows = self.rows.iter();
        rows.filter(|(_, row)| **row == RowState::Acknowledged)
            .map(|(sequence, _)| *sequence)
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn last(&self) -> Option<Sequence> {
        self.rows.last_key_value().map(|(sequence, _)| *sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_is_with_the_transport_while_one_of_its_rows_is() {
        let mut rows = RowTable::default();
        let [first, second] = [1, 2].map(Sequence::new);
        rows.insert(first, RowState::WithTransport(7));
        rows.insert(first, RowState::WithTransport(7));
        rows.insert(second, RowState::WithTransport(7));
        rows.insert(first, RowState::Acknowledged);
        assert!(rows.are_with_transport(7) && !rows.are_with_transport(8));
        rows.remove(second);
        rows.remove(second);
        assert!(!rows.are_with_transport(7));
        assert_eq!((rows.len(), rows.last()), (1, Some(first)));
    }
}
