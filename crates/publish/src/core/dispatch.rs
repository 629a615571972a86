//! Hand-over of new events to the transport and the spool.

use std::sync::Arc;
use std::time::Duration;

use herald_spool::SpoolError;

use super::{Core, Route, Routing};
use crate::clock::lock;
use crate::error::PublishError;
use crate::event_state::Input;
use crate::failure::{Failure, FailureCode, FailureKind};
use crate::in_flight_event::InFlightEvent;
use crate::message::Message;
use crate::options::Mode;
use crate::transport::Transport;

impl Core {
    /// Hands a message to the transport or the spool. The caller has acquired its share of the
    /// in-flight limit.
    pub(crate) fn dispatch(
        self: &Arc<Self>,
        message: Message,
        began: Duration,
        due: Duration,
    ) -> Result<Arc<InFlightEvent>, PublishError> {
        // As the limiter has counted it. A schema id changes the size of the message.
        let weight = message.weight();
        let accept = |message| {
            let flight = InFlightEvent::new(self.clone(), message, weight, began, due);
            Arc::new(flight)
        };
        let routing = self.routing();
        if routing.route == Route::Closed {
            drop(routing);
            self.limiter.release(weight);
            return Err(PublishError::Closed);
        }
        self.counters.published.add(1);
        if let Some(refusal) = self.refusal(&routing, &message) {
            drop(routing);
            let flight = accept(message);
            self.handle(&flight, Input::Ended(PublishError::Spool(refusal)));
            return Ok(flight);
        }
        // From here to the hand-over the shared lock is kept: a thread that waits for the exclusive
        // one, to spill or to change the route, finds this event either in `outstanding` or not
        // begun.
        if self.waits_for_limits(&routing, message.topic()) {
            let flight = accept(message);
            self.track(&flight);
            return Ok(flight);
        }
        let message = self.framed(message);
        let waits_for_schema = message.schema_subject().is_some();
        if waits_for_schema && routing.spool.is_none() {
            // Until `schema_found`, at most until its deadline.
            let flight = accept(message);
            self.track(&flight);
            return Ok(flight);
        }
        let too_large = self.check_size(&message).err();
        let to_spool = too_large.is_none() && self.belongs_behind_rows(&routing, &message);
        let flight = accept(message);
        if to_spool {
            if self.spools_everything(&routing) || !(self.held_is_full() || waits_for_schema) {
                self.append(&routing, &flight, true);
                return Ok(flight);
            }
            // The transport may have earlier events of its key that the spool does not have. They
            // need lower sequences than this one.
            drop(routing);
            let routing = self.lock_routing_exclusive();
            if let Some(key) = flight.key_hash() {
                self.spill_key_to_spool(&routing, key);
            }
            self.append(&routing, &flight, true);
            return Ok(flight);
        }
        self.track(&flight);
        let sent = match too_large {
            Some(failure) => Err(failure),
            None => self.send(&routing, &flight),
        };
        drop(routing);
        if let Err(failure) = sent {
            self.fail(&flight, failure);
        }
        Ok(flight)
    }

    /// Returns why an event can't be accepted: the spool is for another cluster, or the event would
    /// overtake rows of its key in a spool that accepts no events.
    fn refusal(&self, routing: &Routing, message: &Message) -> Option<SpoolError> {
        if let Some(other_cluster) = &routing.other_cluster {
            return Some(other_cluster.clone());
        }
        let orphan = routing.orphan.as_ref()?;
        let (topic, key) = (message.topic(), message.key());
        let overtakes =
            self.relay.may_have_unsent(|| message.key_hash()) && orphan.holds_key(topic, key);
        overtakes.then(|| orphan.failure.clone())
    }

    /// Returns whether an event goes to the spool alone: the cluster is unreachable, the transport has
    /// enough, or the spool has unsent rows of its key.
    pub(super) fn belongs_behind_rows(&self, routing: &Routing, message: &Message) -> bool {
        routing.spool.as_ref().is_some_and(|spool| {
            let key = || message.key_hash();
            routing.route == Route::Spool
                || self.held_is_full()
                || message.schema_subject().is_some()
                || (self.relay.may_have_unsent(key)
                    && spool.holds_key(message.topic(), message.key()))
        })
    }

    /// Gives an event to the transport, and in write-ahead to the spool as well. On failure the caller
    /// must call [`Core::fail`], after it has released the routing.
    pub(super) fn send(
        &self,
        routing: &Routing,
        flight: &Arc<InFlightEvent>,
    ) -> Result<(), Failure> {
        match &routing.transport {
            Some(_) if self.held_is_full() => Err(Failure::new(
                FailureKind::Full,
                FailureCode::Busy,
                "too many earlier events wait for the cluster",
            )),
            Some(transport) => self.give(transport.as_ref(), flight),
            None => Err(Failure::new(
                FailureKind::Retriable,
                FailureCode::NotConnected,
                "there is no connection to the cluster now",
            )),
        }?;
        if self.options.mode == Mode::WriteAhead && routing.spool.is_some() {
            self.append(routing, flight, false);
        }
        Ok(())
    }

    /// Gives the message of an event to the transport.
    fn give(&self, transport: &dyn Transport, flight: &Arc<InFlightEvent>) -> Result<(), Failure> {
        // Under the lock of the event: a report that comes before `send` has returned waits for it.
        let mut event = flight.lock();
        let Some(message) = &event.message else {
            return Ok(());
        };
        self.held.enter(flight.weight);
        transport
            .send(message, flight.clone())
            .inspect_err(|_| self.held.leave(flight.weight))?;
        event.state.on(Input::Sent);
        Ok(())
    }

    /// Returns whether the spool gets every event, so that the transport alone has none.
    fn spools_everything(&self, routing: &Routing) -> bool {
        self.options.mode == Mode::WriteAhead || routing.route == Route::Spool
    }

    /// Rejects what no transport would send, before the destination is chosen: the same event must
    /// not be an error while the cluster is reachable, and get a receipt while it is not.
    pub(super) fn check_size(&self, message: &Message) -> Result<(), Failure> {
        message.check_wire_bytes(self.max_message_bytes)?;
        match self.options.connect.max_batch_bytes(message.topic()) {
            Some(most) => message.check_batch_bytes(most),
            None => Ok(()),
        }
    }

    fn track(&self, flight: &Arc<InFlightEvent>) {
        let mut outstanding = lock(&self.outstanding);
        // Outcomes arrive nearly in order, so removing up to two resolved events per new one keeps the
        // queue short at constant cost. Behind one slow event resolved ones can pile up; the full
        // scan runs only when they exceed the in-flight limit.
        for _ in 0..2 {
            if outstanding.front().is_some_and(|first| first.is_over()) {
                outstanding.pop_front();
            }
        }
        if outstanding.len() > self.options.max_in_flight.saturating_mul(2) {
            outstanding.retain(|flight| !flight.is_over());
        }
        outstanding.push_back(flight.clone());
        drop(outstanding);
        self.timer.schedule(flight.due);
    }
}
