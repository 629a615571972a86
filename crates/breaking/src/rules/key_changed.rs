//! `key.changed`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::EventPair;
use crate::rule::{Check, breaking_rule};

breaking_rule! {
    /// An event has another partition key.
    KEY_CHANGED = "key.changed",
    breaks: [CONSUMER],
    title: "an event has another partition key",
    docs: "Events go to other partitions than before: consumers see events of one old key in any \
         order, and stateful consumers find parts of their state on other instances.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - {event_type: a, topic: shop.a.v1, payload: {order: string, customer: string}, partition_key: order}",
    after: "operations: [place]\n\
         events:\n\
         \x20 - {event_type: a, topic: shop.a.v1, payload: {order: string, customer: string}, partition_key: customer}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - {event_type: a, topic: shop.a.v1, payload: {order: string, customer: string, note: {type: string, required: false}}, partition_key: order}",
    no_witness: "Payloads stay as they are; the order of events changes.",
    check: Check::Event(check),
}

fn check(pair: &EventPair<'_>, changes: &mut Vec<Change>) {
    let Some((old, new)) = pair.declared() else {
        return;
    };
    let event = &pair.old.event_type;
    let message = match (&old.partition_key, &new.partition_key) {
        (Some(before), Some(after)) if before != after => {
            format!("events of `{event}` were keyed by `{before}` and are keyed by `{after}`")
        }
        _ => return,
    };
    let text = |key: &Option<String>| key.clone().unwrap_or_default();
    changes.push(
        Change::new(&KEY_CHANGED, Directions::CONSUMER, message)
            .old(pair.old.location, text(&old.partition_key))
            .new_at(pair.location(), text(&new.partition_key))
            .help("publish under the new key to a new topic"),
    );
}
