//! Table of rows that are in the transport, or delivered and not removed yet.

use std::collections::BTreeMap;

use herald_spool::Sequence;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowState {
    /// The transport has it. The field is the hash of its key.
    WithTransport(u64),
    /// The cluster or the dead letters have it; the row is or will be removed.
    Acknowledged,
}

/// Rows by sequence.
///
/// Sequences are mostly adjacent, so the rows are kept in blocks.
#[derive(Default)]
pub(super) struct RowTable {
    blocks: BTreeMap<u64, Block>,
    rows: usize,
}

/// Number of sequences in a block, one per bit of its sets.
const BLOCK: usize = u64::BITS as usize;

/// Rows of adjacent sequences.
struct Block {
    /// Set of rows in the transport.
    with_transport: u64,
    acknowledged: u64,
    /// Hashes of the keys of rows in the transport.
    keys: [u64; BLOCK],
}

impl Default for Block {
    fn default() -> Self {
        Self {
            with_transport: 0,
            acknowledged: 0,
            keys: [0; BLOCK],
        }
    }
}

impl Block {
    fn get(&self, place: usize) -> Option<RowState> {
        let bit = 1 << place;
        if self.with_transport & bit != 0 {
            return Some(RowState::WithTransport(self.keys[place]));
        }
        (self.acknowledged & bit != 0).then_some(RowState::Acknowledged)
    }

    fn set(&mut self, place: usize, row: Option<RowState>) {
        let bit = 1 << place;
        self.with_transport &= !bit;
        self.acknowledged &= !bit;
        match row {
            Some(RowState::WithTransport(key)) => {
                self.with_transport |= bit;
                self.keys[place] = key;
            }
            Some(RowState::Acknowledged) => self.acknowledged |= bit,
            None => {}
        }
    }

    fn rows(&self) -> u64 {
        self.with_transport | self.acknowledged
    }
}

/// Returns the number of a sequence's block, and its place there.
fn place(sequence: Sequence) -> (u64, usize) {
    let sequence = sequence.get();
    let place = usize::try_from(sequence % BLOCK as u64).unwrap_or_default();
    (sequence / BLOCK as u64, place)
}

/// Returns the sequence of a place in a block.
fn sequence(number: u64, place: u32) -> Sequence {
    Sequence::new(number * BLOCK as u64 + u64::from(place))
}

impl RowTable {
    pub(super) fn insert(&mut self, sequence: Sequence, row: RowState) {
        let (number, place) = place(sequence);
        let block = self.blocks.entry(number).or_default();
        self.rows += usize::from(block.get(place).is_none());
        block.set(place, Some(row));
    }

    pub(super) fn remove(&mut self, sequence: Sequence) {
        let (number, place) = place(sequence);
        let Some(block) = self.blocks.get_mut(&number) else {
            return;
        };
        self.rows -= usize::from(block.get(place).is_some());
        block.set(place, None);
        if block.rows() == 0 {
            self.blocks.remove(&number);
        }
    }

    /// Returns the key of each row in the transport.
    pub(super) fn keys_with_transport(&self) -> impl Iterator<Item = u64> {
        self.blocks.values().flat_map(|block| {
            let places = (0..BLOCK).filter(|place| block.with_transport & (1 << place) != 0);
            places.map(|place| block.keys[place])
        })
    }

    pub(super) fn contains(&self, sequence: Sequence) -> bool {
        self.get(sequence).is_some()
    }

    fn get(&self, sequence: Sequence) -> Option<RowState> {
        let (number, place) = place(sequence);
        self.blocks.get(&number)?.get(place)
    }

    pub(super) fn any_with_transport(&self) -> bool {
        self.first_with_transport().is_some()
    }

    /// Lowest sequence of a row in the transport.
    pub(super) fn first_with_transport(&self) -> Option<Sequence> {
        let block = self
            .blocks
            .iter()
            .find(|(_, block)| block.with_transport != 0);
        block.map(|(number, block)| sequence(*number, block.with_transport.trailing_zeros()))
    }

    pub(super) fn is_acknowledged(&self, sequence: Sequence) -> bool {
        self.get(sequence) == Some(RowState::Acknowledged)
    }

    /// Sequences of the rows that the cluster has.
    pub(super) fn acknowledged(&self) -> impl Iterator<Item = Sequence> {
        self.blocks.iter().flat_map(|(&number, block)| {
            let places = (0..u64::BITS).filter(|place| block.acknowledged & (1 << place) != 0);
            places.map(move |place| sequence(number, place))
        })
    }

    pub(super) fn len(&self) -> usize {
        self.rows
    }

    pub(super) fn last(&self) -> Option<Sequence> {
        let (number, block) = self.blocks.last_key_value()?;
        Some(sequence(*number, block.rows().ilog2()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn key_is_with_the_transport_while_one_of_its_rows_is() {
        let mut rows = RowTable::default();
        let [first, second] = [1, 2].map(Sequence::new);
        rows.insert(first, RowState::WithTransport(7));
        rows.insert(first, RowState::WithTransport(7));
        rows.insert(second, RowState::WithTransport(7));
        rows.insert(first, RowState::Acknowledged);
        assert!(rows.keys_with_transport().eq([7]));
        rows.remove(second);
        rows.remove(second);
        assert!(rows.keys_with_transport().next().is_none());
        assert_eq!((rows.len(), rows.last()), (1, Some(first)));
    }

    proptest! {
        #[test]
        fn behaves_like_a_map(
            changes in prop::collection::vec((0_u64..300, prop::option::of(0_u64..3)), 0..200),
        ) {
            let mut rows = RowTable::default();
            let mut model = BTreeMap::new();
            for (number, (at, key)) in changes.into_iter().enumerate() {
                let sequence = Sequence::new(at);
                match key {
                    None if number % 2 == 0 => {
                        rows.remove(sequence);
                        model.remove(&sequence);
                    }
                    key => {
                        let row = key.map_or(RowState::Acknowledged, RowState::WithTransport);
                        rows.insert(sequence, row);
                        model.insert(sequence, row);
                    }
                }
                let of = |wanted: bool| {
                    let is_wanted = move |row: &RowState| (*row == RowState::Acknowledged) == wanted;
                    model.iter().filter(move |(_, row)| is_wanted(row)).map(|(at, _)| *at)
                };
                prop_assert_eq!(rows.len(), model.len());
                prop_assert_eq!(rows.last(), model.keys().last().copied());
                prop_assert_eq!(rows.first_with_transport(), of(false).next());
                prop_assert!(rows.acknowledged().eq(of(true)));
                prop_assert_eq!(rows.contains(sequence), model.contains_key(&sequence));
                for key in 0..3 {
                    let held = model.values().any(|row| *row == RowState::WithTransport(key));
                    prop_assert_eq!(rows.keys_with_transport().any(|of| of == key), held);
                }
            }
        }
    }
}
