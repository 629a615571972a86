//! Sequences that have no row in the queue, behind the removed ones.

use std::collections::BTreeMap;

use crate::state::State;

/// Maximum number of ranges that are kept.
const MAX_RANGES: usize = 10_000;

/// Ranges of sequences without a row: of records that were removed while earlier ones stayed, and of
/// dead letters.
///
/// They are known from what this process did, not looked for: on a damaged page SQLite can skip rows
/// without an error, and a row that is there would be taken for removed.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    /// Last sequence of each range by its first. `None` if not all are known.
    ranges: Option<BTreeMap<u64, u64>>,
}

impl Gaps {
    /// Gaps of a file that was opened in this state.
    pub(crate) fn of(state: &State) -> Self {
        let mut gaps = Self::default();
        gaps.follow(state, &[]);
        gaps
    }

    /// Returns the first sequence from this one on that has a row. `None` if that is not known.
    pub(crate) fn next_row(&self, sequence: u64) -> Option<u64> {
        let before = self.ranges.as_ref()?.range(..=sequence).next_back();
        let gap = before.filter(|(_, last)| **last >= sequence);
        Some(gap.map_or(sequence, |(_, last)| last + 1))
    }

    /// Returns whether all of these sequences have a row, as far as they were given out.
    pub(crate) fn have_rows(&self, [first, last]: [u64; 2]) -> bool {
        let Some(ranges) = &self.ranges else {
            return false;
        };
        let overlapping = ranges.range(..=last).next_back();
        overlapping.is_none_or(|(_, gap_last)| *gap_last < first)
    }

    /// Follows a commit, which led to this state and made these gaps.
    pub(crate) fn follow(&mut self, state: &State, new: &[[u64; 2]]) {
        if state.is_gapless() {
            self.ranges = Some(BTreeMap::new());
            return;
        }
        for gap in new {
            self.add(*gap);
        }
        if let Some(ranges) = &mut self.ranges {
            while let Some(first) = ranges.first_entry()
                && let last = *first.get()
                && last <= state.removed.to
            {
                first.remove();
            }
            if ranges.len() > MAX_RANGES {
                self.ranges = None;
            }
        }
    }

    fn add(&mut self, [mut first, mut last]: [u64; 2]) {
        let Some(ranges) = &mut self.ranges else {
            return;
        };
        while let Some((&from, &to)) = ranges.range(..=last.saturating_add(1)).next_back()
            && to.saturating_add(1) >= first
        {
            ranges.remove(&from);
            first = first.min(from);
            last = last.max(to);
        }
        ranges.insert(first, last);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::state::{Removed, Totals};

    /// State with so many rows among the sequences from 1 to 100.
    fn state(removed: u64, rows: usize) -> State {
        State {
            next_sequence: 101,
            totals: Totals {
                records: rows as u64,
                ..Totals::default()
            },
            removed: Removed {
                to: removed,
                ..Removed::default()
            },
            ..State::default()
        }
    }

    proptest! {
        #[test]
        fn knows_every_sequence_without_a_row(
            changes in prop::collection::vec((1_u64..=100, 0_u64..8, any::<bool>()), 0..40),
        ) {
            let mut rows: BTreeSet<u64> = (1..=100).collect();
            let mut removed = 0;
            let mut gaps = Gaps::of(&state(0, 100));
            for (first, more, is_at_front) in changes {
                let last = (first + more).min(100);
                let new = [[first, last]];
                rows.retain(|row| !(first..=last).contains(row));
                if is_at_front {
                    removed = removed.max(first / 4);
                    rows.retain(|row| *row > removed);
                }
                gaps.follow(&state(removed, rows.len()), &new);
                for sequence in removed + 1..=100 {
                    let next = rows.range(sequence..).next().copied().unwrap_or(101);
                    prop_assert_eq!(gaps.next_row(sequence), Some(next));
                    prop_assert_eq!(gaps.have_rows([sequence; 2]), rows.contains(&sequence));
                }
                let has_all = |[first, last]: [u64; 2]| (first..=last).all(|row| rows.contains(&row));
                for ends in [[removed + 1, 100], [50, 60], [90, 91]] {
                    if ends[0] > removed {
                        prop_assert_eq!(gaps.have_rows(ends), has_all(ends));
                    }
                }
            }
        }
    }

    #[test]
    fn gaps_of_an_earlier_process_are_not_known_until_there_are_none() {
        let mut gaps = Gaps::of(&state(10, 80));
        assert_eq!((gaps.next_row(11), gaps.have_rows([11, 11])), (None, false));
        gaps.follow(&state(10, 79), &[[12, 12]]);
        assert_eq!(gaps.next_row(11), None);
        gaps.follow(&state(90, 10), &[]);
        assert_eq!(
            (gaps.next_row(91), gaps.have_rows([91, 100])),
            (Some(91), true)
        );
    }

    #[test]
    fn too_many_gaps_are_forgotten() {
        let mut gaps = Gaps::of(&State::default());
        let mut last = state(0, 1);
        last.next_sequence = u64::MAX;
        let many: Vec<_> = (1..=MAX_RANGES as u64 + 1)
            .map(|gap| [gap * 2; 2])
            .collect();
        gaps.follow(&last, &many);
        assert_eq!(gaps.next_row(1), None);
    }
}
