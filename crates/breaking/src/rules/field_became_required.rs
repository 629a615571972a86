//! `field.became_required`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::FieldPair;
use crate::rule::{Check, breaking_rule};

breaking_rule! {
    /// An optional field is required.
    FIELD_BECAME_REQUIRED = "field.became_required",
    breaks: [PRODUCER, SOURCE],
    title: "an optional field is required",
    docs: "Retained events, and events of instances that are not upgraded yet, may lack the field, \
         or have null for it: consumers with the new model reject them.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: string\n\
         \x20     note: {type: string, required: false}",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: string\n\
         \x20     note: string",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: string\n\
         \x20     note: {type: string, required: false, description: For people.}",
    check: Check::Field(check),
}

fn check(pair: &FieldPair<'_>, changes: &mut Vec<Change>) {
    if pair.old.required || !pair.new.required {
        return;
    }
    changes.push(
        Change::new(
            &FIELD_BECAME_REQUIRED,
            pair.on_wire(Directions::PRODUCER.and(Directions::SOURCE)),
            format!("{} was optional and is required", pair.subject()),
        )
        .old(pair.old.location, "optional")
        .new_at(pair.new.location, "required")
        .witness(
            pair.is_published
                .then(|| pair.fields.old_without_field())
                .flatten(),
        )
        .help("always publish the field first, and require it when no retained event lacks it"),
    );
}
