//! `key.removed`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::EventPair;
use crate::rule::{Check, breaking_rule};

breaking_rule! {
    /// An event has no partition key any more.
    KEY_REMOVED = "key.removed",
    breaks: [CONSUMER],
    title: "an event has no partition key any more",
    docs: "Events that belong together go to different partitions, and consumers see them in any \
         order. Compaction of the topic removes events that are still wanted, or none.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - {event_type: a, topic: shop.a.v1, payload: {order: string}, partition_key: order}",
    after: "operations: [place]\n\
         events:\n\
         \x20 - {event_type: a, topic: shop.a.v1, payload: {order: string}}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - {event_type: a, topic: shop.a.v1, payload: {order: string, note: {type: string, required: false}}, partition_key: order}",
    no_witness: "Payloads stay as they are; the order of events changes.",
    check: Check::Event(check),
}

fn check(pair: &EventPair<'_>, changes: &mut Vec<Change>) {
    let Some((old, new)) = pair.declared() else {
        return;
    };
    let event = &pair.old.event_type;
    let message = match (&old.partition_key, &new.partition_key) {
        (Some(before), None) => {
            format!("events of `{event}` were keyed by `{before}` and have no key of their own now")
        }
        _ => return,
    };
    let text = |key: &Option<String>| key.clone().unwrap_or_default();
    changes.push(
        Change::new(&KEY_REMOVED, Directions::CONSUMER, message)
            .old(pair.old.location, text(&old.partition_key))
            .new_at(pair.location(), text(&new.partition_key))
            .help("keep the key: consumers rely on the order of events that have it in common"),
    );
}
