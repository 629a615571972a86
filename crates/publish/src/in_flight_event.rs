//! One event between `publish` and its receipt: its message, its [state](EventState) and who waits for its
//! outcome.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use herald_spool::{LateRecord, Record, Sequence, SpoolError};

use crate::clock::lock;
use crate::core::Core;
use crate::error::PublishError;
use crate::event_state::EventState;
use crate::failure::Failure;
use crate::message::Message;
use crate::receipt::Receipt;
use crate::transport::{DeliveryCallback, RecordMetadata};

pub(crate) type Outcome = Result<Receipt, PublishError>;

/// Event that was handed to the transport, to the spool, or to both.
pub(crate) struct InFlightEvent {
    core: Arc<Core>,
    /// Time at which the publisher accepted it.
    pub(crate) began: Duration,
    /// Deadline, at which it is spooled, or fails if there is no spool.
    pub(crate) due: Duration,
    /// Its share of the in-flight limits.
    pub(crate) weight: usize,
    event: Mutex<Event>,
    resolved: Condvar,
}

pub(crate) struct Event {
    /// `None` once the outcome is known, or the spool has taken it.
    pub(crate) message: Option<Message>,
    pub(crate) state: EventState,
    answer: Answer,
}

enum Answer {
    Waiting(Waiter),
    Given(Outcome),
    Taken,
}

/// Waiter for the outcome of an event.
#[derive(Default)]
pub(crate) struct Waiter {
    waker: Option<Waker>,
    /// Whether a thread sleeps on the condition variable; otherwise it is not notified.
    thread: bool,
}

