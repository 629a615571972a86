//! Timer of the deadline thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::{Clock, Notify};

/// Timer of the deadline thread.
///
/// The thread wakes once per default deadline. Only an event with an earlier deadline notifies it, so
/// that publishing usually costs one relaxed load here.
pub(crate) struct DeadlineTimer {
    notify: Arc<Notify>,
    /// Time of its next wake-up, in microseconds of the clock.
    wakes: AtomicU64,
}

impl DeadlineTimer {
    pub(crate) fn new(clock: &Clock) -> Self {
        Self {
            notify: clock.notify(),
            wakes: AtomicU64::new(0),
        }
    }

    /// Ensures that the thread checks deadlines at `due` or earlier.
    pub(crate) fn schedule(&self, due: Duration) {
        let due = micros(due);
        // The caller has queued its event or waiter before. Either the thread sees it when it looks
        // again after `set_next`, or it was queued after that look, and then the mutex of the queue
        // orders the store of `wakes` before this load.
        if due < self.wakes.load(Ordering::Relaxed) {
            self.wakes.fetch_min(due, Ordering::Relaxed);
            self.notify.notify();
        }
    }

    pub(crate) fn notify(&self) {
        self.notify.notify();
    }

    /// Registers the next check. An earlier deadline that came before this did not notify: check
    /// again before waiting.
    pub(crate) fn set_next(&self, next: Duration) {
        self.wakes.store(micros(next), Ordering::SeqCst);
    }

    /// Returns the time of the next check.
    #[cfg(test)]
    pub(crate) fn next(&self) -> Duration {
        Duration::from_micros(self.wakes.load(Ordering::SeqCst))
    }

    pub(crate) fn wait(&self, clock: &Clock, next: Duration) {
        self.notify.wait(clock, Some(next));
    }
}

pub(crate) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
