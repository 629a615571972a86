//! Reports of the transport and the spool about events: inputs of their [states](crate::event_state), and
//! the effects.

use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use herald_spool::{Record, Sequence, SpoolError};

use super::Core;
use crate::dead_letter;
use crate::error::PublishError;
use crate::event_state::{Effects, EventOutcome, Input, RecordSource};
use crate::failure::{Failure, FailureKind};
use crate::in_flight_event::{Event, InFlightEvent, Outcome};
use crate::message::Message;
use crate::receipt::Receipt;
use crate::relay::{Reported, RowEvent};
use crate::transport::{DeliveryCallback, RecordMetadata, Transport};

impl Core {
    /// Handles the report of the transport about an event.
    pub(crate) fn transport_reported(
        self: &Arc<Self>,
        flight: &Arc<InFlightEvent>,
        outcome: Result<RecordMetadata, Failure>,
    ) {
        self.held.leave(flight.weight);
        match outcome {
            Ok(position) => {
                self.acknowledged(self.clock.now());
                self.handle(flight, Input::Acknowledged(position));
            }
            Err(failure) => self.fail(flight, failure),
        }
    }

    /// Returns the record of an event for the spool, unless it need not be written any more.
    pub(crate) fn take_record(&self, flight: &InFlightEvent) -> Option<Record> {
        let mut event = flight.lock();
        let effects = event.state.on(Input::Taken);
        match effects.record {
            Some(RecordSource::Message) => event.message.take().map(Message::into_record),
            Some(RecordSource::Copy { attempts }) => {
                let message = event.message.as_ref();
                message.map(|message| message.to_record(attempts))
            }
            None => {
                self.carry_out(flight, event, effects);
                None
            }
        }
    }

    /// Handles the answer of the spool about an event. Called on the writer thread of the spool, so it must
    /// not lock the routing: the relay holds it exclusively while it closes a lost spool, which joins
    /// that thread.
    pub(crate) fn spool_answered(
        &self,
        flight: &InFlightEvent,
        answer: Result<Sequence, SpoolError>,
    ) {
        let is_refused = answer.is_err();
        let mut event = flight.lock();
        let input = match answer {
            Ok(sequence) => Input::Stored(sequence),
            Err(error) => {
                self.spool_failed(&error);
                // Under the lock: `Input::Due` comes once, and later than this if it is not due yet.
                let is_due = self.clock.now() >= flight.due;
                Input::Refused { error, is_due }
            }
        };
        let effects = event.state.on(input);
        self.carry_out(flight, event, effects);
        if is_refused {
            // The deadline thread did not wait for it while the spool was about to answer.
            self.timer.schedule(flight.due);
        }
    }

    /// Handles the failure of a row in the transport, after which the row is sent again.
    pub(crate) fn row_failed(&self, reported: Reported) {
        let key = reported.row.key;
        self.relay
            .while_key_fails(key, || self.key_failed(key, Some(RowEvent::Row(reported))));
    }

    /// Handles an input of an event that is not a failure in the transport.
    pub(crate) fn handle(&self, flight: &InFlightEvent, input: Input) {
        let mut event = flight.lock();
        let effects = event.state.on(input);
        self.carry_out(flight, event, effects);
    }

    /// Carries out effects. The relay learns of changes of a row under the lock of its event: in the order
    /// in which they happen, and before the caller can act on the receipt.
    fn carry_out(&self, flight: &InFlightEvent, event: MutexGuard<'_, Event>, effects: Effects) {
        if let Some((ticket, sequence)) = effects.answered {
            self.relay.appended(ticket, sequence, effects.row);
        } else if let Some(row) = effects.row {
            self.relay.post(row);
        }
        if let Some(outcome) = effects.outcome {
            self.end(flight, event, outcome);
        }
    }

    /// Handles a message that the transport did not accept or has failed. The routing is not locked.
    pub(super) fn fail(self: &Arc<Self>, flight: &Arc<InFlightEvent>, failure: Failure) {
        let mut event = flight.lock();
        let message = event.message.as_ref();
        let key = event.state.key().or_else(|| message.map(Message::key_hash));
        let effects = event.state.on(Input::Failed(failure));
        if let Some(key) = key.filter(|_| effects.key_fails) {
            self.relay.while_key_fails(key, || {
                drop(event);
                match effects.failed {
                    Some(failure) => self.event_failed(flight, Some(key), failure),
                    None => self.key_failed(key, effects.row),
                }
            });
            if let Some(outcome) = effects.outcome {
                self.end(flight, flight.lock(), outcome);
            }
        } else if let Some(failure) = effects.failed {
            drop(event);
            self.event_failed(flight, None, failure);
        } else {
            self.carry_out(flight, event, effects);
        }
    }

