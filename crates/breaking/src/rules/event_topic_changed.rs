//! `event.topic_changed`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::EventPair;
use crate::rule::{Check, breaking_rule};

breaking_rule! {
    /// An event goes to another topic.
    EVENT_TOPIC_CHANGED = "event.topic_changed",
    breaks: [CONSUMER, SOURCE],
    title: "an event goes to another topic",
    docs: "Consumers of the old topic get no more events. To move them, publish to both topics for \
         a while.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - {event_type: order.placed, topic: shop.order.placed.v1}",
    after: "operations: [place]\n\
         events:\n\
         \x20 - {event_type: order.placed, topic: shop.orders.v1}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - {event_type: order.placed, topic: shop.order.placed.v1, description: An order was accepted.}",
    no_witness: "Payloads stay as they are; consumers read a topic that nothing is published to.",
    check: Check::Event(check),
}

fn check(pair: &EventPair<'_>, changes: &mut Vec<Change>) {
    let Some(new) = pair.new.filter(|new| new.topic != pair.old.topic) else {
        return;
    };
    // A new name or kind of the node has moved all topics, and is reported once.
    let (node, successor) = (pair.node.old, pair.node.new);
    let is_moved = node.service_name != successor.service_name || node.kind != successor.kind;
    if is_moved && pair.old.declared.is_none() {
        return;
    }
    let (before, after) = (pair.old.topic.as_template(), new.topic.as_template());
    changes.push(
        Change::new(
            &EVENT_TOPIC_CHANGED,
            Directions::ALL,
            format!(
                "{} goes to `{after}` instead of `{before}`",
                pair.old.title()
            ),
        )
        .old(pair.old.topic_location, &before)
        .new_at(new.topic_location, &after)
        .help("publish to both topics until nobody consumes the old one"),
    );
}
