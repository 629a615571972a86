//! One event between `publish` and its receipt.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use herald_spool::{LateRecord, Record, Sequence, SpoolError};

use crate::clock::lock;
use crate::core::{Core, Routing};
use crate::error::PublishError;
use crate::failure::{Failure, FailureKind};
use crate::message::Message;
use crate::receipt::Receipt;
use crate::relay::{RowEvent, Ticket};
use crate::transport::{DeliveryCallback, RecordMetadata, Transport};

pub(crate) type Outcome = Result<Receipt, PublishError>;

/// Event that was handed to the transport, to the spool, or to both.
///
/// The two are independent: the transport reports once for a message that it accepted, the spool
/// answers once for a record that it was given. The first success resolves the event with a
/// receipt; the later result of the other only decides what happens to the row in the spool.
pub(crate) struct InFlightEvent {
    core: Arc<Core>,
    /// Time at which the publisher accepted it.
    pub(crate) began: Duration,
    /// Deadline, at which it is spooled, or fails if there is no spool.
    pub(crate) due: Duration,
    /// Its share of the in-flight limits.
    weight: usize,
    state: Mutex<State>,
    resolved: Condvar,
}

struct State {
    /// `None` once the outcome is known, or the spool has taken it.
    message: Option<Message>,
    transport: ByTransport,
    spool: BySpool,
    /// Error of the spool that rejected it.
    refusal: Option<SpoolError>,
    answer: Answer,
}

/// State of an event in the transport.
enum ByTransport {
    /// It was not given to the transport.
    Untried,
    /// The transport has it and has not reported.
    Held,
    Delivered,
    Failed(Failure),
}

/// State of an event in the spool.
#[derive(Clone, Copy, PartialEq, Eq)]
enum BySpool {
    /// It was not given to the spool.
    Outside,
    /// The spool rejected it while the transport has it; with the hash of its key. It is not given to
    /// the spool again: later events of its key may be there by then, and would be delivered before
    /// it.
    Refused(u64),
    /// Handed to the writer of the spool, which has not answered.
    Appending(Ticket),
    /// Row of the spool, with the hash of its key.
    Row(Sequence, u64),
}

enum Answer {
    Waiting {
        waker: Option<Waker>,
        /// Whether a thread sleeps on the condition variable; otherwise it is not notified.
        thread: bool,
    },
    Given(Outcome),
    Taken,
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

