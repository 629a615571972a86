//! Deadlines of events and of callers that wait for room.

use std::sync::{Arc, RwLockWriteGuard};
use std::time::Duration;

use tracing::warn;

use super::{Core, Route, Routing};
use crate::clock::lock;
use crate::error::PublishError;
use crate::event_state::Input;
use crate::failure::{Failure, FailureCode, FailureKind};
use crate::in_flight_event::InFlightEvent;

impl Core {
    /// Waits for deadlines, until the publisher is closed.
    pub(crate) fn run_deadline_loop(&self) {
        loop {
            let now = self.clock.now();
            self.check_deadlines();
            if self.routing().route == Route::Closed {
                return;
            }
            // A later event is due after `idle`, unless its caller set an earlier deadline; then
            // `DeadlineTimer::schedule` wakes this thread.
            let idle = now + self.options.deadline_or_default();
            let next = self.first_due().map_or(idle, |due| due.min(idle));
            self.timer.set_next(next);
            // What came before `set_next` did not notify.
            if self.first_due().is_none_or(|due| due >= next) {
                self.timer.wait(&self.clock, next);
            }
        }
    }

    /// Handles events and waiters whose deadline has passed.
    pub(crate) fn check_deadlines(&self) {
        let now = self.clock.now();
        let lost = {
            let routing = self.lock_routing_if_due(now);
            routing.is_some_and(|routing| self.deadlines_passed(&routing, now))
        };
        if lost {
            self.lose_cluster(&Failure::new(
                FailureKind::Retriable,
                FailureCode::NoAcknowledgement,
                "nothing was acknowledged within the deadline",
            ));
        }
        self.limiter.expire(now);
    }

    /// Returns the first deadline of an event or a waiter.
    fn first_due(&self) -> Option<Duration> {
        let dues = [self.first_event_due(), self.limiter.first_due()];
        dues.into_iter().flatten().min()
    }

    fn first_event_due(&self) -> Option<Duration> {
        let mut outstanding = lock(&self.outstanding);
        outstanding.retain(|flight| !flight.is_over());
        let waiting = outstanding
            .iter()
            .filter(|flight| flight.waits_for_transport());
        waiting.map(|flight| flight.due).min()
    }

    /// Locks the routing only if a deadline has passed: the exclusive lock stops all publishing.
    fn lock_routing_if_due(&self, now: Duration) -> Option<RwLockWriteGuard<'_, Routing>> {
        let due = self.first_event_due().is_some_and(|due| due <= now);
        due.then(|| self.lock_routing_exclusive())
    }

    /// Handles events whose deadline has passed; returns whether the cluster counts as unreachable.
    fn deadlines_passed(&self, routing: &Routing, now: Duration) -> bool {
        if routing.spool.is_some() {
            // One slow partition is not an outage: only if nothing at all was acknowledged since the
            // event was published. Neither is a topic that does not exist.
            let silent = lock(&self.outstanding).iter().any(|flight| {
                flight.due <= now
                    && flight.waits_for_transport()
                    && !self.acknowledged_since(flight.began)
                    && self.topic_failure(routing, flight).is_none()
            });
            self.spill_to_spool(routing, |flight| flight.due <= now && flight.is_unsafe());
            for flight in self.outstanding_due(now) {
                self.handle(&flight, Input::Due);
            }
            return silent && routing.route == Route::Cluster;
        }
        for flight in self.outstanding_due(now) {
            let error = match self.topic_failure(routing, &flight) {
                Some(failure) => PublishError::Unavailable(failure),
                None => PublishError::Deadline {
                    after: now.saturating_sub(flight.began),
                    cause: (routing.transport.as_ref()).and_then(|transport| transport.outage()),
                },
            };
            self.handle(&flight, Input::Ended(error));
        }
        false
    }

    fn outstanding_due(&self, now: Duration) -> Vec<Arc<InFlightEvent>> {
        let mut flights = self.outstanding();
        flights.retain(|flight| flight.due <= now);
        flights
    }

    /// Returns why the event of an overdue flight is not acknowledged, if its topic is the cause, and
    /// logs it once for each topic.
    fn topic_failure(&self, routing: &Routing, flight: &InFlightEvent) -> Option<Failure> {
        let transport = routing.transport.as_ref()?;
        let topic = flight.topic()?;
        let failure = transport.topic_failure(&topic)?;
        if lock(&self.topic_failures).insert(topic) {
            warn!(
                target: "herald::publisher",
                code = failure.code.as_str(),
                detail = %failure.detail,
                "events of a topic are not acknowledged"
            );
        }
        Some(failure)
    }
}
