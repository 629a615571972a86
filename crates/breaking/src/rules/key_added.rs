//! `key.added`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::EventPair;
use crate::rule::{Check, breaking_rule};

breaking_rule! {
    /// An event has a partition key that it did not have.
    KEY_ADDED = "key.added",
    breaks: [CONSUMER],
    title: "an event has a partition key that it did not have",
    docs: "Events of one key go to one partition from now on, and earlier ones stay where they are: \
         around the change, consumers may see events of a key out of order. Compacted topics \
         begin to keep only the last event of each key.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - {event_type: a, topic: shop.a.v1, payload: {order: string}}",
    after: "operations: [place]\n\
         events:\n\
         \x20 - {event_type: a, topic: shop.a.v1, payload: {order: string}, partition_key: order}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - {event_type: a, topic: shop.a.v1, payload: {order: string, note: {type: string, required: false}}}",
    no_witness: "Payloads stay as they are; the order of events changes.",
    check: Check::Event(check),
}

fn check(pair: &EventPair<'_>, changes: &mut Vec<Change>) {
    let Some((old, new)) = pair.declared() else {
        return;
    };
    let event = &pair.old.event_type;
    let message = match (&old.partition_key, &new.partition_key) {
        (None, Some(after)) => format!(
            "events of `{event}` are keyed by `{after}`, before they had no key of their own"
        ),
        _ => return,
    };
    let text = |key: &Option<String>| key.clone().unwrap_or_default();
    changes.push(
        Change::new(&KEY_ADDED, Directions::CONSUMER, message)
            .old(pair.old.location, text(&old.partition_key))
            .new_at(pair.location(), text(&new.partition_key))
            .help("make the change while no events wait, or with a new topic"),
    );
}