    /// Gives the message to the transport. On failure the caller must call [`InFlightEvent::fail`],
    /// after it has released the routing, which `fail` may lock exclusively.
    pub(crate) fn send(self: &Arc<Self>, transport: &dyn Transport) -> Result<(), Failure> {
        // Sent under the lock: a report that comes before `send` has returned waits for the lock, and
        // finds the state `Held`.
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

    /// Returns whether the event has no outcome yet, and only the transport can give it one.
    pub(crate) fn waits_for_transport(&self) -> bool {
        let state = lock(&self.state);
        matches!(state.answer, Answer::Waiting { .. })
            && matches!(state.spool, BySpool::Outside | BySpool::Refused(_))
    }

    /// Resolves an event that the spool has rejected with the error of the spool.
    pub(crate) fn end_refused(&self) {
        let state = lock(&self.state);
        if let (BySpool::Refused(_), Some(error)) = (state.spool, state.refusal.clone()) {
            self.resolve(state, Err(PublishError::Spool(error)));
        }
    }

    /// Returns whether the event depends on the transport alone and can be spooled. Also true if the
    /// transport has failed it already: a caller that spools later events of its key must spool it
    /// first.
    pub(crate) fn is_unsafe(&self) -> bool {
        let state = lock(&self.state);
        matches!(state.answer, Answer::Waiting { .. }) && state.spool == BySpool::Outside
    }

    /// Returns whether the event has not been handed over, and is for this topic.
    pub(crate) fn waits_for_limits(&self, topic: &str) -> bool {
        let state = lock(&self.state);
        state.spool == BySpool::Outside
            && matches!(state.transport, ByTransport::Untried)
            && (state.message.as_ref()).is_some_and(|message| message.topic() == topic)
    }

    /// Frames a message that waits for its schema id and was not handed over. Returns whether it waits no
    /// more.
    pub(crate) fn take_schema(&self, frame: impl FnOnce(Message) -> Message) -> bool {
        let mut state = lock(&self.state);
        let waits = state.spool == BySpool::Outside
            && matches!(state.transport, ByTransport::Untried)
            && (state.message.as_ref()).is_some_and(|message| message.schema_subject().is_some());
        let Some(message) = state.message.take_if(|_| waits) else {
            return false;
        };
        let message = frame(message);
        let is_framed = message.schema_subject().is_none();
        state.message = Some(message);
        is_framed
    }

    /// Returns whether the event has its outcome.
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

    /// Hands the event to the spool, if there is one, unless the spool has the event or it is resolved.
    /// The routing is locked: shared for a new event of a caller, exclusively for events that the
    /// transport has, so that no later event of the same key is appended before them.
    ///
    /// `keeps_order` is set if later events of the key must be appended behind it.
    pub(crate) fn append_to(self: &Arc<Self>, routing: &Routing, keeps_order: bool) {
        let mut state = lock(&self.state);
        let Some(message) = &state.message else {
            return;
        };
        if state.spool != BySpool::Outside || !matches!(state.answer, Answer::Waiting { .. }) {
            return;
        }
        let (topic, key) = (message.topic(), message.key());
        let in_order = keeps_order.then(|| self.core.hash_key(topic, key));
        let spool = routing.spool.as_ref();
        let counted =
            spool.map(|spool| (spool, spool.key_hash(topic, key), message.record_weight()));
        state.spool = BySpool::Appending(self.core.relay.appending(in_order));
        drop(state);
        let handed_in = match counted {
            Some((spool, key, weight)) => spool.append_late(key, weight, self.clone()),
            None => Err(routing.spool_failure.clone().unwrap_or(SpoolError::Closed)),
        };
        if let Err(error) = handed_in {
            self.appended(Err(error));
        }
    }

    /// Handles the answer of the spool. Called on the writer thread of the spool, so it must not lock
    /// the routing: the relay holds it exclusively while it closes a lost spool, which joins that
    /// thread.
    fn appended(&self, answer: Result<Sequence, SpoolError>) {
        let mut state = lock(&self.state);
        let BySpool::Appending(ticket) = state.spool else {
            return;
        };
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
                // Before the receipt: the relay must know that the transport has the same event
                // before the caller can act on the receipt.
                self.core.relay.appended(ticket, Some(sequence), event);
                self.resolve(state, outcome);
            }
            Err(error) => {
                state.spool = BySpool::Refused(self.hash_of(&state).unwrap_or_default());
                state.refusal = Some(error.clone());
                self.core.relay.appended(ticket, None, None);
                self.core.spool_failed(&error);
                let outcome = match &state.transport {
                    // It may still be delivered before its deadline.
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

    /// Handles a message that the transport did not accept or has failed.
    pub(crate) fn fail(self: &Arc<Self>, failure: Failure) {
        let mut state = lock(&self.state);
        let is_final = failure.kind == FailureKind::Permanent;
        let relay = &self.core.relay;
        state.transport = ByTransport::Failed(failure.clone());
        let key = match state.spool {
            BySpool::Row(_, key) | BySpool::Refused(key) => Some(key),
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
                    relay.released(&self.core, hash, Some(RowEvent::Requeued(sequence)));
                });
            }
            BySpool::Refused(_) if is_final => {
                let outcome = Err(PublishError::Rejected {
                    failure,
                    dead_letter: None,
                });
                self.resolve(state, outcome);
            }
            BySpool::Refused(hash) => relay.while_key_fails(key, || {
                drop(state);
                relay.released(&self.core, hash, None);
                self.end_refused();
            }),
            // `appended` decides when the spool answers; until then the relay skips the row.
            BySpool::Appending(_) if is_final => {}
            BySpool::Appending(_) => relay.while_key_fails(key, || {
                drop(state);
                if let Some(key) = key {
                    relay.released(&self.core, key, None);
                }
            }),
            BySpool::Outside => {
                let waits = matches!(state.answer, Answer::Waiting { .. });
                drop(state);
                if waits {
                    relay.while_key_fails(key, || self.core.failed(self, key, failure));
                }
            }
        }
    }

    /// Resolves the event, whatever the spool and the transport do with it.
    pub(crate) fn end(&self, outcome: Outcome) {
        self.resolve(lock(&self.state), outcome);
    }

    /// Its topic, while it has no outcome.
    pub(crate) fn topic(&self) -> Option<String> {
        let state = lock(&self.state);
        let message = state.message.as_ref()?;
        Some(message.topic().to_owned())
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
            let (_, buffer) = message.into_parts();
            self.core.buffers.give_back(buffer);
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

impl LateRecord for InFlightEvent {
    fn take(&self) -> Option<Record> {
        let mut state = lock(&self.state);
        let BySpool::Appending(ticket) = state.spool else {
            return None;
        };
        if !matches!(state.answer, Answer::Waiting { .. }) {
            state.spool = BySpool::Outside;
            self.core.relay.appended(ticket, None, None);
            return None;
        }
        let attempts = match state.transport {
            ByTransport::Untried => return state.message.take().map(Message::into_record),
            ByTransport::Failed(_) => 1,
            ByTransport::Held | ByTransport::Delivered => 0,
        };
        let message = state.message.as_ref();
        message.map(|message| message.to_record(attempts))
    }

    fn stored(&self, outcome: Result<Sequence, SpoolError>) {
        self.appended(outcome);
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
        let Some(message) = state.message.take() else {
            // It has its outcome.
            return;
        };
        let (topic, buffer) = message.into_parts();
        let outcome = Ok(Receipt::Delivered {
            topic,
            partition: position.partition,
            offset: position.offset,
        });
        self.resolve(state, outcome);
        self.core.buffers.give_back(buffer);
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
        let mut state = lock(&self.flight.state);
        loop {
            match state.answer.take_or_wait() {
                Some(outcome) => return outcome,
                None if !checked => {
                    // In a fork no thread would ever resolve this. Checked only before a wait, which
                    // a receipt that has arrived does not need.
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
        self.flight.is_over()
    }
}

impl Answer {
    /// Takes the outcome, or notes that a thread is about to sleep on the condition variable.
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

    /// Polls the outcome. Polled again after it was ready, it returns [`PublishError::Closed`].
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
