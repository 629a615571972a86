//! `node.envelope_changed`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::NodePair;
use crate::rule::{Check, breaking_rule};

breaking_rule! {
    /// The envelope of a node's events changed.
    NODE_ENVELOPE_CHANGED = "node.envelope_changed",
    breaks: [CONSUMER, PRODUCER],
    title: "the envelope of a node's events changed",
    docs: "The envelope defines where type, time and payload of an event stand in its message. Herald's own \
         consumers recognise each; others read one, and so does a consumer of retained events.",
    before: "envelope: onex-v1\n\
         events: [{event_type: order.placed, topic: shop.order.placed.v1}]",
    after: "envelope: cloudevents\n\
         events: [{event_type: order.placed, topic: shop.order.placed.v1}]",
    safe: "envelope: onex-v1\n\
         events: [{event_type: order.placed, topic: shop.order.placed.v1}]\n\
         operations: [place]",
    no_witness: "Payloads stay as they are; they stand elsewhere in the message.",
    check: Check::Node(check),
}

fn check(pair: &NodePair<'_>, changes: &mut Vec<Change>) {
    let (old, new) = (pair.old.profile(), pair.new.profile());
    if old == new || pair.old.events.is_empty() {
        return;
    }
    let (old, new) = (old.as_str(), new.as_str());
    changes.push(
        Change::new(
            &NODE_ENVELOPE_CHANGED,
            Directions::CONSUMER.and(Directions::PRODUCER),
            format!("events of the node have the envelope `{new}` instead of `{old}`"),
        )
        .old(pair.old.location, old)
        .new_at(pair.new.location, new)
        .help("publish the events in the new envelope to topics of their own until consumers have moved"),
    );
}
