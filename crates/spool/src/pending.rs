//! Pending result of an operation, for threads and for any async runtime.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::error::SpoolError;
use crate::sync::lock;
use herald_process::ForkGuard;

type Outcome<T> = Result<T, SpoolError>;

/// Result of an operation that the writer has accepted. It resolves when the operation is durable
/// or has failed.
///
/// Wait with [`Pending::wait`] on a thread, or await it in any runtime. The operation goes on if
/// this is dropped.
#[must_use = "until this resolves, nothing is known to be durable"]
pub struct Pending<T> {
    slot: Arc<Slot<T>>,
    fork_guard: ForkGuard,
}

struct Slot<T> {
    state: Mutex<State<T>>,
    done: Condvar,
}

enum State<T> {
    Waiting(Option<Waker>),
    Done(Outcome<T>),
    Taken,
}

impl<T> State<T> {
    fn take(&mut self) -> Option<Outcome<T>> {
        if matches!(self, Self::Waiting(_)) {
            return None;
        }
        match std::mem::replace(self, Self::Taken) {
            Self::Done(outcome) => Some(outcome),
            Self::Waiting(_) | Self::Taken => Some(Err(SpoolError::Closed)),
        }
    }
}

impl<T> Pending<T> {
    /// Waits until the operation is durable or has failed; at most for one or two commits.
    ///
    /// # Errors
    /// The error of the operation; [`SpoolError::Forked`] in a child of the spool's process.
    pub fn wait(self) -> Outcome<T> {
        self.fork_guard.check()?;
        let mut state = lock(&self.slot.state);
        loop {
            if let Some(outcome) = state.take() {
                return outcome;
            }
            state = self
                .slot
                .done
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits at most `timeout`.
    ///
    /// # Errors
    /// `Err` returns `self`, still pending, after the timeout. The outcome of the operation is in
    /// `Ok`.
    pub fn wait_timeout(self, timeout: Duration) -> Result<Outcome<T>, Self> {
        if let Err(forked) = self.fork_guard.check() {
            return Ok(Err(forked.into()));
        }
        let started = Instant::now();
        let mut state = lock(&self.slot.state);
        loop {
            if let Some(outcome) = state.take() {
                return Ok(outcome);
            }
            let left = timeout.saturating_sub(started.elapsed());
            if left.is_zero() {
                drop(state);
                return Err(self);
            }
            let waited = self.slot.done.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl<T> Future for Pending<T> {
    type Output = Outcome<T>;

    /// Polls the outcome. Polled again after it was ready, it returns [`SpoolError::Closed`].
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Err(forked) = self.fork_guard.check() {
            return Poll::Ready(Err(forked.into()));
        }
        let mut state = lock(&self.slot.state);
        if let Some(outcome) = state.take() {
            return Poll::Ready(outcome);
        }
        // The waker is stored under the lock that the writer takes to resolve, so either the
        // writer finds this waker, or this poll has found the outcome: no wake-up is lost.
        *state = State::Waiting(Some(context.waker().clone()));
        Poll::Pending
    }
}

impl<T> fmt::Debug for Pending<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").finish_non_exhaustive()
    }
}

/// Writer's half of a [`Pending`]. Dropped without an outcome it resolves to
/// [`SpoolError::Closed`], so that no caller waits for a writer that has ended.
pub(crate) struct Completer<T> {
    slot: Arc<Slot<T>>,
}

impl<T> Completer<T> {
    pub(crate) fn complete(self, outcome: Outcome<T>) {
        self.resolve(outcome);
    }

    fn resolve(&self, outcome: Outcome<T>) {
        let mut state = lock(&self.slot.state);
        let State::Waiting(waker) = &mut *state else {
            return;
        };
        let waker = waker.take();
        *state = State::Done(outcome);
        drop(state);
        self.slot.done.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Drop for Completer<T> {
    fn drop(&mut self) {
        self.resolve(Err(SpoolError::Closed));
    }
}

pub(crate) fn pending<T>(fork_guard: ForkGuard) -> (Completer<T>, Pending<T>) {
    let slot = Arc::new(Slot {
        state: Mutex::new(State::Waiting(None)),
        done: Condvar::new(),
    });
    let completer = Completer { slot: slot.clone() };
    (completer, Pending { slot, fork_guard })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropped_completer_resolves_to_closed() {
        let (completer, pending) = pending::<()>(ForkGuard::new());
        drop(completer);
        assert_eq!(pending.wait(), Err(SpoolError::Closed));
    }

    #[test]
    fn wait_timeout_returns_the_pending_after_the_timeout() {
        let (completer, pending) = pending(ForkGuard::new());
        let pending = pending.wait_timeout(Duration::ZERO).unwrap_err();
        completer.complete(Ok(7));
        assert_eq!(pending.wait_timeout(Duration::ZERO).unwrap(), Ok(7));
    }

    #[test]
    fn outcome_wakes_a_waiting_thread() {
        let (completer, pending) = pending(ForkGuard::new());
        let waiting = std::thread::spawn(|| pending.wait());
        completer.complete(Ok(7));
        assert_eq!(waiting.join().unwrap(), Ok(7));
    }
}
