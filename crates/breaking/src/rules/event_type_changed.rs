//! `event.type_changed`.

use crate::Directions;
use crate::change::Change;
use crate::change::Witness;
use crate::pairs::EventPair;
use crate::rule::{Check, breaking_rule};
use serde_json::json;

breaking_rule! {
    /// The type of an event changed.
    EVENT_TYPE_CHANGED = "event.type_changed",
    breaks: [CONSUMER, PRODUCER, SOURCE],
    title: "the type of an event changed",
    docs: "The topic is the same and the events in it have another type. Consumers choose by event \
         type: old ones ignore the new events or fail, new ones do so with retained events.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - {event_type: order.placed, topic: shop.order.placed.v1}",
    after: "operations: [place]\n\
         events:\n\
         \x20 - {event_type: order.accepted, topic: shop.order.placed.v1}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - {event_type: order.placed, topic: shop.order.placed.v1}\n\
         \x20 - {event_type: order.accepted, topic: shop.order.accepted.v1}",
    check: Check::Event(check),
}

fn check(pair: &EventPair<'_>, changes: &mut Vec<Change>) {
    let Some(new) = pair.new.filter(|new| new.declared.is_some()) else {
        return;
    };
    let (before, after) = (&pair.old.event_type, &new.event_type);
    if before == after {
        return;
    }
    let witness = |event_type: &str, breaks| Witness {
        value: json!({"event_type": event_type}),
        breaks,
    };
    changes.push(
        Change::new(
            &EVENT_TYPE_CHANGED,
            Directions::ALL,
            format!(
                "events in {} are `{after}` instead of `{before}`",
                pair.old_topic()
            ),
        )
        .old(pair.old.location, before)
        .new_at(new.location, after)
        .witness(Some(witness(after, Directions::CONSUMER)))
        .help(format!(
            "publish `{after}` to a topic of its own, beside `{before}`"
        )),
    );
}