impl InFlightEvent {
    pub(crate) fn new(
        core: Arc<Core>,
        message: Message,
        weight: usize,
        began: Duration,
        due: Duration,
    ) -> Self {
        Self {
            core,
            began,
            due,
            weight,
            event: Mutex::new(Event {
                message: Some(message),
                state: EventState::default(),
                answer: Answer::Waiting(Waiter::default()),
            }),
            resolved: Condvar::new(),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Event> {
        lock(&self.event)
    }

    /// See [`EventState::waits_for_transport`].
    pub(crate) fn waits_for_transport(&self) -> bool {
        self.lock().state.waits_for_transport()
    }

    /// See [`EventState::is_unsafe`].
    pub(crate) fn is_unsafe(&self) -> bool {
        self.lock().state.is_unsafe()
    }

    /// See [`EventState::is_over`].
    pub(crate) fn is_over(&self) -> bool {
        self.lock().state.is_over()
    }

    /// Returns the hash of topic and key, while the event has its message.
    pub(crate) fn key_hash(&self) -> Option<u64> {
        let event = self.lock();
        let message = event.message.as_ref()?;
        Some(message.key_hash())
    }

    /// Returns the topic, while the event has its message.
    pub(crate) fn topic(&self) -> Option<String> {
        let event = self.lock();
        let message = event.message.as_ref()?;
        Some(message.topic().to_owned())
    }

    /// Returns the message, for a dead letter.
    pub(crate) fn message(&self) -> Option<Message> {
        self.lock().message.clone()
    }

    /// Returns whether the event was not handed over, and is for this topic.
    pub(crate) fn waits_for_limits(&self, topic: &str) -> bool {
        let event = self.lock();
        event.state.is_new() && (event.message.as_ref()).is_some_and(|m| m.topic() == topic)
    }

    /// Frames a message that waits for its schema id and was not handed over. Returns whether it waits no
    /// more.
    pub(crate) fn take_schema(&self, frame: impl FnOnce(Message) -> Message) -> bool {
        let mut event = self.lock();
        let waits = event.state.is_new()
            && (event.message.as_ref()).is_some_and(|message| message.schema_subject().is_some());
        let Some(message) = event.message.take_if(|_| waits) else {
            return false;
        };
        let message = frame(message);
        let is_framed = message.schema_subject().is_none();
        event.message = Some(message);
        is_framed
    }

    /// Wakes who waits for the outcome.
    pub(crate) fn wake(&self, waiter: Waiter) {
        if waiter.thread {
            self.resolved.notify_all();
        }
        if let Some(waker) = waiter.waker {
            waker.wake();
        }
    }
}

impl Event {
    /// Stores the outcome, and returns who waits for it.
    pub(crate) fn give(&mut self, outcome: Outcome) -> Waiter {
        match std::mem::replace(&mut self.answer, Answer::Given(outcome)) {
            Answer::Waiting(waiter) => waiter,
            Answer::Given(_) | Answer::Taken => Waiter::default(),
        }
    }
}

impl LateRecord for InFlightEvent {
    fn take(&self) -> Option<Record> {
        self.core.take_record(self)
    }

    fn stored(&self, answer: Result<Sequence, SpoolError>) {
        self.core.spool_answered(self, answer);
    }
}

impl DeliveryCallback for InFlightEvent {
    fn on_delivery(self: Arc<Self>, outcome: Result<RecordMetadata, Failure>) {
        self.core.transport_reported(&self, outcome);
    }
}

/// Pending receipt.
///
/// Wait with [`Pending::wait`] on a thread, or await it in any runtime. Dropping it does not cancel
/// the event. If you have many, wait for the last one first: most of the others are resolved by
/// then, so that the thread or task sleeps once instead of once per event.
#[must_use = "until this resolves, the event is not known to be safe"]
pub struct Pending {
    flight: Arc<InFlightEvent>,
}

impl Pending {
    pub(crate) fn new(flight: Arc<InFlightEvent>) -> Self {
        Self { flight }
    }

    /// Waits for the receipt; at most for about the deadline of the publish and one commit.
    ///
    /// # Errors
    /// See [`crate::Publisher::publish`].
    pub fn wait(self) -> Result<Receipt, PublishError> {
        let mut checked = false;
        let mut event = self.flight.lock();
        loop {
            match event.answer.take_or_wait() {
                Some(outcome) => return outcome,
                None if !checked => {
                    // In a fork no thread would ever resolve this. Checked only before a wait, which
                    // a receipt that has arrived does not need.
                    checked = true;
                    self.flight.core.process.check()?;
                }
                None => {
                    event = self
                        .flight
                        .resolved
                        .wait(event)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    /// Waits at most `most`.
    ///
    /// # Errors
    /// `Err` returns `self`, still pending, after the timeout. The outcome is in `Ok`; its errors are
    /// those of [`Pending::wait`].
    pub fn wait_timeout(self, most: Duration) -> Result<Result<Receipt, PublishError>, Self> {
        if let Err(forked) = self.flight.core.process.check() {
            return Ok(Err(forked.into()));
        }
        let started = Instant::now();
        let mut event = self.flight.lock();
        loop {
            if let Some(outcome) = event.answer.take_or_wait() {
                return Ok(outcome);
            }
            let left = most.saturating_sub(started.elapsed());
            if left.is_zero() {
                drop(event);
                return Err(self);
            }
            let waited = self.flight.resolved.wait_timeout(event, left);
            event = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits for many, and returns their outcomes in the same order.
    pub async fn all(
        pending: Vec<Result<Self, PublishError>>,
    ) -> Vec<Result<Receipt, PublishError>> {
        // The last first: most of the others are resolved by then, and the task sleeps once.
        let mut outcomes = Vec::with_capacity(pending.len());
        for pending in pending.into_iter().rev() {
            outcomes.push(match pending {
                Ok(pending) => pending.await,
                Err(error) => Err(error),
            });
        }
        outcomes.reverse();
        outcomes
    }

    /// Returns whether [`Pending::wait`] returns immediately.
    pub fn is_resolved(&self) -> bool {
        !matches!(self.flight.lock().answer, Answer::Waiting(_))
    }
}

impl Answer {
    /// Takes the outcome, or notes that a thread is about to sleep on the condition variable.
    fn take_or_wait(&mut self) -> Option<Outcome> {
        match self {
            Self::Waiting(waiter) => {
                waiter.thread = true;
                None
            }
            Self::Given(_) | Self::Taken => self.take(),
        }
    }

    fn take(&mut self) -> Option<Outcome> {
        match std::mem::replace(self, Self::Taken) {
            Self::Given(outcome) => Some(outcome),
            Self::Taken => Some(Err(PublishError::Closed)),
            waiting @ Self::Waiting(_) => {
                *self = waiting;
                None
            }
        }
    }
}

impl Future for Pending {
    type Output = Outcome;

    /// Polls the outcome. Polled again after it was ready, it returns [`PublishError::Closed`].
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        if let Err(forked) = self.flight.core.process.check() {
            return Poll::Ready(Err(forked.into()));
        }
        let mut event = self.flight.lock();
        if let Some(outcome) = event.answer.take() {
            return Poll::Ready(outcome);
        }
        if let Answer::Waiting(waiter) = &mut event.answer {
            match &waiter.waker {
                Some(waker) if waker.will_wake(context.waker()) => {}
                _ => waiter.waker = Some(context.waker().clone()),
            }
        }
        Poll::Pending
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").finish_non_exhaustive()
    }
}
