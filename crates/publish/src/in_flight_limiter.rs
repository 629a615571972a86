//! Bounded limiter for in-flight events: messages, bytes, and a first-in first-out queue of waiters.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::clock::lock;
use crate::deadline_timer::DeadlineTimer;
use crate::error::PublishError;

/// Bounded limiter for in-flight events. Waiters, threads and tasks alike, are admitted in the order
/// of their arrival, so that waiting does not change the order of events.
pub(crate) struct InFlightLimiter {
    most: Usage,
    timer: Arc<DeadlineTimer>,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
}

#[derive(Default)]
struct State {
    used: Usage,
    waiting: VecDeque<Arc<Waiter>>,
    closed: bool,
}

/// Thread or task that waits for capacity. Lock order: the limiter's `state` before `answer`.
struct Waiter {
    bytes: usize,
    due: Duration,
    answer: Mutex<Answer>,
    answered: Condvar,
}

enum Answer {
    Waiting(Option<Waker>),
    Given(Result<(), PublishError>),
}

impl Waiter {
    fn give(&self, outcome: Result<(), PublishError>) {
        let answer = std::mem::replace(&mut *lock(&self.answer), Answer::Given(outcome));
        self.answered.notify_one();
        if let Answer::Waiting(Some(waker)) = answer {
            waker.wake();
        }
    }
}

impl InFlightLimiter {
    pub(crate) fn new(most: Usage, timer: Arc<DeadlineTimer>) -> Self {
        Self {
            most,
            timer,
            state: Mutex::new(State::default()),
        }
    }

    /// Acquires capacity if there is some and nobody waits for it.
    pub(crate) fn try_acquire(&self, bytes: usize) -> Result<(), PublishError> {
        self.check(bytes)?;
        let mut state = lock(&self.state);
        if state.closed {
            Err(PublishError::Closed)
        } else if state.waiting.is_empty() && state.used.fits(bytes, self.most) {
            state.used.add(bytes);
            Ok(())
        } else {
            Err(PublishError::Busy)
        }
    }

    /// Blocks this thread until it has capacity; after `due` it fails with [`PublishError::Busy`].
    pub(crate) fn acquire(&self, bytes: usize, due: Duration) -> Result<(), PublishError> {
        let Some(waiter) = self.queue(bytes, due)? else {
            return Ok(());
        };
        let mut answer = lock(&waiter.answer);
        loop {
            if let Answer::Given(outcome) = &*answer {
                return outcome.clone();
            }
            answer = waiter
                .answered
                .wait(answer)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Acquires capacity for a task. Dropped before it is ready, it acquires nothing.
    pub(crate) fn acquire_async(&self, bytes: usize, due: Duration) -> Acquire<'_> {
        Acquire {
            limiter: self,
            bytes,
            due,
            waiter: None,
        }
    }

    fn check(&self, bytes: usize) -> Result<(), PublishError> {
        if bytes > self.most.bytes {
            return Err(PublishError::TooLargeForFlight {
                bytes,
                max: self.most.bytes,
            });
        }
        Ok(())
    }

    /// Acquires capacity, or joins the queue of waiters.
    fn queue(&self, bytes: usize, due: Duration) -> Result<Option<Arc<Waiter>>, PublishError> {
        match self.try_acquire(bytes) {
            Ok(()) => return Ok(None),
            Err(PublishError::Busy) => {}
            Err(error) => return Err(error),
        }
        let mut state = lock(&self.state);
        // Checked again: capacity may have been released between the two locks, and then nobody
        // would wake this waiter.
        if state.closed {
            return Err(PublishError::Closed);
        }
        if state.waiting.is_empty() && state.used.fits(bytes, self.most) {
            state.used.add(bytes);
            return Ok(None);
        }
        let waiter = Arc::new(Waiter {
            bytes,
            due,
            answer: Mutex::new(Answer::Waiting(None)),
            answered: Condvar::new(),
        });
        state.waiting.push_back(waiter.clone());
        drop(state);
        self.timer.schedule(due);
        Ok(Some(waiter))
    }

    /// Releases capacity, and admits the first waiters for which there is enough.
    pub(crate) fn release(&self, bytes: usize) {
        let mut state = lock(&self.state);
        state.used.remove(bytes);
        let admitted = state.admit(self.most);
        drop(state);
        tell(&admitted, &Ok(()));
    }

    /// Returns the first deadline of a waiter.
    pub(crate) fn first_due(&self) -> Option<Duration> {
        let state = lock(&self.state);
        state.waiting.iter().map(|waiter| waiter.due).min()
    }

    /// Rejects the waiters whose time is over.
    pub(crate) fn expire(&self, now: Duration) {
        let mut state = lock(&self.state);
        if state.waiting.is_empty() {
            return;
        }
        let (expired, waiting) = state
            .waiting
            .drain(..)
            .partition::<Vec<_>, _>(|waiter| waiter.due <= now);
        state.waiting = waiting.into();
        let admitted = state.admit(self.most);
        drop(state);
        tell(&admitted, &Ok(()));
        tell(&expired, &Err(PublishError::Busy));
    }

    pub(crate) fn used(&self) -> Usage {
        lock(&self.state).used
    }

    pub(crate) fn close(&self) {
        let mut state = lock(&self.state);
        state.closed = true;
        let mut waiting = std::mem::take(&mut state.waiting);
        drop(state);
        tell(waiting.make_contiguous(), &Err(PublishError::Closed));
    }

    /// Removes a waiter that was dropped.
    fn cancel(&self, waiter: &Arc<Waiter>) {
        let mut state = lock(&self.state);
        state.waiting.retain(|other| !Arc::ptr_eq(other, waiter));
        let admitted = state.admit(self.most);
        drop(state);
        tell(&admitted, &Ok(()));
        // It may have been admitted just before, and will not use its capacity.
        if matches!(*lock(&waiter.answer), Answer::Given(Ok(()))) {
            self.release(waiter.bytes);
        }
    }
}

/// Resolves waiters. Not under the lock of `state`: a waker may run code that publishes again.
fn tell(waiters: &[Arc<Waiter>], outcome: &Result<(), PublishError>) {
    for waiter in waiters {
        waiter.give(outcome.clone());
    }
}

impl State {
    /// Removes the waiters that have capacity now from the front of the queue. It stops at the first
    /// that does not fit, even if a smaller one behind it would: that would change their order.
    fn admit(&mut self, most: Usage) -> Vec<Arc<Waiter>> {
        let mut admitted = Vec::new();
        while let Some(first) = self.waiting.front()
            && self.used.fits(first.bytes, most)
        {
            self.used.add(first.bytes);
            admitted.extend(self.waiting.pop_front());
        }
        admitted
    }
}

impl Usage {
    fn fits(self, bytes: usize, most: Self) -> bool {
        self.messages < most.messages && self.bytes.saturating_add(bytes) <= most.bytes
    }

