//! A result that is not there yet, for threads and for any async runtime.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::error::SpoolError;
use crate::process::Process;

type Outcome<T> = Result<T, SpoolError>;

/// Operation that the writer has taken on. Resolves when it is on the disk, or has failed.
///
/// Wait with [`Pending::wait`] on a thread, or await it in any runtime. Dropping it loses
/// nothing: the work goes on.
#[must_use = "until this resolves, nothing is known to be durable"]
pub struct Pending<T> {
    slot: Arc<Slot<T>>,
    process: Process,
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

impl<T> Slot<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
    /// Waits until the work is durable or has failed; at most for one or two commits.
    ///
    /// # Errors
    /// What the work ended with; [`SpoolError::Forked`] in a child of the spool's process.
    pub fn wait(self) -> Outcome<T> {
        self.process.check()?;
        let mut state = self.slot.lock();
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

    /// Waits for a time; gives itself back where that was not long enough.
    ///
    /// # Errors
    /// In `Ok` stands what the work ended with; `Err` is this, still pending.
    pub fn wait_timeout(self, most: Duration) -> Result<Outcome<T>, Self> {
        if let Err(forked) = self.process.check() {
            return Ok(Err(forked));
        }
        let started = Instant::now();
        let mut state = self.slot.lock();
        loop {
            if let Some(outcome) = state.take() {
                return Ok(outcome);
            }
            let left = most.saturating_sub(started.elapsed());
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

    /// Polled again after it resolved, it says [`SpoolError::Closed`].
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Err(forked) = self.process.check() {
            return Poll::Ready(Err(forked));
        }
        let mut state = self.slot.lock();
        if let Some(outcome) = state.take() {
            return Poll::Ready(outcome);
        }
        // Stored under the lock that the writer takes to resolve: it finds this waker, or this
        // poll found the outcome.
        *state = State::Waiting(Some(context.waker().clone()));
        Poll::Pending
    }
}

impl<T> fmt::Debug for Pending<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").finish_non_exhaustive()
    }
}

/// The other end. Dropped without an outcome it resolves to [`SpoolError::Closed`], so that
/// nobody waits for a writer that is gone.
pub(crate) struct Completer<T> {
    slot: Arc<Slot<T>>,
}

impl<T> Completer<T> {
    pub(crate) fn complete(self, outcome: Outcome<T>) {
        self.resolve(outcome);
    }

    fn resolve(&self, outcome: Outcome<T>) {
        let mut state = self.slot.lock();
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

pub(crate) fn pending<T>(process: Process) -> (Completer<T>, Pending<T>) {
    let slot = Arc::new(Slot {
        state: Mutex::new(State::Waiting(None)),
        done: Condvar::new(),
    });
    let completer = Completer { slot: slot.clone() };
    (completer, Pending { slot, process })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_completer_resolves_to_closed() {
        let (completer, pending) = pending::<()>(Process::current());
        drop(completer);
        assert_eq!(pending.wait(), Err(SpoolError::Closed));
    }

    #[test]
    fn waiting_for_no_time_gives_the_pending_back() {
        let (completer, pending) = pending(Process::current());
        let pending = pending.wait_timeout(Duration::ZERO).unwrap_err();
        completer.complete(Ok(7));
        assert_eq!(pending.wait_timeout(Duration::ZERO).unwrap(), Ok(7));
    }

    #[test]
    fn an_outcome_reaches_a_waiting_thread() {
        let (completer, pending) = pending(Process::current());
        let waiting = std::thread::spawn(|| pending.wait());
        completer.complete(Ok(7));
        assert_eq!(waiting.join().unwrap(), Ok(7));
    }
}
