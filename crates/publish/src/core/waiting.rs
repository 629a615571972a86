//! Events that are not handed over yet: they wait for the limits of their topic, or for a schema id.

use std::sync::Arc;

use super::{Core, Route, Routing};
use crate::clock::lock;
use crate::message::Message;
use crate::options::Mode;
use crate::relay::RowEvent;
use crate::schemas;

impl Core {
    /// Returns whether a new event of the topic has to wait for [`Core::limits_answered`]. In
    /// write-ahead the spool would give a receipt to an event that the topic then turns out never to
    /// accept, and only to the first one. At its deadline, and in an outage, it is spooled all the
    /// same.
    pub(super) fn waits_for_limits(self: &Arc<Self>, routing: &Routing, topic: &str) -> bool {
        if self.options.mode != Mode::WriteAhead
            || routing.route != Route::Cluster
            || routing.spool.is_none()
        {
            return false;
        }
        let Some(transport) = &routing.transport else {
            return false;
        };
        let mut asked = lock(&self.limits_asked);
        if let Some(answered) = asked.get(topic) {
            return !answered;
        }
        let (core, name) = (Arc::downgrade(self), Box::from(topic));
        let waits = transport.ask_limits(
            topic,
            Box::new(move || {
                if let Some(core) = core.upgrade() {
                    core.relay.post(RowEvent::LimitsAnswered(name));
                }
            }),
        );
        asked.insert(topic.into(), !waits);
        waits
    }

    /// Hands over the events that waited for the limits of a topic.
    pub(crate) fn limits_answered(self: &Arc<Self>, topic: Box<str>) {
        // Exclusively, so that no later event of the topic is handed over before them.
        let routing = self.lock_routing_exclusive();
        let mut waiting = self.outstanding();
        waiting.retain(|flight| flight.waits_for_limits(&topic));
        let mut refused = Vec::new();
        for flight in waiting {
            flight.take_schema(|message| self.framed(message));
            let Some(message) = flight.message() else {
                continue;
            };
            if message.schema_subject().is_some() && routing.spool.is_none() {
                // The spool was lost meanwhile: until `schema_found`, at most until its deadline.
                continue;
            }
            if let Err(failure) = self.check_size(&message) {
                refused.push((flight, failure));
            } else if self.belongs_behind_rows(&routing, &message) {
                self.append(&routing, &flight, true);
            } else if let Err(failure) = self.send(&routing, &flight) {
                refused.push((flight, failure));
            }
        }
        lock(&self.limits_asked).insert(topic, true);
        drop(routing);
        for (flight, failure) in refused {
            self.fail(&flight, failure);
        }
    }

    /// Returns the message with its schema id, if it waits for one that is known.
    pub(crate) fn framed(&self, message: Message) -> Message {
        if message.schema_subject().is_none() {
            return message;
        }
        if let Some(schemas) = &self.schemas {
            return schemas.frame(message);
        }
        schemas::warn_unconfigured();
        message
    }

    /// Makes a schema id known, and hands over the events without a spool that waited for it. Those in the
    /// spool are delivered by the relay.
    pub(crate) fn schema_found(self: &Arc<Self>, make_known: impl FnOnce()) {
        // Exclusively, so that no later event of a key is handed over before them.
        let routing = self.lock_routing_exclusive();
        make_known();
        let mut refused = Vec::new();
        if routing.spool.is_none() {
            for flight in self.outstanding() {
                if flight.take_schema(|message| self.framed(message))
                    && let Err(failure) = self.send(&routing, &flight)
                {
                    refused.push((flight, failure));
                }
            }
        }
        drop(routing);
        for (flight, failure) in refused {
            self.fail(&flight, failure);
        }
        self.relay.notify.notify();
    }
}
