//! `field.became_public`.

use crate::Directions;
use crate::candidates;
use crate::change::Change;
use crate::change::Witness;
use crate::pairs::FieldPair;
use crate::rule::{Check, breaking_rule};
use crate::wire::WireField;
use herald_catalog::fields::Privacy;
use serde_json::json;

breaking_rule! {
    /// A private field is public.
    FIELD_BECAME_PUBLIC = "field.became_public",
    breaks: [CONSUMER, PRODUCER, SOURCE],
    title: "a private field is public",
    docs: "The value leaves the process from now on. Retained events have the name of the type in \
         its place, which consumers with the new model reject, and consumers with the old model \
         expect text.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: string\n\
         \x20     total: {type: integer, privacy: private}",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: string\n\
         \x20     total: integer",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: string\n\
         \x20     total: {type: integer, privacy: private, description: Sum.}",
    check: Check::Field(check),
}

fn check(pair: &FieldPair<'_>, changes: &mut Vec<Change>) {
    if (pair.old.privacy, pair.new.privacy) != (Privacy::Private, Privacy::Public) {
        return;
    }
    let node = pair.fields.node;
    let (old, new) = (WireField::of(pair.old), WireField::of(pair.new));
    let (old, new_type) = (
        old.typed(&node.old.definitions),
        new.typed(&node.new.definitions),
    );
    let name = pair.new.name.as_str();
    let published = json!(pair.old.spelling);
    let witness = |value, breaks| Witness {
        value: json!({name: value}),
        breaks,
    };
    let is_rejected = !old.is_within(new_type);
    let producer = if new.required {
        pair.fields.old_without_field()
    } else {
        let rejected = (!new_type.accepts(&published)).then_some(published);
        let value = rejected.or_else(|| candidates::witness(old, new_type));
        value.map(|value| witness(value, Directions::PRODUCER))
    };
    let consumer =
        candidates::witness(new_type, old).map(|value| witness(value, Directions::CONSUMER));
    let breaks = Directions::PRODUCER
        .when(new.required || is_rejected)
        .and(Directions::CONSUMER.when(!new_type.is_within(old)))
        .and(Directions::SOURCE);
    let owner = pair.fields.owner;
    changes.push(
        Change::new(
            &FIELD_BECAME_PUBLIC,
            owner.on_wire(breaks),
            format!(
                "{} was private and is public: its value is published",
                pair.subject()
            ),
        )
        .old(pair.old.location, "private")
        .new_at(pair.new.location, "public")
        .witness(producer.or(consumer))
        .help("publish the value under a new name"),
    );
}