    /// Handles a failed event that the spool does not have. `key` is the hash of its key, unless the failure is
    /// final.
    fn event_failed(
        self: &Arc<Self>,
        flight: &Arc<InFlightEvent>,
        key: Option<u64>,
        failure: Failure,
    ) {
        let routing = self.routing();
        if routing.spool.is_none() {
            let transport = routing.transport.clone();
            drop(routing);
            return self.failed_without_spool(flight, failure, transport);
        }
        drop(routing);
        match failure.kind {
            FailureKind::Fatal => self.lose_connection(failure),
            // It becomes a dead letter, which later events of its key need not wait for.
            FailureKind::Permanent => {
                self.append(&self.routing(), flight, false);
                return;
            }
            FailureKind::Retriable | FailureKind::Full | FailureKind::Abandoned => {}
        }
        // Exclusively, so that no new event of the key is appended between this one and the later
        // ones of the key that only the transport has.
        let routing = self.lock_routing_exclusive();
        if flight.is_unsafe() {
            self.spill_to_spool(&routing, |other| Arc::ptr_eq(other, flight));
        } else if let Some(key) = key {
            // The caller that sent it has handed it to the spool since: in write-ahead, as one that
            // later events of its key need not wait for.
            self.spill_key_to_spool(&routing, key);
            self.relay.waits(key, None);
        }
    }

    fn failed_without_spool(
        self: &Arc<Self>,
        flight: &Arc<InFlightEvent>,
        failure: Failure,
        transport: Option<Arc<dyn Transport>>,
    ) {
        match failure.kind {
            FailureKind::Fatal => {
                self.lose_connection(failure.clone());
                self.handle(flight, Input::Ended(PublishError::Unavailable(failure)));
            }
            FailureKind::Full => self.handle(flight, Input::Ended(PublishError::Busy)),
            FailureKind::Retriable | FailureKind::Abandoned => {
                self.handle(flight, Input::Ended(PublishError::Unavailable(failure)));
            }
            FailureKind::Permanent => {
                let letter = flight
                    .message()
                    .and_then(|message| dead_letter::of(&message, &failure, 1, self.clock.wall()));
                let (Some(letter), Some(transport)) = (letter, transport) else {
                    return self.handle(flight, Input::Ended(rejected(failure, None)));
                };
                let delivery = Arc::new(DirectDeadLetter {
                    core: self.clone(),
                    flight: flight.clone(),
                    topic: letter.topic().into(),
                    failure: failure.clone(),
                });
                if transport.send(&letter, delivery).is_err() {
                    self.handle(flight, Input::Ended(rejected(failure, None)));
                }
            }
        }
    }

    /// Gives an event its outcome.
    fn end(&self, flight: &InFlightEvent, mut event: MutexGuard<'_, Event>, outcome: EventOutcome) {
        let (topic, buffer) = event.message.take().map(Message::into_parts).unzip();
        let outcome = match outcome {
            EventOutcome::Delivered(position) => Ok(Receipt::Delivered {
                topic: topic.unwrap_or_default(),
                partition: position.partition,
                offset: position.offset,
            }),
            EventOutcome::Spooled(sequence) => Ok(Receipt::Spooled { sequence }),
            EventOutcome::Failed(error) => Err(error),
        };
        self.count(&outcome, flight.began);
        let waiter = event.give(outcome);
        drop(event);
        self.limiter.release(flight.weight);
        flight.wake(waiter);
        if let Some(buffer) = buffer {
            self.buffers.give_back(buffer);
        }
    }

    /// Counts an outcome.
    fn count(&self, outcome: &Outcome, began: Duration) {
        let counters = &self.counters;
        match outcome {
            Ok(Receipt::Delivered { .. }) => {
                counters.delivered.add(1);
                // Stored by the report that led here, so that the clock is read once per report.
                let now = self.last_acknowledged.load(Ordering::Relaxed);
                counters.record_latency(Duration::from_micros(now).saturating_sub(began));
            }
            Ok(Receipt::Spooled { .. }) => counters.spooled.add(1),
            Err(_) => counters.failed.add(1),
        }
        if let Err(PublishError::Rejected {
            dead_letter: None | Some(Receipt::Delivered { .. }),
            ..
        }) = outcome
        {
            counters.dead.add(1);
        }
    }
}

fn rejected(failure: Failure, dead_letter: Option<Receipt>) -> PublishError {
    PublishError::Rejected {
        failure,
        dead_letter,
    }
}

/// Callback for a dead letter that is sent without a spool.
struct DirectDeadLetter {
    core: Arc<Core>,
    flight: Arc<InFlightEvent>,
    topic: Arc<str>,
    failure: Failure,
}

impl DeliveryCallback for DirectDeadLetter {
    fn on_delivery(self: Arc<Self>, outcome: Result<RecordMetadata, Failure>) {
        let letter = outcome.ok().map(|position| Receipt::Delivered {
            topic: self.topic.clone(),
            partition: position.partition,
            offset: position.offset,
        });
        let error = rejected(self.failure.clone(), letter);
        self.core.handle(&self.flight, Input::Ended(error));
    }
}
