//! `event.name_changed`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::EventPair;
use crate::rule::{Check, breaking_rule};

breaking_rule! {
    /// An event has another name in generated code.
    EVENT_NAME_CHANGED = "event.name_changed",
    breaks: [SOURCE],
    title: "an event has another name in generated code",
    docs: "An event type that is declared in a second version gets the version in its names: \
         `publish_order_placed` becomes `publish_order_placed_v1`, and `OrderPlaced` becomes \
         `OrderPlacedV1`. Nothing changes on the wire; code of the node and of consumers has to \
         use the new names.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - {event_type: order.placed, topic: shop.order.placed.v1}",
    after: "operations: [place]\n\
         events:\n\
         \x20 - {event_type: order.placed, topic: shop.order.placed.v1}\n\
         \x20 - {event_type: order.placed, topic: shop.order.placed.v2}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - {event_type: order.placed, topic: shop.order.placed.v1}\n\
         \x20 - {event_type: order.shipped, topic: shop.order.shipped.v1}",
    no_witness: "Only names in generated code change.",
    check: Check::Event(check),
}

fn check(pair: &EventPair<'_>, changes: &mut Vec<Change>) {
    let is_same_event = |new: &&herald_catalog::Event| {
        new.declared.is_some() && new.identity() == pair.old.identity()
    };
    // Another event type is a change of its own, which has another name as its consequence.
    let Some(new) = pair.new.filter(is_same_event) else {
        return;
    };
    let (before, after) = (&pair.old.ident, &new.ident);
    if before == after {
        return;
    }
    let event_type = &pair.old.event_type;
    changes.push(
        Change::new(
            &EVENT_NAME_CHANGED,
            Directions::SOURCE,
            format!("`{event_type}` is `{after}` in generated code instead of `{before}`"),
        )
        .old(pair.old.location, before)
        .new_at(new.location, after)
        .help(format!(
            "call `publish_{after}` instead of `publish_{before}`"
        )),
    );
}
