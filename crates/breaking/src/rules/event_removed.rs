//! `event.removed`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::EventPair;
use crate::rule::{Check, breaking_rule};

breaking_rule! {
    /// A declared event is gone.
    EVENT_REMOVED = "event.removed",
    breaks: [CONSUMER, SOURCE],
    title: "a declared event is gone",
    docs: "Consumers that wait for the event get none, and its generated method and model are gone. \
         Kafka keeps the topic and its retained events.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - {event_type: order.placed, topic: shop.order.placed.v1}\n\
         \x20 - {event_type: order.cancelled, topic: shop.order.cancelled.v1}",
    after: "operations: [place]\n\
         events:\n\
         \x20 - {event_type: order.placed, topic: shop.order.placed.v1}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - {event_type: order.placed, topic: shop.order.placed.v1}\n\
         \x20 - {event_type: order.cancelled, topic: shop.order.cancelled.v1}\n\
         \x20 - {event_type: order.shipped, topic: shop.order.shipped.v1}",
    no_witness: "The event is missing: no single value shows it.",
    check: Check::Event(check),
}

fn check(pair: &EventPair<'_>, changes: &mut Vec<Change>) {
    if pair.old.declared.is_none() || pair.new.is_some() {
        return;
    }
    let name = &pair.old.event_type;
    let title = pair.old.title();
    changes.push(
        Change::new(
            &EVENT_REMOVED,
            Directions::ALL,
            format!("the event {title} is gone"),
        )
        .old(pair.old.location, name)
        .new_at(pair.node.new.location, "")
        .help(format!(
            "publish it until nobody consumes {}",
            pair.old_topic()
        )),
    );
}
