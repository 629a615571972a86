//! `field.became_optional`.

use crate::Directions;
use crate::change::Change;
use crate::pairs::FieldPair;
use crate::rule::{Check, breaking_rule};

breaking_rule! {
    /// A required field is optional.
    FIELD_BECAME_OPTIONAL = "field.became_optional",
    breaks: [CONSUMER, SOURCE],
    title: "a required field is optional",
    docs: "New events may lack the field, or have null for it: consumers with the old model reject \
         them. Code that reads the attribute meets None.",
    before: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: string\n\
         \x20     total: decimal",
    after: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: string\n\
         \x20     total: {type: decimal, required: false}",
    safe: "operations: [place]\n\
         events:\n\
         \x20 - event_type: order.placed\n\
         \x20   topic: shop.order.placed.v1\n\
         \x20   payload:\n\
         \x20     order: string\n\
         \x20     total: {type: decimal, description: Sum of all lines.}",
    check: Check::Field(check),
}

fn check(pair: &FieldPair<'_>, changes: &mut Vec<Change>) {
    if !pair.old.required || pair.new.required {
        return;
    }
    changes.push(
        Change::new(
            &FIELD_BECAME_OPTIONAL,
            pair.on_wire(Directions::CONSUMER.and(Directions::SOURCE)),
            format!("{} was required and is optional", pair.subject()),
        )
        .old(pair.old.location, "required")
        .new_at(pair.new.location, "optional")
        .witness(
            pair.is_published
                .then(|| pair.fields.new_without_field())
                .flatten(),
        )
        .help("go on publishing the field until all consumers have the newer model"),
    );
}
