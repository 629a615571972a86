//! Alarm of the thread that watches deadlines.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::{Clock, Notify};

/// Alarm of the thread that watches deadlines.
///
/// That thread wakes once in a deadline. Callers with an earlier one notify it; all others cost it
/// nothing.
pub(crate) struct DeadlineTimer {
    notify: Arc<Notify>,
    /// When it wakes by itself, in microseconds of the clock.
    wakes: AtomicU64,
}

impl DeadlineTimer {
    pub(crate) fn new(clock: &Clock) -> Self {
        Self {
            notify: clock.notify(),
            wakes: AtomicU64::new(0),
        }
    }

    /// Makes sure that somebody looks at `due`.
    pub(crate) fn schedule(&self, due: Duration) {
        let due = micros(due);
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

    pub(crate) fn wait(&self, clock: &Clock, next: Duration) {
        self.notify.wait(clock, Some(next));
    }
}

pub(crate) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