    fn add(&mut self, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes;
    }

    fn remove(&mut self, bytes: usize) {
        self.messages -= 1;
        self.bytes -= bytes;
    }
}

/// See [`InFlightLimiter::acquire_async`].
pub(crate) struct Acquire<'a> {
    limiter: &'a InFlightLimiter,
    bytes: usize,
    due: Duration,
    waiter: Option<Arc<Waiter>>,
}

impl Future for Acquire<'_> {
    type Output = Result<(), PublishError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.waiter.is_none() {
            match self.limiter.queue(self.bytes, self.due)? {
                None => return Poll::Ready(Ok(())),
                Some(waiter) => self.waiter = Some(waiter),
            }
        }
        let Some(waiter) = &self.waiter else {
            return Poll::Pending;
        };
        let mut answer = lock(&waiter.answer);
        if let Answer::Given(outcome) = &*answer {
            let outcome = outcome.clone();
            drop(answer);
            self.waiter = None;
            return Poll::Ready(outcome);
        }
        *answer = Answer::Waiting(Some(context.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Acquire<'_> {
    fn drop(&mut self) {
        if let Some(waiter) = self.waiter.take() {
            self.limiter.cancel(&waiter);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    const LATER: Duration = Duration::from_secs(60);

    fn room() -> InFlightLimiter {
        let most = Usage {
            messages: 1,
            bytes: 100,
        };
        InFlightLimiter::new(most, Arc::new(DeadlineTimer::new(&Clock::manual())))
    }

    fn noop() -> Context<'static> {
        Context::from_waker(Waker::noop())
    }

    #[test]
    fn admits_waiters_in_order() {
        let room = room();
        room.try_acquire(10).unwrap();
        let mut first = Box::pin(room.acquire_async(90, LATER));
        let mut second = Box::pin(room.acquire_async(1, LATER));
        assert!(first.as_mut().poll(&mut noop()).is_pending());
        assert!(second.as_mut().poll(&mut noop()).is_pending());
        assert_eq!(room.try_acquire(1), Err(PublishError::Busy));
        room.release(10);
        assert!(second.as_mut().poll(&mut noop()).is_pending());
        assert_eq!(first.as_mut().poll(&mut noop()), Poll::Ready(Ok(())));
        room.release(90);
        assert_eq!(second.as_mut().poll(&mut noop()), Poll::Ready(Ok(())));
    }

    #[test]
    fn dropped_waiters_hold_no_capacity() {
        let room = room();
        room.try_acquire(10).unwrap();
        let mut waiting = Box::pin(room.acquire_async(1, LATER));
        let mut admitted = Box::pin(room.acquire_async(1, LATER));
        assert!(waiting.as_mut().poll(&mut noop()).is_pending());
        assert!(admitted.as_mut().poll(&mut noop()).is_pending());
        drop(waiting);
        room.release(10);
        drop(admitted);
        assert_eq!(room.used().messages, 0);
        assert_eq!(room.used().bytes, 0);
    }

    #[test]
    fn waiting_ends_at_the_timeout_or_at_close() {
        let room = room();
        room.try_acquire(10).unwrap();
        let mut waiting = Box::pin(room.acquire_async(1, LATER));
        assert!(waiting.as_mut().poll(&mut noop()).is_pending());
        room.expire(Duration::ZERO);
        assert_eq!(room.first_due(), Some(LATER));
        room.expire(LATER);
        assert_eq!(room.first_due(), None);
        assert_eq!(
            waiting.as_mut().poll(&mut noop()),
            Poll::Ready(Err(PublishError::Busy))
        );
        let mut waiting = Box::pin(room.acquire_async(1, LATER));
        assert!(waiting.as_mut().poll(&mut noop()).is_pending());
        room.close();
        assert_eq!(
            waiting.as_mut().poll(&mut noop()),
            Poll::Ready(Err(PublishError::Closed))
        );
    }

    #[test]
    fn rejects_immediately_what_can_never_fit() {
        let error = room().acquire(101, LATER).unwrap_err();
        assert_eq!(error.code(), "too_large_for_flight");
    }
}
