//! Position of the relay in the spool.

use std::time::Duration;

use herald_spool::Sequence;

use super::thread::POLL_INTERVAL;

/// Position up to which rows were handled, and the time to go back.
#[derive(Default)]
pub(super) struct Cursor {
    at: Sequence,
    /// Whether it has passed every row that this process knows of.
    at_end: bool,
    /// Time of the next read at the end.
    read_at: Duration,
    /// Time and sequence to go back to.
    back: Option<(Duration, Sequence)>,
}

impl Cursor {
    pub(super) fn at(&self) -> Sequence {
        self.at
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at_end
    }

    /// Whether every row up to the end was handled, and none is left for later.
    pub(super) fn is_done(&self) -> bool {
        self.at_end && self.back.is_none()
    }

    /// Whether every row up to this one was handled, and none is left for later.
    pub(super) fn has_passed(&self, sequence: Sequence) -> bool {
        self.at >= sequence && self.back.is_none()
    }

    /// Passes a row, and all before it.
    pub(super) fn pass(&mut self, sequence: Sequence) {
        self.at = self.at.max(sequence);
    }

    /// Passes a row that need not be read, if it is the next one.
    pub(super) fn pass_next(&mut self, sequence: Sequence) {
        if sequence.get() == self.at.get() + 1 {
            self.at = sequence;
        }
    }

    /// Goes back, so that this row is read next.
    pub(super) fn go_back(&mut self, sequence: Sequence) {
        let before = Sequence::new(sequence.get().saturating_sub(1));
        self.at = self.at.min(before);
        self.at_end = false;
    }

    /// Goes back to this row at this time, or earlier.
    pub(super) fn go_back_at(&mut self, time: Duration, sequence: Sequence) {
        let (old_time, old_sequence) = self.back.unwrap_or((time, sequence));
        self.back = Some((old_time.min(time), old_sequence.min(sequence)));
    }

    /// Time to go back.
    pub(super) fn back_at(&self) -> Option<Duration> {
        self.back.map(|(time, _)| time)
    }

    /// First row that has to be handled, as far as it is known here.
    pub(super) fn first_unhandled(&self) -> Sequence {
        let next = Sequence::new(self.at.get() + 1);
        self.back.map_or(next, |(_, sequence)| sequence.min(next))
    }

    /// Goes back now to what is left for later.
    pub(super) fn go_back_now(&mut self) {
        if let Some((_, sequence)) = self.back.take() {
            self.go_back(sequence);
        }
    }

    /// Goes back to what is left for later, if it is time.
    pub(super) fn go_back_if_due(&mut self, now: Duration) {
        if self.back_at().is_some_and(|time| time <= now) {
            self.go_back_now();
        }
    }

    /// Reads at the end again, if it is time.
    pub(super) fn read_again_if_due(&mut self, now: Duration) {
        if self.read_at <= now {
            self.at_end = false;
        }
    }

    /// Notes a read that returned no rows: it has seen all up to `seen`. `last` is the last row that
    /// this process knows of.
    pub(super) fn read_nothing(&mut self, now: Duration, seen: Sequence, last: Sequence) {
        self.pass(seen);
        self.at_end = self.at >= last;
        self.read_at = now + POLL_INTERVAL;
    }

    /// Notes the last row that this process knows of.
    pub(super) fn note_last(&mut self, last: Sequence) {
        self.at_end &= self.at >= last;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_left_for_later_are_read_again_from_the_first_at_the_earliest_time() {
        let mut cursor = Cursor::default();
        let second = Duration::from_secs(1);
        let [third, fifth, tenth] = [3, 5, 10].map(Sequence::new);
        cursor.pass(tenth);
        cursor.read_nothing(Duration::ZERO, tenth, tenth);
        cursor.go_back_at(second, fifth);
        cursor.go_back_at(second * 2, third);
        assert!(cursor.is_at_end() && !cursor.is_done() && !cursor.has_passed(third));
        cursor.go_back_if_due(second / 2);
        assert_eq!((cursor.at(), cursor.back_at()), (tenth, Some(second)));
        cursor.go_back_if_due(second);
        assert_eq!((cursor.at().get(), cursor.back_at()), (2, None));
        cursor.pass_next(fifth);
        assert_eq!(cursor.at().get(), 2);
        cursor.pass_next(third);
        assert_eq!(cursor.at(), third);
    }
}
