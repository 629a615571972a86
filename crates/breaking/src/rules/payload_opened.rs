//! `payload.opened`.

use crate::Directions;
use crate::change::Change;
use crate::change::Witness;
use crate::pairs::FieldsPair;
use crate::rule::{Check, breaking_rule};
use crate::wire::WireField;
use serde_json::json;

breaking_rule! {
    /// A typed payload has no declared fields any more.
    PAYLOAD_OPENED = "payload.opened",
    breaks: [CONSUMER, SOURCE],
    title: "a typed payload has no declared fields any more",
    docs: "Any object passes as payload now, also one that lacks what consumers need. Generated \
         models are gone.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: string",
    after: "operations: [place]\n\
         events:\n\
         \x20 - {event_type: order.placed, topic: shop.order.placed.v1}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: string\n\
         \x20     note: {type: string, required: false}",
    check: Check::Fields(check),
}

fn check(pair: &FieldsPair<'_>, changes: &mut Vec<Change>) {
    if !pair.owner.is_open_when_empty || pair.old.is_empty() || !pair.new.is_empty() {
        return;
    }
    let required = pair
        .old
        .iter()
        .map(WireField::of)
        .any(|field| field.required);
    let witness = required.then(|| Witness {
        value: json!({}),
        breaks: Directions::CONSUMER,
    });
    let breaks = Directions::CONSUMER.when(required).and(Directions::SOURCE);
    changes.push(
        Change::new(
            &PAYLOAD_OPENED,
            pair.owner.on_wire(breaks),
            format!("{} has no declared fields any more", pair.owner.title),
        )
        .old(pair.owner.old, "")
        .new_at(pair.owner.new, "")
        .witness(witness)
        .help("keep the fields that consumers read"),
    );
}
