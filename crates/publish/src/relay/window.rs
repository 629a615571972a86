//! Window of the relay: the number of rows that may be in the transport at a time.

use std::time::Duration;

use super::thread::RelayThread;
use crate::circuit::CircuitState;

/// Initial size of the window. It grows by one with each acknowledgement.
const FIRST: usize = 16;

/// Number of times that the window of a trial can double before the trial ends.
const DOUBLINGS: u32 = 8;

/// Window of rows in the transport.
///
/// A row whose broker stays unavailable may be in the transport for hours. After a time without any
/// report, all rows that are there count as stuck and no longer use the window, so that they do not
/// block rows for other brokers.
pub(super) struct Window {
    size: usize,
    largest: usize,
    sent: usize,
    stuck: usize,
    /// Rows that were sent at this time or earlier and are still there are stuck.
    stuck_at: Duration,
    /// Time of the last change of `sent`.
    moved_at: Duration,
    /// Bytes of the rows in the transport.
    bytes: usize,
    /// Earliest time of the next row, if the rate is limited or the transport was full.
    open_at: Duration,
}

impl Window {
    pub(super) fn new(largest: usize) -> Self {
        Self {
            size: FIRST.min(largest),
            largest,
            sent: 0,
            stuck: 0,
            stuck_at: Duration::ZERO,
            moved_at: Duration::ZERO,
            bytes: 0,
            open_at: Duration::ZERO,
        }
    }

    /// Returns the number of rows that may be sent now.
    pub(super) fn room(&self) -> usize {
        self.size.saturating_sub(self.sent - self.stuck)
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns when the next row may be sent.
    pub(super) fn open_at(&self) -> Duration {
        self.open_at
    }

    /// Sends nothing before this time.
    pub(super) fn close_until(&mut self, time: Duration) {
        self.open_at = time;
    }

    /// Counts a row that is given to the transport.
    pub(super) fn enter(&mut self, now: Duration, bytes: usize) {
        self.sent += 1;
        self.bytes += bytes;
        self.moved_at = now;
    }

    /// Counts a reported row that was sent at this time.
    pub(super) fn leave(&mut self, sent_at: Duration, now: Duration, bytes: usize) {
        self.sent -= 1;
        self.bytes -= bytes;
        if sent_at <= self.stuck_at {
            self.stuck = self.stuck.saturating_sub(1);
        }
        self.stuck = self.stuck.min(self.sent);
        self.moved_at = now;
    }

    /// Grows the window after an acknowledgement.
    pub(super) fn widen(&mut self) {
        self.size = (self.size + 1).min(self.largest);
    }

    /// Grows the window to at least its initial size: the cluster is available.
    pub(super) fn open(&mut self) {
        self.size = (self.size + 1).max(FIRST).min(self.largest);
    }

    /// Starts a trial with a single row, beside those that the transport has already.
    pub(super) fn start_trial(&mut self, now: Duration) {
        self.size = 1;
        self.all_stuck(now);
    }

    /// Doubles the window, and counts the rows in the transport as stuck, after no report came.
    fn give_way(&mut self, now: Duration) {
        self.size = self.size.saturating_mul(2).min(self.largest);
        self.all_stuck(now);
    }

    fn all_stuck(&mut self, now: Duration) {
        self.stuck = self.sent;
        self.stuck_at = now;
        self.moved_at = now;
    }
}

impl RelayThread {
    pub(super) fn widen_when_silent(&mut self) {
        let now = self.now();
        if self.widens_at().is_some_and(|at| at <= now) {
            self.window.give_way(now);
        }
    }

    /// Time at which a full window grows without a report; `None` if it is not full or can't grow.
    pub(super) fn widens_at(&self) -> Option<Duration> {
        let deadline = self.core.options.deadline_or_default();
        let silence = match self.circuit {
            CircuitState::Closed => deadline,
            CircuitState::HalfOpen { .. } => deadline / DOUBLINGS,
            CircuitState::Open { .. } | CircuitState::Probing { .. } => return None,
        };
        // Stuck rows must leave capacity of the transport to new events.
        let may_hold_more = self.window.sent < self.core.options.max_in_flight;
        (self.window.room() == 0 && may_hold_more).then(|| self.window.moved_at + silence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn fill(window: &mut Window, now: Duration) -> usize {
        let room = window.room();
        (0..room).for_each(|_| window.enter(now, 1));
        room
    }

    #[test]
    fn trial_begins_with_one_row_and_doubles() {
        let mut window = Window::new(100);
        assert_eq!(fill(&mut window, at(1)), 16);
        window.start_trial(at(2));
        for (step, rows) in [1, 2, 4, 8, 16, 32, 64, 100, 100].into_iter().enumerate() {
            let now = at(3 + 2 * step as u64);
            assert_eq!(fill(&mut window, now), rows);
            window.give_way(now + at(1));
        }
    }

    #[test]
    fn stuck_rows_use_no_capacity_and_are_counted_until_they_leave() {
        let mut window = Window::new(100);
        fill(&mut window, at(1));
        window.start_trial(at(2));
        window.open();
        assert_eq!(fill(&mut window, at(3)), 16);
        for _ in 0..16 {
            window.leave(at(3), at(4), 1);
        }
        assert_eq!(window.room(), 16);
        for _ in 0..16 {
            window.leave(at(1), at(5), 1);
        }
        assert_eq!((window.room(), window.sent, window.stuck), (16, 0, 0));
    }
}
