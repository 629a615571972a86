//! One event between `publish` and its receipt.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use herald_spool::{Record, Sequence, SpoolError};

use crate::clock::lock;
use crate::core::Core;
use crate::error::PublishError;
use crate::failure::{Failure, FailureKind};
use crate::message::Message;
use crate::receipt::Receipt;
use crate::relay::RowEvent;
use crate::transport::{DeliveryCallback, RecordMetadata, Transport};

pub(crate) type Outcome = Result<Receipt, PublishError>;

/// An event on its way to the cluster, to the spool, or to both.
///
/// The two ways are independent: the transport reports once for a message that it took, the
/// spool answers once for a record that it was given. Whichever proves first that the event is
/// safe makes the receipt; the later result of the other only decides about the row in the spool.
pub(crate) struct InFlightEvent {
    core: Arc<Core>,
    /// When the publisher took it.
    pub(crate) began: Duration,
    /// When the spool is to take it, or its caller gets an error.
    pub(crate) due: Duration,
    /// Its share of the in-flight limits.
    weight: usize,
    state: Mutex<State>,
    resolved: Condvar,
}

struct State {
    /// There until the outcome is known.
    message: Option<Message>,
    transport: ByTransport,
    spool: BySpool,
    /// Error of the spool that refused it.
    refusal: Option<SpoolError>,
    answer: Answer,
}

enum ByTransport {
    /// It was not given to the transport.
    Untried,
    /// The transport has it and has not reported.
    Held,
    Delivered,
    Failed(Failure),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum BySpool {
    /// It was not given to the spool.
    Outside,
    /// The spool refused it while the transport has it. It is not given to the spool again: later
    /// events of its key may be there by then, and would come before it.
    Refused,
    /// On its way to the disk.
    Appending,
    /// A row of the spool, and its key.
    Row(Sequence, u64),
}

enum Answer {
    Waiting {
        waker: Option<Waker>,
        /// Somebody sleeps on the condition variable; waking nobody would cost a system call.
        thread: bool,
    },
    Given(Outcome),
    Taken,
}

impl InFlightEvent {
    pub(crate) fn new(core: Arc<Core>, message: Message, began: Duration, due: Duration) -> Self {
        Self {
            core,
            began,
            due,
            weight: message.weight(),
            state: Mutex::new(State {
                message: Some(message),
                transport: ByTransport::Untried,
                spool: BySpool::Outside,
                refusal: None,
                answer: Answer::Waiting {
                    waker: None,
                    thread: false,
                },
            }),
            resolved: Condvar::new(),
        }
    }

    /// Gives the message to the transport. On failure the caller owes it [`InFlightEvent::fail`], with
    /// the routing not in its hands.
    pub(crate) fn send(self: &Arc<Self>, transport: &dyn Transport) -> Result<(), Failure> {
        // Under the lock, so that a report that comes before `send` returned waits for it.
        let mut state = lock(&self.state);
        let Some(message) = &state.message else {
            return Ok(());
        };
        self.core.held.enter(self.weight);
        transport
            .send(message, self.clone())
            .inspect_err(|_| self.core.held.leave(self.weight))?;
        state.transport = ByTransport::Held;
        Ok(())
    }

    /// Whether the event has no answer yet, and none can come from the spool.
    pub(crate) fn waits_for_transport(&self) -> bool {
        let state = lock(&self.state);
        matches!(state.answer, Answer::Waiting { .. })
            && matches!(state.spool, BySpool::Outside | BySpool::Refused)
    }

    /// Ends an event that the spool refused and that is due.
    pub(crate) fn end_refused(&self) {
        let state = lock(&self.state);
        if let (BySpool::Refused, Some(error)) = (state.spool, state.refusal.clone()) {
            self.resolve(state, Err(PublishError::Spool(error)));
        }
    }

    /// Whether the event still depends on the transport alone, and can go to the spool. Also when the transport has failed
    /// it already: a caller that takes later events of its key to the spool must take it first.
    pub(crate) fn is_unsafe(&self) -> bool {
        let state = lock(&self.state);
        matches!(state.answer, Answer::Waiting { .. }) && state.spool == BySpool::Outside
    }

    /// Whether there is nothing more to do about it.
    pub(crate) fn is_over(&self) -> bool {
        !matches!(lock(&self.state).answer, Answer::Waiting { .. })
    }

    /// A hash of topic and key.
    pub(crate) fn key_hash(&self) -> Option<u64> {
        self.hash_of(&lock(&self.state))
    }

    fn hash_of(&self, state: &State) -> Option<u64> {
        let message = state.message.as_ref()?;
        Some(self.core.hash_key(message.topic(), message.key()))
    }

