//! Clock of a publisher: the system's, or one that a test advances.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime};

pub(crate) use herald_spool::lock;

/// Clock of a publisher, for deadlines, backoff and ages.
///
/// [`Clock::manual`] stands still until a test advances it, so that a test of a ten-minute outage
/// takes milliseconds.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    System(Instant),
    Manual(Arc<Manual>),
}

struct Manual {
    started: SystemTime,
    passed: Mutex<Duration>,
    waiters: Mutex<Vec<Weak<Notify>>>,
}

impl Default for Clock {
    fn default() -> Self {
        Self(Source::System(Instant::now()))
    }
}

impl Clock {
    /// Creates a clock that only [`Clock::advance`] moves.
    pub fn manual() -> Self {
        Self(Source::Manual(Arc::new(Manual {
            started: SystemTime::now(),
            passed: Mutex::new(Duration::ZERO),
            waiters: Mutex::new(Vec::new()),
        })))
    }

    /// Advances a manual clock; a system clock ignores it.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(manual) = &self.0 {
            *lock(&manual.passed) += by;
            lock(&manual.waiters).retain(|notify| {
                let notify = notify.upgrade();
                notify.inspect(|notify| notify.notify()).is_some()
            });
        }
    }

    /// Returns the time since the clock was created. It never goes back.
    pub(crate) fn now(&self) -> Duration {
        match &self.0 {
            Source::System(origin) => origin.elapsed(),
            Source::Manual(manual) => *lock(&manual.passed),
        }
    }

    /// Returns the time of day.
    pub(crate) fn wall(&self) -> SystemTime {
        match &self.0 {
            Source::System(_) => SystemTime::now(),
            Source::Manual(manual) => manual.started + self.now(),
        }
    }

    /// Creates a notify whose waits end when this clock is advanced.
    pub(crate) fn notify(&self) -> Arc<Notify> {
        let notify = Arc::new(Notify::default());
        if let Source::Manual(manual) = &self.0 {
            lock(&manual.waiters).push(Arc::downgrade(&notify));
        }
        notify
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match &self.0 {
            Source::System(_) => "system",
            Source::Manual(_) => "manual",
        };
        f.debug_tuple("Clock").field(&name).finish()
    }
}

/// Notification of one thread that sleeps. It is kept until the thread waits, so none is lost.
#[derive(Default)]
pub(crate) struct Notify {
    notified: Mutex<bool>,
    condvar: Condvar,
}

impl Notify {
    /// Ends the current wait, or else the next one.
    pub(crate) fn notify(&self) {
        let mut notified = lock(&self.notified);
        // Already notified, and the thread has not run since: saves the system call of
        // `notify_one`.
        if !std::mem::replace(&mut *notified, true) {
            self.condvar.notify_one();
        }
    }

    /// Sleeps until it is notified or the clock shows `until`. May return early.
    pub(crate) fn wait(&self, clock: &Clock, until: Option<Duration>) {
        let notified = lock(&self.notified);
        let mut notified = match (&clock.0, until) {
            (Source::System(_), Some(until)) => {
                let time = until.saturating_sub(clock.now());
                self.condvar
                    .wait_timeout_while(notified, time, |notified| !*notified)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            }
            // `Clock::advance` notifies.
            (Source::Manual(_), Some(until)) if until <= clock.now() => notified,
            _ => self
                .condvar
                .wait_while(notified, |notified| !*notified)
                .unwrap_or_else(PoisonError::into_inner),
        };
        *notified = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advancing_a_manual_clock_ends_waits() {
        let clock = Clock::manual();
        let notify = clock.notify();
        let waiting = std::thread::spawn({
            let clock = clock.clone();
            move || {
                let until = Duration::from_secs(600);
                while clock.now() < until {
                    notify.wait(&clock, Some(until));
                }
            }
        });
        clock.advance(Duration::from_secs(599));
        clock.advance(Duration::from_secs(1));
        waiting.join().unwrap();
    }

    #[test]
    fn notification_before_the_wait_is_not_lost() {
        let clock = Clock::default();
        let notify = clock.notify();
        notify.notify();
        notify.wait(&clock, None);
    }
}
