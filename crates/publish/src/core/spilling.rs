//! Hand-over of events to the spool.

use std::collections::HashSet;
use std::sync::Arc;

use herald_spool::{KeyHash, SpoolError};

use super::{Core, Routing};
use crate::clock::lock;
use crate::event_state::Input;
use crate::in_flight_event::InFlightEvent;
use crate::relay::RowEvent;

impl Core {
    /// Hands an event to the spool, if there is one, unless the spool has the event or it has its
    /// outcome. The routing is locked: shared for a new event of a caller, exclusively for events that
    /// the transport has, so that no later event of the same key is appended before them.
    ///
    /// `keeps_order` is set if later events of the key must be appended behind it.
    pub(super) fn append(&self, routing: &Routing, flight: &Arc<InFlightEvent>, keeps_order: bool) {
        let mut event = flight.lock();
        let is_unsafe = event.state.is_unsafe();
        let Some(message) = event.message.as_ref().filter(|_| is_unsafe) else {
            return;
        };
        let hash = message.key_hash();
        let spool = routing.spool.as_ref();
        let row_weight = message.record_weight();
        let ticket = self.relay.appending(keeps_order.then_some(hash));
        event.state.on(Input::Appending {
            ticket,
            key: hash,
            row_weight,
        });
        drop(event);
        let handed_in = match spool {
            Some(spool) => spool.append_late(KeyHash::new(hash), row_weight, flight.clone()),
            None => Err(routing.spool_failure.clone().unwrap_or(SpoolError::Closed)),
        };
        if let Err(error) = handed_in {
            self.spool_answered(flight, Err(error));
        }
    }

    /// Copies the selected events that only the transport has to the spool, in the order of
    /// publishing, each together with all others of its key. Returns their number.
    pub(super) fn spill_to_spool(
        &self,
        routing: &Routing,
        which: impl Fn(&Arc<InFlightEvent>) -> bool,
    ) -> usize {
        let mut outstanding = lock(&self.outstanding);
        outstanding.retain(|flight| !flight.is_over());
        let flights: Vec<_> = outstanding.iter().cloned().collect();
        drop(outstanding);
        let keys: HashSet<u64> = flights
            .iter()
            .filter(|flight| which(flight))
            .filter_map(|flight| flight.key_hash())
            .collect();
        let spilled = flights.iter().filter(|flight| {
            which(flight)
                || (flight.is_unsafe() && flight.key_hash().is_some_and(|key| keys.contains(&key)))
        });
        spilled
            .map(|flight| self.append(routing, flight, true))
            .count()
    }

    /// Copies the events of a key that only the transport has to the spool.
    pub(crate) fn spill_key_to_spool(&self, routing: &Routing, key: u64) {
        self.spill_to_spool(routing, |event| {
            event.is_unsafe() && event.key_hash() == Some(key)
        });
    }

    /// Copies all events that only the transport has to the spool.
    pub(crate) fn spill_all_to_spool(&self, routing: &Routing) -> usize {
        self.spill_to_spool(routing, |flight| flight.is_unsafe())
    }

    /// Handles a failure of an event that is in the spool, or that the spool has refused. The routing is
    /// locked exclusively meanwhile: an event of the key that was sent before is failed by the transport
    /// too, and one that comes later finds a row of the key and is appended behind it.
    pub(super) fn key_failed(&self, key: u64, row: Option<RowEvent>) {
        let routing = self.lock_routing_exclusive();
        // The transport may have later events of the key that the spool does not have, and fails
        // them one after the other. A new event would be appended before them.
        self.spill_key_to_spool(&routing, key);
        self.relay.waits(key, row);
    }
}