    /// Takes a record for the spool from an event that is outside of it. From here on the
    /// caller owes it [`InFlightEvent::appended`].
    pub(crate) fn copy_for_spool(&self) -> Option<Record> {
        let mut state = lock(&self.state);
        if state.spool != BySpool::Outside || !matches!(state.answer, Answer::Waiting { .. }) {
            return None;
        }
        let attempts = u32::from(matches!(state.transport, ByTransport::Failed(_)));
        let record = match state.transport {
            ByTransport::Untried => state.message.take()?.into_record(),
            _ => state.message.as_ref()?.to_record(attempts),
        };
        state.spool = BySpool::Appending;
        Some(record)
    }

    /// The spool's answer. On the writer's thread.
    pub(crate) fn appended(&self, answer: Result<Sequence, SpoolError>) {
        let mut state = lock(&self.state);
        match answer {
            Ok(sequence) => {
                let key = self.hash_of(&state).unwrap_or_default();
                state.spool = BySpool::Row(sequence, key);
                let (event, outcome) = match &state.transport {
                    ByTransport::Held => (
                        Some(RowEvent::Spilled(sequence, key)),
                        Ok(Receipt::Spooled { sequence }),
                    ),
                    ByTransport::Delivered => (
                        Some(RowEvent::Acknowledged(sequence)),
                        Ok(Receipt::Spooled { sequence }),
                    ),
                    ByTransport::Failed(failure) if failure.kind == FailureKind::Permanent => (
                        Some(RowEvent::Rejected(sequence, failure.clone())),
                        Err(PublishError::Rejected {
                            failure: failure.clone(),
                            dead_letter: Some(Receipt::Spooled { sequence }),
                        }),
                    ),
                    ByTransport::Untried | ByTransport::Failed(_) => {
                        (None, Ok(Receipt::Spooled { sequence }))
                    }
                };
                // Before the receipt, so that the relay is informed when the caller has it.
                self.core.relay.appended(Some(sequence), event);
                self.resolve(state, outcome);
            }
            Err(error) => {
                state.spool = BySpool::Refused;
                state.refusal = Some(error.clone());
                self.core.relay.appended(None, None);
                self.core.spool_failed(&error);
                let outcome = match &state.transport {
                    // It may still be delivered before it is due.
                    ByTransport::Held if self.core.clock.now() < self.due => return,
                    ByTransport::Failed(failure) if failure.kind == FailureKind::Permanent => {
                        Err(PublishError::Rejected {
                            failure: failure.clone(),
                            dead_letter: None,
                        })
                    }
                    _ => Err(PublishError::Spool(error)),
                };
                self.resolve(state, outcome);
            }
        }
    }

    /// The transport did not take the message, or will not deliver it.
    pub(crate) fn fail(self: &Arc<Self>, failure: Failure) {
        let mut state = lock(&self.state);
        let is_final = failure.kind == FailureKind::Permanent;
        let relay = &self.core.relay;
        state.transport = ByTransport::Failed(failure.clone());
        let key = match state.spool {
            BySpool::Row(_, key) => Some(key),
            _ => self.hash_of(&state),
        };
        let key = key.filter(|_| !is_final);
        match state.spool {
            BySpool::Row(sequence, _) if is_final => {
                drop(state);
                relay.post(RowEvent::Rejected(sequence, failure));
            }
            BySpool::Row(sequence, hash) => {
                drop(state);
                relay.while_key_fails(key, || {
                    relay.released(&self.core, hash, RowEvent::Requeued(sequence));
                });
            }
            BySpool::Refused if is_final => {
                let outcome = Err(PublishError::Rejected {
                    failure,
                    dead_letter: None,
                });
                self.resolve(state, outcome);
            }
            BySpool::Refused => relay.while_key_fails(key, || {
                drop(state);
                self.end_refused();
            }),
            // The answer of the spool decides. Before it the row is not looked at.
            BySpool::Appending => relay.while_key_fails(key, || drop(state)),
            BySpool::Outside => {
                let waits = matches!(state.answer, Answer::Waiting { .. });
                drop(state);
                if waits {
                    relay.while_key_fails(key, || self.core.failed(self, failure));
                }
            }
        }
    }

    /// Ends without the spool's help.
    pub(crate) fn end(&self, outcome: Outcome) {
        self.resolve(lock(&self.state), outcome);
    }

    /// The message, for a dead letter.
    pub(crate) fn message(&self) -> Option<Message> {
        lock(&self.state).message.clone()
    }

    fn resolve(&self, mut state: MutexGuard<'_, State>, outcome: Outcome) {
        let Answer::Waiting { waker, thread } = &mut state.answer else {
            return;
        };
        let (waker, thread) = (waker.take(), *thread);
        self.core.count(&outcome, self.began);
        state.answer = Answer::Given(outcome);
        let message = state.message.take();
        drop(state);
        if let Some(message) = message {
            self.core.buffers.give_back(message.into_buffer());
        }
        self.core.limiter.release(self.weight);
        if thread {
            self.resolved.notify_all();
        }
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl DeliveryCallback for InFlightEvent {
    fn on_delivery(self: Arc<Self>, outcome: Result<RecordMetadata, Failure>) {
        self.core.held.leave(self.weight);
        let position = match outcome {
            Ok(position) => position,
            Err(failure) => return self.fail(failure),
        };
        let now = self.core.clock.now();
        self.core.acknowledged(now);
        let mut state = lock(&self.state);
        state.transport = ByTransport::Delivered;
        if let BySpool::Row(sequence, _) = state.spool {
            self.core.relay.post(RowEvent::Acknowledged(sequence));
        }
        let topic = state
            .message
            .as_ref()
            .map(|message| message.topic().to_owned());
        let outcome = Ok(Receipt::Delivered {
            topic: topic.unwrap_or_default(),
            partition: position.partition,
            offset: position.offset,
        });
        self.resolve(state, outcome);
    }
}

/// A receipt that is not there yet.
///
/// Wait with [`Pending::wait`] on a thread, or await it in any runtime. Dropping it changes
/// nothing about the event. Who has many of them waits for the last one first: the others are
/// there by then, and one sleep costs more than a publish.
#[must_use = "until this resolves, the event is not known to be safe"]
pub struct Pending {
    flight: Arc<InFlightEvent>,
}

impl Pending {
    pub(crate) fn new(flight: Arc<InFlightEvent>) -> Self {
        Self { flight }
    }

    /// Waits for the receipt; at most about as long as the deadline of the publish and a commit.
    ///
    /// # Errors
    /// Future of [`crate::Publisher::publish`].
    pub fn wait(self) -> Result<Receipt, PublishError> {
        let mut checked = false;
        let mut state = lock(&self.flight.state);
        loop {
            match state.answer.take_or_wait() {
                Some(outcome) => return outcome,
                None if !checked => {
                    // Only who has to wait: asking the system takes longer than taking.
                    checked = true;
                    self.flight.core.process.check()?;
                }
                None => {
                    state = self
                        .flight
                        .resolved
                        .wait(state)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    /// Waits for a time; gives itself back where that was not long enough.
    ///
    /// # Errors
    /// In `Ok` stands what [`Pending::wait`] would say; `Err` is this, still pending.
    pub fn wait_timeout(self, most: Duration) -> Result<Result<Receipt, PublishError>, Self> {
        if let Err(forked) = self.flight.core.process.check() {
            return Ok(Err(forked.into()));
        }
        let started = Instant::now();
        let mut state = lock(&self.flight.state);
        loop {
            if let Some(outcome) = state.answer.take_or_wait() {
                return Ok(outcome);
            }
            let left = most.saturating_sub(started.elapsed());
            if left.is_zero() {
                drop(state);
                return Err(self);
            }
            let waited = self.flight.resolved.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits for many; gives what each ended with, in the same order.
    pub async fn all(
        pending: Vec<Result<Self, PublishError>>,
    ) -> Vec<Result<Receipt, PublishError>> {
        // The last first: the others are there by then, mostly, and cost no sleep of their own.
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

    /// Whether [`Pending::wait`] would return at once.
    pub fn is_resolved(&self) -> bool {
        self.flight.is_over()
    }
}

impl Answer {
    /// The outcome; else notes that a thread is going to sleep.
    fn take_or_wait(&mut self) -> Option<Outcome> {
        match self {
            Self::Waiting { thread, .. } => {
                *thread = true;
                None
            }
            Self::Given(_) | Self::Taken => self.take(),
        }
    }

    fn take(&mut self) -> Option<Outcome> {
        match std::mem::replace(self, Self::Taken) {
            Self::Given(outcome) => Some(outcome),
            Self::Taken => Some(Err(PublishError::Closed)),
            waiting @ Self::Waiting { .. } => {
                *self = waiting;
                None
            }
        }
    }
}

impl Future for Pending {
    type Output = Outcome;

    /// Polled again after it resolved, it returns [`PublishError::Closed`].
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        if let Err(forked) = self.flight.core.process.check() {
            return Poll::Ready(Err(forked.into()));
        }
        let mut state = lock(&self.flight.state);
        if let Some(outcome) = state.answer.take() {
            return Poll::Ready(outcome);
        }
        if let Answer::Waiting { waker, .. } = &mut state.answer {
            match waker {
                Some(waker) if waker.will_wake(context.waker()) => {}
                _ => *waker = Some(context.waker().clone()),
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
